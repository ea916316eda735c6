"""What all tests share: one embedded PostgreSQL, and beside it all SARA runs on, in this process."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import psycopg
import pytest
import pytest_asyncio
import structlog

from crm.record import Crm
from sara import services
from sara.demo import prepare
from sara.local import Local, local_on
from sara.settings import Settings, load

SERVED, COMMANDED, DOCUMENTED = "served", "commanded", "documented"


@pytest.fixture(scope="session")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """Settings of a session: a database of its own, no language model, no wait for bursts."""
    return load(
        data_dir=tmp_path_factory.mktemp("sara"),
        database_url=None,
        llm="extractive",
        llm_fallback=None,
        gather_seconds=0.0,
        limit_caller=0,  # tests ask as fast as they can
        limit_address=0,
    )


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def dsn(settings: Settings) -> AsyncIterator[str]:
    """A migrated embedded database with the three businesses and their documents."""
    async with services.database(settings) as opened:
        async with services.record(settings, opened) as crm:
            await prepare(settings, opened, crm, report=lambda _: None)
        with psycopg.connect(_named(opened, "template1"), autocommit=True) as owner:
            for copy in (SERVED, COMMANDED, DOCUMENTED):
                owner.execute(f"CREATE DATABASE {copy} TEMPLATE postgres")
        yield opened


@pytest.fixture(scope="session")
def served_dsn(dsn: str) -> str:
    """A copy of that database where a worker works: it would take the hooks and replies of other tests."""
    return _named(dsn, SERVED)


@pytest.fixture(scope="session")
def commanded_dsn(dsn: str) -> str:
    """Another copy, for commands: while one runs in this thread, the worker of `whole` stands still, and with
    it whatever it has locked."""
    return _named(dsn, COMMANDED)


@pytest.fixture(scope="session")
def documented_dsn(dsn: str) -> str:
    """A third one, where the examples of the documentation are run: they erase, pause and rotate."""
    return _named(dsn, DOCUMENTED)


def _named(dsn: str, database: str) -> str:
    """The same server's address with another database."""
    return dsn.replace("/postgres?", f"/{database}?")


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def crm(settings: Settings, dsn: str) -> AsyncIterator[Crm]:
    """The book of record on that database."""
    async with services.record(settings, dsn) as opened:
        yield opened


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def whole(settings: Settings, served_dsn: str) -> AsyncIterator[Local]:
    """API, simulator and worker over real loopback HTTP."""
    async with local_on(settings, served_dsn) as opened:
        yield opened


@pytest.fixture(autouse=True)
def _logger_of_one_test() -> Iterator[None]:
    """Commands log to a standard error that ends with the test: the next one begins without it."""
    yield
    structlog.reset_defaults()


@pytest.fixture
def notes() -> Path:
    """The folder of recorded voice notes."""
    return Path(__file__).parent / "voice"
