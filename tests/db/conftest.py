"""An embedded server of its own, and fresh databases on it."""

import asyncio
import itertools
from collections.abc import AsyncIterator, Awaitable, Callable

import psycopg
import pytest
import pytest_asyncio
from psycopg import sql
from psycopg.conninfo import make_conninfo

from db import embedded
from db.embedded import Embedded

Fresh = Callable[[], Awaitable[str]]


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def server(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Embedded]:
    """A server without any schema."""
    folder = tmp_path_factory.mktemp("floor")
    started = await asyncio.to_thread(embedded.start, folder)
    yield started
    await asyncio.to_thread(started.stop)


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def fresh(server: Embedded) -> Fresh:
    """Makes an empty database and returns how to reach it."""
    numbers = itertools.count(1)

    async def make() -> str:
        name = f"fresh{next(numbers)}"
        async with await psycopg.AsyncConnection.connect(server.dsn, autocommit=True) as owner:
            await owner.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        return make_conninfo(server.dsn, dbname=name)

    return make
