"""Three people: an agent and a supervisor of Aurora, and somebody of another business."""

from collections.abc import AsyncIterator

import pytest_asyncio

from sara.local import Local
from tests.api.console.people import Agent, enter


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
