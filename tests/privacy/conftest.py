"""A town of its own without documents: what is erased here is nobody else's, and nothing is embedded."""

import asyncio
from collections.abc import AsyncIterator, Callable

import pytest
import pytest_asyncio

from db import embedded
from db.migrate import migrate
from sara import seed, services
from sara.local import Local, local_on
from sara.settings import Settings, load
from tests.sara.conftest import Cli, bare

__all__ = ["bare"]


@pytest.fixture(scope="session")
def own_settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    return load(
        data_dir=tmp_path_factory.mktemp("privacy"),
        database_url=None,
        llm="extractive",
        llm_fallback=None,
        gather_seconds=0.0,
    )


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def own_dsn(own_settings: Settings) -> AsyncIterator[str]:
    """A migrated server with the seeded businesses' rows."""
    server = await asyncio.to_thread(embedded.start, own_settings.data_dir)
    try:
        await migrate(server.dsn)
        async with services.record(own_settings, server.dsn) as crm:
            await seed.enter_seeds(crm)
        yield server.dsn
    finally:
        await asyncio.to_thread(server.stop)


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def town(own_settings: Settings, own_dsn: str) -> AsyncIterator[Local]:
    """API, simulator and worker over real loopback HTTP."""
    async with local_on(own_settings, own_dsn) as opened:
        yield opened


@pytest.fixture
def cli(
    bare: Cli, own_settings: Settings, own_dsn: str, monkeypatch: pytest.MonkeyPatch
) -> Callable[..., object]:
    """The command line on that database."""
    monkeypatch.setenv("SARA_DATABASE_URL", own_dsn)
    monkeypatch.setenv("SARA_DATA_DIR", str(own_settings.data_dir))
    monkeypatch.setenv("SARA_GATHER_SECONDS", "0")
    return bare
