"""The queue's connections: short ones through any pooler, and one session for each lane that listens."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import psycopg
from procrastinate import PsycopgConnector
from psycopg_pool import AsyncConnectionPool

from db.pool import RECONNECT_S, checking, prepare_threshold


class _Connector(PsycopgConnector):
    """Listens at an address of its own: a pooler would give the session to the next transaction, and what is
    told to it to nobody."""

    def __init__(self, *, listen_at: str, **pool: Any) -> None:
        super().__init__(**pool)
        self._listen_at = listen_at

    @asynccontextmanager
    async def _get_standalone_connection(self) -> AsyncIterator[psycopg.AsyncConnection]:
        async with await psycopg.AsyncConnection.connect(self._listen_at, autocommit=True) as connection:
            yield connection


def _pool(**given: Any) -> AsyncConnectionPool:
    """As Procrastinate would open it, but that a connection which has just answered is not asked again."""
    return AsyncConnectionPool(**{**given, "check": checking()})


def connector(dsn: str, *, connections: int, pooled: bool, listen_at: str | None) -> PsycopgConnector:
    """The connector of the queue; see `jobs.app.build_app`."""
    return _Connector(
        listen_at=listen_at or dsn,
        conninfo=dsn,
        min_size=1,
        max_size=connections,
        reconnect_timeout=RECONNECT_S,
        pool_factory=_pool,
        # Each of its questions is a statement: without this each would be followed by a commit, and led by a
        # BEGIN.
        kwargs={"prepare_threshold": prepare_threshold(pooled), "autocommit": True},
    )
