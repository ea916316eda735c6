"""When a business is open, in the local time of each of its locations."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Protocol
from zoneinfo import ZoneInfo

from crm.businesses import ClosureRow, HoursRow, LocationRow
from crm.record import Tx

_HORIZON_DAYS = 30
_FARTHEST_DAYS = 370


class Opens(Protocol):
    """Whatever knows where and when a business is open; its Profile does."""

    @property
    def locations(self) -> list[LocationRow]: ...
    @property
    def hours(self) -> list[HoursRow]: ...
    @property
    def closures(self) -> list[ClosureRow]: ...


@dataclass(frozen=True)
class Week:
    """Opening hours alone, for those who need no more of a business."""

    locations: list[LocationRow]
    hours: list[HoursRow]
    closures: list[ClosureRow]


async def week(tx: Tx) -> Week:
    """When the business of the transaction is open."""
    return Week(
        locations=await tx.all(LocationRow, "locations"),
        hours=await tx.all(HoursRow, "opening_hours"),
        closures=await tx.all(ClosureRow, "closures", since=tx.now.date() - timedelta(days=1)),
    )


def is_open(profile: Opens, now: datetime) -> bool:
    """Whether any location is open at `now` (aware)."""
    return any(
        opens <= now < closes
        for location in profile.locations
        for opens, closes in opening_times(profile, location, _local_day(location, now))
    )


def next_opening(profile: Opens, now: datetime) -> datetime | None:
    """When the first location opens after `now`, in that location's local time; None within a month."""
    found: list[datetime] = []
    for location in profile.locations:
        day = _local_day(location, now)
        for ahead in range(_HORIZON_DAYS):
            later = [o for o, _ in opening_times(profile, location, day + timedelta(days=ahead)) if o > now]
            if later:
                found.append(min(later))
                break
    return min(found, default=None)


def opening_times(profile: Opens, location: LocationRow, day: date) -> list[tuple[datetime, datetime]]:
    """The spans a location is open on a day, as aware local datetimes; empty when closed."""
    if _closed(profile, location, day):
        return []
    zone = ZoneInfo(location.time_zone)
    return [
        (datetime.combine(day, row.opens, zone), datetime.combine(day, row.closes, zone))
        for row in profile.hours
        if row.location_id == location.location_id and row.weekday == day.weekday()
    ]


def _closed(profile: Opens, location: LocationRow, day: date) -> bool:
    return any(
        closure.first_day <= day <= closure.last_day and closure.location_id in (None, location.location_id)
        for closure in profile.closures
    )


def _local_day(location: LocationRow, now: datetime) -> date:
    return now.astimezone(ZoneInfo(location.time_zone)).date()


def after_open_minutes(profile: Opens, since: datetime, minutes: int) -> datetime:
    """When so many minutes of opening hours have passed after `since` (aware), in UTC.

    The business counts as open while any of its locations is. Without opening hours in the coming year the
    clock on the wall is all there is to go by.
    """
    since, left = since.astimezone(UTC), timedelta(minutes=minutes)
    for ahead in range(-1, _FARTHEST_DAYS):
        reached = since
        for opens, closes in _open_spans(profile, since + timedelta(days=ahead)):
            start = max(opens, reached)
            if start >= closes:
                continue
            if closes - start >= left:
                return start + left
            left -= closes - start
            reached = closes
    return since + timedelta(minutes=minutes)


def _open_spans(profile: Opens, around: datetime) -> list[tuple[datetime, datetime]]:
    """The spans of the day it is at each location `around` a moment, in UTC and in order."""
    spans = [
        (opens.astimezone(UTC), closes.astimezone(UTC))
        for location in profile.locations
        for opens, closes in opening_times(profile, location, _local_day(location, around))
    ]
    return sorted(spans)
