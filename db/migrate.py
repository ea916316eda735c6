"""Brings a database up to date: the queue's tables, the checkpoints' tables, then our numbered files.

Any number of processes may start this at once: one works, the others wait. The lock is polled because a
session that waits inside pg_advisory_lock holds a snapshot, and LangGraph's CREATE INDEX CONCURRENTLY
waits for every snapshot: the two would wait for each other.
"""

import asyncio
import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import LiteralString

import psycopg
from langgraph.checkpoint.postgres.aio import AsyncPostgresSaver
from procrastinate.schema import SchemaManager
from psycopg.rows import dict_row

from db.errors import DatabaseUnavailable, MigrationFailed, SchemaOutdated

MIGRATIONS = Path(__file__).parent / "migrations"
_LOCK_KEY = 0x53415241  # "SARA"
_POLL_SECONDS = 0.1

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
            async with connection.transaction():
                await connection.execute(migration.sql)
                await connection.execute(
                    "INSERT INTO sara_migration (name, digest) VALUES (%s, %s)",
                    (migration.name, migration.digest),
                )
        except psycopg.Error as error:
            raise MigrationFailed(f"{migration.name}: {error}") from error
        done.append(migration.name)
    return done
