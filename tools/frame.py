"""The frame: an intent being filled in over several turns, as the thread remembers it (plain JSON)."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, Literal

from pydantic import ValidationError

from crm.messages import Option
from inference.extract import asks_nothing, yes_no
from knowledge.phrases import Say
from tools.heard import DOUBTED, HEARD
from tools.matching import plain
from tools.questions import DROP, NO, SKIP, YES
from tools.tool import Call, Declined, Done, Outcome, Question, Slots, Tool

LIFETIME = timedelta(minutes=30)
PERSON = "person"  # what is asked while something else waits: shall a colleague answer?
OFFER = "offer"  # what is asked where something else is offered: shall that be begun?

Kind = Literal["answered", "asked", "confirming", "done", "declined"]

# A question that starts with one of these needs no question mark to be one.
_ASKING = re.compile(
    r"^(?:quant[oiae]|dove|com'?è|come|perch[eé]|avete|c'?è|ci sono|fate|accettate|posso|si può"
    r"|how|what|where|why|do you|does|is there|are there|are you|is it|can i"
    r"|cu[aá]nt[oa]s?|d[oó]nde|c[oó]mo|por qu[eé]|qu[eé]|ten[eé]is|tienen|hay|puedo|se puede|aceptan"
    r"|quant[oa]s?|onde|porqu[eê]|qual|quais|t[eê]m|h[aá]|posso|aceitam)\b",
    re.IGNORECASE,
)


_LETTERS = re.compile(r"[^\W\d_]+")
# None of the times, or of whatever else was shown to choose from.
_NONE = re.compile(
    r"(?:no |non |nao |nah )?(?:nessun[oa]?(?: di quest[ei]| mi va(?: bene)?| va bene)?"
    r"|none(?: of (?:these|those|them))?(?: works?| suits?| (?:is|are) good)?(?: for me| me)?"
    r"|ningun[oa]?(?: de (?:estos|estas|esos))?(?: me (?:va|viene)(?: bien)?)?"
    r"|nenhum[a]?(?: dess[ea]s| dest[ea]s)?(?: me)?(?: da| serve)?|non mi va(?: bene)? nessuno"
    r"|(?:un )?altr[oi] orari[oo]?|other times?|otr[ao]s? hor(?:as|arios?)|outr[ao]s? hor(?:as|arios?))"
)
# A whole message that points at one of the options shown, by its place.
_ORDINALS = tuple(
    re.compile(rf"(?:il |la |el |o |a |the |quello |quella )?(?:{words})(?: one| opzione| opcion| opcao)?")
    for words in (
        r"1|prim[oa]|first|primer[oa]?|primeir[oa]",
        r"2|second[oa]?|segund[oa]",
        r"3|terz[oa]|third|tercer[oa]?|terceir[oa]",
    )
)


@dataclass(frozen=True)
class Frame:
    """What is being arranged: slots so far and the question the customer was asked last."""

    intent: str
    slots: Slots
    asked: str  # the slot the pending question is about, or "confirm"
    question: str
    option_ids: tuple[str, ...]
    turn_id: str  # the turn the frame was opened in
    opened_at: datetime
    expires_at: datetime
    misses: int = 0  # answers in a row that were not understood

    def to_state(self) -> dict[str, Any]:
        """As plain JSON for the thread."""
        return {
            "intent": self.intent,
            "slots": self.slots,
            "question": {"slot": self.asked, "text": self.question, "option_ids": list(self.option_ids)},
            "turn_id": self.turn_id,
            "opened_at": self.opened_at.isoformat(),
            "expires_at": self.expires_at.isoformat(),
            "misses": self.misses,
        }

    @classmethod
    def pending(cls, state: Mapping[str, Any] | None, now: datetime) -> "Frame | None":
        """The frame that waits for an answer; None when there is none or its half hour is over."""
        if not state or datetime.fromisoformat(state["expires_at"]) <= now:
            return None
        question = state["question"]
        return cls(
            intent=state["intent"],
            slots=dict(state["slots"]),
            asked=question["slot"],
            question=question["text"],
            option_ids=tuple(question["option_ids"]),
            turn_id=state["turn_id"],
            opened_at=datetime.fromisoformat(state["opened_at"]),
            expires_at=datetime.fromisoformat(state["expires_at"]),
            misses=int(state.get("misses", 0)),
        )


def opened(
    tool: Tool, call: Call, slots: Slots, question: Question, before: Frame | None, *, misses: int = 0
) -> Frame:
    """The frame after a question was asked; its half hour starts again."""
    goes_on = before is not None and before.intent == tool.intent
    return Frame(
        intent=tool.intent,
        slots=slots,
        asked=question.slot,
        question=question.text,
        option_ids=tuple(option.option_id for option in question.options),
        turn_id=before.turn_id if goes_on and before else call.turn_id,
        opened_at=before.opened_at if goes_on and before else call.now,
        expires_at=call.now + LIFETIME,
        misses=misses,
    )


@dataclass(frozen=True)
class Step:
    """What a turn came to: what is said, and the slots if something still waits for an answer."""

    kind: Kind
    outcome: Outcome
    slots: Slots = field(default_factory=dict)


async def advance(tool: Tool, call: Call, slots: Slots) -> Step:
    """As far as the slots allow: a question, a confirmation, or the act itself where none is needed."""
    asked = await tool.check(call, slots)
    if asked is None:
        asked = await tool.confirm(call, slots)
    if asked is None:
        return await acted(tool, call, slots)
    return _step(asked, slots)


async def acted(tool: Tool, call: Call, slots: Slots) -> Step:
    """The act, after the customer's yes."""
    return _step(await tool.act(call, slots), slots)


