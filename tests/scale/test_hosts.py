"""Many hosts: even work, clocks that are wrong, cables that are pulled. Nothing is lost or done twice."""

import asyncio
import random
import time

import pytest

from db.address import GONE_S
from tests.chaos.crowd import Crowd, assert_nothing_lost_or_doubled
from tests.chaos.town import NUMBER, until
from tests.scale.land import AHEAD, Land

UNEVEN = 3.0  # how many times as many jobs as another worker one may take
# The database lets go of a silent host's conversations after GONE_S, and a sweep finds them within seconds. A
# machine that is busy with other things takes longer; without any of it, it would take two hours.
TAKEN_OVER_S = 6 * GONE_S
BACK_S = 180.0

pytestmark = [pytest.mark.chaos, pytest.mark.alone, pytest.mark.timeout(600)]

# What a thread remembers is its latest checkpoint: it must be that of the last event taken in.
_FORGOTTEN = """
SELECT t.thread_id, t.remembers, e.last FROM (
    SELECT DISTINCT ON (thread_id) thread_id,
           (checkpoint -> 'channel_values' ->> 'last_event_id')::bigint AS remembers
    FROM checkpoints WHERE checkpoint_ns = '' ORDER BY thread_id, checkpoint_id DESC) t
JOIN (SELECT conversation_id, max(event_id) AS last FROM inbox_event WHERE done_at IS NOT NULL GROUP BY 1) e
    ON e.conversation_id = split_part(t.thread_id, ':', 2)::bigint
WHERE t.remembers IS DISTINCT FROM e.last
"""


async def assert_remembered(land: Land) -> None:
    assert await land.town.rows(_FORGOTTEN) == []
    assert await land.town.value("SELECT count(*) FROM handoff WHERE reason = 'turn_failed'") == 0


async def test_work_is_even_and_a_wrong_clock_does_no_harm(land: Land) -> None:
    crowd = Crowd(land.town, random.Random(1), prefix="39361", customers=12)
    writing = asyncio.create_task(crowd.write(every_s=0.06))
    await asyncio.sleep(6)
    writing.cancel()
    await land.town.all_done(180)
    await land.town.simulator.settle()
    replies = await assert_nothing_lost_or_doubled(land.town, crowd)
    await assert_remembered(land)
    turns, sends = await land.shares("sara:drain"), await land.shares("sara:send")
    print(f"\n{len(crowd.wamids)} messages, {replies} replies; turns {turns}, deliveries {sends}")
    jobs = [turns[name] + sends[name] for name in turns]
    assert max(jobs) <= UNEVEN * min(jobs), jobs
    if land.skewed:
        assert turns[AHEAD] > 0
        late = "SELECT max(extract(epoch FROM sent_at - now())) FROM message WHERE author = 'bot'"
        assert await land.town.value(late) < 60  # the record keeps one time, the database's


async def test_hosts_that_are_cut_off_and_come_back(land: Land) -> None:
    """A worker's and an API's cables are pulled under load, another worker is killed. What the worker had
    in hand is taken over, and what it goes on with when its network is back does no harm."""
    town, crowd = land.town, Crowd(land.town, random.Random(2), prefix="39362", customers=20)
    writing = asyncio.create_task(crowd.write(every_s=0.08))
    await asyncio.sleep(1)
    cut = await cut_at_work(land, "a")
    land.hosts["d"].cut()
    land.processes["b"].kill()
    held = await land.jobs_at_work("a") + await land.jobs_at_work("b")
    await asyncio.sleep(2)
    land.processes["b"].start()

    asked = time.monotonic()
    await town.simulator.customer_sends(NUMBER, "393639999999", text="Dove siete?")
    await town.simulator.wait_for_reply("393639999999", timeout=180)
    answered = time.monotonic() - asked

    async def let_go() -> bool:
        return await land.jobs_at_work("a") + await land.jobs_at_work("b") == 0 or not await left_of(land)

    await until(let_go, TAKEN_OVER_S, "nobody took over what the cut-off host held")
    took = time.monotonic() - cut

    back = await land.now()
    land.hosts["a"].mend()
    land.hosts["d"].mend()

    async def at_work_again() -> bool:
        return await land.took_one_since("a", back) and await land.took_one_since("b", back)

    async def cut_off_host_at_work() -> bool:
        return await land.took_one_since("a", back)

    mended = time.monotonic()
    await until(cut_off_host_at_work, BACK_S, "the host that is back takes no jobs")
    returned = time.monotonic() - mended
    await until(at_work_again, BACK_S, "the worker that was started again takes no jobs")
    await asyncio.sleep(2)
    writing.cancel()
    await town.all_done(240)
    await town.simulator.settle()
    replies = await assert_nothing_lost_or_doubled(town, crowd)
    await assert_remembered(land)
    assert all(process.running and process.running.poll() is None for process in land.processes.values())
    print(
        f"\n{len(crowd.wamids)} messages, {replies} replies; {held} jobs cut off, taken over"
        f" after {took:.1f} s, meanwhile answered in {answered:.1f} s,"
        f" at work again {returned:.1f} s after the network was back"
    )


async def cut_at_work(land: Land, name: str) -> float:
    """Pulls a worker's cable while it has a turn or a delivery in hand; when that was."""
    for _ in range(50):

        async def at_work() -> bool:
            return await land.jobs_at_work(name) > 0

        await until(at_work, 30, "the worker has nothing to do", every_s=0.005)
        land.hosts[name].cut()
        moment = time.monotonic()
        await asyncio.sleep(0.3)
        if await land.jobs_at_work(name):
            return moment
        land.hosts[name].mend()
    raise AssertionError("never cut off in the middle of a job")


async def left_of(land: Land) -> int:
    """How many jobs are still in the hands of workers that are silent."""
    query = (
        "SELECT count(*) FROM procrastinate_jobs j LEFT JOIN procrastinate_workers w ON w.id = j.worker_id"
        " WHERE j.status = 'doing' AND j.args ? 'conversation_id'"
        " AND (w.id IS NULL OR w.last_heartbeat < now() - interval '5 seconds')"
    )
    return int(await land.town.value(query))
