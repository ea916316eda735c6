"""The schema comes up once, whoever starts it and however often."""

import asyncio
import sys
from pathlib import Path

import psycopg
import pytest

from db.errors import DatabaseUnavailable, MigrationFailed, SchemaOutdated
from db.migrate import MIGRATIONS, migrate, migrations, require_current
from tests.db.conftest import Fresh

_TWO_AT_ONCE = """
import asyncio, sys
from db.migrate import migrate

async def both():
    first, second = await asyncio.gather(migrate(sys.argv[1]), migrate(sys.argv[1]))
    print(len(first) + len(second))

asyncio.run(both())
"""


async def test_eight_starts_at_once_in_several_processes_apply_each_file_once(fresh: Fresh) -> None:
    dsn = await fresh()
    others = [
        await asyncio.create_subprocess_exec(
            sys.executable,
            "-c",
            _TWO_AT_ONCE,
            dsn,
            cwd=MIGRATIONS.parent.parent,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        for _ in range(2)
    ]
    here = await asyncio.gather(*(migrate(dsn) for _ in range(4)))
    there = [await process.communicate() for process in others]
    assert [process.returncode for process in others] == [0, 0], there
    applied = sum(len(names) for names in here) + sum(int(out) for out, _ in there)
    assert applied == len(migrations())
    await require_current(dsn)
    assert await migrate(dsn) == []


async def test_an_old_schema_is_named_before_anything_runs_on_it(fresh: Fresh) -> None:
    dsn = await fresh()
    with pytest.raises(SchemaOutdated, match="0001_roles_and_businesses"):
        await require_current(dsn)


async def test_an_edited_file_is_refused(fresh: Fresh, tmp_path: Path) -> None:
    dsn = await fresh()
    await _write(tmp_path, "0001_a.sql", "CREATE TABLE a ()")
    assert await migrate(dsn, tmp_path) == ["0001_a"]
    await _write(tmp_path, "0001_a.sql", "CREATE TABLE b ()")
    with pytest.raises(MigrationFailed, match="0001_a was edited"):
        await migrate(dsn, tmp_path)


async def test_a_file_that_fails_leaves_nothing_and_can_be_mended(fresh: Fresh, tmp_path: Path) -> None:
    dsn = await fresh()
    await _write(tmp_path, "0001_a.sql", "CREATE TABLE a ()")
    await _write(tmp_path, "0002_b.sql", "CREATE TABLE b (); SELECT nonsense")
    with pytest.raises(MigrationFailed, match=r"0002_b.*nonsense"):
        await migrate(dsn, tmp_path)
    async with await psycopg.AsyncConnection.connect(dsn) as owner:
        row = await (await owner.execute("SELECT to_regclass('a'), to_regclass('b')")).fetchone()
    assert row == ("a", None)
    await _write(tmp_path, "0002_b.sql", "CREATE TABLE b ()")
    assert await migrate(dsn, tmp_path) == ["0002_b"]


async def test_no_server_is_said_in_a_typed_error() -> None:
    with pytest.raises(DatabaseUnavailable):
        await migrate("postgresql://127.0.0.1:1/none?connect_timeout=2")


async def _write(folder: Path, name: str, text: str) -> None:
    await asyncio.to_thread((folder / name).write_text, text, encoding="utf-8")


ONLINE = """-- online: this may be begun again.
CREATE TABLE IF NOT EXISTS {name} (n int);

-- An index that nobody waits for.
CREATE INDEX CONCURRENTLY IF NOT EXISTS {name}_n ON {name} (n);
"""


async def test_an_online_file_goes_statement_by_statement_and_is_begun_again(
    fresh: Fresh, tmp_path: Path
) -> None:
    dsn = await fresh()
    await _write(tmp_path, "0001_a.sql", ONLINE.format(name="a") + "SELECT nonsense;\n")
    with pytest.raises(MigrationFailed, match=r"0001_a.*nonsense"):
        await migrate(dsn, tmp_path)
    async with await psycopg.AsyncConnection.connect(dsn, autocommit=True) as owner:
        # As a crash in the middle of CREATE INDEX CONCURRENTLY leaves it.
        await owner.execute("UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'a_n'::regclass")
        await _write(tmp_path, "0001_a.sql", ONLINE.format(name="a"))
        assert await migrate(dsn, tmp_path) == ["0001_a"]
        assert await migrate(dsn, tmp_path) == []
        cursor = await owner.execute("SELECT indisvalid FROM pg_index WHERE indexrelid = 'a_n'::regclass")
        assert await cursor.fetchone() == (True,)
