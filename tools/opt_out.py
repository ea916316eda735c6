"""No more messages that were not asked for: a sentence is confirmed first, a single word is triage's."""

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel

from crm import contacts
from tools.happened import remember_once
from tools.questions import yes_or_no
from tools.tool import Call, Declined, Done, Outcome, Question, Slots, Tool


class Arguments(BaseModel):
    """Nothing is needed."""


async def fill(call: Call, slots: Slots, hints: Mapping[str, Any]) -> Slots:
    """There is nothing to fill in."""
    return dict(slots)


async def check(call: Call, slots: Slots) -> Question | Declined | None:
    """Nothing is missing."""
    return None


async def confirm(call: Call, slots: Slots) -> Question | None:
    """Words can be misread where one word cannot, so this is asked once."""
    return Question(
        "confirm", call.say("Shall I stop sending you messages you did not ask for?"), yes_or_no(call)
    )


async def act(call: Call, slots: Slots) -> Outcome:
    """Notes it at once; coming back takes one word."""
    async with call.context.crm.transaction(call.business_id) as tx:
        await contacts.opt_out(tx, call.contact_id)
        await remember_once(tx, call, "opted_out", None, "")
    text = call.say("You will not get any more messages from us. Write START if you change your mind.")
    return Done(text)


TOOL = Tool("opt_out", Arguments, fill, check, confirm, act)
