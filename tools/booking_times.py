"""Finding the free times to offer, and saying why the one that was asked for cannot be had."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from crm.businesses import LocationRow, Service
from crm.messages import Option
from crm.record import Tx
from crm.slots import FreeSlot, free_slots
from knowledge.phrases import Say
from tools.opening import closure_on, day_bounds, shifts_on, spans_on
from tools.tool import Call
from tools.wanted_time import Clockwork, Wanted
from tools.wording import clock, day, duration, notice, short_moment

HORIZON = timedelta(days=180)  # bookings further ahead than this are for a person to take
_OFFERED = 3  # as many as fit into reply buttons
_SEARCH = timedelta(days=21)
_MANY = 500


@dataclass(frozen=True)
class Ask:
    """What is being booked as far as it is known: the service, where, with whom if the customer said so.

    `people` are the places of a class that are wanted; `but` is the appointment that is to be moved, whose
    own time is no obstacle.
    """

    call: Call
    service: Service
    place: LocationRow
    resource_id: int | None = None
    people: int = 1
    but: int | None = None

    @property
    def zone(self) -> ZoneInfo:
        """The location's time zone: every time said or shown is in it."""
        return ZoneInfo(self.place.time_zone)

    @property
    def last_day(self) -> date:
        """The last day that is booked by chat."""
        return (self.call.now + HORIZON).astimezone(self.zone).date()

    async def free(self, tx: Tx, since: datetime, until: datetime, **how: Any) -> list[FreeSlot]:
        """Free times of this service at this place; none after the last day, which `why_not` would refuse."""
        until = min(until, datetime.combine(self.last_day + timedelta(days=1), time(0), self.zone))
        return await free_slots(
            tx,
            self.service.row.service_id,
            since=since,
            until=until,
            location_id=self.place.location_id,
            resource_id=self.resource_id,
            **{"people": self.people, "but": self.but, **how},
        )

    async def places_left(self, tx: Tx, start: datetime) -> int:
        """The places of a class that are free at an exact time."""
        found = await self.free(tx, start, start + timedelta(minutes=1), most=1, people=1)
        return found[0].left if found else 0

    async def ever_free(self, tx: Tx, wanted: Wanted | None) -> bool:
        """Whether a place could become free at what is wanted: one that an empty diary would have."""
        window = awaited(self, wanted)
        if window is None or wanted is None:
            return False
        found = await self.free(tx, *window, most=_MANY, empty=True)
        return any(wanted.fits(slot.starts.astimezone(self.zone)) for slot in found)


def awaited(ask: Ask, wanted: Wanted | None) -> tuple[datetime, datetime] | None:
    """When the customer would start, if a place became free; None where no time is known that can be had."""
    if wanted is None or wanted.problem or wanted.options:
        return None
    if wanted.day is not None and wanted.day > ask.last_day:
        return None
    window = wanted.window(ask.zone)
    if wanted.is_exact and wanted.start is not None:
        window = (wanted.start, wanted.start + timedelta(minutes=1))
    return window if window is not None and window[1] > ask.call.now else None


def clockwork(call: Call, place: LocationRow | None) -> Clockwork:
    """The present of what is said as it is at a location (at the business, when no location is known)."""
    zone = ZoneInfo(place.time_zone if place else call.profile.business.time_zone)
    opens, closes = day_bounds(call.profile, place)
    country = place.country if place else call.profile.business.country
    return Clockwork(call.present.astimezone(zone), country, opens, closes)


async def offers(tx: Tx, ask: Ask, wanted: Wanted | None) -> tuple[list[FreeSlot], bool]:
    """At most three free times for what is wanted, and whether they are what was asked for.

    A range or a part of a day that is full, and an exact time that is taken, are answered with the
    nearest free times within three weeks; nothing wanted, with the first times of the next free days.
    """
    now = ask.call.now
    if wanted is None or wanted.problem or (wanted.day is None and wanted.start is None):
        return _one_a_day(await ask.free(tx, now, now + _SEARCH, most=_MANY), ask.zone), True
    window = wanted.window(ask.zone)
    if window is not None:
        found = await ask.free(tx, *window, most=_MANY)
        inside = [slot for slot in found if wanted.fits(slot.starts.astimezone(ask.zone))]
        if inside:
            return _spread(inside), True
    middle = wanted.start or (window[0] + (window[1] - window[0]) / 2 if window else now)
    middle = min(max(middle, now), now + HORIZON)
    near = await ask.free(tx, middle - _SEARCH, middle + _SEARCH, around=middle, most=_OFFERED)
    return sorted(near, key=lambda slot: slot.starts), False


