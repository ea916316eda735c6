"""LISTEN: what other processes tell, on a connection of its own that is opened again whenever it is lost."""

import asyncio
from collections.abc import AsyncIterator

import psycopg
import structlog
from psycopg import sql

log = structlog.get_logger(__name__)

_FIRST_PAUSE_S, _LONGEST_PAUSE_S = 0.5, 10.0


async def notifications(dsn: str, channel: str) -> AsyncIterator[str | None]:
    """The payloads told on a channel, for ever; None each time listening begins: before it some were lost.

    LISTEN needs a session: through a pooler that shares sessions nothing would ever come.
    """
    pause = _FIRST_PAUSE_S
    while True:
        try:
            async with await psycopg.AsyncConnection.connect(dsn, autocommit=True) as connection:
                await connection.execute(sql.SQL("LISTEN {}").format(sql.Identifier(channel)))
                pause = _FIRST_PAUSE_S
                yield None
                async for notified in connection.notifies():
                    yield notified.payload
        except psycopg.OperationalError as error:
            log.warning("listening_lost", channel=channel, error=str(error), again_in_s=pause)
        await asyncio.sleep(pause)
        pause = min(_LONGEST_PAUSE_S, pause * 2)
