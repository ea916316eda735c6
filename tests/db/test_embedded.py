"""The embedded server: shared by processes that name the same folder, refused for an unusable one."""

import asyncio
import sys
from pathlib import Path

import psycopg
import pytest

from db import embedded
from db.embedded import Embedded
from db.errors import DatabaseUnavailable
from db.migrate import MIGRATIONS

_JOINS = """
import sys
from pathlib import Path
import psycopg
from db import embedded

joined = embedded.start(Path(sys.argv[1]))
with psycopg.connect(joined.dsn, autocommit=True) as connection:
    connection.execute("CREATE TABLE left_by_the_other (pid int)")
    connection.execute("INSERT INTO left_by_the_other VALUES (pg_backend_pid())")
joined.stop()
"""


async def test_two_processes_share_one_server_and_the_first_to_leave_does_not_stop_it(
    server: Embedded,
) -> None:
    async with await psycopg.AsyncConnection.connect(server.dsn) as before:
        started = await (await before.execute("SELECT pg_postmaster_start_time()")).fetchone()
        other = await asyncio.create_subprocess_exec(
            sys.executable,
            "-c",
            _JOINS,
            str(Path(server.server.pgdata).parent),
            cwd=MIGRATIONS.parent.parent,
            stderr=asyncio.subprocess.PIPE,
        )
        _, errors = await other.communicate()
        assert other.returncode == 0, errors.decode()
    async with await psycopg.AsyncConnection.connect(server.dsn) as after:
        assert await (await after.execute("SELECT pg_postmaster_start_time()")).fetchone() == started
        assert await (await after.execute("SELECT count(*) FROM left_by_the_other")).fetchone() == (1,)


async def test_an_unusable_folder_is_said_in_a_typed_error(tmp_path: Path) -> None:
    await asyncio.to_thread((tmp_path / "postgres").write_text, "a file stands in the way")
    with pytest.raises(DatabaseUnavailable, match="SARA_DATABASE_URL"):
        await asyncio.to_thread(embedded.start, tmp_path)


async def test_a_folder_of_somebody_else_is_left_for_the_start_to_refuse(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(path: Path) -> bool:
        raise PermissionError(13, "Permission denied", str(path))

    assert not await asyncio.to_thread(embedded.exists, tmp_path)
    monkeypatch.setattr(Path, "exists", refused)  # who runs the tests may be let in everywhere
    assert await asyncio.to_thread(embedded.exists, tmp_path)
