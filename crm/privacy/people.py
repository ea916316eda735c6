"""Who is asked about, and what is still open with them."""

import re
from dataclasses import dataclass
from datetime import datetime

from crm.errors import UnknownContact
from crm.record import Tx


@dataclass(frozen=True)
class Person:
    """A customer as the record names them."""

    contact_id: int
    wa_id: str | None
    bsuid: str | None
    name: str | None
    email: str | None
    erased_at: datetime | None


@dataclass(frozen=True)
class ThreadRow:
    conversation_id: int
    thread_id: str
    status: str


@dataclass(frozen=True)
class _Number:
    number: int


@dataclass(frozen=True)
class Open:
    """What somebody still has to do or expects; invoices are drafts that have a number."""

    handoffs: list[int]
    appointments: list[int]
    tickets: list[int]
    invoices: list[int]


async def find(tx: Tx, wanted: str) -> Person:
    """A customer by phone number, by `#` and the number SARA gives them, or by business-scoped user id.

    Raises UnknownContact.
    """
    number = re.fullmatch(r"#(\d{1,18})", wanted.strip())
    digits = re.sub(r"[\s+().-]", "", wanted)
    person = await tx.first(
        Person,
        "person",
        contact_id=int(number[1]) if number else None,
        wa_id=digits if digits.isdigit() and not number else None,
        bsuid=None if number else wanted.strip(),
    )
    if person is None:
        raise UnknownContact(UnknownContact.__doc__)
    return person


async def threads(tx: Tx, contact_id: int) -> list[ThreadRow]:
    """Every conversation of a customer."""
    return await tx.all(ThreadRow, "person_conversations", contact_id=contact_id)


async def open_with(tx: Tx, contact_id: int) -> Open:
    """What is open with a customer."""
    found = [
        [row.number for row in await tx.all(_Number, query, contact_id=contact_id)]
        for query in (
            "person_open_handoffs",
            "person_open_appointments",
            "person_open_tickets",
            "person_numbered_invoices",
        )
    ]
    return Open(*found)


@dataclass(frozen=True)
class _FormerRow:
    number: str


async def former_numbers(tx: Tx, contact_id: int) -> list[str]:
    """Phone numbers and user ids a customer had, or has besides: raw webhooks may still carry them."""
    return [row.number for row in await tx.all(_FormerRow, "person_former_numbers", contact_id=contact_id)]
