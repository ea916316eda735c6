"""One call of the model chain: a proposal for this turn."""

import hashlib
import re
from collections.abc import Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path
from string import Template
from typing import Any, Literal, get_args
from zoneinfo import ZoneInfo

from babel import Locale
from babel.dates import format_datetime
from langgraph.runtime import Runtime
from langgraph.types import Command

from channels.visible import visible
from crm.businesses import Profile
from crm.packs import Pack
from graph.context import Context
from graph.state import State, text_of, told_so_far, with_context
from inference.chat import Answered, ChatModel, Intent, Proposal, Request
from inference.declines import declines
from inference.errors import InferenceError
from inference.grounding_words import fold
from inference.material import Material, Piece
from inference.witness import witnessed
from tools.frame import Frame
from tools.registry import is_off

PROMPT = Path(__file__).with_suffix(".md")
LAST_RESORT_AFTER = 2  # checked and refused twice: from then on only quotes
TURN = "---turn---\n"
# Stands in the prompt and nowhere else: who says it has read the prompt aloud. The same in every worker, so
# that an engine's cache of the prompt's beginning serves them all.
CANARY = hashlib.sha256(PROMPT.read_bytes()).hexdigest()[:16]
_VERBATIM = 6  # words in a row that only the prompt can have brought
_LONG_LOOP, _FRESH = 15, 0.4  # runs of three words, and the least share of them that is new
# Characters of one line, of all lines before this turn, and of the customer's words in it: with facts and
# passages a prompt then fits an engine that reads 8 000 tokens.
_LINE, _HISTORY, _SAID = 600, 6000, 6000
_MARK = re.compile(r"[FPA]\d{1,2}")
_MARKED = re.compile(r"\s*[\[(][FPA]\d{1,2}(?:,\s*[FPA]\d{1,2})*[\])]")
_INTERNAL = tuple(intent for intent in get_args(Intent) if "_" in intent)
_PLACEHOLDER = re.compile(r"\$\w+|\n")
_FENCES = re.compile(r"<{3,}|>{3,}")


async def generate(
    state: State, runtime: Runtime[Context]
) -> Command[Literal["check_grounding", "open_handoff"]]:
    """A proposal from the first model of the chain that gives a valid one; to a human when none does."""
    context = runtime.context
    event = state["event"]
    profile = await context.profiles.of_turn(context.crm, event["business_id"], event["turn_id"])
    attempts = int(state.get("grounding", {}).get("attempts", 0))
    model = context.last_resort if attempts >= LAST_RESORT_AFTER else context.chat
    try:
        request = await _request(state, profile, context)
        answered = await _proposed(model, request, context)
    except InferenceError as error:
        handoff = {"reason": "model_exhausted", "wants": text_of(event), "detail": str(error)}
        return Command(goto="open_handoff", update={"handoff": handoff})
    unsure = (
        answered.proposal.confidence < context.tuning.confidence_below and not answered.proposal.abstained
    )
    # The last resort is the second witness itself: it is not heard twice.
    heard = unsure or answered.model == context.last_resort.name
    meant = answered.proposal if heard else _witnessed(answered.proposal, state, request.material, context)
    proposal = {
        **meant.model_dump(),
        "model": answered.model,
        "seconds": round(answered.seconds, 4),
        "usage": _added(state, answered.usage),
    }
    if meant is not answered.proposal:
        proposal["overruled"] = answered.proposal.intent
    if unsure:
        handoff = {"reason": "low_confidence", "wants": request.material.text}
        return Command(goto="open_handoff", update={"handoff": handoff, "proposal": proposal})
    return Command(goto="check_grounding", update={"proposal": proposal})


def _witnessed(proposal: Proposal, state: State, material: Material, context: Context) -> Proposal:
    frame = Frame.pending(state.get("frame"), context.clock())
    return witnessed(proposal, material, pending=frame.intent if frame else None)


def _added(state: State, usage: dict[str, int]) -> dict[str, int]:
    """Tokens of every answer asked for in this turn, not only of the last one."""
    before: dict[str, int] = (state.get("proposal") or {}).get("usage") or {}
    return {name: before.get(name, 0) + usage.get(name, 0) for name in {**before, **usage}}


async def _proposed(model: ChatModel, request: Request, context: Context) -> Answered:
    """A model that recites its instructions obeys somebody else in this turn, one that goes round in circles
    has lost its way, and one that turns a customer down leaves them there: it is not asked again."""
    answered = await model.propose(request)
    said = answered.proposal.reply
    if not (recites(answered.proposal) or loops(said) or declines(said)):
        reply = _unmarked(visible(said), request.material.pieces)
        return replace(answered, proposal=answered.proposal.model_copy(update={"reply": reply}))
    instead = await context.last_resort.propose(request)
    return replace(instead, usage=answered.usage)  # it took tokens all the same


