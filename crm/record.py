"""The book of record: one transaction at a time, for one business at a time."""

import time
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Generic, TypeVar

import psycopg
from psycopg import AsyncConnection, AsyncCursor
from psycopg.pq import TransactionStatus
from psycopg.rows import DictRow, class_row, dict_row
from psycopg_pool import PoolTimeout

from crm.errors import RecordContended, RecordUnavailable
from db import trace
from db.clock import DatabaseClock
from db.pool import Pool
from db.queries import Queries
from db.tenancy import ENTER_TENANT, ENTER_TENANT_NOW

QUERIES = Path(__file__).parent / "queries"

TURNS = 1  # what a hold is for: running turns …
SENDS = 2  # … or delivering messages
SUSPECTS = 3  # the one turn, of the whole installation, that is tried alone

_PROMPT_S = 1.0  # a query that waited for a lock brings the time at which it began to wait

# A full disk is an OperationalError; a standby that has not taken over yet refuses to write in its own words.
UNREACHABLE = (psycopg.OperationalError, psycopg.InterfaceError, psycopg.errors.ReadOnlySqlTransaction)

Row = TypeVar("Row")
Clock = Callable[[], datetime]


def utc_now() -> datetime:
    """The time as the record keeps it."""
    return datetime.now(UTC)


@dataclass(frozen=True)
class Ask(Generic[Row]):
    """A named query, its parameters, and what its rows become; of a command without rows None."""

    row: type[Row] | None
    query: str
    parameters: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class _HoldRow:
    held: bool


@dataclass(frozen=True)
class Tx:
    """An open transaction of one business: named queries in, frozen rows out."""

    business_id: int
    now: datetime
    connection: AsyncConnection[DictRow]
    queries: Queries

    def _parameters(self, given: Mapping[str, Any]) -> dict[str, Any]:
        if self.connection.info.transaction_status is TransactionStatus.IDLE:
            raise RuntimeError(
                "the transaction has ended: what belongs to it is asked before, or in `ending`"
            )
        return {"business_id": self.business_id, "now": self.now, "trace": trace.current(), **given}

    async def all(self, row: type[Row], query: str, /, **parameters: Any) -> list[Row]:
        """Every row of a named query as `row`, a frozen dataclass whose fields are the columns."""
        async with self.connection.cursor(row_factory=class_row(row)) as cursor:
            await cursor.execute(self.queries[query], self._parameters(parameters))
            return await cursor.fetchall()

    async def first(self, row: type[Row], query: str, /, **parameters: Any) -> Row | None:
        """The first row or None."""
        async with self.connection.cursor(row_factory=class_row(row)) as cursor:
            await cursor.execute(self.queries[query], self._parameters(parameters))
            return await cursor.fetchone()

    async def together(self, asks: Sequence[Ask[Any]]) -> list[list[Any]]:
        """The rows of each of several queries, run in this order in one round trip; none needs another's."""
        async with self.connection.pipeline():
            cursors = [await self.sent(ask) for ask in asks]
        # Fetched in the pipeline they would be waited for once, and its end once more.
        return await _fetched(asks, cursors)

    async def ending(self, asks: Sequence[Ask[Any]]) -> list[list[Any]]:
        """As `together`, and the transaction is committed with them: nothing can follow in it."""
        async with self.connection.pipeline():
            cursors = [await self.sent(ask) for ask in asks]
            await self.connection.execute("COMMIT")
        return await _fetched(asks, cursors)

    async def sent(self, ask: Ask[Any]) -> AsyncCursor[Any]:
        """A query under way in the connection's pipeline, whose end brings its rows."""
        cursor: AsyncCursor[Any] = self.connection.cursor(
            row_factory=class_row(ask.row) if ask.row else dict_row
        )
        return await cursor.execute(self.queries[ask.query], self._parameters(ask.parameters))

    async def value(self, query: str, /, **parameters: Any) -> Any:
        """The first column of the first row, or None."""
        cursor = await self.connection.execute(self.queries[query], self._parameters(parameters))
        row = await cursor.fetchone()
        return None if row is None else next(iter(row.values()))

    async def run(self, query: str, /, **parameters: Any) -> int:
        """Runs a statement and returns how many rows it touched."""
        cursor = await self.connection.execute(self.queries[query], self._parameters(parameters))
        return cursor.rowcount


