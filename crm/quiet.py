"""When nobody is written to unasked: quiet hours by the country and time zone of a phone number."""

from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

import phonenumbers
from phonenumbers import timezone as zones

# From, until, and whether Sunday is quiet: what the law or the custom of a country asks of marketing calls,
# kept for messages too. Any other country has the first.
_USUAL = (time(21), time(9), False)
_BY_COUNTRY = {
    "IT": (time(21), time(9), True),
    "ES": (time(21), time(9), True),
    "PT": (time(22), time(9), True),
    "BR": (time(20), time(9), True),
    "FR": (time(20), time(10), True),
    "DE": (time(21), time(9), True),
}
WAKES, RESTS = time(8), time(21)
"""When reminders go out, in the local time of the place; they are no advertising, so Sunday is as any day."""
_NOWHERE = zones.UNKNOWN_TIMEZONE


def country_of(wa_id: str | None) -> str | None:
    """The country of a phone number, such as IT; None for a number of nowhere."""
    number = _parsed(wa_id)
    if number is None:
        return None
    # Old Brazilian and Mexican wa_ids count as no valid number: their country is in the first digits.
    region = phonenumbers.region_code_for_number(number)
    region = region or phonenumbers.region_code_for_country_code(number.country_code or 0)
    return None if region in ("ZZ", "001") else region


def quiet_until(wa_id: str | None, now: datetime, *, home: str) -> datetime | None:
    """When a customer may be written to again; None: now.

    A number whose country spans several time zones is quiet while any of them is; one of nowhere keeps the
    hours of `home`, the business's time zone.
    """
    number = _parsed(wa_id)
    found = [z for z in zones.time_zones_for_number(number) if z != _NOWHERE] if number else []
    starts, ends, sunday = _BY_COUNTRY.get(country_of(wa_id) or "", _USUAL)
    at = now
    for _ in range(4):  # moved out of one zone's night it may fall into another's
        moved = max(_awake(at, ZoneInfo(zone), starts, ends, sunday) for zone in found or [home])
        if moved == at:
            break
        at = moved
    return at if at > now else None


def by_day(at: datetime, zone: ZoneInfo) -> datetime:
    """`at`, or the morning after it where it is too early or too late to be reminded of something."""
    return _awake(at, zone, RESTS, WAKES, sunday=False)


def _awake(at: datetime, zone: ZoneInfo, starts: time, ends: time, sunday: bool) -> datetime:
    """`at`, or the next moment that is not quiet in the zone."""
    local = at.astimezone(zone)
    if starts <= local.time():
        local = datetime.combine(local.date() + timedelta(days=1), ends, zone)
    elif local.time() < ends:
        local = datetime.combine(local.date(), ends, zone)
    if sunday and local.weekday() == 6:
        local = datetime.combine(local.date() + timedelta(days=1), ends, zone)
    return max(at, local.astimezone(at.tzinfo))


def _parsed(wa_id: str | None) -> phonenumbers.PhoneNumber | None:
    try:
        return phonenumbers.parse(f"+{wa_id}") if wa_id else None
    except phonenumbers.NumberParseException:
        return None
