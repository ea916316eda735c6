"""The connection pool: psycopg 3, one per process and purpose."""

import select
import time
from collections.abc import Awaitable, Callable
from typing import Any
from weakref import WeakKeyDictionary

from psycopg import AsyncConnection
from psycopg.rows import DictRow, dict_row
from psycopg_pool import AsyncConnectionPool

Pool = AsyncConnectionPool[AsyncConnection[DictRow]]

_TRUSTED_S = 1.0
"""How long a connection that answered is handed out unasked: a server needs longer to come back."""

_SILENT_S = 10.0
"""How long it is handed out unasked when nothing has come over it since, not even its end."""

RECONNECT_S = 10.0
"""How long a lost connection is sought in ever longer steps; then whoever needs one starts anew. Steps that
grew for minutes would keep a host away long after its network is back."""


def prepare_threshold(pooled: bool) -> int | None:
    """After how many uses psycopg prepares a statement; never (None) where sessions change."""
    return None if pooled else 5


def checking() -> Callable[[AsyncConnection[Any]], Awaitable[None]]:
    """What a pool asks a connection before it hands it out; one that has just answered is not asked again.

    Connections take turns, so each rests for a moment, and most would be asked. A server that went away has
    ended them, which can be seen without asking; where a network lost that, a question waits as long as what
    would be asked instead.
    """
    answered: WeakKeyDictionary[AsyncConnection[Any], float] = WeakKeyDictionary()

    async def check(connection: AsyncConnection[Any]) -> None:
        since = time.monotonic() - answered.get(connection, float("-inf"))
        if since > _SILENT_S or (since > _TRUSTED_S and not _silent(connection)):
            await AsyncConnectionPool.check_connection(connection)
            answered[connection] = time.monotonic()

    return check


def _silent(connection: AsyncConnection[Any]) -> bool:
    """Whether nothing waits to be read from it; False where that cannot be told (Windows)."""
    if not hasattr(select, "poll") or connection.closed:
        return False
    waiting = select.poll()
    waiting.register(connection.fileno(), select.POLLIN)
    return not waiting.poll(0)


async def open_pool(
    dsn: str, *, max_size: int, min_size: int = 1, name: str = "sara", pooled: bool = False
) -> Pool:
    """Opens a pool and waits for its first connection.

    `pooled`: `dsn` is a pooler that gives every transaction another session, so statements are not prepared.

    A broken connection (the server restarted) is noticed when it is handed out and replaced, so a caller
    that retries its transaction finds a live one; one that answered within the last second is not asked.
    Raises psycopg_pool.PoolTimeout when nothing answers.
    """
    kwargs: dict[str, Any] = {
        "autocommit": True,
        "prepare_threshold": prepare_threshold(pooled),
        "row_factory": dict_row,
    }
    pool: Pool = AsyncConnectionPool(
        dsn,
        kwargs=kwargs,
        min_size=min_size,
        max_size=max_size,
        name=name,
        timeout=15,
        reconnect_timeout=RECONNECT_S,
        check=checking(),
        open=False,
    )
    await pool.open(wait=True, timeout=30)
    return pool
