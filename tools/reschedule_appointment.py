"""Moves one of the customer's own appointments: which, then when; old and new time are said back first."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from pydantic import BaseModel

from crm import appointments
from crm.appointments import AppointmentRow
from crm.errors import SlotTaken, UnknownAppointment
from crm.record import Tx
from tools.booking_times import Ask, clockwork, of_option, why_not
from tools.happened import remember_once
from tools.mine import (
    LATE,
    MOVE,
    meant,
    moment,
    none_found,
    place_of,
    pressed,
    read_late,
    service_name,
    too_late,
    which,
    zone_of,
)
from tools.offer_times import which_time
from tools.questions import yes_or_no
from tools.tool import Call, Declined, Done, Outcome, Question, Slots, Tool
from tools.wanted_time import Wanted, at, read
from tools.wanted_time import of_option as wanted_of_option
from tools.wording import clock, day


class Arguments(BaseModel):
    """What a model may suggest: only the time, and only where the customer's own words hold none."""

    when: str | None = None


async def fill(call: Call, slots: Slots, hints: Mapping[str, Any]) -> Slots:
    """Slots: appointment (id), when (see Wanted), slot (the new time), late (see tools.mine), asked_which
    (which one is meant has been asked)."""
    slots = dict(slots)
    read_late(call, slots)
    chosen = pressed(call, MOVE)
    if chosen is not None:
        slots = {"appointment": chosen, **({"when": slots["when"]} if slots.get("when") else {})}
    async with call.context.crm.transaction(call.business_id) as tx:
        booked = await appointments.of_contact(tx, call.contact_id)
        row = meant(call, slots, booked, by_time=bool(slots.get("asked_which")))
        if row is None:
            return slots
        slots["appointment"] = row.appointment_id
        ask = _ask(call, row)
        if ask is None:
            return slots
        pressed_resource = _read_time(call, slots, ask, row, Arguments.model_validate(dict(hints)).when)
        await _take_if_free(tx, ask, slots, row, pressed_resource)
    return slots


def _ask(call: Call, row: AppointmentRow) -> Ask | None:
    service, place = call.profile.booked_service(row.service_key), place_of(call, row)
    if service is None or place is None:
        return None
    return Ask(call, service, place, people=row.people, but=row.appointment_id)


def _read_time(call: Call, slots: Slots, ask: Ask, row: AppointmentRow, hint: str | None) -> int | None:
    """Reads the new time; returns the resource of the free time that was pressed, if one was.

    What only names the time it has now tells which appointment is meant, not when it is to be.
    """
    old = row.starts.astimezone(ask.zone)
    before = Wanted.from_slot(slots.get("when"), ask.zone)
    kind, _, value = (call.option_id or "").partition(":")
    found, resource = None, None
    if call.option_id == "change:when":
        before = None
        slots.pop("when", None)
        slots.pop("slot", None)
    elif kind == "when":
        found = wanted_of_option(value, ask.zone)
    elif kind == "slot" and (offered := of_option(value)):
        found, resource = at(offered[0].astimezone(ask.zone)), offered[1]
    work = clockwork(call, ask.place)
    said = read(call.text, call.language, work, before or at(old)) or found
    if said is None and before is None and hint:
        said = read(hint, call.language, work, at(old))
    wanted = _without_old(said, old, ask) if said else None
    if wanted is not None and wanted.to_slot() != slots.get("when"):
        slots["when"] = wanted.to_slot()
        slots.pop("slot", None)
    return resource


def _without_old(wanted: Wanted, old: datetime, ask: Ask) -> Wanted | None:
    """The wish without the time the appointment has: "da venerdì a lunedì" asks for Monday."""
    if wanted.options:
        read_options = [(value, wanted_of_option(value, ask.zone)) for value in wanted.options]
        left = [(value, option) for value, option in read_options if option and not _is_old(option, old)]
        if len(left) == 1:
            only = left[0][1]
            # A day alone keeps the hour.
            alone = only.start is None and only.part is None and only.day is not None
            return at(datetime.combine(only.day, old.timetz())) if alone and only.day else only
        return replace(wanted, options=tuple(value for value, _ in left)) if left else None
    return None if _is_old(wanted, old) else wanted


def _is_old(wanted: Wanted, old: datetime) -> bool:
    if wanted.problem or wanted.day != old.date():
        return False
    return wanted.part is None and wanted.end is None and wanted.start in (None, old)