def _unmarked(reply: str, pieces: Sequence[Piece]) -> str:
    """The reply without the ids of this turn's facts and passages, which are nobody's business outside the
    prompt: "… 65 € [F1].", "(P1, P2)". What looks like one in a piece's own words ("formato (A5)") stays."""
    written = {
        mark for piece in pieces for group in _MARKED.findall(piece.text) for mark in _MARK.findall(group)
    }
    ours = {piece.id for piece in pieces}

    def unless_told(group: re.Match[str]) -> str:
        marks = set(_MARK.findall(group.group()))
        cited = group.group().lstrip().startswith("[") or marks & ours
        return "" if cited and not marks & written else group.group()

    return _MARKED.sub(unless_told, reply).strip()


def recites(proposal: Proposal) -> bool:
    """Whether a proposal holds the prompt's canary, a long piece of the prompt or a name of the machinery."""
    said = " ".join([proposal.reply, *map(str, proposal.arguments.model_dump(exclude_none=True).values())])
    words = _words_of(said)
    packed = "".join(words)
    if CANARY in packed or CANARY in packed[::-1]:
        return True
    if any(name in said.casefold() for name in _INTERNAL):
        return True
    return not _instructions().isdisjoint(_runs(words))


def loops(reply: str) -> bool:
    """Whether a reply says the same three words over and over; opening hours of a week do not come near."""
    words = _words_of(reply)
    runs = [tuple(words[at : at + 3]) for at in range(len(words) - 2)]
    return len(runs) >= _LONG_LOOP and len(set(runs)) < len(runs) * _FRESH


@cache
def _instructions() -> frozenset[tuple[str, ...]]:
    """The runs of words of the prompt itself; what a business fills in may be told to customers."""
    system = PROMPT.read_text(encoding="utf-8").partition(TURN)[0]
    return frozenset(run for piece in _PLACEHOLDER.split(system) for run in _runs(_words_of(piece)))


def _runs(words: list[str]) -> set[tuple[str, ...]]:
    return {tuple(words[at : at + _VERBATIM]) for at in range(len(words) - _VERBATIM + 1)}


def _words_of(text: str) -> list[str]:
    return re.findall(r"\w+", fold(text))


async def _request(state: State, profile: Profile, context: Context) -> Request:
    material = await _material(state, profile, context)
    system, turn = PROMPT.read_text(encoding="utf-8").split(TURN)
    return Request(
        system=Template(_offering(system, profile)).substitute(_about_business(profile)),
        turn=Template(turn).substitute(_about_turn(state, profile, material, context)),
        history=_history(state),
        material=material,
    )


def _history(state: State) -> list[tuple[str, str]]:
    """What was said before the words of this turn, the latest of it and no line too long."""
    window = list(state.get("window", []))
    own = len(state["event"].get("messages", []))
    while own and window and window[-1]["author"] == "customer":
        window.pop()
        own -= 1
    told: list[tuple[str, str]] = []
    left = _HISTORY
    for line in reversed([line for line in window if line.get("text")]):
        text = _shortened(line["text"], _LINE)
        left -= len(text)
        if left < 0:
            break
        told.append(("user" if line["author"] == "customer" else "assistant", text))
    return told[::-1]


def _shortened(text: str, most: int) -> str:
    """Its beginning and its end: what somebody wants stands in the first or in the last words."""
    return text if len(text) <= most else f"{text[: most // 2]} … {text[-most // 2 :]}"


def _offering(system: str, profile: Profile) -> str:
    """The prompt without the intents that this business does not carry out."""
    off = tuple(f"- {intent}" for intent in get_args(Intent) if is_off(intent, profile.pack.intents_off))
    return "".join(line for line in system.splitlines(keepends=True) if not (off and line.startswith(off)))


def _about_business(profile: Profile) -> dict[str, str]:
    """Only what is the same in every turn of a business, so that an engine can reuse the prefix."""
    rules, pack = profile.house_rules.get(profile.language, []), profile.pack
    added = [d.texts[profile.language] for d in pack.disclaimers if profile.language in d.texts]
    return {
        "business": profile.business.name,
        "persona": profile.persona.get(profile.language, ""),
        "tone": pack.tone.get(profile.language, ""),
        "words": "\n".join(_words(language, pack) for language in profile.business.languages),
        "house_rules": _listed("House rules:", rules),
        "disclaimers": _listed("The system adds these where they are due; do not write them:", added),
        "canary": CANARY,
    }


