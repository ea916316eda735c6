"""A record in which nothing stays: for turns that are run again to see what they would come to."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import psycopg
from psycopg import AsyncConnection
from psycopg.rows import DictRow
from psycopg_pool import PoolTimeout

from crm.errors import RecordUnavailable
from crm.record import Ask, Clock, Crm, Tx, entered
from db.tenancy import ENTER_TENANT

_PATIENCE = "2s"


@dataclass(frozen=True)
class LateRow:
    """A conversation and when something last happened in it."""

    conversation_id: int
    thread_id: str
    last_activity_at: datetime


class Rehearsal(Crm):
    """Every transaction is a savepoint of one that is always rolled back.

    Whoever works on it sees what was written before, outbox rows, bookings and queued jobs among it; nobody
    else ever does, and at the end none of it has happened. Rows of live conversations are locked only from
    the first write on, and waited for two seconds at most (RecordUnavailable: try again). Not for several
    tasks at once: it has one connection.
    """

    def __init__(self, crm: Crm, connection: AsyncConnection[DictRow], clock: Clock) -> None:
        super().__init__(crm._pool, clock, crm._queries)
        self._connection = connection

    @classmethod
    @asynccontextmanager
    async def of(cls, crm: Crm, clock: Clock) -> AsyncIterator["Rehearsal"]:
        """Opens one beside the record, at the time of `clock`. Raises RecordUnavailable."""
        try:
            async with (
                crm._pool.connection() as connection,
                connection.transaction(force_rollback=True),
            ):
                await connection.execute(crm._queries["rehearsal_begins"], {"patience": _PATIENCE})
                yield cls(crm, connection, clock)
        except (psycopg.OperationalError, psycopg.InterfaceError, PoolTimeout) as error:
            raise RecordUnavailable(f"{RecordUnavailable.__doc__} ({error})") from error

    async def at_once(self, business_id: int, asks: Sequence[Ask[Any]]) -> list[list[Any]]:
        """As the record's own, in a savepoint."""
        async with self.transaction(business_id) as tx:
            return await tx.together(asks)

    @asynccontextmanager
    async def as_owner(self) -> AsyncIterator[Tx]:
        """Raises RuntimeError: a turn never acts above its tenant, and so neither does a rehearsal."""
        raise RuntimeError("a rehearsal has no transactions of the operator")
        yield  # makes it the generator that its base class has

    @asynccontextmanager
    async def opening(
        self, business_id: int, asks: Sequence[Ask[Any]] = ()
    ) -> AsyncIterator[tuple[Tx, list[list[Any]]]]:
        """As the record's own, in a savepoint."""
        try:
            async with self._connection.transaction():
                await self._connection.execute(ENTER_TENANT, (entered(business_id),))
                tx = Tx(business_id, self.clock(), self._connection, self._queries)
                yield tx, await tx.together(asks)
        except (psycopg.OperationalError, psycopg.InterfaceError) as error:
            raise RecordUnavailable(f"{RecordUnavailable.__doc__} ({error})") from error


async def of_late(tx: Tx, *, handed_over: bool, most: int, skip: int = 0) -> list[LateRow]:
    """The conversations something last happened in, latest first; on request only those a person was in."""
    return await tx.all(LateRow, "conversations_of_late", handed_over=handed_over, most=most, skip=skip)
