"""iCalendar (RFC 5545): our events as text, and the busy spans of others' events, repetitions worked out."""

from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import icalendar
import recurring_ical_events

from channels.calendars.calendar import OURS, Busy, Event
from channels.calendars.errors import CalendarUnreadable

PRODUCT = "-//SARA//appointments//EN"
_MOST_SPANS = 2000


def feed(events: Iterable[Event], *, name: str, refresh: timedelta) -> bytes:
    """A calendar any app can subscribe to; `name` is shown for it, `refresh` is how often to look again."""
    calendar = _calendar()
    calendar.add("method", "PUBLISH")
    calendar.add("x-wr-calname", name)
    calendar.add("refresh-interval;value=duration", f"PT{int(refresh.total_seconds() // 60)}M")
    calendar.add("x-published-ttl", f"PT{int(refresh.total_seconds() // 60)}M")
    for event in events:
        calendar.add_component(_component(event))
    return bytes(calendar.to_ical())


def single(event: Event) -> bytes:
    """One event as a CalDAV server keeps it: without a method (RFC 4791, 4.1)."""
    calendar = _calendar()
    calendar.add_component(_component(event))
    return bytes(calendar.to_ical())


def _calendar() -> icalendar.Calendar:
    calendar = icalendar.Calendar()
    calendar.add("prodid", PRODUCT)
    calendar.add("version", "2.0")
    return calendar


def _component(event: Event) -> icalendar.Event:
    component = icalendar.Event()
    component.add("uid", event.uid)
    # In UTC: every app shows its own clock, and no zone table has to be sent along.
    component.add("dtstart", event.starts.astimezone(UTC))
    component.add("dtend", event.ends.astimezone(UTC))
    component.add("dtstamp", event.changed_at.astimezone(UTC))
    component.add("last-modified", event.changed_at.astimezone(UTC))
    component.add("sequence", int(event.changed_at.timestamp()) % 2**31)
    component.add("summary", event.title)
    component.add("description", event.notes)
    component.add("location", event.place)
    component.add("status", "CONFIRMED")
    component.add("transp", "OPAQUE")
    return component


def busy_spans(
    text: str | bytes, *, since: datetime, until: datetime, zone: str, ours: str = OURS
) -> list[Busy]:
    """The spans of others' events in [since, until). `zone` is what times without a zone are in.

    Free, cancelled and declined-by-nobody events aside: TRANSPARENT ones and cancelled ones block nothing.
    Raises CalendarUnreadable for what is no iCalendar.
    """
    try:
        calendars = icalendar.Calendar.from_ical(text, multiple=True)
        found = [busy for calendar in calendars for busy in _spans(calendar, since, until, zone, ours)]
    except (ValueError, KeyError, IndexError, TypeError, AttributeError, OverflowError) as error:
        raise CalendarUnreadable(f"{CalendarUnreadable.__doc__} ({error})") from error
    return found[:_MOST_SPANS]


def _spans(
    calendar: icalendar.Component, since: datetime, until: datetime, zone: str, ours: str
) -> Iterator[Busy]:
    for event in recurring_ical_events.of(calendar, skip_bad_series=True).between(since, until):
        uid = str(event.get("uid", ""))
        if uid.startswith(ours) or str(event.get("transp", "")).upper() == "TRANSPARENT":
            continue
        if str(event.get("status", "")).upper() == "CANCELLED":
            continue
        starts = _aware(event.start, zone)
        ends = _aware(event.end, zone)
        if ends > starts and starts < until and ends > since:
            yield Busy(uid, starts, ends)


def _aware(moment: date | datetime, zone: str) -> datetime:
    """A whole day begins at midnight where the resource is; a floating time is on the clock there."""
    if not isinstance(moment, datetime):
        return datetime.combine(moment, time(0), ZoneInfo(zone)).astimezone(UTC)
    local = moment if moment.tzinfo else moment.replace(tzinfo=ZoneInfo(zone))
    return local.astimezone(UTC)
