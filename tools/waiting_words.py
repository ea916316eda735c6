"""How an entry of the waiting list is said: what for, for how many, when."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from crm.waiting import WaitingRow
from tools.tool import Call
from tools.wording import clock, day

_EXACT = timedelta(minutes=1)  # as long as the span of an entry for one instant is


def wanted_line(call: Call, row: WaitingRow) -> str:
    """ "Lezione di yoga, sabato 21 novembre 2026, 10:00"."""
    service = call.profile.service_of(row.service_id)
    name = service.name(call.language, call.profile.language) if service else ""
    place = call.profile.place(row.location_id)
    zone = ZoneInfo(place.time_zone if place else call.profile.business.time_zone)
    people = call.say("{people} people", people=row.people) if row.people > 1 else ""
    return ", ".join(filter(None, [name, people, span(call, row.since, row.until, zone)]))


def span(call: Call, since: datetime, until: datetime, zone: ZoneInfo) -> str:
    """A day with an hour, or with the hours between; or days, from the first to the last."""
    first, last = since.astimezone(zone), until.astimezone(zone)
    text = day(first.date(), call.language)
    last_day = (last - _EXACT).date()
    if last_day > first.date() and last - first >= timedelta(hours=24):
        return f"{text} – {day(last_day, call.language)}"
    if until - since <= _EXACT:
        return f"{text}, {clock(first, call.language)}"
    if last - first >= timedelta(hours=23):
        return text
    return f"{text}, {clock(first, call.language)}–{clock(last, call.language)}"
