"""Several statements in one write."""

from collections.abc import AsyncIterator

import psycopg
import pytest
import pytest_asyncio
from psycopg.rows import DictRow

from db.batch import batch
from db.embedded import Embedded
from db.pool import Pool, open_pool


@pytest_asyncio.fixture(loop_scope="session")
async def pool(server: Embedded) -> AsyncIterator[Pool]:
    async with await open_pool(server.dsn, max_size=1) as opened:
        async with opened.connection() as connection:
            await connection.execute("CREATE TEMPORARY TABLE noted (n int PRIMARY KEY, body text)")
        yield opened


async def test_a_batch_larger_than_any_buffer_is_one_transaction(pool: Pool) -> None:
    async with pool.connection() as connection:
        async with batch(connection):
            for n in range(8):
                await connection.execute("INSERT INTO noted VALUES (%s, %s)", (n, "x" * 300_000))
            read = await connection.execute("SELECT body FROM noted")
        assert len(await read.fetchall()) == 8


async def test_an_error_undoes_all_of_it_and_leaves_the_connection_usable(pool: Pool) -> None:
    async with pool.connection() as connection:
        with pytest.raises(psycopg.errors.UniqueViolation):
            await _twice_the_same(connection)
        read = await connection.execute("SELECT count(*) FROM noted")
        assert await read.fetchone() == {"count": 0}


async def test_an_answer_can_be_had_before_the_end(pool: Pool) -> None:
    async with pool.connection() as connection, batch(connection):
        first = await connection.execute("SELECT 7 AS n")
        assert await first.fetchone() == {"n": 7}
        second = await connection.execute("SELECT 8 AS n")
        assert await second.fetchone() == {"n": 8}


async def test_statements_are_prepared_in_it_as_elsewhere(pool: Pool) -> None:
    async with pool.connection() as connection:
        for round_ in range(8):
            async with batch(connection):
                several = [await connection.execute("SELECT %s::int AS n", (round_,)) for _ in range(3)]
            assert [await one.fetchone() for one in several] == [{"n": round_}] * 3
        counted = await connection.execute("SELECT count(*) FROM pg_prepared_statements", prepare=False)
        assert await counted.fetchone() == {"count": 1}


async def _twice_the_same(connection: psycopg.AsyncConnection[DictRow]) -> None:
    async with batch(connection):
        await connection.execute("INSERT INTO noted VALUES (1, '')")
        await connection.execute("INSERT INTO noted VALUES (1, '')")
        await connection.execute("SELECT 1")
