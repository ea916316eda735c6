"""What a number may do can be asked before anything was sent on it."""

from crm import businesses, governor
from tests.crm.conftest import Book


async def test_a_number_that_never_sent_has_its_limits(book: Book) -> None:
    await book.rows(
        "INSERT INTO business (slug, name, vertical, country, time_zone, currency, languages)"
        " VALUES ('brand-new', 'New', 'wellness', 'IT', 'Europe/Rome', 'EUR', '{it}')"
    )
    try:
        await book.rows(
            "INSERT INTO business_number SELECT 'new-1', business_id FROM business WHERE slug = 'brand-new'"
        )
        async with book.crm.outside() as tx:
            business_id = await businesses.of_slug(tx, "brand-new")
        async with book.crm.transaction(business_id) as tx:
            state = await governor.state(tx, "new-1")
        assert (state.phone_number_id, state.used, state.stopped) == ("new-1", 0, None)
    finally:
        await book.rows("DELETE FROM sender_number WHERE phone_number_id = 'new-1'")
        await book.rows("DELETE FROM business WHERE slug = 'brand-new'")
