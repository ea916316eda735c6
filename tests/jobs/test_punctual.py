"""A job that was put into the queue for later is taken when it falls due, not at the next look."""

import asyncio
from collections.abc import Sequence
from typing import Any

import pytest

from crm import queue
from jobs.punctual import PunctualWorker
from jobs.services import KEY
from tests.jobs.shop import Shop


class Day:
    """A clock, and how long it is until the next job, as a test says; `asked` counts the questions."""

    def __init__(self, dues: Sequence[float]) -> None:
        self.now, self.asked, self._dues = 1000.0, 0, dues

    async def due_in(self) -> float | None:
        self.asked += 1
        later = [due - self.now for due in self._dues if due > self.now]
        return min(later, default=None)

    def worker(self, app: Any) -> PunctualWorker:
        return PunctualWorker(due_in=self.due_in, monotonic=lambda: self.now, app=app)


async def test_it_sleeps_until_the_next_job_falls_due_and_asks_no_more_than_it_must(shop: Shop) -> None:
    day = Day([1000.3, 1000.9, 1060.0])
    worker = day.worker(shop.app)
    slept = []
    for _ in range(5):
        slept.append(await worker.until_next())
        day.now += slept[-1]
    assert slept[:3] == pytest.approx([0.302, 0.5, 0.1], abs=0.005)
    assert slept[3:] == [0.5, 0.5]
    assert day.asked == 4


async def test_news_before_that_moment_do_not_make_it_ask_again(shop: Shop) -> None:
    day = Day([1000.4])
    worker = day.worker(shop.app)
    await worker.until_next()
    for _ in range(3):
        day.now += 0.1
        assert await worker.until_next() == pytest.approx(1000.402 - day.now)
    assert day.asked == 1


async def test_a_flood_of_news_does_not_become_a_flood_of_questions(shop: Shop) -> None:
    day = Day([])
    worker = day.worker(shop.app)
    for _ in range(50):
        await worker.until_next()
        day.now += 0.01
    assert day.asked <= 6


async def none_waits(shop: Shop) -> bool:
    """Whether no turn waits for later, another test's neither."""
    return await queue.due_in(shop.crm, [queue.TURNS]) is None


async def test_only_jobs_of_its_queues_that_wait_for_later_count(shop: Shop) -> None:
    first, second = await shop.open_conversation("393880000001"), await shop.open_conversation("393880000002")
    await shop.work_until(lambda: none_waits(shop))
    async with shop.crm.transaction(shop.business_id) as tx:
        await queue.drain(tx, first, delay_s=0)
        await queue.send(tx, first, delay_s=30)
    assert await none_waits(shop)
    async with shop.crm.transaction(shop.business_id) as tx:
        await queue.drain(tx, second, delay_s=20)
    due = await queue.due_in(shop.crm, [queue.TURNS, queue.SENDS])
    later = (f"send:{first}", f"conv:{second}")
    await shop.rows("DELETE FROM procrastinate_jobs WHERE queueing_lock IN (%s, %s)", *later)
    assert due == pytest.approx(15, abs=5)


async def test_a_worker_that_would_look_once_an_hour_takes_it_all_the_same(shop: Shop) -> None:
    conversation_id = await shop.open_conversation("393880000003")
    await shop.work()

    async def due_in() -> float | None:
        return await queue.due_in(shop.crm, [queue.TURNS])

    worker = PunctualWorker(
        due_in=due_in,
        look_s=3600.0,
        app=shop.app,
        queues=[queue.TURNS],
        additional_context={KEY: shop.services},
        install_signal_handlers=False,
        delete_jobs="always",
    )
    working = asyncio.create_task(worker.run())
    try:
        await asyncio.sleep(0.2)  # it has looked, and found nothing
        async with shop.crm.transaction(shop.business_id) as tx:
            await queue.drain(tx, conversation_id, delay_s=0.4)
        lock = f"conv:{conversation_id}"
        async with asyncio.timeout(60):
            waiting: list[Any] = [lock]
            while waiting:
                await asyncio.sleep(0.05)
                waiting = await shop.rows("SELECT id FROM procrastinate_jobs WHERE queueing_lock = %s", lock)
    finally:
        working.cancel()
        await asyncio.gather(working, return_exceptions=True)
