"""Opens a ticket: what is wrong, in the customer's own words, for the team to look after."""

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel

from crm import tickets
from inference.extract import yes_no
from tools.happened import remember_once
from tools.questions import yes_or_no
from tools.tool import Call, Declined, Done, Outcome, Question, Slots, Tool

_LONGEST = 2000
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
    """Writes the ticket."""
    async with call.context.crm.transaction(call.business_id) as tx:
        ticket_id = await tickets.open_one(
            tx,
            contact_id=call.contact_id,
            conversation_id=call.conversation_id,
            description=slots["description"],
            idempotency_key=call.turn_id,
        )
        await remember_once(tx, call, "ticket_opened", ticket_id, f"#{ticket_id}")
    text = call.say(
        "Thank you. Your report is number {number}: the team will look into it and answer you here.",
        number=ticket_id,
    )
    return Done(text, {"ticket": str(ticket_id)})


TOOL = Tool("open_ticket", Arguments, fill, check, confirm, act, changes=("description",))
