"""Two entries of one person: what only one of them can have, and what is said of both."""

import secrets
from datetime import timedelta

import pytest

from crm import cards, contacts, leads
from crm.contacts import ContactRow
from crm.merging import merge
from tests.crm.conftest import Book, sender

BILLING = "INSERT INTO contact_fiscal (business_id, contact_id, name, country) VALUES (%s, %s, %s, 'IT')"


async def test_one_possible_sale_one_address_and_the_stricter_wish(book: Book) -> None:
    kept, _ = await book.customer()
    gone, _ = await book.customer()
    async with book.crm.transaction(book.business_id) as tx:
        for contact_id, name in ((kept, "Prima"), (gone, "Seconda")):
            await tx.connection.execute(BILLING, (book.business_id, contact_id, name))
            await tx.connection.execute(
                "INSERT INTO lead (business_id, contact_id, wish, score, stage)"
                " VALUES (%s, %s, %s, %s, 'new')",
                (book.business_id, contact_id, f"desiderio {name}", 10 if name == "Prima" else 40),
            )
        await contacts.opt_out(tx, gone, source="agent")
        await tx.connection.execute(
            "INSERT INTO contact_basis (business_id, contact_id, purpose, basis, at)"
            " VALUES (%s, %s, 'service', 'contract', now())",
            (book.business_id, gone),
        )
        before = await contacts.get(tx, gone)
    assert await merge(book.crm, book.business_id, kept, gone, None) > 0
    async with book.crm.transaction(book.business_id) as tx:
        now = await contacts.get(tx, kept)
        lead = await leads.open_of(tx, kept)
        cursor = await tx.connection.execute(
            "SELECT (SELECT count(*) FROM lead WHERE contact_id = %(kept)s) AS leads,"
            " (SELECT count(*) FROM contact_basis WHERE contact_id = %(kept)s) AS bases,"
            " (SELECT name FROM contact_fiscal WHERE contact_id = %(kept)s) AS billed,"
            " (SELECT billing FROM contact_merge WHERE contact_id = %(kept)s) AS other_billing,"
            " (SELECT wa_id FROM contact_alias WHERE contact_id = %(kept)s AND wa_id IS NOT NULL)"
            " AS other_number,"
            " (SELECT wa_id IS NULL AND name IS NULL FROM contact WHERE contact_id = %(gone)s) AS empty",
            {"kept": kept, "gone": gone},
        )
        found = await cursor.fetchone()
    assert found is not None
    assert now.opted_out_at is not None
    assert lead is not None
    assert (lead.wish, lead.score) == ("desiderio Prima / desiderio Seconda", 40)
    assert (found["leads"], found["bases"], found["billed"], found["empty"]) == (2, 1, "Prima", True)
    assert "Seconda" in found["other_billing"]
    assert found["other_number"] == before.wa_id


async def test_a_further_number_is_the_same_customer(book: Book) -> None:
    kept, _ = await book.customer()
    gone, _ = await book.customer()
    async with book.crm.transaction(book.business_id) as tx:
        first, second = await contacts.get(tx, kept), await contacts.get(tx, gone)
    await merge(book.crm, book.business_id, kept, gone, None)
    for number in (second.wa_id, first.wa_id, second.wa_id):
        async with book.crm.transaction(book.business_id) as tx:
            assert await contacts.seen(tx, wa_id=number, bsuid=None, name=None) == kept
            assert (await contacts.get(tx, kept)).wa_id == number
            assert await contacts.entered(tx, wa_id=str(first.wa_id), name=None) == kept


async def wrote(book: Book, hours_ago: int | None, *, bsuid: str | None = None) -> ContactRow:
    """A customer with a number of their own who wrote so long ago; None: never."""
    async with book.crm.transaction(book.business_id) as tx:
        if hours_ago is None:
            contact_id = await contacts.entered(tx, wa_id=sender(), name=None)
        else:
            contact_id = await contacts.seen(tx, wa_id=sender(), bsuid=bsuid, name=None)
            await tx.connection.execute(
                "UPDATE contact SET last_seen_at = %s WHERE contact_id = %s",
                (tx.now - timedelta(hours=hours_ago), contact_id),
            )
        return await contacts.get(tx, contact_id)


@pytest.mark.parametrize(
    ("kept_ago", "gone_ago", "answered_on"),
    [(50, 1, "gone"), (1, 50, "kept"), (5, 5, "kept"), (None, 50, "gone"), (50, None, "kept"),
     (None, None, "kept")],
)  # fmt: skip
async def test_they_are_answered_where_they_wrote_last(
    book: Book, kept_ago: int | None, gone_ago: int | None, answered_on: str
) -> None:
    both = {"kept": await wrote(book, kept_ago), "gone": await wrote(book, gone_ago)}
    last = both.pop(answered_on)
    [earlier] = both.values()
    kept, gone = (last, earlier) if answered_on == "kept" else (earlier, last)
    await merge(book.crm, book.business_id, kept.contact_id, gone.contact_id, None)
    async with book.crm.transaction(book.business_id) as tx:
        now = await contacts.get(tx, kept.contact_id)
        further = await cards.aliases(tx, kept.contact_id)
    assert now.wa_id == last.wa_id
    assert [row.wa_id for row in further] == [earlier.wa_id]


async def test_an_id_of_the_later_one_comes_along_and_a_missing_one_takes_nothing(book: Book) -> None:
    old, new = f"IT.{secrets.token_hex(6)}", f"IT.{secrets.token_hex(6)}"
    kept, gone = await wrote(book, 50, bsuid=old), await wrote(book, 1, bsuid=new)
    await merge(book.crm, book.business_id, kept.contact_id, gone.contact_id, None)
    unnamed = await wrote(book, 0)
    await merge(book.crm, book.business_id, kept.contact_id, unnamed.contact_id, None)
    async with book.crm.transaction(book.business_id) as tx:
        now = await contacts.get(tx, kept.contact_id)
        further = await cards.aliases(tx, kept.contact_id)
    assert (now.wa_id, now.bsuid) == (unnamed.wa_id, new)
    assert {row.bsuid for row in further if row.bsuid} == {old}
    assert {row.wa_id for row in further if row.wa_id} == {kept.wa_id, gone.wa_id}
