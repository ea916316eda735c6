"""Appointments: who or what is free when, and taking a time exactly once."""

from dataclasses import dataclass
from datetime import datetime, time
from decimal import Decimal

import psycopg

from crm.errors import SlotTaken
from crm.record import Tx


@dataclass(frozen=True)
class BusyRow:
    resource_id: int
    starts: datetime
    ends: datetime


@dataclass(frozen=True)
class SkilledRow:
    resource_id: int
    name: str
    kind: str
    location_id: int


@dataclass(frozen=True)
class WeekRow:
    resource_id: int
    weekday: int
    starts: time
    ends: time


@dataclass(frozen=True)
class AppointmentRow:
    appointment_id: int
    service_id: int
    service_key: str
    resource_id: int
    resource_name: str
    location_id: int
    starts: datetime
    ends: datetime
    status: str
    price: Decimal | None


async def busy(tx: Tx, service_id: int, since: datetime, until: datetime) -> list[BusyRow]:
    """When the resources that can do a service are taken."""
    return await tx.all(BusyRow, "busy", service_id=service_id, since=since, until=until)


async def skilled(tx: Tx, service_id: int) -> list[SkilledRow]:
    """Who or what can do a service, and where."""
    return await tx.all(SkilledRow, "skilled", service_id=service_id)


async def weeks(tx: Tx) -> list[WeekRow]:
    """The weeks of resources that do not simply follow their location's hours."""
    return await tx.all(WeekRow, "resource_weeks")


async def of_contact(tx: Tx, contact_id: int) -> list[AppointmentRow]:
    """What a customer has booked from now on."""
    return await tx.all(AppointmentRow, "appointments_of_contact", contact_id=contact_id)


async def book(
    tx: Tx,
    *,
    contact_id: int,
    conversation_id: int | None,
    service_id: int,
    resource_id: int,
    starts: datetime,
    ends: datetime,
    price: Decimal | None,
    idempotency_key: str,
) -> AppointmentRow:
    """Takes a time. The same key again returns what the first call made.

    Raises SlotTaken when somebody else was first (the exclusion constraint decides, so two transactions
    at the same instant cannot both win).
    """
    # Two inserts that meet inside the constraint's check would wait for each other until one is killed.
    await tx.value("resource_lock", resource_id=resource_id)
    before = await _by_key(tx, idempotency_key)
    if before is not None:
        return before
    try:
        async with tx.connection.transaction():
            await tx.value(
                "appointment_insert",
                contact_id=contact_id,
                conversation_id=conversation_id,
                service_id=service_id,
                resource_id=resource_id,
                starts=starts,
                ends=ends,
                price=price,
                idempotency_key=idempotency_key,
            )
    except psycopg.errors.ExclusionViolation as error:
        raise SlotTaken(SlotTaken.__doc__) from error
    made = await _by_key(tx, idempotency_key)
    if made is None:
        raise RuntimeError("an appointment just made cannot be read back")
    return made


async def _by_key(tx: Tx, idempotency_key: str) -> AppointmentRow | None:
    return await tx.first(AppointmentRow, "appointment_by_key", idempotency_key=idempotency_key)
