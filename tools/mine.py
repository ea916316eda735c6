"""The customer's own appointments: which one is meant, how it is said, and what the notice period allows."""

from collections.abc import Sequence
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

from crm.appointments import AppointmentRow
from crm.businesses import LocationRow
from crm.messages import Option
from inference.extract import yes_no
from inference.when import parse
from tools.details import PREFIX
from tools.matching import services_in
from tools.questions import ask_for_person
from tools.tool import Call, Declined, Question, Slots
from tools.wording import clock, day, short_moment

MOVE, CANCEL = "appointment:move:", "appointment:cancel:"
LATE = PREFIX + "late"  # a no to this question is an answer, not a wish to change something


def place_of(call: Call, row: AppointmentRow) -> LocationRow | None:
    """Where it takes place."""
    return call.profile.place(row.location_id)


def zone_of(call: Call, row: AppointmentRow) -> ZoneInfo:
    """The time zone it is told in."""
    place = place_of(call, row)
    return ZoneInfo(place.time_zone if place else call.profile.business.time_zone)


def service_name(call: Call, row: AppointmentRow) -> str:
    """What it is for."""
    service = call.profile.booked_service(row.service_key)
    return service.name(call.language, call.profile.language) if service else row.service_key


def moment(call: Call, row: AppointmentRow) -> str:
    """When it is: "venerdì 20 novembre 2026, 15:00"."""
    starts = row.starts.astimezone(zone_of(call, row))
    return f"{day(starts.date(), call.language)}, {clock(starts, call.language)}"


def shown(call: Call, row: AppointmentRow) -> str:
    """One line about it."""
    people = call.say("{people} people", people=row.people) if row.people > 1 else ""
    return ", ".join(filter(None, [service_name(call, row), people, moment(call, row)]))


def pressed(call: Call, prefix: str) -> int | None:
    """The appointment a pressed button of that kind names."""
    option = call.option_id or ""
    number = option.removeprefix(prefix)
    known = option.startswith(prefix) and number.isascii() and number.isdigit() and len(number) < 19
    return int(number) if known else None


def buttons(call: Call, row: AppointmentRow) -> tuple[Option, ...]:
    """What can be done with one."""
    return (
        Option(f"{MOVE}{row.appointment_id}", call.say("Move it")),
        Option(f"{CANCEL}{row.appointment_id}", call.say("Cancel it")),
    )


def meant(
    call: Call, slots: Slots, booked: Sequence[AppointmentRow], *, by_time: bool
) -> AppointmentRow | None:
    """The appointment chosen so far; the only one there is, or the only one of a service that is named. With
    `by_time` a day or an hour that is said is its own, and not one it is to be moved to."""
    chosen = slots.get("appointment")
    if chosen is not None:
        return next((row for row in booked if row.appointment_id == chosen), None)
    if len(booked) == 1:
        return booked[0]
    keys = {s.row.key for s in services_in(call.text, call.profile, call.language, at_least=0.5)}
    named = [row for row in booked if row.service_key in keys] or list(booked)
    if len(named) > 1 and by_time:
        named = [row for row in named if _at_the_time(call, row)]
    return named[0] if len(named) == 1 else None


def _at_the_time(call: Call, row: AppointmentRow) -> bool:
    """Whether the words name its day, its hour or both: "quello di martedì", "the one at three"."""
    zone = zone_of(call, row)
    starts = row.starts.astimezone(zone)
    said = parse(call.text, language=call.language, now=call.present.astimezone(zone))
    if said.problem or said.end is not None:
        return False
    on_day = parse(call.text, language=call.language, now=_midnight(starts))
    if said.start is not None:
        # Read again from the midnight of its own day: an hour alone falls on that day.
        return said.start == starts or (said.date != starts.date() and on_day.start == starts)
    return said.date == starts.date()


def _midnight(starts: datetime) -> datetime:
    return datetime.combine(starts.date(), time(0), starts.tzinfo)


def other_than(slots: Slots, booked: Sequence[AppointmentRow]) -> AppointmentRow | None:
    """The other one of two; None where "the other" tells nothing, and `slots` names none any more."""
    chosen = slots.pop("appointment", None)
    others = [row for row in booked if row.appointment_id != chosen]
    return others[0] if chosen is not None and len(others) == 1 else None


def kept(call: Call, row: AppointmentRow) -> Declined:
    """Nothing is done to it."""
    return Declined(call.say("All right, your appointment stays as it is: {line}.", line=shown(call, row)))


def which(call: Call, booked: Sequence[AppointmentRow], prefix: str) -> Question:
    """Asks which of several is meant."""
    options = tuple(
        Option(
            f"{prefix}{row.appointment_id}",
            short_moment(row.starts.astimezone(zone_of(call, row)), call.language),
            service_name(call, row),
        )
        for row in booked[:10]
    )
    return Question("appointment", call.say("Which of your appointments do you mean?"), options)


def none_found(call: Call, slots: Slots) -> Declined:
    """There is none, or not the one that was named: another customer's is as good as none."""
    if slots.get("appointment") is not None:
        return Declined(call.say("I can't find that appointment under your number."))
    return Declined(call.say("I can't find a coming appointment under your number."))


def too_late(call: Call, slots: Slots, row: AppointmentRow) -> Question | Declined | None:
    """Inside the notice period: says what the rule is and offers a person; None when there is time enough."""
    hours = call.profile.business.cancel_notice_hours
    if call.agent_id is not None or row.starts - call.now >= timedelta(hours=hours):
        return None
    if slots.get("late") == "yes":
        return Declined("", handoff="inside_notice_period")
    if slots.get("late") == "no":
        return kept(call, row)
    return Question(LATE, _rule(call, row, hours), ask_for_person(call))


def _rule(call: Call, row: AppointmentRow, hours: int) -> str:
    if hours == 1:
        return call.say(
            "Your appointment: {line}. Changes and cancellations are possible up to an hour before, and it"
            " is less than that now, so I can't do it from here. Would you like a colleague to look at it?",
            line=shown(call, row),
        )
    return call.say(
        "Your appointment: {line}. Changes and cancellations are possible up to {hours} hours before, and"
        " it is less than that now, so I can't do it from here. Would you like a colleague to look at it?",
        line=shown(call, row),
        hours=hours,
    )


def read_late(call: Call, slots: Slots) -> None:
    """The answer to the offer of a person, in words; its buttons are known to triage."""
    verdict = yes_no(call.text, call.language) if call.text else None
    if slots.get("asked_late") and verdict is not None:
        slots["late"] = verdict
