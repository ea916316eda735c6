"""One customer is one contact, however the channel names them and however fast they write."""

import asyncio

import pytest

from crm import businesses, contacts, conversations
from tests.crm.conftest import Book, sender


async def seen(book: Book, wa_id: str | None, bsuid: str | None, name: str | None = None) -> int:
    async with book.crm.transaction(book.business_id) as tx:
        return await contacts.seen(tx, wa_id=wa_id, bsuid=bsuid, name=name)


async def identity(book: Book, contact_id: int) -> tuple[str | None, str | None]:
    async with book.crm.transaction(book.business_id) as tx:
        row = await contacts.get(tx, contact_id)
    return row.wa_id, row.bsuid


@pytest.mark.parametrize("known_by", ["phone", "user id"])
async def test_one_identity_is_enough_and_the_other_is_added_when_it_comes(book: Book, known_by: str) -> None:
    wa_id, bsuid = sender(), f"IT.{sender()}"
    first = await seen(book, wa_id if known_by == "phone" else None, bsuid if known_by == "user id" else None)
    assert await seen(book, wa_id, bsuid, "Anna") == first
    assert await identity(book, first) == (wa_id, bsuid)
    assert await seen(book, wa_id, None) == await seen(book, None, bsuid) == first


async def test_nobody_is_no_contact(book: Book) -> None:
    with pytest.raises(ValueError, match="wa_id or a bsuid"):
        await seen(book, None, None)


async def test_two_people_are_not_merged_by_a_message_that_names_both(book: Book) -> None:
    wa_id, bsuid = sender(), f"IT.{sender()}"
    by_phone, by_user_id = await seen(book, wa_id, None), await seen(book, None, bsuid)
    assert await seen(book, wa_id, bsuid) == by_phone
    assert await identity(book, by_phone) == (wa_id, None)
    assert await identity(book, by_user_id) == (None, bsuid)


async def test_a_known_identity_is_never_replaced(book: Book) -> None:
    wa_id, bsuid = sender(), f"IT.{sender()}"
    contact_id = await seen(book, wa_id, bsuid, "Anna")
    assert await seen(book, wa_id, f"{bsuid}.other", "Somebody else") == contact_id
    async with book.crm.transaction(book.business_id) as tx:
        row = await contacts.get(tx, contact_id)
    assert (row.wa_id, row.bsuid, row.name) == (wa_id, bsuid, "Anna")


async def test_first_messages_at_the_same_instant_make_one_contact_and_one_conversation(book: Book) -> None:
    wa_id, bsuid = sender(), f"IT.{sender()}"

    async def arrives(number: int) -> tuple[int, int]:
        async with book.crm.transaction(book.business_id) as tx:
            named = bsuid if number % 2 else None  # payloads of either shape
            contact_id = await contacts.seen(tx, wa_id=wa_id, bsuid=named, name=None)
            return contact_id, await conversations.open_for(tx, contact_id, book.number)

    assert len(set(await asyncio.gather(*(arrives(number) for number in range(16))))) == 1
    rows = await book.rows("SELECT contact_id FROM contact WHERE wa_id = %s OR bsuid = %s", wa_id, bsuid)
    assert len(rows) == 1
    opened = await book.rows("SELECT 1 FROM conversation WHERE contact_id = %s", rows[0]["contact_id"])
    assert len(opened) == 1


async def test_the_same_phone_is_another_contact_for_another_business(book: Book) -> None:
    wa_id = sender()
    here = await seen(book, wa_id, None)
    async with book.crm.outside() as tx:
        other = await businesses.of_slug(tx, "aurora")
    async with book.crm.transaction(other) as tx:
        there = await contacts.seen(tx, wa_id=wa_id, bsuid=None, name=None)
        with pytest.raises(LookupError):
            await contacts.get(tx, here)
    assert there != here


async def test_leaving_and_coming_back(book: Book) -> None:
    contact_id = await seen(book, sender(), None)
    async with book.crm.transaction(book.business_id) as tx:
        await contacts.opt_out(tx, contact_id)
        assert (await contacts.get(tx, contact_id)).opted_out_at == book.clock.now
        await contacts.opt_in(tx, contact_id)
        assert (await contacts.get(tx, contact_id)).opted_out_at is None
