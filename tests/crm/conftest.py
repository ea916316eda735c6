"""The record with a clock that the test sets, on the seeded database."""

import itertools
import secrets
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import psycopg
import pytest_asyncio
from psycopg.rows import dict_row

from crm import businesses, contacts, conversations
from crm.record import Crm
from db.pool import Pool, open_pool

WORKDAY = datetime(2026, 11, 18, 10, 0, tzinfo=UTC)
_senders = itertools.count(secrets.randbelow(10**8) * 1000 + 392 * 10**11)


class Clock:
    """The time, as the test sets it."""

    def __init__(self) -> None:
        self.now = WORKDAY

    def __call__(self) -> datetime:
        return self.now


@dataclass(frozen=True)
class Book:
    """The record, its clock and one business of it."""

    dsn: str
    crm: Crm
    clock: Clock
    business_id: int
    number: str

    async def rows(self, query: str, *values: Any) -> list[dict[str, Any]]:
        """Rows as the database's owner sees them."""
        async with await psycopg.AsyncConnection.connect(
            self.dsn, autocommit=True, row_factory=dict_row
        ) as owner:
            cursor = await owner.execute(query, values)
            return await cursor.fetchall() if cursor.description else []

    async def customer(self) -> tuple[int, int]:
        """A new contact and an open conversation."""
        async with self.crm.transaction(self.business_id) as tx:
            contact_id = await contacts.seen(tx, wa_id=sender(), bsuid=None, name="Anna Rossi")
            conversation_id = await conversations.open_for(tx, contact_id, self.number)
            await conversations.customer_wrote(tx, conversation_id, tx.now)
        return contact_id, conversation_id


def sender() -> str:
    """A wa_id nobody has yet."""
    return str(next(_senders))


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def record_pool(dsn: str) -> AsyncIterator[Pool]:
    pool = await open_pool(dsn, max_size=10, name="book")
    yield pool
    await pool.close()


@pytest_asyncio.fixture(loop_scope="session")
async def book(dsn: str, record_pool: Pool) -> Book:
    clock = Clock()
    crm = Crm(record_pool, clock)
    async with crm.outside() as tx:
        business_id = await businesses.of_slug(tx, "conti")
    async with crm.transaction(business_id) as tx:
        number = (await businesses.numbers(tx))[0].phone_number_id
    return Book(dsn, crm, clock, business_id, number)
