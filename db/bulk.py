"""Very many rows at once, with ids taken beforehand: for seeded histories and benchmarks, as the owner.

Names come from the code that calls, never from outside.
"""

from collections.abc import Iterable, Sequence
from typing import Any

from psycopg import AsyncConnection
from psycopg.rows import DictRow
from psycopg.sql import SQL, Identifier


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
