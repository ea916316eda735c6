"""When the library's models are opened and closed."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, cast

import pytest

from api.library import Library, Opened
from crm.record import Crm

NOTHING = cast(Any, None)


class Models:
    """Counts how often it was opened and closed."""

    def __init__(self) -> None:
        self.opened = self.closed = 0
        self.given_back = asyncio.Event()

    @asynccontextmanager
    async def opening(self) -> AsyncIterator[Opened]:
        self.opened += 1
        yield Opened(NOTHING, NOTHING, NOTHING)
        self.closed += 1

    def give_back(self) -> None:
        self.loop.call_soon_threadsafe(self.given_back.set)

    def library(self, idle_s: float) -> Library:
        self.loop = asyncio.get_running_loop()
        return Library(cast(Crm, None), self.opening, idle_s=idle_s, give_back=self.give_back)


async def test_they_are_opened_once_for_all_who_ask_at_once() -> None:
    models = Models()
    library = models.library(idle_s=3600)
    async with library.opened() as one, library.opened() as other:
        assert one is other
    async with library.opened():
        pass
    assert (models.opened, models.closed) == (1, 0)
    await library.close()
    assert models.closed == 1


async def test_unused_they_are_closed_and_their_memory_returned() -> None:
    models = Models()
    library = models.library(idle_s=0)
    async with library.opened():
        async with library.opened():
            pass
        await asyncio.sleep(0.01)
        assert models.closed == 0, "closed while somebody works with them"
    await models.given_back.wait()
    assert models.closed == 1
    async with library.opened():
        assert models.opened == 2
    await library.close()


async def test_what_could_not_be_opened_is_tried_again() -> None:
    fails = True

    @asynccontextmanager
    async def opening() -> AsyncIterator[Opened]:
        if fails:
            raise ConnectionError
        yield Opened(NOTHING, NOTHING, NOTHING)

    library = Library(cast(Crm, None), opening)
    with pytest.raises(ConnectionError):
        async with library.opened():
            pass
    fails = False
    async with library.opened() as opened:
        assert opened.store is None
    await library.close()
