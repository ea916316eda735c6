"""LangGraph's tables under another key, thread by thread."""

from dataclasses import dataclass
from typing import Any

from psycopg import AsyncConnection
from psycopg.rows import DictRow
from psycopg.sql import SQL, Identifier

from db.cipher import StateCipher, marked

Connection = AsyncConnection[DictRow]

TABLES = {
    "checkpoint_blobs": ("thread_id", "checkpoint_ns", "channel", "version"),
    "checkpoint_writes": ("thread_id", "checkpoint_ns", "checkpoint_id", "task_id", "idx"),
}
_COUNT = SQL(
    "SELECT split_part(coalesce(type, ''), '+', 2) AS mark, count(*) AS values FROM {table}"
    " WHERE blob IS NOT NULL GROUP BY 1"
)
_THREADS = SQL(
    "SELECT DISTINCT thread_id FROM {table} WHERE thread_id > %(after)s ORDER BY thread_id LIMIT %(most)s"
)
_VALUES = SQL(
    "SELECT * FROM {table} WHERE thread_id = %(thread)s AND blob IS NOT NULL"
    " AND split_part(type, '+', 2) <> %(newest)s FOR UPDATE"
)


@dataclass(frozen=True)
class Renewed:
    """What one batch did: the last thread of it ('' when there was none), values put under the newest key,
    and values that no known key opens."""

    last: str
    renewed: int
    lost: int


async def count(connection: Connection, table: str) -> dict[str, int]:
    """How many values are marked with which key; '' for those that are not encrypted."""
    cursor = await connection.execute(_COUNT.format(table=Identifier(table)))
    return {row["mark"]: int(row["values"]) for row in await cursor.fetchall()}


async def renew(connection: Connection, table: str, cipher: StateCipher, after: str, most: int) -> Renewed:
    """The threads after `after`, at most so many: every value of theirs under the newest key."""
    cursor = await connection.execute(
        _THREADS.format(table=Identifier(table)), {"after": after, "most": most}
    )
    threads = [row["thread_id"] for row in await cursor.fetchall()]
    renewed = lost = 0
    for thread in threads:
        done = await renew_thread(connection, table, cipher, thread)
        renewed, lost = renewed + done.renewed, lost + done.lost
    return Renewed(threads[-1] if threads else "", renewed, lost)


async def renew_thread(connection: Connection, table: str, cipher: StateCipher, thread: str) -> Renewed:
    """The same for one thread."""
    renewed = lost = 0
    cursor = await connection.execute(
        _VALUES.format(table=Identifier(table)), {"thread": thread, "newest": cipher.newest}
    )
    for row in await cursor.fetchall():
        if marked(row["type"]) in ("", *cipher.names):
            await _put(connection, table, row, cipher)
            renewed += 1
        else:
            lost += 1
    return Renewed(thread, renewed, lost)


async def _put(connection: Connection, table: str, row: dict[str, Any], cipher: StateCipher) -> None:
    kind, _, mark = row["type"].partition("+")
    content = bytes(row["blob"])
    name, sealed = cipher.encrypt(cipher.decrypt(mark, content) if mark else content)
    where = SQL(" AND ").join(
        SQL("{} = {}").format(Identifier(column), SQL("%s")) for column in TABLES[table]
    )
    await connection.execute(
        SQL("UPDATE {} SET type = %s, blob = %s WHERE {}").format(Identifier(table), where),
        (f"{kind}+{name}", sealed, *(row[column] for column in TABLES[table])),
    )
