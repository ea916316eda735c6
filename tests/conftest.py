"""What all tests share: one embedded PostgreSQL, and on it everything SARA runs on, in this process."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from crm.record import Crm
from sara import services
from sara.demo import prepare
from sara.local import Local, local_on
from sara.settings import Settings, load


@pytest.fixture(scope="session")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """Settings of a session: a database of its own, no language model, no wait for bursts."""
    return load(
        data_dir=tmp_path_factory.mktemp("sara"),
        database_url=None,
        llm="extractive",
        llm_fallback=None,
        gather_seconds=0.0,
    )


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def dsn(settings: Settings) -> AsyncIterator[str]:
    """A migrated embedded database with the three businesses and their documents."""
    async with services.database(settings) as opened:
        async with services.record(settings, opened) as crm:
            await prepare(settings, opened, crm, report=lambda _: None)
        yield opened


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def crm(settings: Settings, dsn: str) -> AsyncIterator[Crm]:
    """The book of record on that database."""
    async with services.record(settings, dsn) as opened:
        yield opened


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def whole(settings: Settings, dsn: str) -> AsyncIterator[Local]:
    """API, simulator and worker over real loopback HTTP."""
    async with local_on(settings, dsn) as opened:
        yield opened


@pytest.fixture
def notes() -> Path:
    """The folder of recorded voice notes."""
    return Path(__file__).parent / "voice"
