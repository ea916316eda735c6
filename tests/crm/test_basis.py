"""What the record itself shows of why a customer's data may be used."""

import secrets

from crm.privacy import basis
from tests.crm.conftest import Book


async def _draft(book: Book, contact_id: int, status: str) -> None:
    await book.rows(
        "WITH q AS (INSERT INTO quote (business_id, contact_id, currency, idempotency_key)"
        " VALUES (%s, %s, 'EUR', %s) RETURNING quote_id, business_id, contact_id)"
        " INSERT INTO invoice_draft"
        " (business_id, contact_id, quote_id, status, currency, number, invoice_date)"
        " SELECT business_id, contact_id, quote_id, %s, 'EUR', %s, '2026-11-18' FROM q",
        book.business_id,
        contact_id,
        secrets.token_hex(8),
        status,
        f"T {secrets.token_hex(4)}" if status == "ready" else None,
    )


async def _invoicing(book: Book, contact_id: int) -> str:
    async with book.crm.transaction(book.business_id) as tx:
        return next(row.basis for row in await basis.of(tx, contact_id) if row.purpose == "invoicing")


async def test_only_an_invoice_with_a_number_is_a_duty(book: Book) -> None:
    """A draft of a booking to come, or of one that came to nothing, is kept by no law."""
    contact_id, _ = await book.customer()
    for status, shown in (("pending", "none"), ("void", "none"), ("ready", "legal_obligation")):
        await _draft(book, contact_id, status)
        assert await _invoicing(book, contact_id) == shown
