"""Appointments: who or what is free when, and taking a time exactly once."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, time
from decimal import Decimal
from typing import Literal

import psycopg

from crm.errors import SlotTaken, UnknownAppointment
from crm.record import Tx

WHOLE = "{(,)}"  # the seats of a booking that shares its resource with nobody


@dataclass(frozen=True)
class BusyRow:
    """A span in which a resource is taken: whole, or by a class's places [first_seat, end_seat).

    `service_id` is None for what somebody wrote into the resource's own calendar.
    """

    resource_id: int
    starts: datetime
    ends: datetime
    service_id: int | None = None
    first_seat: int | None = None
    end_seat: int | None = None


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
    contact_id: int
    service_id: int
    service_key: str
    resource_id: int
    resource_name: str
    location_id: int
    starts: datetime
    ends: datetime
    status: str
    price: Decimal | None
    people: int


@dataclass(frozen=True)
class AgendaRow:
    appointment_id: int
    service_key: str
    resource_key: str
    starts: datetime
    ends: datetime
    status: str
    people: int
    contact_name: str | None
    wa_id: str | None


async def busy(
    tx: Tx, service_id: int, since: datetime, until: datetime, *, but: int | None = None
) -> list[BusyRow]:
    """When the resources that can do a service are taken; `but` is an appointment that does not count."""
    return await tx.all(BusyRow, "busy", service_id=service_id, since=since, until=until, but=but)


async def skilled(tx: Tx, service_id: int) -> list[SkilledRow]:
    """Who or what can do a service, and where."""
    return await tx.all(SkilledRow, "skilled", service_id=service_id)


async def weeks(tx: Tx) -> list[WeekRow]:
    """The weeks of resources that do not simply follow their location's hours."""
    return await tx.all(WeekRow, "resource_weeks")


async def get(tx: Tx, appointment_id: int) -> AppointmentRow | None:
    """One appointment of the business, whoever's; None when there is none."""
    return await tx.first(AppointmentRow, "appointment", appointment_id=appointment_id)


async def of_contact(tx: Tx, contact_id: int) -> list[AppointmentRow]:
    """What a customer has booked from now on."""
    return await tx.all(AppointmentRow, "appointments_of_contact", contact_id=contact_id)


async def visits(tx: Tx, contact_id: int, most: int = 3) -> list[AppointmentRow]:
    """What a customer came for, the latest first; not what was cancelled or missed."""
    return await tx.all(AppointmentRow, "visits_of_contact", contact_id=contact_id, most=most)


async def between(tx: Tx, since: datetime, until: datetime) -> list[AgendaRow]:
    """What begins between two moments, for the people who expect it."""
    return await tx.all(AgendaRow, "appointments_between", since=since, until=until)


async def missed_since(tx: Tx, contact_id: int, since: datetime) -> int:
    """How often a customer was expected in vain."""
    return int(await tx.value("appointments_missed", contact_id=contact_id, since=since))


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
    people: int = 1,
    status: Literal["booked", "held"] = "booked",
) -> AppointmentRow:
    """Takes a time, or `people` places of a class. The same key again returns what the first call made.

    Raises SlotTaken when somebody else was first (the exclusion constraint decides, so two transactions
    at the same instant cannot both win), when a class has not so many places left, or when the resource's
    own calendar says that it is busy.
    """
    # Two inserts that meet inside the constraint's check would wait for each other until one is killed.
    await tx.value("resource_lock", resource_id=resource_id)
    before = await by_key(tx, idempotency_key)
    if before is not None:
        return before
    seats = await _seats(tx, service_id, resource_id, starts, ends, people)
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
                people=people,
                seats=seats,
                status=status,
                idempotency_key=idempotency_key,
            )
    except psycopg.errors.ExclusionViolation as error:
        raise SlotTaken(SlotTaken.__doc__) from error
    made = await by_key(tx, idempotency_key)
    if made is None:
        raise RuntimeError("an appointment just made cannot be read back")
    return made


async def move(
    tx: Tx, appointment: AppointmentRow, *, resource_id: int, starts: datetime, ends: datetime
) -> AppointmentRow:
    """Gives a booked appointment another time. Raises SlotTaken, UnknownAppointment."""
    for each in sorted({appointment.resource_id, resource_id}):  # always in the same order: no deadlock
        await tx.value("resource_lock", resource_id=each)
    seats = await _seats(
        tx,
        appointment.service_id,
        resource_id,
        starts,
        ends,
        appointment.people,
        but=appointment.appointment_id,
    )
    try:
        async with tx.connection.transaction():
            moved = await tx.value(
                "appointment_move",
                appointment_id=appointment.appointment_id,
                contact_id=appointment.contact_id,
                resource_id=resource_id,
                starts=starts,
                ends=ends,
                seats=seats,
            )
    except psycopg.errors.ExclusionViolation as error:
        raise SlotTaken(SlotTaken.__doc__) from error
    found = await get(tx, appointment.appointment_id) if moved is not None else None
    if found is None:
        raise UnknownAppointment(UnknownAppointment.__doc__)
    return found


async def cancel(tx: Tx, appointment_id: int, contact_id: int) -> None:
    """Gives a customer's booked time free. Raises UnknownAppointment."""
    done = await tx.value("appointment_cancel", appointment_id=appointment_id, contact_id=contact_id)
    if done is None:
        raise UnknownAppointment(UnknownAppointment.__doc__)


async def release(tx: Tx, appointment_id: int) -> None:
    """Gives a held time free."""
    await tx.run("appointment_release", appointment_id=appointment_id)


async def take_up(tx: Tx, appointment_id: int, contact_id: int, conversation_id: int | None) -> bool:
    """What was held for a customer is booked; False when it is held no more."""
    taken = await tx.value(
        "appointment_taken_up",
        appointment_id=appointment_id,
        contact_id=contact_id,
        conversation_id=conversation_id,
    )
    return taken is not None


def seats_taken(rows: Iterable[BusyRow], service_id: int) -> set[int] | None:
    """The places of a class that are taken; None when the resource is taken whole, or by something else."""
    taken: set[int] = set()
    for row in rows:
        if row.service_id != service_id or row.first_seat is None or row.end_seat is None:
            return None
        taken.update(range(row.first_seat, row.end_seat))
    return taken


async def _seats(
    tx: Tx,
    service_id: int,
    resource_id: int,
    starts: datetime,
    ends: datetime,
    people: int,
    but: int | None = None,
) -> str:
    """The places to take, written as PostgreSQL reads them. Raises SlotTaken; hold the resource's lock."""
    capacity = int(await tx.value("service_capacity", service_id=service_id))
    rows = await tx.all(BusyRow, "resource_busy", resource_id=resource_id, starts=starts, ends=ends, but=but)
    if capacity <= 1:
        if rows:
            raise SlotTaken(SlotTaken.__doc__)
        return WHOLE
    taken = seats_taken(rows, service_id)
    free = [] if taken is None else [seat for seat in range(1, capacity + 1) if seat not in taken]
    if len(free) < people:
        raise SlotTaken(SlotTaken.__doc__)
    return "{" + ",".join(f"[{seat},{seat + 1})" for seat in free[:people]) + "}"


async def by_key(tx: Tx, idempotency_key: str) -> AppointmentRow | None:
    """What `book` made with a key before; None when it made nothing."""
    return await tx.first(AppointmentRow, "appointment_by_key", idempotency_key=idempotency_key)
