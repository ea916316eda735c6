"""Columns whose content the application encrypts, row by row: for putting another key under all of them.

Names of tables and columns come from crm.rekeying, never from outside.
"""

from typing import Any

from psycopg import AsyncConnection
from psycopg.rows import DictRow
from psycopg.sql import SQL, Identifier

Connection = AsyncConnection[DictRow]

_FIRST = SQL("SELECT {key} AS key FROM {table} WHERE {column} IS NOT NULL ORDER BY {key} LIMIT %(most)s")
_NEXT = SQL(
    "SELECT {key} AS key FROM {table} WHERE {column} IS NOT NULL AND {key} > %(after)s"
    " ORDER BY {key} LIMIT %(most)s"
)
_ENDS = SQL(
    "(SELECT {key} AS key FROM {table} WHERE {column} IS NOT NULL ORDER BY {key} LIMIT %(most)s)"
    " UNION (SELECT {key} FROM {table} WHERE {column} IS NOT NULL ORDER BY {key} DESC LIMIT %(most)s)"
)
_COUNT = SQL("SELECT count(*) AS n FROM {table} WHERE {column} IS NOT NULL")
_ONE = SQL("SELECT {column} AS sealed FROM {table} WHERE {key} = %(row)s")
_HELD = SQL("SELECT {column} AS sealed FROM {table} WHERE {key} = %(row)s FOR UPDATE")
_PUT = SQL("UPDATE {table} SET {column} = %(sealed)s WHERE {key} = %(row)s")
_BINARY = (
    "SELECT c.table_name, c.column_name FROM information_schema.columns c"
    " JOIN information_schema.tables t USING (table_schema, table_name)"
    " WHERE c.table_schema = 'public' AND t.table_type = 'BASE TABLE' AND c.data_type = 'bytea'"
)


class Sealed:
    """One column and the key of its table, on a connection of the database's owner."""

    def __init__(self, connection: Connection, table: str, column: str, key: str) -> None:
        self._connection = connection
        self._names = {"table": Identifier(table), "column": Identifier(column), "key": Identifier(key)}

    async def keys(self, after: Any, most: int) -> list[Any]:
        """Keys of the next rows that hold something, in order; `after` None: from the beginning."""
        query = (_FIRST if after is None else _NEXT).format(**self._names)
        cursor = await self._connection.execute(query, {"after": after, "most": most})
        return [row["key"] for row in await cursor.fetchall()]

    async def ends(self, most: int) -> list[Any]:
        """Keys of the first and of the last rows that hold something, at most so many of each."""
        cursor = await self._connection.execute(_ENDS.format(**self._names), {"most": most})
        return [row["key"] for row in await cursor.fetchall()]

    async def count(self) -> int:
        """How many rows hold something."""
        row = await (await self._connection.execute(_COUNT.format(**self._names))).fetchone()
        return int(row["n"]) if row else 0

    async def value(self, row: Any, *, hold: bool) -> bytes | None:
        """What a row holds; with `hold` nobody else changes it in this transaction."""
        query = (_HELD if hold else _ONE).format(**self._names)
        cursor = await self._connection.execute(query, {"row": row})
        found = await cursor.fetchone()
        return None if found is None or found["sealed"] is None else bytes(found["sealed"])

    async def put(self, row: Any, sealed: bytes) -> None:
        """The same content under another key."""
        await self._connection.execute(_PUT.format(**self._names), {"row": row, "sealed": sealed})


async def binary_columns(connection: Connection) -> set[tuple[str, str]]:
    """Every column of the schema that holds bytes."""
    cursor = await connection.execute(_BINARY)
    return {(row["table_name"], row["column_name"]) for row in await cursor.fetchall()}
