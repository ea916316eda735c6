"""Several statements in one round trip and in one write: psycopg's pipeline writes each by itself."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from psycopg import AsyncConnection, AsyncPipeline
from psycopg.abc import PQGen
from psycopg.generators import send


class _Batch(AsyncPipeline):
    """What is asked in it is written when an answer is asked for, and at its end.

    A pipeline lets the server begin while statements are still being given, for which it asks the socket and
    writes to it at each. Ours are there all at once: each of these calls, and each time the server is woken
    for one more statement, would be for nothing. libpq itself writes when it holds more than 64 KB.
    """

    def _communicate_gen(self) -> PQGen[None]:
        yield from ()

    def _fetch_gen(self, *, flush: bool) -> PQGen[None]:
        while self.command_queue:
            self.command_queue.popleft()()
        if not flush:
            yield from send(self.pgconn)
        yield from super()._fetch_gen(flush=flush)

    def _exit_gen(self) -> PQGen[None]:
        yield from self._sync_gen()


@asynccontextmanager
async def batch(connection: AsyncConnection[Any]) -> AsyncIterator[None]:
    """The statements asked in the block leave together at its end, or when the first answer is fetched.

    Outside a transaction they are one: what stands between two synchronisations of a pipeline needs no BEGIN.
    An error of any of them is raised at the end of the block.
    """
    async with connection.lock:
        pipeline = connection._pipeline = _Batch(connection)
    try:
        async with pipeline:
            yield
    finally:
        connection._pipeline = None