async def _take_if_free(tx: Tx, ask: Ask, slots: Slots, row: AppointmentRow, resource: int | None) -> None:
    """Chooses the exact time asked for when it is free: with the same person if they are."""
    wanted = Wanted.from_slot(slots.get("when"), ask.zone)
    if (
        slots.get("slot")
        or wanted is None
        or wanted.start is None
        or not wanted.is_exact
        or why_not(ask, wanted)
    ):
        return
    until = wanted.start + timedelta(minutes=1)
    for wished in dict.fromkeys((resource or row.resource_id, row.resource_id, None)):
        free = await replace(ask, resource_id=wished).free(tx, wanted.start, until, most=1)
        if free:
            slots["slot"] = {
                "starts": free[0].starts.isoformat(),
                "ends": free[0].ends.isoformat(),
                "resource_id": free[0].resource_id,
                "resource": free[0].resource_name,
            }
            return


async def check(call: Call, slots: Slots) -> Question | Declined | None:
    """Asks which one is meant and for the new time; inside the notice period a person is offered."""
    async with call.context.crm.transaction(call.business_id) as tx:
        booked = await appointments.of_contact(tx, call.contact_id)
        row = meant(call, slots, booked, by_time=bool(slots.get("asked_which")))
        if row is None and booked and "appointment" not in slots:
            slots["asked_which"] = True
            return which(call, booked, MOVE)
        if row is None:
            return none_found(call, slots)
        slots["appointment"] = row.appointment_id
        late = too_late(call, slots, row)
        slots["asked_late"] = isinstance(late, Question) and late.slot == LATE
        if late is not None or slots.get("slot"):
            return late
        ask = _ask(call, row)
        if ask is None:
            return Declined(
                call.say("A colleague will look for a time with you."), handoff="reschedule_cancel"
            )
        if not slots.get("when"):
            return await _when(tx, call, ask, row)
        return await which_time(tx, ask, slots)


async def _when(tx: Tx, call: Call, ask: Ask, row: AppointmentRow) -> Question | Declined:
    """The open question, with times near the old one to choose from."""
    question = await which_time(tx, ask, {})
    if isinstance(question, Declined):
        return question
    text = call.say(
        "Your appointment: {service}, {moment}. When would you like it instead?",
        service=service_name(call, row),
        moment=moment(call, row),
    )
    return replace(question, text=text)


async def confirm(call: Call, slots: Slots) -> Question | None:
    """Says back what it is, the old time and the new one."""
    async with call.context.crm.transaction(call.business_id) as tx:
        row = await appointments.get(tx, slots["appointment"])
    if row is None:
        return None
    lines = [
        f"• {service_name(call, row)}",
        "• " + call.say("until now: {moment}", moment=moment(call, row)),
        "• " + call.say("new: {moment}", moment=_new(call, slots, row)),
    ]
    if slots["slot"]["resource_id"] != row.resource_id:
        lines.append("• " + call.say("with {person}", person=slots["slot"]["resource"]))
    text = "\n".join([call.say("Let me read it back to you:"), *lines, call.say("Shall I move it?")])
    return Question("confirm", text, yes_or_no(call))


def _new(call: Call, slots: Slots, row: AppointmentRow) -> str:
    starts = datetime.fromisoformat(slots["slot"]["starts"]).astimezone(zone_of(call, row))
    return f"{day(starts.date(), call.language)}, {clock(starts, call.language)}"


async def act(call: Call, slots: Slots) -> Outcome:
    """Moves it, with everything that follows. Somebody else was first, or the new time has begun: other times
    are offered."""
    chosen = slots["slot"]
    starts, ends = datetime.fromisoformat(chosen["starts"]), datetime.fromisoformat(chosen["ends"])
    async with call.context.crm.transaction(call.business_id) as tx:
        row = await appointments.get(tx, slots["appointment"])
        ask = _ask(call, row) if row else None
        if row is None or ask is None or row.contact_id != call.contact_id:
            return none_found(call, slots)
        old = row
        if (row.starts, row.resource_id) != (starts, chosen["resource_id"]):  # else: this turn, run again
            if starts <= call.now:
                del slots["slot"]
                return await which_time(tx, ask, slots)
            try:
                row = await appointments.move(
                    tx, row, resource_id=chosen["resource_id"], starts=starts, ends=ends
                )
            except SlotTaken:
                del slots["slot"]
                return await which_time(tx, ask, slots)
            except UnknownAppointment:
                return none_found(call, slots)
        detail = f"{row.service_key} {old.starts.isoformat()} → {starts.isoformat()} #{row.appointment_id}"
        await remember_once(tx, call, "appointment_moved", row.appointment_id, detail)
    text = call.say(
        "Done! {service} is moved to {moment}.", service=service_name(call, row), moment=moment(call, row)
    )
    evidence = {
        "appointment": str(row.appointment_id),
        "service": service_name(call, row),
        "starts": starts.isoformat(),
        "resource": row.resource_name,
    }
    return Done(text, evidence)


TOOL = Tool("reschedule_appointment", Arguments, fill, check, confirm, act, changes=("when",))
