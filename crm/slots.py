"""Free times: what a customer can really be offered, worked out from the record alone."""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from heapq import nsmallest
from operator import itemgetter
from zoneinfo import ZoneInfo

from crm.appointments import BusyRow, busy, seats_taken
from crm.businesses import ClosureRow
from crm.errors import NotBookable
from crm.record import Tx

Minute = int  # minutes since 1970-01-01 00:00 UTC: whole numbers, so that a search stays cheap


_DAY: Minute = 24 * 60
_LAST_MINUTE = time(23, 59)  # hours that pass midnight are entered in two: until then, and from 00:00


@dataclass(frozen=True)
class FreeSlot:
    """A time that can be taken. `starts` and `ends` are aware, UTC.

    `ends` includes the service's buffer: it is when the resource is free again, and what an appointment
    stores, so that the record's constraint guards the buffer too. `left` are the places of a class that
    are free, 1 where nothing is shared.
    """

    resource_id: int
    resource_name: str
    location_id: int
    starts: datetime
    ends: datetime
    left: int = 1


@dataclass(frozen=True)
class SlotServiceRow:
    duration_minutes: int | None
    buffer_minutes: int
    bookable: bool
    capacity: int
    lead_time_minutes: int


@dataclass(frozen=True)
class ShiftRow:
    resource_id: int
    name: str
    location_id: int
    time_zone: str
    weekday: int
    opens: time
    closes: time


async def free_slots(
    tx: Tx,
    service_id: int,
    *,
    since: datetime,
    until: datetime,
    around: datetime | None = None,
    most: int = 3,
    location_id: int | None = None,
    resource_id: int | None = None,
    people: int = 1,
    but: int | None = None,
    empty: bool = False,
) -> list[FreeSlot]:
    """Times that start in [since, until) at which the service can be booked; at most `most` of them.

    A class has a time as long as it has places for `people`. `but` is an appointment whose time counts as
    free: the one that is to be moved. `empty` takes the whole diary for free: the times at which a place can
    become free at all.

    Opening hours and a resource's own week are wall-clock times of the location, so they hold across a
    change to or from summer time. A time free with several resources is given once, with the first of
    them. Without `around` the earliest come first, with it the nearest to it. All datetimes are aware.

    Raises NotBookable when the service is unknown here, not bookable or without a duration.
    """
    service = await tx.first(SlotServiceRow, "slot_service", service_id=service_id)
    if service is None or not service.bookable or service.duration_minutes is None:
        raise NotBookable(NotBookable.__doc__)
    since = max(since, tx.now + timedelta(minutes=service.lead_time_minutes))
    if since >= until:
        return []
    shifts = await _shifts(tx, service_id, location_id, resource_id)
    span = service.duration_minutes + service.buffer_minutes
    margin = timedelta(days=1)  # an appointment or a local day may begin before the search does
    rows = [] if empty else await busy(tx, service_id, since - margin, until + margin, but=but)
    taken = _Taken(rows, service_id)
    shut = await tx.all(
        ClosureRow, "slot_closures", first_day=(since - margin).date(), last_day=(until + margin).date()
    )
    first, last = _minute_up(since), _minute_up(until)
    middle = _minute_up(around) if around else first
    found: dict[tuple[Minute, int], tuple[ShiftRow, int]] = {}
    near, reach = 0, 0
    for distance, openings in _by_distance(_openings(shifts, shut, since, until), middle):
        if near >= most and distance > reach:
            break  # what is further away than what was found cannot come before it
        for shift, opens, closes, ends in openings:
            # The buffer tidies up after the customer: it may run past closing time.
            latest = min(closes, ends - service.duration_minutes)
            for start in _starts(opens, latest, span, taken.whole(shift.resource_id)):
                if not first <= start < last or (start, shift.location_id) in found:
                    continue
                left = service.capacity - taken.places(shift.resource_id, start, start + span)
                if left >= people:
                    found[start, shift.location_id] = (shift, left)
                    near, reach = near + 1, max(reach, abs(start - middle))
    chosen = nsmallest(most, found, key=lambda key: (abs(key[0] - middle), key))
    return [_slot(*found[key], key[0], span) for key in chosen]


async def _shifts(
    tx: Tx, service_id: int, location_id: int | None, resource_id: int | None
) -> list[ShiftRow]:
    return [
        shift
        for shift in await tx.all(ShiftRow, "slot_shifts", service_id=service_id)
        if location_id in (None, shift.location_id) and resource_id in (None, shift.resource_id)
    ]


# A shift of a day: when it begins and ends, and how long what has begun in it may last; later than its end
# only where the hours go on after midnight.
_Opening = tuple[ShiftRow, Minute, Minute, Minute]


