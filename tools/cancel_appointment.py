"""Cancels one of the customer's own appointments, as long as the notice period allows; said back first."""

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel

from crm import appointments
from crm.errors import UnknownAppointment
from inference.appointment_wishes import names_other
from tools.happened import remember_once
from tools.mine import (
    CANCEL,
    LATE,
    kept,
    meant,
    none_found,
    other_than,
    pressed,
    read_late,
    service_name,
    shown,
    too_late,
    which,
)
from tools.questions import left, yes_or_no
from tools.tool import Call, Declined, Done, Outcome, Question, Slots, Tool


class Arguments(BaseModel):
    """Nothing is taken from a model: whose appointments are meant is known from the conversation."""


async def fill(call: Call, slots: Slots, hints: Mapping[str, Any]) -> Slots:
    """Slots: appointment (id), late ("yes" or "no" to a person, inside the notice period)."""
    slots = dict(slots)
    read_late(call, slots)
    chosen = pressed(call, CANCEL)
    if chosen is not None:
        return {"appointment": chosen}
    if "appointment" not in slots or names_other(call.text):
        async with call.context.crm.transaction(call.business_id) as tx:
            booked = await appointments.of_contact(tx, call.contact_id)
        row = (
            other_than(slots, booked) if names_other(call.text) else meant(call, slots, booked, by_time=True)
        )
        if row is not None:
            slots["appointment"] = row.appointment_id
    return slots


async def check(call: Call, slots: Slots) -> Question | Declined | None:
    """Asks which one is meant; inside the notice period the rule is explained and a person offered."""
    async with call.context.crm.transaction(call.business_id) as tx:
        booked = await appointments.of_contact(tx, call.contact_id)
    row = meant(call, slots, booked, by_time=True)
    if row is None:
        return (
            which(call, booked, CANCEL) if booked and "appointment" not in slots else none_found(call, slots)
        )
    slots["appointment"] = row.appointment_id
    late = too_late(call, slots, row)
    slots["asked_late"] = isinstance(late, Question) and late.slot == LATE
    return late


async def confirm(call: Call, slots: Slots) -> Question | None:
    """Says back what will be given up."""
    async with call.context.crm.transaction(call.business_id) as tx:
        row = await appointments.get(tx, slots["appointment"])
    line = shown(call, row) if row else ""
    return Question(
        "confirm", call.say("Shall I cancel this appointment?\n• {line}", line=line), yes_or_no(call)
    )


async def act(call: Call, slots: Slots) -> Outcome:
    """Gives the time free, in one transaction with everything that follows from it."""
    async with call.context.crm.transaction(call.business_id) as tx:
        row = await appointments.get(tx, slots["appointment"])
        if row is None or row.contact_id != call.contact_id:
            return none_found(call, slots)
        try:
            await appointments.cancel(tx, row.appointment_id, call.contact_id)
        except UnknownAppointment:
            if row.status != "cancelled":
                return none_found(call, slots)
        detail = f"{row.service_key} {row.starts.isoformat()} #{row.appointment_id}"
        await remember_once(tx, call, "appointment_cancelled", row.appointment_id, detail)
    text = call.say("Done, your appointment is cancelled: {line}.", line=shown(call, row))
    return Done(text, {"appointment": str(row.appointment_id), "service": service_name(call, row)})


async def refused(call: Call, slots: Slots) -> Declined:
    """It is kept."""
    async with call.context.crm.transaction(call.business_id) as tx:
        row = await appointments.get(tx, slots["appointment"]) if "appointment" in slots else None
    if row is None or row.contact_id != call.contact_id:
        return left(call)
    return kept(call, row)


TOOL = Tool("cancel_appointment", Arguments, fill, check, confirm, act, refused=refused)
