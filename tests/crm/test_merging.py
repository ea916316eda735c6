"""Two entries of one person: what only one of them can have, and what is said of both."""

from crm import contacts, leads
from crm.merging import merge
from tests.crm.conftest import Book

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
