"""Brings a database up to date: the queue's tables, the checkpoints' tables, then our numbered files.

Any number of processes may start this at once: one works, the others wait. The lock is polled because a
session that waits inside pg_advisory_lock holds a snapshot, and LangGraph's CREATE INDEX CONCURRENTLY
waits for every snapshot: the two would wait for each other.
"""

import asyncio
import hashlib
import re
from dataclasses import dataclass
from pathlib import Path
from typing import LiteralString

import psycopg
from psycopg.rows import dict_row
from psycopg.sql import SQL, Identifier

from db.errors import DatabaseUnavailable, MigrationFailed, SchemaOutdated

MIGRATIONS = Path(__file__).parent / "migrations"
_LOCK_KEY = 0x53415241  # "SARA"
_POLL_SECONDS = 0.1
_WAIT_NO_LONGER: LiteralString = "SET lock_timeout = '2s'"  # a webhook behind it is answered in time
_LET_PASS_S = 1.0
_TRIES = 100  # five minutes; then somebody has to look who holds a table for so long
_ONLINE = "-- online:"
_UNFINISHED = """
SELECT c.relname AS name FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid
WHERE NOT i.indisvalid AND c.relkind = 'i' AND c.relnamespace = 'public'::regnamespace
  AND NOT EXISTS (SELECT FROM pg_stat_progress_create_index p WHERE p.index_relid = i.indexrelid)"""

_LEDGER = """
CREATE TABLE IF NOT EXISTS sara_migration (
    name text PRIMARY KEY,
    digest text NOT NULL,
    applied_at timestamptz NOT NULL DEFAULT now()
)"""


@dataclass(frozen=True)
class Migration:
    """One numbered file; `digest` tells whether it was changed after it had been applied."""

    name: str
    sql: LiteralString
    digest: str

    @property
    def online(self) -> bool:
        """Whether it is no transaction: what would keep others out for long is done beside them."""
        return self.sql.startswith(_ONLINE)

    @property
    def statements(self) -> list[LiteralString]:
        """Of an online file: what ends in a semicolon at the end of a line. It holds no function's body."""
        return [part for part in re.split(r";[ ]*(?:\n|$)", self.sql) if part.strip()]


def migrations(folder: Path = MIGRATIONS) -> list[Migration]:
    """The numbered files in order."""
    found = []
    for file in sorted(folder.glob("[0-9]*.sql")):
        text = file.read_text(encoding="utf-8")
        digest = hashlib.sha256(text.encode()).hexdigest()
        found.append(Migration(file.stem, text, digest))
    return found


async def migrate(dsn: str, folder: Path = MIGRATIONS) -> list[str]:
    """Applies what is missing and returns the names of the files applied now.

    Raises MigrationFailed for a file that fails (it is rolled back whole) or that was edited after it
    was applied, DatabaseUnavailable when the server does not answer.
    """
    # Here, since every server asks `require_current` and few migrate.
    from langgraph.checkpoint.postgres.aio import AsyncPostgresSaver

    try:
        connection = await psycopg.AsyncConnection.connect(dsn, autocommit=True, row_factory=dict_row)
    except psycopg.OperationalError as error:
        raise DatabaseUnavailable(f"{DatabaseUnavailable.__doc__} ({error})") from error
    async with connection:
        await _take_lock(connection)
        try:
            await _queue_tables(connection)
            await AsyncPostgresSaver(connection).setup()
            return await _numbered_files(connection, await asyncio.to_thread(migrations, folder))
        finally:
            await connection.execute("SELECT pg_advisory_unlock(%s)", (_LOCK_KEY,))


