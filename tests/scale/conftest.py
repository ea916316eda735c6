"""A database of its own, and hosts around it."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from tests.scale import net
from tests.scale.ground import Ground, ground
from tests.scale.land import Land, settled


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def soil(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Ground]:
    """A database with businesses and no documents."""
    async with ground(tmp_path_factory.mktemp("scale")) as opened:
        yield opened


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def land(soil: Ground) -> AsyncIterator[Land]:
    """Three hosts with workers, the clock of one an hour ahead, and two with the API."""
    if not net.possible():
        pytest.skip(net.MISSING)
    async with settled(soil) as opened:
        yield opened
