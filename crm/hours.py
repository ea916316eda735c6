"""When a business is open, in the local time of each of its locations."""

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from crm.businesses import LocationRow, Profile

_HORIZON_DAYS = 30


def is_open(profile: Profile, now: datetime) -> bool:
    """Whether any location is open at `now` (aware)."""
    return any(
        opens <= now < closes
        for location in profile.locations
        for opens, closes in opening_times(profile, location, _local_day(location, now))
    )


def next_opening(profile: Profile, now: datetime) -> datetime | None:
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


def opening_times(profile: Profile, location: LocationRow, day: date) -> list[tuple[datetime, datetime]]:
    """The spans a location is open on a day, as aware local datetimes; empty when closed."""
    if _closed(profile, location, day):
        return []
    zone = ZoneInfo(location.time_zone)
    return [
        (datetime.combine(day, row.opens, zone), datetime.combine(day, row.closes, zone))
        for row in profile.hours
        if row.location_id == location.location_id and row.weekday == day.weekday()
    ]


def _closed(profile: Profile, location: LocationRow, day: date) -> bool:
    return any(
        closure.first_day <= day <= closure.last_day and closure.location_id in (None, location.location_id)
        for closure in profile.closures
    )


def _local_day(location: LocationRow, now: datetime) -> date:
    return now.astimezone(ZoneInfo(location.time_zone)).date()