class Crm:
    """Opens transactions on the record. Everything read or written goes through `transaction`."""

    def __init__(self, pool: Pool, clock: Clock = utc_now, queries: Queries | None = None) -> None:
        """A DatabaseClock hears the time with each transaction; any other clock is taken at its word."""
        self._pool = pool
        self._heard = clock.heard if isinstance(clock, DatabaseClock) else None
        self._queries = queries or Queries.load(QUERIES)
        self.clock = clock

    def pool_stats(self) -> dict[str, int]:
        """How its connections are used, as psycopg_pool counts it."""
        return self._pool.get_stats()

    @asynccontextmanager
    async def transaction(self, business_id: int) -> AsyncIterator[Tx]:
        """One transaction that sees and writes rows of `business_id` only; commits at the end of the block.

        Raises RecordUnavailable when the database cannot be reached or goes away in the middle; the
        transaction is then rolled back and the whole block may be tried again.
        """
        async with self.opening(business_id) as (tx, _):
            yield tx

    @asynccontextmanager
    async def opening(
        self, business_id: int, asks: Sequence[Ask[Any]] = ()
    ) -> AsyncIterator[tuple[Tx, list[list[Any]]]]:
        """As `transaction`, with the rows of each of its first queries, asked in the round trip that begins
        it. Business 0 is none, as in `outside`."""
        with _away():
            # The pool's block ends what is begun here: it commits, or rolls back after an exception.
            async with self._pool.connection() as connection:
                tx, asked = Tx(business_id, self.clock(), connection, self._queries), time.monotonic()
                async with connection.pipeline():
                    await connection.execute("BEGIN")
                    begun = await connection.execute(ENTER_TENANT_NOW, (entered(business_id),))
                    cursors = [await tx.sent(ask) for ask in asks]
                prompt = time.monotonic() - asked < _PROMPT_S
                if prompt and self._heard is not None and (row := await begun.fetchone()):
                    self._heard(row["now"])
                yield replace(tx, now=self.clock()), await _fetched(asks, cursors)

    @asynccontextmanager
    async def outside(self) -> AsyncIterator[Tx]:
        """A transaction before the tenant is known: sees no tenant row, only the directory functions."""
        async with self.opening(0) as (tx, _):
            yield tx

    async def at_once(self, business_id: int, asks: Sequence[Ask[Any]]) -> list[list[Any]]:
        """A whole transaction in one round trip: the rows of each of several queries, none of which needs
        another's. Business 0 is none, as in `outside`. Raises as `transaction`."""
        with _away():
            async with self._pool.connection() as connection:
                tx = Tx(business_id, self.clock(), connection, self._queries)
                # What stands between two synchronisations of a pipeline is one transaction: no BEGIN.
                async with connection.pipeline():
                    await connection.execute(ENTER_TENANT, (entered(business_id),))
                    cursors = [await tx.sent(ask) for ask in asks]
                return await _fetched(asks, cursors)

    @asynccontextmanager
    async def as_owner(self) -> AsyncIterator[Tx]:
        """A transaction of the operator, above all tenants: for entering businesses and agents only."""
        with _away():
            async with self._pool.connection() as connection, connection.transaction():
                yield Tx(0, self.clock(), connection, self._queries)

    @asynccontextmanager
    async def hold(self, conversation_id: int, purpose: int = TURNS) -> AsyncIterator[bool]:
        """Holds a conversation for one process: True inside the block when nobody else does, else False.

        The database lets go when the holder's connection dies, so a killed worker holds nothing. The lock
        is of an idle transaction, not of the session: any pooler may stand in between.
        """
        locked = Ask(_HoldRow, "hold", {"purpose": purpose, "conversation_id": conversation_id})
        async with self.opening(0, [locked]) as (_, [rows]):
            yield rows[0].held


def entered(business_id: int) -> str:
    """What ENTER_TENANT is given for a business; 0 is none."""
    return str(business_id) if business_id else ""


async def _fetched(asks: Sequence[Ask[Any]], cursors: Sequence[AsyncCursor[Any]]) -> list[list[Any]]:
    """The rows of queries whose pipeline has ended."""
    return [await cursor.fetchall() if ask.row else [] for ask, cursor in zip(asks, cursors, strict=True)]


@contextmanager
def _away() -> Iterator[None]:
    """What a database that cannot be reached, or goes away in the middle, is told as."""
    try:
        yield
    except (psycopg.errors.DeadlockDetected, psycopg.errors.SerializationFailure) as error:
        raise RecordContended(f"{RecordContended.__doc__} ({error})") from error
    except (*UNREACHABLE, PoolTimeout) as error:
        raise RecordUnavailable(f"{RecordUnavailable.__doc__} ({error})") from error
