"""Very many rows at once, with ids taken beforehand: for seeded histories and benchmarks, as the owner.

Names come from the code that calls, never from outside.
"""

from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from typing import Any, LiteralString, cast

from psycopg import AsyncConnection
from psycopg.rows import DictRow
from psycopg.sql import SQL, Identifier

_INDEXES = """
SELECT c.relname AS name, pg_get_indexdef(i.indexrelid) AS definition
FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid JOIN pg_class t ON t.oid = i.indrelid
WHERE t.relname = ANY (%(tables)s) AND t.relnamespace = 'public'::regnamespace AND NOT i.indisunique
  AND c.relkind = 'i' AND NOT c.relispartition"""


async def reserve(connection: AsyncConnection[DictRow], table: str, column: str, count: int) -> list[int]:
    """So many ids of an identity column, in ascending order; nobody else gets them."""
    cursor = await connection.execute(
        "SELECT nextval(pg_get_serial_sequence(%s, %s)) AS id FROM generate_series(1, %s)",
        (table, column, count),
    )
    return sorted([int(row["id"]) for row in await cursor.fetchall()])


async def put(
    connection: AsyncConnection[DictRow], table: str, columns: Sequence[str], rows: Iterable[Sequence[Any]]
) -> None:
    """Copies rows into a table; identity columns get the ids they are given."""
    statement = SQL("COPY {} ({}) FROM STDIN").format(
        Identifier(table), SQL(", ").join(map(Identifier, columns))
    )
    async with connection.cursor() as cursor, cursor.copy(statement) as copy:
        for row in rows:
            await copy.write_row(row)


@asynccontextmanager
async def without_indexes(connection: AsyncConnection[DictRow], tables: Sequence[str]) -> AsyncIterator[None]:
    """Takes indexes that are no constraint's from tables while the block fills them, and makes them again.

    The connection commits each statement by itself. For databases that nobody else uses.
    """
    cursor = await connection.execute(_INDEXES, {"tables": list(tables)})
    taken = await cursor.fetchall()
    for index in taken:
        await connection.execute(SQL("DROP INDEX {}").format(Identifier(str(index["name"]))))
    yield
    await connection.execute("SET maintenance_work_mem = '512MB'")
    for index in taken:
        await connection.execute(cast(LiteralString, index["definition"]))


async def settle(connection: AsyncConnection[DictRow]) -> None:
    """What autovacuum would have done in the time that bulk writes did not take. Outside of a transaction."""
    await connection.execute("VACUUM ANALYZE")
    await connection.execute("CHECKPOINT")
