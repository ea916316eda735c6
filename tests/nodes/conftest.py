"""The stage on which nodes and the whole graph are played."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import replace

import pytest_asyncio

from crm import businesses
from crm.record import Crm
from db.pool import open_pool
from sara.local import Local
from tests.nodes.stage import Clock, Stage


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def opened_stage(whole: Local) -> AsyncIterator[Stage]:
    pool = await open_pool(whole.dsn, max_size=10, name="stage")
    clock = Clock()
    crm = Crm(pool, clock)
    async with crm.outside() as tx:
        ids = {entry.slug: entry.business_id for entry in await businesses.directory(tx)}
    context = replace(whole.services.context, crm=crm, clock=clock)
    yield Stage(whole.dsn, crm, clock, context, whole.services.machine, ids, AsyncExitStack())
    await pool.close()


@pytest_asyncio.fixture(loop_scope="session")
async def stage(opened_stage: Stage) -> AsyncIterator[Stage]:
    """The clock set back, and every conversation let go at the end of the test."""
    async with AsyncExitStack() as held:
        opened_stage.clock.now = Clock().now
        yield replace(opened_stage, held=held)
