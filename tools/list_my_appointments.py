"""Tells the customer what they have booked and what they wait for."""

from pydantic import BaseModel

from crm import appointments, waiting
from crm.waiting import WaitingRow
from tools.mine import buttons, shown
from tools.tool import (
    Call,
    Declined,
    Done,
    Outcome,
    Slots,
    Tool,
    nothing_to_ask,
    nothing_to_confirm,
    nothing_to_fill,
)
from tools.waiting_words import wanted_line


class Arguments(BaseModel):
    """Nothing is taken from a model: whose appointments are meant is known from the conversation."""


async def act(call: Call, slots: Slots) -> Outcome:
    """The coming appointments; with one alone the buttons to move or cancel it."""
    async with call.context.crm.transaction(call.business_id) as tx:
        booked = await appointments.of_contact(tx, call.contact_id)
        waits = await waiting.of_contact(tx, call.contact_id)
    if not booked and not waits:
        return Declined(call.say("I can't find a coming appointment under your number."))
    parts = []
    if booked:
        head = call.say("Your next appointment:") if len(booked) == 1 else call.say("Your appointments:")
        parts.append("\n".join([head, *(f"• {shown(call, row)}" for row in booked)]))
    if waits:
        parts.append("\n".join([call.say("You are on the waiting list for:"), *_waits(call, waits)]))
    evidence = {f"appointment_{row.appointment_id}": shown(call, row) for row in booked}
    return Done("\n\n".join(parts), evidence, buttons(call, booked[0]) if len(booked) == 1 else ())


def _waits(call: Call, rows: list[WaitingRow]) -> list[str]:
    return [f"• {wanted_line(call, row)}" for row in rows]


TOOL = Tool("list_my_appointments", Arguments, nothing_to_fill, nothing_to_ask, nothing_to_confirm, act)
