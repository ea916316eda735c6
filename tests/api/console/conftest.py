"""Three people: an agent and a supervisor of Aurora, and somebody of another business."""

from collections.abc import AsyncIterator, Iterator

import psycopg
import pytest
import pytest_asyncio

from sara.local import Local
from tests.api.console.people import Agent, enter


@pytest.fixture(autouse=True, scope="module")
def _library_as_it_was(served_dsn: str) -> Iterator[None]:
    """What is uploaded here would answer the questions of later tests."""
    with psycopg.connect(served_dsn, autocommit=True) as owner:
        row = owner.execute("SELECT coalesce(max(document_id), 0) FROM document").fetchone()
        yield
        owner.execute("DELETE FROM document WHERE document_id > %s", row)


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def elena(whole: Local) -> AsyncIterator[Agent]:
    agent = await enter(whole, "aurora", name="Elena Prova")
    yield agent
    await agent.web.aclose()


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def davide(whole: Local) -> AsyncIterator[Agent]:
    agent = await enter(whole, "aurora", name="Davide Prova")
    yield agent
    await agent.web.aclose()


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def boss(whole: Local) -> AsyncIterator[Agent]:
    agent = await enter(whole, "aurora", role="supervisor", name="Francesca Capo")
    yield agent
    await agent.web.aclose()


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def stranger(whole: Local) -> AsyncIterator[Agent]:
    agent = await enter(whole, "conti", name="Irene Altrove")
    yield agent
    await agent.web.aclose()
