"""Processes die, the database dies: nothing is lost, nothing is said twice or out of order."""

import asyncio
import json
import random
import time
from collections import defaultdict
from typing import Any

import pytest

from graph.state import REFERENCE_CHARACTERS
from tests.chaos.town import NUMBER, Town, until

pytestmark = [pytest.mark.chaos, pytest.mark.timeout(1500)]

QUESTIONS = (
    "Quanto costa un massaggio rilassante?",
    "A che ora aprite domani?",
    "Dove siete?",
    "Quanto dura il massaggio rilassante?",
    "Che servizi avete?",
)


class Crowd:
    """Customers who keep writing until told to stop; remembers every wamid in the order of writing."""

    def __init__(self, town: Town, chance: random.Random, *, prefix: str, customers: int) -> None:
        self._town = town
        self._chance = chance
        self._customers = [f"{prefix}{number:05d}" for number in range(customers)]
        self.wrote: dict[str, list[str]] = defaultdict(list)

    async def write(self, *, every_s: float) -> None:
        """Messages of random customers at random intervals, `every_s` seconds on average."""
        while True:
            await asyncio.sleep(self._chance.uniform(0, 2 * every_s))
            customer = self._chance.choice(self._customers)
            wamid = await self._town.simulator.customer_sends(
                NUMBER, customer, text=self._chance.choice(QUESTIONS)
            )
            self.wrote[customer].append(wamid)

    @property
    def wamids(self) -> list[str]:
        """All of them."""
        return [wamid for wamids in self.wrote.values() for wamid in wamids]


def assert_each_in_one_turn(events: list[dict[str, Any]], outbox: list[dict[str, Any]]) -> None:
    """Every event belongs to exactly one turn that spoke, and each turn names the messages it answers.

    A turn is `<conversation>:<its last event>`. Its reference holds the latest wamids that fit: a customer
    who wrote more than that while no worker ran is answered all the same.
    """
    before = 0
    for turn_id, answers in dict.fromkeys((row["turn_id"], row["answers"]) for row in outbox):
        last = int(turn_id.rpartition(":")[2])
        covered = [row["wamid"] for row in events if before < row["event_id"] <= last]
        told = (answers or "").split(",")
        assert told == covered[-len(told) :], f"turn {turn_id} answers its own messages, in order"
        cut_off = covered[: -len(told)]
        assert not cut_off or len(",".join([cut_off[-1], *told])) > REFERENCE_CHARACTERS, turn_id
        before = last
    assert before == events[-1]["event_id"], "no message was left out after the last turn"


async def assert_nothing_lost_or_doubled(town: Town, crowd: Crowd) -> int:
    """The record and the simulator agree that every message was answered once, in order.

    Returns how many replies there were.
    """
    stored = await town.rows(
        "SELECT m.wamid, e.event_id, e.done_at, c.wa_id FROM message m JOIN inbox_event e USING (message_id)"
        " JOIN contact c USING (contact_id) WHERE m.wamid = ANY(%s) ORDER BY e.event_id",
        crowd.wamids,
    )
    assert sorted(row["wamid"] for row in stored) == sorted(crowd.wamids), "each stored once"
    assert all(row["done_at"] for row in stored), "each event taken in"

    outbox = await town.rows(
        "SELECT o.outbox_id, o.turn_id, o.state, o.answers, c.wa_id FROM outbox o"
        " JOIN message m USING (message_id) JOIN contact c USING (contact_id)"
        " WHERE c.wa_id = ANY(%s) ORDER BY o.outbox_id",
        list(crowd.wrote),
    )
    assert {row["state"] for row in outbox} == {"accepted"}, [r for r in outbox if r["state"] != "accepted"]
    references = []
    for customer, wamids in crowd.wrote.items():
        heard = [m.callback_data or "" for m in town.simulator.sent_to(customer, NUMBER)]
        ids = [int(reference.split("|")[0]) for reference in heard]
        assert len(set(ids)) == len(ids), f"a reply was sent twice to {customer}: {heard}"
        assert ids == sorted(ids), f"replies out of order for {customer}: {ids}"
        assert ids == [row["outbox_id"] for row in outbox if row["wa_id"] == customer]
        events = [row for row in stored if row["wa_id"] == customer]
        assert [row["wamid"] for row in events] == wamids, "in the order in which they were written"
        assert_each_in_one_turn(events, [row for row in outbox if row["wa_id"] == customer])
        references += ids
    return len(references)


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
    failed = await town.value("SELECT count(*) FROM handoff WHERE reason = 'turn_failed'")
    assert failed == 0
    town.worker.kill()
    print(
        f"\nseed {chaos_seed}: {kills} kills in {time.monotonic() - began:.0f} s,"
        f" {len(crowd.wamids)} messages, {replies} replies, 0 lost, 0 twice;"
        f" jobs cut off {midway['doing']}, sends cut off {midway['sending']}, sent again {again},"
        f" all done {recovery:.1f} s after the last restart"
    )


async def test_an_idle_conversation_is_answered_soon_after_a_restart(town: Town) -> None:
    """What a dead worker held is free again within seconds."""
    await town.worker_up()
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
    town.worker.kill()
    assert len(town.simulator.sent_to(customer)) == 1
    assert took - boot < 8


async def test_the_database_dies_mid_turn(town: Town, chaos_seed: int) -> None:
    """PostgreSQL is cut off and comes back while messages flow; no process is restarted."""
    crowd = Crowd(town, random.Random(chaos_seed + 2), prefix="39353", customers=15)
    await town.worker_up()
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
    assert await town.value("SELECT count(*) FROM handoff WHERE reason = 'turn_failed'") == 0
    town.worker.kill()
    print(f"\n{len(crowd.wamids)} messages, {replies} replies, all done {recovery:.1f} s after the last")


async def test_a_paused_conversation_outlives_the_worker(town: Town) -> None:
    """Two messages wait for a human across a kill -9; handed back, SARA answers both on the same thread."""
    customer = "393540000001"
    await town.worker_up()
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
    town.worker.kill()
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
