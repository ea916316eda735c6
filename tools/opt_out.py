"""No more messages that were not asked for: a sentence is confirmed first, a single word is triage's."""

from pydantic import BaseModel

from crm import contacts
from tools.happened import remember_once
from tools.questions import yes_or_no
from tools.tool import Call, Done, Outcome, Question, Slots, Tool, nothing_to_ask, nothing_to_fill


class Arguments(BaseModel):
    """Nothing is needed."""


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


TOOL = Tool("opt_out", Arguments, nothing_to_fill, nothing_to_ask, confirm, act)
