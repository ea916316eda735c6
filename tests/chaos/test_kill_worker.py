"""Processes die, the database dies: nothing is lost, nothing is said twice or out of order."""

import asyncio
import json
import random
import time

import pytest

from tests.chaos.crowd import Crowd, assert_nothing_lost_or_doubled
from tests.chaos.town import NUMBER, Town, until

pytestmark = [pytest.mark.chaos, pytest.mark.timeout(1500)]


async def given_up(town: Town, crowd: Crowd) -> int:
    """How many of their conversations went to a person because a turn failed too often."""
    query = (
        "SELECT count(*) FROM handoff h JOIN conversation USING (conversation_id)"
        " JOIN contact USING (contact_id) WHERE h.reason = 'turn_failed' AND wa_id = ANY (%s)"
    )
    return int(await town.value(query, list(crowd.wrote)))


async def test_kill_the_worker_at_random_instants(town: Town, kills: int, chaos_seed: int) -> None:
    """kill -9 under load, over and over, at any instant from the worker's first job on."""
    chance = random.Random(chaos_seed)
    crowd = Crowd(town, random.Random(chaos_seed + 1), prefix="39351", customers=30)
    began = time.monotonic()
    await town.worker_up()
    writing = asyncio.create_task(crowd.write(every_s=0.6))
    midway = {"doing": 0, "sending": 0}
    for _ in range(kills):
        await asyncio.sleep(chance.uniform(0.05, 2.5))
        town.worker.kill()
        midway["doing"] += await town.value("SELECT count(*) FROM procrastinate_jobs WHERE status = 'doing'")
        midway["sending"] += await town.value("SELECT count(*) FROM outbox WHERE state = 'sending'")
        await town.worker_up()
    writing.cancel()
    recovery = await town.all_done(120)
    await town.simulator.settle()
    replies = await assert_nothing_lost_or_doubled(town, crowd)
    again = await town.value("SELECT count(*) FROM outbox WHERE attempts > 1")
    assert await given_up(town, crowd) == 0
    print(
        f"\nseed {chaos_seed}: {kills} kills in {time.monotonic() - began:.0f} s,"
        f" {len(crowd.wamids)} messages, {replies} replies, 0 lost, 0 twice;"
        f" jobs cut off {midway['doing']}, sends cut off {midway['sending']}, sent again {again},"
        f" all done {recovery:.1f} s after the last restart"
    )


async def test_an_idle_conversation_is_answered_soon_after_a_restart(town: Town) -> None:
    """What a dead worker held is free again within seconds."""
    await town.worker_at_work()
    customer = "393520000001"
    await town.simulator.customer_sends(NUMBER, customer, text="Dove siete?")

    async def working() -> bool:
        query = (
            "SELECT count(*) > 0 FROM procrastinate_jobs WHERE status = 'doing' AND task_name = 'sara:drain'"
        )
        return bool(await town.value(query))

    await until(working, 20, "no turn began")
    town.worker.kill()
    restarted = time.monotonic()
    await town.worker_up()
    boot = time.monotonic() - restarted
    await town.simulator.wait_for_reply(customer, timeout=30)
    took = time.monotonic() - restarted
    print(f"\nanswered {took:.1f} s after the restart, {boot:.1f} s of it the worker's start")
    await town.all_done(30)
    assert len(town.simulator.sent_to(customer)) == 1
    assert took - boot < 8


async def test_the_database_dies_mid_turn(town: Town, chaos_seed: int) -> None:
    """PostgreSQL is cut off and comes back while messages flow; no process is restarted."""
    crowd = Crowd(town, random.Random(chaos_seed + 2), prefix="39353", customers=15)
    await town.worker_at_work()
    writing = asyncio.create_task(crowd.write(every_s=0.3))
    for _ in range(2):
        await asyncio.sleep(2.5)
        await town.crash_database()
    await asyncio.sleep(1.5)
    writing.cancel()
    recovery = await town.all_done(90)
    await town.simulator.settle()
    replies = await assert_nothing_lost_or_doubled(town, crowd)
    assert town.worker.running is not None
    assert town.worker.running.poll() is None, "the worker survives"
    assert await given_up(town, crowd) == 0
    print(f"\n{len(crowd.wamids)} messages, {replies} replies, all done {recovery:.1f} s after the last")


async def test_a_paused_conversation_outlives_the_worker(town: Town) -> None:
    """Two messages wait for a human across a kill -9; handed back, SARA answers both on the same thread."""
    customer = "393540000001"
    await town.worker_at_work()
    await town.simulator.customer_sends(NUMBER, customer, text="Vorrei parlare con una persona")
    await town.simulator.wait_for_reply(customer, timeout=30)
    conversation = await town.value(
        "SELECT conversation_id FROM conversation JOIN contact USING (contact_id)"
        " WHERE wa_id = %s AND owner = 'human'",
        customer,
    )
    waiting = [
        await town.simulator.customer_sends(NUMBER, customer, text="Quanto costa un massaggio rilassante?")
    ]
    await asyncio.sleep(0.5)
    town.worker.kill()
    waiting.append(await town.simulator.customer_sends(NUMBER, customer, text="E dove siete?"))
    await town.worker_up()
    await town.all_done(30)
    assert len(town.simulator.sent_to(customer)) == 1, "no bot reply while a human has the conversation"

    (packet,) = [
        row
        for row in map(json.loads, (await town.sara("handoff", "list", "--json")).splitlines())
        if row["conversation_id"] == conversation
    ]
    await town.sara("handoff", "back", str(packet["handoff_id"]), "--note", "può rispondere SARA")
    answer = await town.simulator.wait_for_reply(customer, after=1, timeout=30)
    await town.all_done(30)
    assert answer.callback_data is not None
    assert answer.callback_data.split("|")[1].split(",") == waiting
    assert "65" in answer.text
    assert {m.callback_data for m in town.simulator.sent_to(customer)[1:]} == {
        m.callback_data
        for m in town.simulator.sent_to(customer)[1:]
        if str(waiting[0]) in str(m.callback_data)
    }
    threads = await town.rows(
        "SELECT DISTINCT thread_id FROM checkpoints WHERE thread_id LIKE %s", f"%:{conversation}"
    )
    assert len(threads) == 1
    assert (
        await town.value("SELECT owner FROM conversation WHERE conversation_id = %s", conversation) == "bot"
    )
