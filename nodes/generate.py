"""One call of the model chain: a proposal for this turn."""

from pathlib import Path
from string import Template
from typing import Any, Literal
from zoneinfo import ZoneInfo

from babel import Locale
from babel.dates import format_datetime
from langgraph.runtime import Runtime
from langgraph.types import Command

from crm import businesses
from crm.businesses import Profile
from graph.context import Context
from graph.state import State, text_of
from inference.chat import Request
from inference.errors import InferenceError
from inference.material import Material, Piece

PROMPT = Path(__file__).with_suffix(".md")
LAST_RESORT_AFTER = 2  # checked and refused twice: from then on only quotes
_HISTORY = 10


async def generate(
    state: State, runtime: Runtime[Context]
) -> Command[Literal["check_grounding", "open_handoff"]]:
    """A proposal from the first model of the chain that gives a valid one; to a human when none does."""
    context = runtime.context
    async with context.crm.transaction(state["event"]["business_id"]) as tx:
        profile = await businesses.profile(tx)
    request = await _request(state, profile, context)
    attempts = int(state.get("grounding", {}).get("attempts", 0))
    model = context.last_resort if attempts >= LAST_RESORT_AFTER else context.chat
    try:
        answered = await model.propose(request)
    except InferenceError as error:
        handoff = {"reason": "model_exhausted", "wants": request.material.text, "detail": str(error)}
        return Command(goto="open_handoff", update={"handoff": handoff})
    proposal = {
        **answered.proposal.model_dump(),
        "model": answered.model,
        "seconds": round(answered.seconds, 4),
        "usage": answered.usage,
    }
    if proposal["confidence"] < context.tuning.confidence_below and not proposal["abstained"]:
        handoff = {"reason": "low_confidence", "wants": request.material.text}
        return Command(goto="open_handoff", update={"handoff": handoff, "proposal": proposal})
    return Command(goto="check_grounding", update={"proposal": proposal})


async def _request(state: State, profile: Profile, context: Context) -> Request:
    material = await _material(state, profile, context)
    system, turn = PROMPT.read_text(encoding="utf-8").split("---turn---\n")
    window = state.get("window", [])
    history = [
        ("user" if line["author"] == "customer" else "assistant", line["text"])
        for line in window[-_HISTORY - 1 : -1]
        if line.get("text")
    ]
    return Request(
        system=Template(system).substitute(_about_business(profile)),
        turn=Template(turn).substitute(_about_turn(state, profile, material, context)),
        history=history,
        material=material,
    )


def _about_business(profile: Profile) -> dict[str, str]:
    """Only what is the same in every turn of a business, so that an engine can reuse the prefix."""
    rules = profile.house_rules.get(profile.language, [])
    return {
        "business": profile.business.name,
        "persona": profile.persona.get(profile.language, ""),
        "house_rules": "House rules:\n" + "\n".join(f"- {rule}" for rule in rules) if rules else "",
    }


def _about_turn(state: State, profile: Profile, material: Material, context: Context) -> dict[str, str]:
    now = context.clock().astimezone(ZoneInfo(profile.business.time_zone))
    facts = [f"[{piece.id}] {piece.text}" for piece in material.pieces if piece.kind == "fact"]
    passages = [
        f"[{piece.id}] ({piece.source}) {piece.text}" for piece in material.pieces if piece.kind == "passage"
    ]
    refused = [str(claim) for claim in state.get("grounding", {}).get("unsupported", [])]
    return {
        "today": format_datetime(now, "EEEE d MMMM y, HH:mm", locale=profile.language),
        "customer": material.contact or "unknown name",
        "language": Locale.parse(material.language).english_name or material.language,
        "known": _known(state),
        "facts": "\n".join(facts) or "none",
        "passages": "\n".join(passages) or "none",
        "again": f"Your last answer was refused, nothing supports: {'; '.join(refused)}." if refused else "",
        "text": material.text,
    }


def _known(state: State) -> str:
    lines = []
    contact, handoff = state.get("contact", {}), state.get("handoff", {})
    if contact.get("appointments"):
        booked = ", ".join(f"{a['service']} {a['starts']}" for a in contact["appointments"])
        lines.append(f"The customer has booked: {booked}.")
    for earlier in contact.get("earlier", []):
        lines.append(f"Earlier conversation: {earlier['summary']}")
    returned = handoff.get("returned")
    if returned:
        told = "; ".join([returned.get("note", ""), *returned.get("promises", [])])
        lines.append(f"A colleague spoke with the customer and left this note: {told}")
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
        pieces=(*facts, *passages),
        business=profile.business.name,
        contact=state.get("contact", {}).get("name"),
        first_turn=len(state.get("window", [])) <= 1,
        abstain_below=context.tuning.abstain_below,
        say=context.phrases.speaker(language),
    )


def _language_name(code: str, language: str) -> str:
    name: Any = Locale.parse(code).get_display_name(language)
    return str(name or code)
