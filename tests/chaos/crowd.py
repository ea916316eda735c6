"""Customers who keep writing, and what must hold of every message they wrote."""

import asyncio
import os
import random
from collections import defaultdict
from typing import Any

from graph.state import REFERENCE_CHARACTERS
from tests.chaos.town import NUMBER, Town

# How long the suite hurts: more of each finds rarer things, and takes its time.
KILLS = int(os.environ.get("SARA_CHAOS_KILLS", "4"))
RECIPIENTS = int(os.environ.get("SARA_CHAOS_CAMPAIGN", "200"))

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
