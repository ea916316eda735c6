"""Processes that are stopped as a service manager stops them, under load: nothing is lost or left held."""

import asyncio
import random
import signal

import pytest

from tests.chaos.crowd import Crowd, assert_nothing_lost_or_doubled
from tests.chaos.town import Process, Town, until

pytestmark = pytest.mark.chaos

_RUNNING = "SELECT count(*) FROM procrastinate_jobs WHERE status = 'doing'"
_LANES = "SELECT count(*) FROM procrastinate_workers WHERE last_heartbeat > now() - interval '6 s'"
_HELD = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'"
_SENDING = "SELECT count(*) FROM outbox WHERE state = 'sending'"


async def test_a_worker_and_the_api_are_restarted_under_load(town: Town, chaos_seed: int) -> None:
    """SIGTERM: what runs ends or is given back at once; what comes meanwhile comes again."""
    crowd = Crowd(town, random.Random(chaos_seed + 7), prefix="39362", customers=12)
    await town.worker_at_work()
    writing = asyncio.create_task(crowd.write(every_s=0.15))
    try:
        await asyncio.sleep(2.5)
        assert await town.worker.stop() == 0
        left = [await town.value(query) for query in (_RUNNING, _HELD, _SENDING)]
        assert left == [0, 0, 0], "jobs, locks or sends that a stopped worker left behind"
        assert await town.value(_LANES) == 0, "it said goodbye"
        assert await town.serve.stop() in (0, -signal.SIGTERM)  # uvicorn ends by the signal it was sent
        await asyncio.sleep(0.5)
        town.serve.start()
        await town.worker_up()
        await asyncio.sleep(1.0)
        writing.cancel()
        await town.all_done(60)
        await town.simulator.settle()
        await assert_nothing_lost_or_doubled(town, crowd)
        again = await town.value("SELECT count(*) FROM outbox WHERE attempts > 1 AND state = 'accepted'")
        print(f"\n{len(crowd.wamids)} messages, {again} sent again")
    finally:
        writing.cancel()


async def test_a_stopped_worker_hands_over_to_one_that_runs(town: Town, chaos_seed: int) -> None:
    """A rolling restart: the next one is up before the first one goes, and nobody waits for a time-out."""
    crowd = Crowd(town, random.Random(chaos_seed + 8), prefix="39363", customers=8)
    await town.worker_at_work()
    second = Process(("worker",), town.environment, town.worker.log.with_name("second.log"))
    known = await town.value("SELECT max(id) FROM procrastinate_workers")
    writing = asyncio.create_task(crowd.write(every_s=0.2))
    try:
        second.start()

        async def up() -> bool:
            return bool(await town.value("SELECT max(id) > %s FROM procrastinate_workers", known))

        await until(up, 60, "the second worker did not start")
        assert await town.worker.stop() == 0
        await asyncio.sleep(1.0)
        writing.cancel()
        await town.all_done(60)
        await town.simulator.settle()
        await assert_nothing_lost_or_doubled(town, crowd)
    finally:
        writing.cancel()
        second.kill()
        town.worker.kill()
