"""Places of a class, moved and cancelled appointments, and what a calendar blocks."""

import asyncio
import itertools
import secrets
from datetime import datetime, timedelta
from decimal import Decimal

import psycopg
import pytest

from crm import appointments, businesses, calendars
from crm.appointments import AppointmentRow
from crm.calendars import Blocked
from crm.errors import SlotTaken, UnknownAppointment
from tests.crm.conftest import Book

_keys = itertools.count()


async def a_class(book: Book, capacity: int = 12) -> tuple[int, int, datetime]:
    """A service shared by `capacity` people, a resource and an hour nobody has taken."""
    async with book.crm.transaction(book.business_id) as tx:
        service = next(s for s in await businesses.services(tx) if s.row.bookable)
        resource = (await appointments.skilled(tx, service.row.service_id))[0]
    made = await book.rows(
        "INSERT INTO service (business_id, key, duration_minutes, bookable, capacity)"
        " VALUES (%s, %s, 60, true, %s) RETURNING service_id",
        book.business_id, f"class_{secrets.token_hex(6)}", capacity,
    )  # fmt: skip
    starts = book.clock.now + timedelta(days=1000 + secrets.randbelow(30_000))
    return made[0]["service_id"], resource.resource_id, starts


async def take(
    book: Book, contact_id: int, chosen: tuple[int, int, datetime], people: int = 1, later: int = 0
) -> AppointmentRow:
    service_id, resource_id, starts = chosen
    starts += timedelta(minutes=later)
    async with book.crm.transaction(book.business_id) as tx:
        return await appointments.book(
            tx,
            contact_id=contact_id,
            conversation_id=None,
            service_id=service_id,
            resource_id=resource_id,
            starts=starts,
            ends=starts + timedelta(minutes=60),
            price=Decimal("18.00"),
            people=people,
            idempotency_key=f"class:{secrets.token_hex(4)}:{next(_keys)}",
        )


async def test_a_class_of_twelve_takes_twelve_of_twenty_at_once(book: Book) -> None:
    chosen, (contact_id, _) = await a_class(book), await book.customer()
    came = await asyncio.gather(*(take(book, contact_id, chosen) for _ in range(20)), return_exceptions=True)
    assert sum(isinstance(one, AppointmentRow) for one in came) == 12
    assert [type(one) for one in came if not isinstance(one, AppointmentRow)] == [SlotTaken] * 8


async def test_a_group_gets_its_places_or_none(book: Book) -> None:
    chosen, (contact_id, _) = await a_class(book), await book.customer()
    await take(book, contact_id, chosen, 10)
    with pytest.raises(SlotTaken):
        await take(book, contact_id, chosen, 3)
    assert (await take(book, contact_id, chosen, 2)).people == 2


async def test_the_constraint_itself_forbids_a_thirteenth(book: Book) -> None:
    """Whatever the application forgets: two rows cannot have the same place at the same time."""
    chosen, (contact_id, _) = await a_class(book), await book.customer()
    made = await take(book, contact_id, chosen)
    with pytest.raises(psycopg.errors.ExclusionViolation):
        await book.rows(
            "INSERT INTO appointment (business_id, contact_id, service_id, resource_id, during, seats,"
            " idempotency_key) SELECT business_id, contact_id, service_id, resource_id, during, seats, %s"
            " FROM appointment WHERE appointment_id = %s",
            secrets.token_hex(8), made.appointment_id,
        )  # fmt: skip


async def test_places_that_overlap_in_time_are_not_given_twice(book: Book) -> None:
    chosen, (contact_id, _) = await a_class(book, 2), await book.customer()
    await take(book, contact_id, chosen)
    await take(book, contact_id, chosen, later=30)
    with pytest.raises(SlotTaken):
        await take(book, contact_id, chosen, later=30)
    await take(book, contact_id, chosen, later=60)


async def test_another_service_cannot_use_the_room_of_a_class(book: Book) -> None:
    chosen, (contact_id, _) = await a_class(book), await book.customer()
    other, _, _ = await a_class(book)
    await take(book, contact_id, chosen)
    with pytest.raises(SlotTaken):
        await take(book, contact_id, (other, chosen[1], chosen[2]))


async def test_moving_frees_the_old_time_and_takes_the_new_one(book: Book) -> None:
    chosen, (contact_id, _) = await a_class(book, 1), await book.customer()
    first = await take(book, contact_id, chosen)
    later = timedelta(minutes=30)  # overlaps its own old time: that is no obstacle
    async with book.crm.transaction(book.business_id) as tx:
        moved = await appointments.move(
            tx, first, resource_id=first.resource_id, starts=first.starts + later, ends=first.ends + later
        )
    assert (moved.appointment_id, moved.starts) == (first.appointment_id, first.starts + later)
    with pytest.raises(SlotTaken):
        await take(book, contact_id, chosen, later=60)
    await take(book, contact_id, chosen, later=-30)


async def test_moving_onto_a_taken_time_leaves_everything_as_it_was(book: Book) -> None:
    chosen, (contact_id, _) = await a_class(book, 1), await book.customer()
    first = await take(book, contact_id, chosen)
    second = await take(book, contact_id, chosen, later=120)
    async with book.crm.transaction(book.business_id) as tx:
        with pytest.raises(SlotTaken):
            await appointments.move(
                tx, first, resource_id=first.resource_id, starts=second.starts, ends=second.ends
            )
        assert await appointments.get(tx, first.appointment_id) == first


async def test_an_appointment_of_somebody_else_cannot_be_cancelled(book: Book) -> None:
    chosen, (contact_id, _) = await a_class(book, 1), await book.customer()
    other, _ = await book.customer()
    made = await take(book, contact_id, chosen)
    async with book.crm.transaction(book.business_id) as tx:
        with pytest.raises(UnknownAppointment):
            await appointments.cancel(tx, made.appointment_id, other)
        await appointments.cancel(tx, made.appointment_id, contact_id)
        with pytest.raises(UnknownAppointment):  # twice is once too often
            await appointments.cancel(tx, made.appointment_id, contact_id)
    await take(book, contact_id, chosen)


async def test_what_a_calendar_says_blocks_the_time(book: Book) -> None:
    chosen, (contact_id, _) = await a_class(book), await book.customer()
    span = Blocked("dentist", chosen[2] + timedelta(minutes=30), chosen[2] + timedelta(minutes=90))
    async with book.crm.transaction(book.business_id) as tx:
        await calendars.blocked(tx, chosen[1], [span])
    with pytest.raises(SlotTaken):
        await take(book, contact_id, chosen)
    async with book.crm.transaction(book.business_id) as tx:
        await calendars.blocked(tx, chosen[1], [])
    await take(book, contact_id, chosen)
