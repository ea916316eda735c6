"""When a business is open, as wall-clock times of each location."""

from datetime import date, time
from zoneinfo import ZoneInfo

from crm.businesses import ClosureRow, HoursRow, LocationRow, Profile

EARLIEST, LATEST = time(8), time(20)  # the day assumed of a business that has entered no hours


def location_of(profile: Profile, key: str | None) -> LocationRow | None:
    """The location of that key; without a key the only one there is."""
    if key is None:
        return profile.locations[0] if len(profile.locations) == 1 else None
    return next((place for place in profile.locations if place.key == key), None)


def zone_of(profile: Profile, place: LocationRow | None) -> ZoneInfo:
    """The time zone of a location, else the business's own."""
    return ZoneInfo(place.time_zone if place else profile.business.time_zone)


def closure_on(profile: Profile, place: LocationRow, day: date) -> ClosureRow | None:
    """The closure that shuts a location on a day."""
    for closure in profile.closures:
        concerned = closure.location_id in (None, place.location_id)
        if concerned and closure.first_day <= day <= closure.last_day:
            return closure
    return None


def shifts_of_week(profile: Profile, place: LocationRow, weekday: int) -> list[HoursRow]:
    """The regular shifts of a weekday, Monday being 0."""
    return [row for row in profile.hours if row.location_id == place.location_id and row.weekday == weekday]


def shifts_on(profile: Profile, place: LocationRow, day: date) -> list[HoursRow]:
    """The shifts of a day, none when it is shut."""
    if closure_on(profile, place, day):
        return []
    return shifts_of_week(profile, place, day.weekday())


def day_bounds(profile: Profile, place: LocationRow | None) -> tuple[time, time]:
    """The earliest opening and the latest closing of the week: what "at three" means here rests on it."""
    rows = [row for row in profile.hours if place is None or row.location_id == place.location_id]
    if not rows:
        return EARLIEST, LATEST
    return min(row.opens for row in rows), max(row.closes for row in rows)
