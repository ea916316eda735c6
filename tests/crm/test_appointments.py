"""A time is taken once."""

import asyncio
import secrets
from datetime import datetime, timedelta
from decimal import Decimal

import pytest

from crm import appointments, businesses
from crm.appointments import AppointmentRow
from crm.errors import SlotTaken
from tests.crm.conftest import Book


async def pick(book: Book) -> tuple[int, int, datetime]:
    """A service, a resource and an hour nobody has taken."""
    async with book.crm.transaction(book.business_id) as tx:
        service = next(s for s in await businesses.services(tx) if s.row.bookable)
        resource = (await appointments.skilled(tx, service.row.service_id))[0]
    starts = book.clock.now + timedelta(days=1000 + secrets.randbelow(30_000))
    return service.row.service_id, resource.resource_id, starts


async def take(
    book: Book, contact_id: int, chosen: tuple[int, int, datetime], key: str, *, minutes: int = 60
) -> AppointmentRow:
    service_id, resource_id, starts = chosen
    async with book.crm.transaction(book.business_id) as tx:
        return await appointments.book(
            tx,
            contact_id=contact_id,
            conversation_id=None,
            service_id=service_id,
            resource_id=resource_id,
            starts=starts,
            ends=starts + timedelta(minutes=minutes),
            price=Decimal("90.00"),
            idempotency_key=key,
        )


async def test_of_twenty_at_once_one_gets_it_and_the_others_are_told(book: Book) -> None:
    chosen, (contact_id, _) = await pick(book), await book.customer()
    keys = [f"{chosen[2].isoformat()}:{number}" for number in range(20)]
    came = await asyncio.gather(
        *(take(book, contact_id, chosen, key) for key in keys), return_exceptions=True
    )
    assert [type(one) for one in came if not isinstance(one, AppointmentRow)] == [SlotTaken] * 19
    rows = await book.rows("SELECT 1 FROM appointment WHERE idempotency_key = ANY(%s)", keys)
    assert len(rows) == 1


async def test_the_same_turn_again_gets_the_same_appointment(book: Book) -> None:
    chosen, (contact_id, _) = await pick(book), await book.customer()
    key = f"again:{chosen[2].isoformat()}"
    first = await take(book, contact_id, chosen, key)
    assert await take(book, contact_id, chosen, key) == first
    assert (first.starts, first.price, first.status) == (chosen[2], Decimal("90.00"), "booked")


async def test_the_same_turn_run_twice_at_once_books_once(book: Book) -> None:
    chosen, (contact_id, _) = await pick(book), await book.customer()
    key = f"twice:{chosen[2].isoformat()}"
    first, second = await asyncio.gather(*(take(book, contact_id, chosen, key) for _ in range(2)))
    assert first == second


async def test_overlap_is_refused_and_the_next_minute_is_free(book: Book) -> None:
    chosen, (contact_id, _) = await pick(book), await book.customer()
    service_id, resource_id, starts = chosen
    key = starts.isoformat()
    await take(book, contact_id, chosen, f"{key}:a")
    with pytest.raises(SlotTaken):
        await take(book, contact_id, (service_id, resource_id, starts + timedelta(minutes=59)), f"{key}:b")
    await take(book, contact_id, (service_id, resource_id, starts + timedelta(minutes=60)), f"{key}:c")


async def test_a_refusal_leaves_the_transaction_usable(book: Book) -> None:
    chosen, (contact_id, _) = await pick(book), await book.customer()
    await take(book, contact_id, chosen, f"{chosen[2]}:first")
    async with book.crm.transaction(book.business_id) as tx:
        with pytest.raises(SlotTaken):
            await appointments.book(
                tx,
                contact_id=contact_id,
                conversation_id=None,
                service_id=chosen[0],
                resource_id=chosen[1],
                starts=chosen[2],
                ends=chosen[2] + timedelta(minutes=5),
                price=None,
                idempotency_key=f"{chosen[2]}:second",
            )
        (booked,) = await appointments.of_contact(tx, contact_id)
    assert booked.starts == chosen[2]


async def test_a_cancelled_time_can_be_taken_again(book: Book) -> None:
    chosen, (contact_id, _) = await pick(book), await book.customer()
    first = await take(book, contact_id, chosen, f"{chosen[2]}:first")
    await book.rows(
        "UPDATE appointment SET status = 'cancelled' WHERE appointment_id = %s", first.appointment_id
    )
    assert (await take(book, contact_id, chosen, f"{chosen[2]}:second")).status == "booked"
