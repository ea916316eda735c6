"""Connections that are handed out without being asked whether they live."""

from typing import Any

import psycopg
import pytest
from psycopg_pool import AsyncConnectionPool

from db import pool
from db.embedded import Embedded


async def test_one_that_rests_is_not_asked_and_one_that_was_ended_is_replaced(
    server: Embedded, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked, ask = list[int](), AsyncConnectionPool.check_connection

    async def count(connection: Any) -> None:
        asked.append(connection.info.backend_pid)  # other pools of this process may ask meanwhile
        await ask(connection)

    monkeypatch.setattr(AsyncConnectionPool, "check_connection", staticmethod(count))
    monkeypatch.setattr(pool, "_TRUSTED_S", 0.0)
    async with await pool.open_pool(server.dsn, max_size=1) as opened:
        pids = [await _backend(opened) for _ in range(3)]
        assert asked.count(pids[0]) == 1
        async with await psycopg.AsyncConnection.connect(server.dsn, autocommit=True) as owner:
            await owner.execute("SELECT pg_terminate_backend(%s, 5000)", (pids[-1],))
        assert await _backend(opened) not in pids
        assert asked.count(pids[-1]) > 1


async def _backend(opened: pool.Pool) -> int:
    async with opened.connection() as connection:
        read = await connection.execute("SELECT pg_backend_pid() AS pid")
        row = await read.fetchone()
    assert row is not None
    return int(row["pid"])