def _step(outcome: Outcome, slots: Slots) -> Step:
    match outcome:
        case Question(slot="confirm"):
            return Step("confirming", outcome, slots)
        case Question():
            return Step("asked", outcome, slots)
        case Done():
            return Step("done", outcome)
        case Declined():
            return Step("declined", outcome, slots)


def told(
    kind: str, intent: str, parts: Sequence[Outcome], say: Say, *, sources: Sequence[str] = ()
) -> dict[str, Any]:
    """What a turn came to as plain JSON: the replies in order, and what they rest on."""
    evidence = {k: v for part in parts if isinstance(part, Done) for k, v in part.evidence.items()}
    replies = [_reply(part, say) for part in parts if part.text]
    return {"kind": kind, "intent": intent, "replies": replies, "evidence": evidence, "sources": [*sources]}


def _reply(part: Outcome, say: Say) -> dict[str, Any]:
    shown = [{"id": o.option_id, "title": o.title, "description": o.description} for o in part.options]
    return {"text": part.text, "options": shown, "opener": say("Choose") if shown else None}


def what_to_change(tool: Tool, call: Call, slots: Slots) -> Step:
    """After a no: what should be different, or shall it be left?"""
    titles = {
        "when": call.say("Another time"),
        "service": call.say("Another service"),
        "people": call.say("Other number"),
        "description": call.say("Write it again"),
        "details": call.say("My details"),
        "billing": call.say("Billing details"),
    }
    offered = [slot for slot in tool.changes if slot not in ("details", "people") or slots.get(slot)]
    options = [Option(f"change:{slot}", titles[slot]) for slot in offered]
    options.append(Option(DROP, call.say("Leave it")))
    question = Question("change", call.say("No problem. What would you like to change?"), tuple(options))
    slots = tool.denied(slots) if tool.denied else slots
    return Step("asked", question, {**slots, DOUBTED: True} if slots.get(HEARD) else slots)


def as_pressed(call: Call, frame: Frame) -> Call:
    """The call with "the second one" read as the second of the options that were shown."""
    if call.option_id or frame.asked in ("confirm", "change", PERSON, OFFER):
        return call
    said = plain(call.text).strip(" .!")
    shown = [option_id for option_id in frame.option_ids if option_id != SKIP]
    for place, ordinal in enumerate(_ORDINALS):
        if ordinal.fullmatch(said) and place < len(shown):
            return replace(call, option_id=shown[place], text="")
    return call


def none_of_them(call: Call, frame: Frame) -> bool:
    """Whether the customer wants none of the times that were shown."""
    shown = frame.asked in ("slot", "when") and not call.option_id
    return shown and _NONE.fullmatch(" ".join(_LETTERS.findall(plain(call.text)))) is not None


def own_words(text: str, option_id: str | None, language: str) -> str:
    """The words of a turn, without those that only go with the button pressed in it: "grazie", "ok"."""
    if option_id is None or not text:
        return text
    verdict = yes_no(text, language)
    goes_with = asks_nothing(text) if verdict is None else verdict == _said_by(option_id)
    return "" if goes_with else text


def _said_by(option_id: str) -> Literal["yes", "no"]:
    """Whether a button refuses; every other one is a yes to what stands on it."""
    refuses = option_id in (DROP, SKIP) or not {"no", "decline"}.isdisjoint(option_id.split(":"))
    return "no" if refuses else "yes"


def verdict_of(call: Call, *, confirming: bool = False) -> Literal["yes", "no"] | None:
    """Whether the customer says yes or no, by a button alone or by words that say nothing else.

    `confirming`: what was read back waits for it, and its own verb ("inviala") is a yes.
    """
    match call.option_id:
        case None if call.doubtful:
            return None  # a yes that may have been a no
        case None:
            return yes_no(call.text, call.language, confirming=confirming)
        case _ if call.text:
            return None  # words beside the button may change what it stands for
        case str(option) if option in (YES, "human:yes"):
            return "yes"
        case str(option) if option in (NO, "human:no"):
            return "no"
    return None


def hints_of(tool: Tool, proposal: Mapping[str, Any]) -> dict[str, Any]:
    """The model's arguments if they have the tool's shape, else nothing. Only names the tool knows pass."""
    given = proposal.get("arguments")
    if not isinstance(given, Mapping):
        return {}
    try:
        return tool.arguments.model_validate(dict(given)).model_dump(exclude_none=True)
    except ValidationError:
        return {}


def looks_like_question(text: str) -> bool:
    """Whether a text asks something, by its mark or its first words."""
    return "?" in text or _ASKING.match(text.lstrip("¿¡ \t")) is not None
