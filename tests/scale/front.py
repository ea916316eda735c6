"""A load balancer: each connection goes to the next host that takes it."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from itertools import cycle

_PATIENCE_S = 1.0

Address = tuple[str, int]
Stream = tuple[asyncio.StreamReader, asyncio.StreamWriter]


@asynccontextmanager
async def balancer(host: str, behind: Sequence[Address]) -> AsyncIterator[str]:
    """Its URL. A host that does not answer within a second is passed over."""
    turns = cycle(behind)
    links: set[asyncio.Task[None]] = set()

    async def link(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        links.add(task)
        try:
            for _ in behind:
                if (inner := await _reached(next(turns))) is not None:
                    await _joined((reader, writer), inner)
                    return
        finally:
            writer.close()
            links.discard(task)

    server = await asyncio.start_server(link, host, 0)
    try:
        yield f"http://{host}:{server.sockets[0].getsockname()[1]}"
    finally:
        server.close()
        for task in list(links):
            task.cancel()
        await asyncio.gather(*links, return_exceptions=True)


async def _reached(address: Address) -> Stream | None:
    with contextlib.suppress(OSError, TimeoutError):
        return await asyncio.wait_for(asyncio.open_connection(*address), _PATIENCE_S)
    return None


async def _joined(outer: Stream, inner: Stream) -> None:
    """Hands on what either side says until one of them ends."""

    async def hand_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            while said := await reader.read(65536):
                writer.write(said)
                await writer.drain()

    ways = [
        asyncio.ensure_future(hand_on(outer[0], inner[1])),
        asyncio.ensure_future(hand_on(inner[0], outer[1])),
    ]
    try:
        await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for way in ways:
            way.cancel()
        inner[1].close()
