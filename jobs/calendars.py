"""Calendars outside follow the record, and what others write into them blocks the time.

The record is the truth. An appointment's hook writes it through at once and is tried again until it is
written; whatever was missed even so is found by the look at every calendar once a minute, which also reads
what others wrote there.
"""

from collections.abc import Callable
from datetime import datetime, timedelta

import structlog
from procrastinate import Blueprint, JobContext

from channels.calendars.calendar import Calendar, Event, uid_of
from channels.calendars.errors import CalendarError, CalendarRefused
from crm import calendars, events, queue
from crm.calendars import Blocked, BookedRow, CalendarRow
from crm.events import HookRow
from crm.record import Tx
from jobs.periodic import alone, every
from jobs.services import Services, services_of

log = structlog.get_logger(__name__)

Open = Callable[[CalendarRow], Calendar]

HORIZON = timedelta(days=190)  # a little more than bookings are taken ahead


def blueprint() -> Blueprint:
    """The task of this file, for one app: adding a blueprint to an app renames its tasks."""
    made = Blueprint()
    every(made, "* * * * *", "calendars", look, queue=queue.OUTWARD)
    return made


async def look(job: JobContext, timestamp: int) -> None:
    """Every minute, by whichever worker comes first."""
    services = services_of(job)
    async with services.crm.outside() as tx:
        found = await calendars.businesses_with_calendars(tx)
    for business_id in found:
        with alone(business_id, "calendars"):
            await sync(services, business_id)


async def write_through(services: Services, tx: Tx, hook: HookRow) -> None:
    """What an appointment's event asks for. Raises CalendarError when a calendar is away: the hook is tried
    again. One that refuses us is noted for the operator, since trying again would not help."""
    for row in await calendars.of_business(tx):
        if row.provider is None:
            continue
        try:
            await _write(services, tx.business_id, row, _open(services, row))
        except CalendarError as error:
            await calendars.checked(tx, row.resource_id, str(error))
            if error.retryable:
                raise


async def sync(services: Services, business_id: int) -> None:
    """Writes what calendars lack and reads what others wrote; one that fails does not hold up the rest."""
    async with services.crm.transaction(business_id) as tx:
        rows = [row for row in await calendars.of_business(tx) if row.provider is not None]
    for row in rows:
        failure: str | None = None
        try:
            calendar = _open(services, row)
            await _write(services, business_id, row, calendar)
            await _read(services, business_id, row, calendar)
        except CalendarError as error:
            failure = str(error)
            log.warning("calendar_failed", resource=row.resource_key, error=failure)
        async with services.crm.transaction(business_id) as tx:
            await calendars.checked(tx, row.resource_id, failure)


def _open(services: Services, row: CalendarRow) -> Calendar:
    if services.calendars is None:
        raise CalendarRefused("no calendar can be opened: set SARA_SECRET_KEY, the same on every machine")
    return services.calendars(row)


async def _write(services: Services, business_id: int, row: CalendarRow, calendar: Calendar) -> None:
    async with services.crm.transaction(business_id) as tx:
        gone = await calendars.to_remove(tx, row.resource_id)
        due = await calendars.to_write(tx, row.resource_id)
    for appointment_id in gone:
        await calendar.remove(uid_of(appointment_id, business_id))
        async with services.crm.transaction(business_id) as tx:
            await calendars.shows_no_more(tx, row.resource_id, appointment_id)
    for booked in due:
        async with services.crm.transaction(business_id) as tx:
            await calendars.may_show(tx, booked)  # an answer that is lost leaves the entry there
        await calendar.put(event_of(booked, business_id, row.time_zone))
        async with services.crm.transaction(business_id) as tx:
            await calendars.shows(tx, booked)


async def _read(services: Services, business_id: int, row: CalendarRow, calendar: Calendar) -> None:
    now: datetime = services.clock()
    found = await calendar.busy(now - timedelta(days=1), now + HORIZON)
    async with services.crm.transaction(business_id) as tx:
        await calendars.blocked(tx, row.resource_id, [Blocked(b.uid, b.starts, b.ends) for b in found])
        for conflict in await calendars.conflicts(tx, row.resource_id):
            await events.happened(
                tx,
                "appointment_conflict",
                conflict.contact_id,
                key=f"appointment_conflict:{conflict.appointment_id}:{conflict.starts.isoformat()}",
                subject_id=conflict.appointment_id,
                detail=row.resource_name,
            )


def event_of(row: BookedRow, business_id: int, zone: str) -> Event:
    """An appointment as people of the business read it in a calendar. Its buffer is no part of it."""
    ends = row.starts + timedelta(minutes=row.duration_minutes) if row.duration_minutes else row.ends
    who = row.contact_name or (f"+{row.wa_id}" if row.wa_id else "?")
    people = f" ×{row.people}" if row.people > 1 else ""
    phone = f"+{row.wa_id}" if row.wa_id else ""
    return Event(
        uid=uid_of(row.appointment_id, business_id),
        starts=row.starts,
        ends=ends,
        zone=zone,
        title=f"{row.service_name}{people} – {who}",
        notes="\n".join(filter(None, [phone, f"SARA #{row.appointment_id}"])),
        place=f"{row.place}, {row.address}",
        changed_at=row.changed_at,
    )
