"""Something is to be done with an appointment, and the words do not say what: it is asked."""

from pydantic import BaseModel

from crm import appointments
from crm.messages import Option
from tools.mine import CANCEL, MOVE, buttons, none_found, shown
from tools.tool import Call, Declined, Outcome, Question, Slots, Tool, nothing_to_confirm, nothing_to_fill


class Arguments(BaseModel):
    """Nothing is taken from a model: whose appointments are meant is known from the conversation."""


async def check(call: Call, slots: Slots) -> Question | Declined | None:
    """Shows the customer's own coming appointments and asks what is to be done."""
    async with call.context.crm.transaction(call.business_id) as tx:
        booked = await appointments.of_contact(tx, call.contact_id)
    if not booked:
        return none_found(call, slots)
    lines = [f"• {shown(call, row)}" for row in booked]
    head = call.say("Your next appointment:") if len(booked) == 1 else call.say("Your appointments:")
    text = "\n".join([head, *lines, call.say("Shall I move it or cancel it?")])
    options = buttons(call, booked[0])
    if len(booked) > 1:
        options = (Option(MOVE, call.say("Move one")), Option(CANCEL, call.say("Cancel one")))
    return Question("wish", text, options)


async def act(call: Call, slots: Slots) -> Outcome:
    """Nothing is done here."""
    return Declined(call.say("I no longer have that in front of me. What would you like to do?"))


TOOL = Tool("reschedule_cancel", Arguments, nothing_to_fill, check, nothing_to_confirm, act)