def why_not(ask: Ask, wanted: Wanted | None) -> str | None:
    """Why a time cannot be had, when opening hours or the calendar alone tell; None otherwise."""
    if wanted is not None and wanted.problem is not None:
        return _problem(wanted.problem, ask.call.say)
    if wanted is None or wanted.day is None:
        return None
    say, now = ask.call.say, ask.call.now
    if wanted.day > ask.last_day:
        return say("We take bookings until {date}.", date=day(ask.last_day, ask.call.language))
    last = min(wanted.last_day or wanted.day, ask.last_day)
    if last < now.astimezone(ask.zone).date() or _is_over(ask, wanted):
        return _problem("past", say)
    if not any(shifts_on(ask.call.profile, ask.place, on) for on in _each_day(wanted.day, last)):
        return _closed(ask, wanted.day, last)
    return _hours_of_day(ask, wanted.day, wanted.start) if wanted.is_exact and wanted.start else None


def _is_over(ask: Ask, wanted: Wanted) -> bool:
    """Whether nothing of it is left: of a span that has begun the rest can still be had."""
    window = wanted.window(ask.zone)
    ends = window[1] if window is not None else wanted.start
    return ends is not None and ends <= ask.call.now


def _problem(problem: str, say: Say) -> str:
    match problem:
        case "impossible_date":
            return say("That date does not exist in the calendar.")
        case "impossible_time":
            return say("That time does not exist.")
    return say("That time has already passed.")


def _each_day(first: date, last: date) -> Iterator[date]:
    return (first + timedelta(days=ahead) for ahead in range((last - first).days + 1))


def _closed(ask: Ask, on: date, until: date) -> str:
    shown = day(on, ask.call.language)
    closure = closure_on(ask.call.profile, ask.place, on)
    if closure:
        until = max(until, closure.last_day)
    if until > on:
        last = day(until, ask.call.language)
        return ask.call.say("On {date} we are closed, until {last} included.", date=shown, last=last)
    return ask.call.say("On {date} we are closed.", date=shown)


def _hours_of_day(ask: Ask, on: date, start: datetime) -> str | None:
    """Why an hour of an open day cannot be had: outside the shifts, or too soon to get ready."""
    language, minutes = ask.call.language, ask.service.row.duration_minutes or 0
    begins = start.replace(tzinfo=None)
    ends = begins + timedelta(minutes=minutes)
    spans = spans_on(ask.call.profile, ask.place, on)
    if not any(opens <= begins and ends <= closes for opens, closes in spans):
        hours = ", ".join(f"{clock(opens, language)}–{clock(closes, language)}" for opens, closes in spans)
        return ask.call.say(
            "On {date} we are open {hours}, and this takes {duration}.",
            date=day(on, language),
            hours=hours,
            duration=duration(minutes, language),
        )
    lead = ask.call.profile.business.lead_time_minutes
    if start < ask.call.now + timedelta(minutes=lead):
        return ask.call.say("That is too soon: we need {notice} to get ready.", notice=notice(lead, language))
    return None


def as_options(ask: Ask, slots: Sequence[FreeSlot]) -> tuple[Option, ...]:
    """Free times as buttons; the id names the instant and the resource."""
    return tuple(
        Option(
            f"slot:{slot.starts.isoformat()}:{slot.resource_id}",
            short_moment(slot.starts.astimezone(ask.zone), ask.call.language),
        )
        for slot in slots
    )


def of_option(value: str) -> tuple[datetime, int] | None:
    """The instant and resource a pressed time names; None when it is not of that form."""
    moment, _, resource = value.rpartition(":")
    try:
        starts = datetime.fromisoformat(moment)
        return (starts, int(resource)) if starts.tzinfo else None
    except ValueError:
        return None


def _one_a_day(slots: Sequence[FreeSlot], zone: ZoneInfo) -> list[FreeSlot]:
    firsts: dict[object, FreeSlot] = {}
    for slot in slots:
        firsts.setdefault(slot.starts.astimezone(zone).date(), slot)
    return list(firsts.values())[:_OFFERED]


def _spread(slots: Sequence[FreeSlot]) -> list[FreeSlot]:
    """First, middle and last, so that three offers cover the span."""
    if len(slots) <= _OFFERED:
        return list(slots)
    return [slots[0], slots[len(slots) // 2], slots[-1]]