def _listed(head: str, lines: list[str]) -> str:
    return "\n".join([head, *(f"- {line}" for line in lines)]) if lines else ""


def _words(language: str, pack: Pack) -> str:
    prefer, avoid = ", ".join(pack.prefer.get(language, [])), ", ".join(pack.avoid.get(language, []))
    said = [f"say {prefer}" if prefer else "", f"never say {avoid}" if avoid else ""]
    return f"Words ({language}): {'; '.join(filter(None, said))}." if prefer or avoid else ""


def _about_turn(state: State, profile: Profile, material: Material, context: Context) -> dict[str, str]:
    now = context.clock().astimezone(ZoneInfo(profile.business.time_zone))
    facts = [f"[{piece.id}] {piece.text}" for piece in material.pieces if piece.kind == "fact"]
    passages = [
        f"[{piece.id}] ({_below(piece)}) {piece.text}" for piece in material.pieces if piece.kind == "passage"
    ]
    said = "\n".join(filter(None, map(with_context, state["event"].get("messages", []))))
    refused = [str(claim) for claim in state.get("grounding", {}).get("unsupported", [])]
    return {
        "today": format_datetime(now, "EEEE d MMMM y, HH:mm", locale=profile.language),
        "customer": _data(material.contact or "unknown"),
        "language": Locale.parse(material.language).english_name or material.language,
        "known": _data(_known(state)) or "nothing",
        "facts": _data("\n".join(facts)) or "none",
        "passages": _data("\n".join(passages)) or "none",
        "again": f"Your last answer was refused, nothing supports: {'; '.join(refused)}." if refused else "",
        "text": _data(_shortened(said, _SAID)),
    }


def _below(piece: Piece) -> str:
    """Where a passage stands: a row of a table says its price, the headings say of what."""
    return " > ".join(dict.fromkeys(filter(None, [piece.source, piece.title, piece.section])))


def _data(text: str) -> str:
    """Words of others without the marks that fence them in."""
    return _FENCES.sub(lambda fence: "‹" if fence.group()[0] == "<" else "›", text)


def _known(state: State) -> str:
    lines = []
    contact, colleague = state.get("contact", {}), told_so_far(state)
    if contact.get("lifecycle") == "client":
        lines.append("The customer is a client of the house: warm, no introductions.")
    if contact.get("appointments"):
        booked = ", ".join(f"{a['service']} {a['starts']}" for a in contact["appointments"])
        lines.append(f"The customer has booked: {booked}.")
    if contact.get("visits"):
        came = ", ".join(f"{a['service']} {a['starts']} with {a['with']}" for a in contact["visits"])
        lines.append(f"The customer came for: {came}.")
    for earlier in contact.get("earlier", []):
        lines.append(f"Earlier conversation: {earlier['summary']}")
    if colleague:
        told = "; ".join(filter(None, [colleague.get("note"), *(colleague.get("promises") or [])]))
        lines.append(f"A colleague spoke with the customer and left this note: {told}")
        lines.extend(f"A colleague has already done this: {done}" for done in colleague.get("done") or [])
    return "\n".join(lines)


async def _material(state: State, profile: Profile, context: Context) -> Material:
    text, language = text_of(state["event"]), state["language"]
    vector = await context.embedder.query(text)
    guess = context.intents.classify(text, vector)
    facts = [
        Piece(
            f["id"], "fact", f["text"], language, topic=f["kind"], names=tuple(f["names"]), asked=f["asked"]
        )
        for f in state.get("facts", [])
    ]
    passages = [
        Piece(
            p["id"],
            "passage",
            p["text"],
            p["language"],
            score=p["score"],
            source=p["source"],
            title=p.get("title", ""),
            section=p["section"],
        )
        for p in state.get("passages", [])
    ]
    return Material(
        text=text,
        language=language,
        language_name=lambda code: _language_name(code, language),
        intent=guess.intent,
        confidence=guess.confidence,
        scores=guess.scores,
        pieces=(*facts, *passages),
        business=profile.business.name,
        contact=state.get("contact", {}).get("name"),
        client=state.get("contact", {}).get("lifecycle") == "client",
        first_turn=len(state.get("window", [])) <= 1,
        abstain_below=context.tuning.abstain_below,
        say=context.phrases.speaker(language, formal=profile.pack.formal),
    )


def _language_name(code: str, language: str) -> str:
    name: Any = Locale.parse(code).get_display_name(language)
    return str(name or code)
