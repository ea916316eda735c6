"""A town of its own for the chaos tests: they restart its database and kill its processes."""

import asyncio
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from db import embedded
from db.migrate import migrate
from sara import seed, services
from sara.settings import load
from tests.chaos.crowd import KILLS, RECIPIENTS
from tests.chaos.town import Town, founded
from tests.jobs.shop import Shop, opened


def pytest_addoption(parser: pytest.Parser) -> None:
    """How often the worker is killed, and the seed of when."""
    parser.addoption("--kills", type=int, default=KILLS, help="kill -9s of the worker under load")
    parser.addoption(
        "--campaign", type=int, default=RECIPIENTS, help="recipients of the campaign among chats"
    )
    parser.addoption("--chaos-seed", type=int, default=20261119, help="seed of instants and messages")


@pytest.fixture
def kills(request: pytest.FixtureRequest) -> int:
    """How often the worker is killed; the default where this file was loaded too late for its options."""
    return int(request.config.getoption("--kills", default=KILLS))


@pytest.fixture
def chaos_seed(request: pytest.FixtureRequest) -> int:
    """The seed of every random choice."""
    return int(request.config.getoption("--chaos-seed", default=20261119))


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def stage(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Shop]:
    """A shop whose jobs are run by hand, with all models."""
    async with opened(tmp_path_factory.mktemp("stage")) as shop:
        yield shop


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def town(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Town]:
    """Businesses without documents (answers then come from the record), a simulator, the API."""
    folder = tmp_path_factory.mktemp("chaos")
    database = await asyncio.to_thread(embedded.start, folder)
    try:
        await migrate(database.dsn)
        async with services.record(load(llm="extractive"), database.dsn) as crm:
            await seed.enter_seeds(crm)
        async with founded(database, folder) as opened:
            yield opened
    finally:
        await asyncio.to_thread(database.stop)
