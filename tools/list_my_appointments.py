"""Tells the customer what they have booked, what they wait for, and what it was the last time."""

from pydantic import BaseModel

from crm import appointments, businesses, waiting
from crm.waiting import WaitingRow
from inference.last_time import asks_last_time
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
    """The coming appointments; with one alone the buttons to move or cancel it. Asked for, the last visit."""
    if asks_last_time(call.text):
        return await _last_visit(call)
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


async def _last_visit(call: Call) -> Outcome:
    async with call.context.crm.transaction(call.business_id) as tx:
        came = await appointments.visits(tx, call.contact_id, most=1)
        people = {row.name for row in await businesses.resources(tx) if row.kind == "person"}
    if not came:
        return Declined(call.say("I can't find an earlier visit under your number."))
    line = shown(call, came[0])
    if came[0].resource_name in people:
        line = f"{line}, {call.say('with {person}', person=came[0].resource_name)}"
    return Done(
        call.say("Your last visit: {line}.", line=line), {f"appointment_{came[0].appointment_id}": line}
    )


def _waits(call: Call, rows: list[WaitingRow]) -> list[str]:
    return [f"• {wanted_line(call, row)}" for row in rows]


TOOL = Tool("list_my_appointments", Arguments, nothing_to_fill, nothing_to_ask, nothing_to_confirm, act)