def _by_distance(openings: Iterator[_Opening], middle: Minute) -> Iterator[tuple[Minute, list[_Opening]]]:
    """Openings in groups, the nearest to `middle` first, with the least distance a start in them can have."""
    groups: dict[Minute, list[_Opening]] = defaultdict(list)
    for opening in openings:
        _, opens, closes, _ = opening
        distance = max(opens - middle, middle - closes, 0)
        groups[distance // _DAY * _DAY].append(opening)
    yield from sorted(groups.items(), key=itemgetter(0))


class _Taken:
    """When each resource is taken, ready to be searched: as a whole, or by places of the service's class."""

    def __init__(self, rows: Sequence[BusyRow], service_id: int) -> None:
        self._whole: dict[int, list[tuple[Minute, Minute]]] = defaultdict(list)
        self._places: dict[int, list[tuple[Minute, Minute, set[int]]]] = defaultdict(list)
        for row in rows:
            starts, ends, seats = _minute_up(row.starts), _minute_up(row.ends), seats_taken([row], service_id)
            if seats is None:
                self._whole[row.resource_id].append((starts, ends))
            else:
                self._places[row.resource_id].append((starts, ends, seats))
        for resource_id, spans in self._whole.items():
            self._whole[resource_id] = _joined(sorted(spans))

    def whole(self, resource_id: int) -> list[tuple[Minute, Minute]]:
        """The spans it is taken as a whole, in order and apart from each other."""
        return self._whole.get(resource_id, [])

    def places(self, resource_id: int, starts: Minute, ends: Minute) -> int:
        """How many places of the class are taken at any moment of a span."""
        rows = self._places.get(resource_id)
        if not rows:
            return 0
        taken: set[int] = set()
        for first, last, seats in rows:
            if first < ends and last > starts:
                taken |= seats
        return len(taken)


def _joined(spans: list[tuple[Minute, Minute]]) -> list[tuple[Minute, Minute]]:
    """Ordered spans without overlaps: what a calendar says may overlap what was booked."""
    joined: list[tuple[Minute, Minute]] = []
    for starts, ends in spans:
        if joined and starts < joined[-1][1]:
            joined[-1] = (joined[-1][0], max(ends, joined[-1][1]))
        else:
            joined.append((starts, ends))
    return joined


def _openings(
    shifts: Sequence[ShiftRow], shut: Sequence[ClosureRow], since: datetime, until: datetime
) -> Iterator[_Opening]:
    """Every shift on every day that may matter, as minutes."""
    instants: dict[tuple[str, date, time], Minute] = {}

    def instant(zone: str, day: date, clock: time) -> Minute:
        key = (zone, day, clock)
        if key not in instants:
            local = datetime.combine(day, clock, ZoneInfo(zone))
            instants[key] = int(local.timestamp()) // 60
        return instants[key]

    days = _days(since, until)
    of_weekday: dict[int, list[date]] = defaultdict(list)
    for day in days:
        of_weekday[day.weekday()].append(day)
    closed = {(row.location_id, day) for row in shut for day in days if row.first_day <= day <= row.last_day}
    nights = {(s.resource_id, s.location_id, s.weekday): s.closes for s in shifts if s.opens == time(0)}
    for shift in shifts:
        night = None
        if shift.closes >= _LAST_MINUTE:
            night = nights.get((shift.resource_id, shift.location_id, (shift.weekday + 1) % 7))
        for day in of_weekday[shift.weekday]:
            if (None, day) in closed or (shift.location_id, day) in closed:
                continue
            opens = instant(shift.time_zone, day, _aligned(shift.opens))
            ends = closes = instant(shift.time_zone, day, shift.closes)
            after = day + timedelta(days=1)
            if night and (None, after) not in closed and (shift.location_id, after) not in closed:
                ends = instant(shift.time_zone, after, night)
            yield shift, opens, closes, ends


def _days(since: datetime, until: datetime) -> list[date]:
    # One day more on either side: a local day starts up to 14 hours away from UTC's.
    first = since.astimezone(UTC).date() - timedelta(days=1)
    count = (until.astimezone(UTC).date() - first).days + 2
    return [first + timedelta(days=n) for n in range(count)]


def _aligned(clock: time) -> time:
    """The first quarter of an hour at or after an opening time; the last possible one before midnight."""
    minute = clock.hour * 60 + clock.minute + (1 if clock.second or clock.microsecond else 0)
    minute = min(-(-minute // 15) * 15, 23 * 60 + 45)
    return time(minute // 60, minute % 60)


def _starts(opens: Minute, latest: Minute, span: int, taken: list[tuple[Minute, Minute]]) -> Iterator[Minute]:
    """Starts inside an opening, up to the latest: on the half hour when the span is one of half hours, else
    on the quarter."""
    step = 30 if span % 30 == 0 else 15
    start = opens
    index = bisect_right(taken, (opens, opens)) - 1 if taken else 0
    index = max(index, 0)
    while start <= latest:
        while index < len(taken) and taken[index][1] <= start:
            index += 1
        if index < len(taken) and taken[index][0] < start + span:
            # Jump to the first aligned start after what is in the way.
            start += -(-(taken[index][1] - start) // step) * step
            continue
        yield start
        start += step


def _minute_up(at: datetime) -> Minute:
    return -int(-at.timestamp() // 60)


def _slot(shift: ShiftRow, left: int, start: Minute, span: int) -> FreeSlot:
    starts = datetime.fromtimestamp(start * 60, UTC)
    ends = starts + timedelta(minutes=span)
    return FreeSlot(shift.resource_id, shift.name, shift.location_id, starts, ends, left)
