"""When a business is open, as wall-clock times of each location."""

from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from crm.businesses import ClosureRow, HoursRow, LocationRow, Profile

EARLIEST, LATEST = time(8), time(20)  # the day assumed of a business that has entered no hours
_LAST_MINUTE = time(23, 59)  # who closes then and opens at 00:00 does not close: see `spans_on`


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


def spans_on(profile: Profile, place: LocationRow, day: date) -> list[tuple[datetime, datetime]]:
    """From when to when a location is open on a day, as the clock on its wall shows it (naive).

    Hours that pass midnight stand in the record in two; a span that begins in the evening has both.
    """
    spans = []
    for row in shifts_on(profile, place, day):
        tomorrow = shifts_on(profile, place, day + timedelta(days=1))
        night = [after for after in tomorrow if _goes_on(row, after)]
        ends = datetime.combine(day, row.closes)
        if night:
            ends = datetime.combine(day + timedelta(days=1), night[0].closes)
        spans.append((datetime.combine(day, row.opens), ends))
    return spans


def day_bounds(profile: Profile, place: LocationRow | None) -> tuple[time, time]:
    """The earliest opening and the latest closing of the week: what "at three" means here rests on it.

    A closing that is not later than the opening is one after midnight.
    """
    rows = [row for row in profile.hours if place is None or row.location_id == place.location_id]
    if not rows:
        return EARLIEST, LATEST
    nights = [row for row in rows if any(_goes_on(before, row) for before in rows)]
    opens = min((row.opens for row in rows if row not in nights), default=time(0))
    if not nights:
        return opens, max(row.closes for row in rows)
    closes = max(row.closes for row in nights)
    return (opens, closes) if closes <= opens else (time(0), _LAST_MINUTE)


def _goes_on(evening: HoursRow, row: HoursRow) -> bool:
    """Whether a shift is the rest, after midnight, of one of the evening before."""
    return (
        evening.location_id == row.location_id
        and (evening.weekday + 1) % 7 == row.weekday
        and evening.closes >= _LAST_MINUTE
        and row.opens == time(0)
    )
