"""Searching customers: what is typed is cut into words as what is stored is."""

import pytest

from crm import cards, contacts
from tests.crm.conftest import Book, sender


@pytest.mark.parametrize(
    ("name", "email", "typed"),
    [
        ("Quintilia 3e5a1b", None, "quintilia 3e5a1b"),  # a number and a word to a text search
        ("Quintilia O'Brien", None, "o'brien quintilia"),
        ("Quintilia Maria-Luisa", None, "Maria-Luisa"),
        ("Quintilia", "quintilia.bianchi@example.com", "Quintilia.Bianchi@example.com"),
        ("Quintilia", "quintilia.bianchi@example.com", "quintil"),
    ],
)
async def test_a_customer_is_found_by_what_is_known(
    book: Book, name: str, email: str | None, typed: str
) -> None:
    wa_id = sender()
    async with book.crm.transaction(book.business_id) as tx:
        contact_id = await contacts.entered(tx, wa_id=wa_id, name=name)
        if email:
            await contacts.update(tx, contact_id, email=email)
        for search in (typed, f"+{wa_id}", f"{typed} {wa_id}"):
            rows, _ = await cards.page(tx, search=search)
            assert contact_id in [row.contact_id for row in rows], search
        rows, _ = await cards.page(tx, search=f"{typed} nobody'); --")
        assert rows == []
