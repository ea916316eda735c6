"""One shop for all job tests; each test has customers of its own."""

from collections.abc import AsyncIterator, Iterator

import pytest
import pytest_asyncio

from channels.simulator.settings import Faults
from sara.commands.loop import configure_logging
from tests.jobs.shop import Shop, opened


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def open_shop(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Shop]:
    """The shop, opened once."""
    async with opened(tmp_path_factory.mktemp("jobs")) as shop:
        yield shop


@pytest.fixture(autouse=True)
def _quiet(_logger_of_one_test: None) -> None:
    """Failures are part of these tests: their tracebacks are only noise."""
    configure_logging("critical")


@pytest.fixture
def shop(open_shop: Shop) -> Iterator[Shop]:
    """The shop with a Graph API that works again whatever the last test did to it."""
    open_shop.simulator.faults.now = Faults()
    yield open_shop
    open_shop.simulator.faults.now = Faults()
