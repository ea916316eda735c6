"""Opens a ticket: what is wrong, in the customer's own words, for the team to look after by a time."""

import re
from collections.abc import Mapping
from typing import Any
from zoneinfo import ZoneInfo

from pydantic import BaseModel

from crm import contacts, tickets
from crm.tickets import Priority
from inference.extract import yes_no
from tools.happened import remember_once
from tools.matching import plain
from tools.questions import yes_or_no
from tools.tool import Call, Declined, Done, Outcome, Question, Slots, Tool
from tools.wording import clock, day

_LONGEST = 2000
_URGENT = re.compile(
    r"\b(?:urgen\w+|subito|immediat\w+(?! vicinanze)|il prima possibile|asap|right now|right away|at once"
    r"|emergency|cuanto antes|de inmediato|ya mismo|ahora mismo|agora mesmo|o mais depressa|quanto antes)\b"
)
# "Ho subito un danno", "il danno subito": suffered. "Ho subito bisogno di aiuto" is at once all the same.
_SUFFERED = re.compile(
    r"(?:\b(?:h[oa]|hai|abbiamo|avete|hanno|aver(?:e|lo|la)?|avendo|avev\w+|avr\w+|abbia(?:no)?)"
    r"(?: (?:gia|anche|appena|purtroppo|ancora|solo))?"
    r"|\b(?:dann[oi]|tort[oi]|furt[oi]|disagi[oi]?|sinistr[oi]|incident[ei]"
    r"|intervent[oi]|trattament[oi]|perdit[ae]))\s+subito\b(?!\s+(?:bisogno|necessita))"
)
_CLAUSE_END = re.compile(r"[.,;:!?\n]")
_SPOKEN = re.compile(r"[\w']+")
_DENIED = re.compile(
    r"non|not|no|nao|cannot|\w+n't|never|nessuna?|nessun'|ninguna?|nenhuma?|senza|without|sin|sem"
)
_NOTHING = frozenset(("niente", "nulla", "nothing", "nada"))
# What may stand between a no and the urgent word that it denies; anything else is what there is none of.
_COPULA = frozenset((
    "e", "c'e", "era", "sia", "ho", "abbiamo", "serve", "occorre", "is", "it's", "be", "have", "need", "es",
    "sea", "esta", "hay", "tengo", "tenemos", "ha", "tem", "tenho", "temos", "mi", "sembra", "pare", "me",
    "parece", "seem", "seems", "look", "looks",
))  # fmt: skip
_DEGREE = frozenset((
    "affatto", "molto", "cosi", "tanto", "troppo", "proprio", "davvero", "poi", "particolarmente", "per",
    "alcuna", "un", "una", "cosa", "di", "very", "so", "that", "too", "really", "particularly", "at", "all",
    "any", "an", "a", "anything", "muy", "tan", "demasiado", "algo", "realmente", "muito", "assim",
    "propriamente", "piu", "ancora", "assolutamente", "granche", "estremamente", "longer", "super",
    "terribly", "exactly", "mas", "mais",
))  # fmt: skip
# "No es urgente" denies, "no è urgente" and "no it's urgent" do not.
_AFTER_NO = frozenset(("es", "sea", "esta", "hay", "tengo", "tenemos", "need", "me", "parece"))
_WORDS_ENOUGH = 4  # "ho un problema" says that there is one, not which


class Arguments(BaseModel):
    """Nothing is taken from a model: a ticket holds what the customer wrote."""


async def fill(call: Call, slots: Slots, hints: Mapping[str, Any]) -> Slots:
    """Slots: description, to which every further message is added, and asked."""
    slots = dict(slots)
    if call.option_id == "change:description":
        return {"asked": True}
    text = call.text.strip()
    if not text or yes_no(text, call.language) is not None:
        return slots
    earlier = slots.get("description", "")
    if text not in earlier:
        slots["description"] = f"{earlier}\n{text}".strip()[:_LONGEST]
    return slots


async def check(call: Call, slots: Slots) -> Question | Declined | None:
    """Asks once for more when the words are too few to act on."""
    description = slots.get("description", "")
    if description and (slots.get("asked") or len(description.split()) > _WORDS_ENOUGH):
        return None
    slots["asked"] = True
    return Question("description", call.say("I'm sorry about that. Could you tell me what happened?"))


async def confirm(call: Call, slots: Slots) -> Question | None:
    """Reads the words back."""
    text = call.say(
        "I'll pass this to the team: “{description}”. Shall I send it?", description=slots["description"]
    )
    return Question("confirm", text, yes_or_no(call))


async def act(call: Call, slots: Slots) -> Outcome:
    """Writes the ticket; the customer hears by when it is answered."""
    async with call.context.crm.transaction(call.business_id) as tx:
        contact = await contacts.get(tx, call.contact_id)
        ticket = await tickets.open_one(
            tx,
            call.profile,
            contact_id=call.contact_id,
            conversation_id=call.conversation_id,
            description=slots["description"],
            priority=priority_of(slots["description"], contact.lifecycle),
            idempotency_key=call.turn_id,
        )
        await remember_once(tx, call, "ticket_opened", ticket.ticket_id, f"#{ticket.ticket_id}")
    due = (ticket.answer_due or call.now).astimezone(ZoneInfo(call.profile.business.time_zone))
    text = call.say(
        "Thank you. Your report is number {number}: the team will answer you here by {date}, {time}.",
        number=ticket.ticket_id,
        date=day(due.date(), call.language),
        time=clock(due, call.language),
    )
    evidence = {
        "ticket": str(ticket.ticket_id),
        "priority": ticket.priority,
        "queue": ticket.queue or "",
        "answer_due": due.isoformat(),
    }
    return Done(text, evidence)


def priority_of(description: str, lifecycle: str) -> Priority:
    """Urgent when the customer says so, high for a client, else normal."""
    if _presses(plain(description)):
        return "urgent"
    return "high" if lifecycle == "client" else "normal"


def _presses(text: str) -> bool:
    """Whether plain words say that it is urgent, and not that it is not."""
    said = _SUFFERED.sub(" ", text.replace("’", "'"))
    return any(not _denied(said[: found.start()]) for found in _URGENT.finditer(said))


def _denied(before: str) -> bool:
    """Whether what stands before an urgent word in its clause denies it: "non è molto", "no es".

    A no further away is to something else: "sono senza corrente", "non si accende ed è".
    """
    words = _SPOKEN.findall(_CLAUSE_END.split(before)[-1])
    between = _little_before(words)
    rest = words[: len(words) - len(between)]
    if not rest:
        return False
    if rest[-1] in _NOTHING and between[:1] != ["di"]:  # "non è niente", and not "non funziona niente"
        further = rest[:-1]
        verb = further[: len(further) - len(_little_before(further))]
        return not any(_DENIED.fullmatch(word) for word in verb[:-1])
    if rest[-1] in _NOTHING:
        return True
    copulas = [word for word in between if word in _COPULA]
    return _DENIED.fullmatch(rest[-1]) is not None and (
        rest[-1] != "no" or all(word in _AFTER_NO for word in copulas)
    )


def _little_before(words: list[str]) -> list[str]:
    """The words of degree and the copulas that a clause ends with."""
    first = len(words)
    while first and words[first - 1] in _COPULA | _DEGREE:
        first -= 1
    return words[first:]


TOOL = Tool("open_ticket", Arguments, fill, check, confirm, act, changes=("description",))
