"""Moving or cancelling an appointment: shows what the customer has booked and asks a person to do it."""

from collections.abc import Mapping
from typing import Any
from zoneinfo import ZoneInfo

from pydantic import BaseModel

from crm import appointments
from crm.appointments import AppointmentRow
from tools.tool import Call, Declined, Outcome, Question, Slots, Tool
from tools.wording import clock, day


class Arguments(BaseModel):
    """Nothing is taken from a model: whose appointments are meant is known from the conversation."""


async def fill(call: Call, slots: Slots, hints: Mapping[str, Any]) -> Slots:
    """There is nothing to fill in."""
    return dict(slots)


async def check(call: Call, slots: Slots) -> Question | Declined | None:
    """Lists the customer's own coming appointments and hands over."""
    async with call.context.crm.transaction(call.business_id) as tx:
        booked = await appointments.of_contact(tx, call.contact_id)
    if not booked:
        text = call.say("I can't find a coming appointment under your number.")
    else:
        lines = [f"• {_shown(call, row)}" for row in booked]
        text = "\n".join([call.say("These are your coming appointments:"), *lines])
    return Declined(text, handoff="reschedule_cancel")


async def confirm(call: Call, slots: Slots) -> Question | None:
    """Nothing is done here, so there is nothing to confirm."""
    return None


async def act(call: Call, slots: Slots) -> Outcome:
    """For a person."""
    return Declined("", handoff="reschedule_cancel")


def _shown(call: Call, row: AppointmentRow) -> str:
    service = call.profile.service(row.service_key)
    name = service.name(call.language, call.profile.language) if service else row.service_key
    place = next((p for p in call.profile.locations if p.location_id == row.location_id), None)
    starts = row.starts.astimezone(ZoneInfo(place.time_zone if place else call.profile.business.time_zone))
    return f"{name}, {day(starts.date(), call.language)}, {clock(starts, call.language)}"


TOOL = Tool("reschedule_cancel", Arguments, fill, check, confirm, act)
