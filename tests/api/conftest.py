"""The application without models, for tests of who may come in."""

from collections.abc import AsyncIterator

import httpx
import pytest
import pytest_asyncio

from tests.api.house import House, open_house


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def house(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[House]:
    """Two businesses, their people and whoever else knocks."""
    async with open_house(tmp_path_factory.mktemp("house")) as opened:
        yield opened


@pytest_asyncio.fixture(loop_scope="session")
async def web(house: House) -> AsyncIterator[httpx.AsyncClient]:
    """A client of that application that nobody has logged in with."""
    async with httpx.AsyncClient(base_url=house.url, timeout=60) as opened:
        yield opened