async def require_current(dsn: str) -> None:
    """Raises SchemaOutdated unless every numbered file of this program has been applied."""
    try:
        connection = await psycopg.AsyncConnection.connect(dsn, autocommit=True)
    except psycopg.OperationalError as error:
        raise DatabaseUnavailable(f"{DatabaseUnavailable.__doc__} ({error})") from error
    async with connection:
        try:
            rows = await (await connection.execute("SELECT name FROM sara_migration")).fetchall()
        except psycopg.errors.UndefinedTable:
            rows = []
    known = await asyncio.to_thread(migrations)
    missing = sorted({m.name for m in known} - {str(row[0]) for row in rows})
    if missing:
        raise SchemaOutdated(f"{SchemaOutdated.__doc__} (missing: {', '.join(missing)})")


async def _take_lock(connection: psycopg.AsyncConnection[dict[str, object]]) -> None:
    while True:
        cursor = await connection.execute("SELECT pg_try_advisory_lock(%s) AS taken", (_LOCK_KEY,))
        row = await cursor.fetchone()
        if row and row["taken"]:
            return
        await asyncio.sleep(_POLL_SECONDS)


async def _queue_tables(connection: psycopg.AsyncConnection[dict[str, object]]) -> None:
    cursor = await connection.execute("SELECT to_regclass('procrastinate_jobs') IS NOT NULL AS present")
    row = await cursor.fetchone()
    if row and not row["present"]:
        from procrastinate.schema import SchemaManager

        async with connection.transaction():
            await connection.execute(await asyncio.to_thread(SchemaManager.get_schema))


async def _numbered_files(
    connection: psycopg.AsyncConnection[dict[str, object]], wanted: list[Migration]
) -> list[str]:
    await connection.execute(_LEDGER)
    rows = await (await connection.execute("SELECT name, digest FROM sara_migration")).fetchall()
    applied = {str(row["name"]): str(row["digest"]) for row in rows}
    done = []
    for migration in wanted:
        if migration.name in applied:
            if applied[migration.name] != migration.digest:
                raise MigrationFailed(
                    f"{migration.name} was edited after it had been applied: "
                    "restore the file and put the change into a new one"
                )
            continue
        try:
            await _patiently(connection, migration)
        except psycopg.Error as error:
            raise MigrationFailed(f"{migration.name}: {error}") from error
        done.append(migration.name)
    return done


async def _patiently(connection: psycopg.AsyncConnection[dict[str, object]], migration: Migration) -> None:
    """One file, as often as somebody holds what it needs. While it waits for a lock, everybody who comes
    after it waits too: so it does not wait long, and lets them pass before it comes again."""
    for left in range(_TRIES, 0, -1):
        await connection.execute(_WAIT_NO_LONGER)
        try:
            await _apply(connection, migration)
            return
        except (psycopg.errors.LockNotAvailable, psycopg.errors.DeadlockDetected):
            if left == 1:
                raise
        finally:
            await connection.execute("RESET lock_timeout")
        await asyncio.sleep(_LET_PASS_S)


async def _apply(connection: psycopg.AsyncConnection[dict[str, object]], migration: Migration) -> None:
    """One file: whole or not at all, or statement by statement where it says that it may be begun again."""
    noted = (
        "INSERT INTO sara_migration (name, digest) VALUES (%s, %s)",
        (migration.name, migration.digest),
    )
    if not migration.online:
        async with connection.transaction():
            await connection.execute(migration.sql)
            await connection.execute(*noted)
        return
    await _drop_unfinished_indexes(connection)
    for statement in migration.statements:
        # What is done concurrently keeps nobody out, and has to wait for every transaction that is open.
        concurrent = "CONCURRENTLY" in statement.upper()
        await connection.execute("SET lock_timeout = 0" if concurrent else _WAIT_NO_LONGER)
        await connection.execute(statement)
    await connection.execute(*noted)


async def _drop_unfinished_indexes(connection: psycopg.AsyncConnection[dict[str, object]]) -> None:
    """What an interrupted CREATE INDEX CONCURRENTLY left behind: IF NOT EXISTS would take it for whole."""
    cursor = await connection.execute(_UNFINISHED)
    for row in await cursor.fetchall():
        await connection.execute(SQL("DROP INDEX CONCURRENTLY {}").format(Identifier(str(row["name"]))))
