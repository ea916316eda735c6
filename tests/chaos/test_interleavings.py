"""A customer, two agents and a worker that dies, in any order: nothing is lost or said twice, or by two.

Each interleaving is a seed: what happens, when, and where the worker is killed follow from it. The normal run
takes a dozen; `INTERLEAVINGS=500 pytest tests/chaos/test_interleavings.py` takes five hundred.
"""

import asyncio
import contextlib
import os
import random
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import pytest
import pytest_asyncio

from crm import businesses, conversations, desk, handoffs, takeover
from crm.errors import BotSpeaks, HandoffClosed, HeldByColleague
from db.tenancy import tenant
from graph.run import remembered
from graph.state import KEPT
from jobs.drain import drain
from jobs.send import send
from jobs.services import KEY
from tests.chaos.town import NUMBER
from tests.jobs.shop import Shop
from tests.jobs.test_send import status_comes

INTERLEAVINGS = int(os.environ.get("INTERLEAVINGS", "12"))
FIRST_SEED = int(os.environ.get("FIRST_SEED", "1"))
AT_ONCE = 15
STEPS = 22
LATE = 60  # rounds of work after which what is still open is lost

pytestmark = [pytest.mark.chaos, pytest.mark.timeout(600 + 10 * INTERLEAVINGS)]

# What is sent, and by whose right: judged where a row is claimed, with the conversation's row locked.
WATCH = """
CREATE TABLE watched
    (outbox_id bigint, author text, epoch int, epoch_now int, owner text, of_handoff boolean);
CREATE FUNCTION watch() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO watched SELECT NEW.outbox_id, m.author, NEW.epoch, c.epoch, c.owner,
        EXISTS (SELECT FROM handoff h WHERE h.turn_id = NEW.turn_id)
    FROM conversation c, message m
    WHERE c.conversation_id = NEW.conversation_id AND m.message_id = NEW.message_id;
    RETURN NULL;
END $$;
GRANT INSERT ON watched TO sara_app;
CREATE TRIGGER watch AFTER UPDATE OF state ON outbox FOR EACH ROW WHEN (NEW.state = 'sending')
    EXECUTE FUNCTION watch();
"""
ASKED = ("Dove siete?", "A che ora aprite domani?", "Quanto costa un massaggio rilassante?", "Grazie")
PERSON = "Vorrei parlare con una persona"


@pytest_asyncio.fixture(scope="module", loop_scope="session", autouse=True)
async def _watched(stage: Shop) -> AsyncIterator[None]:
    await stage.rows(WATCH)
    yield
    await stage.rows("DROP TRIGGER watch ON outbox; DROP FUNCTION watch; DROP TABLE watched")


@dataclass
class Play:
    """One conversation and what is done to it."""

    shop: Shop
    seed: int
    agents: list[int]
    dice: random.Random = field(init=False)
    wa_id: str = field(init=False)
    conversation_id: int = field(init=False)
    working: list[asyncio.Task[None]] = field(default_factory=list)
    log: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.dice = random.Random(self.seed)
        self.wa_id = f"39377{self.seed:07d}"

    async def begin(self) -> None:
        self.conversation_id = await self.shop.open_conversation(self.wa_id)

    async def act(self) -> None:
        """All steps of the play."""
        acts: list[tuple[int, Callable[[], Awaitable[None]]]] = [
            (5, self.customer_writes),
            (5, self.turn_begins),
            (4, self.turn_ends),
            (4, self.delivery_begins),
            (2, self.worker_dies),
            (4, self.agent_takes),
            (3, self.agent_answers),
            (5, self.agent_gives_back),
        ]
        for _ in range(STEPS):
            [act] = self.dice.choices([one for _, one in acts], [weight for weight, _ in acts])
            self.log.append(act.__name__)
            await act()
            await asyncio.sleep(self.dice.choice((0, 0, 0.001, 0.004, 0.015, 0.05, 0.12)))

    async def customer_writes(self) -> None:
        text = PERSON if self.dice.random() < 0.25 else self.dice.choice(ASKED)
        await self.shop.customer_writes(self.conversation_id, text)

    async def turn_begins(self) -> None:
        self._work(drain)

    async def turn_ends(self) -> None:
        """One is run to its end, and what it says is not sent yet."""
        self._work(drain)
        await self._gone()

    async def delivery_begins(self) -> None:
        self._work(send)

    async def worker_dies(self) -> None:
        """In the middle of whatever it does: its transaction is rolled back, nobody tidies up."""
        for task in self.working:
            task.cancel()
        await self._gone()

    async def agent_takes(self) -> None:
        agent = self.dice.choice(self.agents)
        with contextlib.suppress(HeldByColleague):
            async with self.shop.crm.transaction(self.shop.business_id) as tx:
                await takeover.take(tx, self.conversation_id, agent)

    async def agent_answers(self) -> None:
        agent, attempt = self.dice.choice(self.agents), str(self.dice.randrange(10**9))
        for _ in range(self.dice.choice((1, 1, 2))):  # a second press of the button
            with contextlib.suppress(HeldByColleague, HandoffClosed, BotSpeaks):
                await self._answered(agent, attempt)

    async def _answered(self, agent: int, attempt: str) -> None:
        async with self.shop.crm.transaction(self.shop.business_id) as tx:
            handoff_id = await handoffs.open_of(tx, self.conversation_id)
            if handoff_id is not None:
                await desk.answer(tx, handoff_id, agent, [f"Sono una persona, {attempt}"], attempt=attempt)

    async def agent_gives_back(self) -> None:
        with contextlib.suppress(HeldByColleague, HandoffClosed):
            async with self.shop.crm.transaction(self.shop.business_id) as tx:
                handoff_id = await handoffs.open_of(tx, self.conversation_id)
                if handoff_id is not None:
                    await desk.hand_back(tx, handoff_id, self.dice.choice(self.agents), note="fatto")

    def _work(self, job: Callable[..., Awaitable[None]]) -> None:
        """A worker takes the job up; another one may be at it already."""
        self.working.append(asyncio.ensure_future(self._job(job)))

    async def _job(self, job: Callable[..., Awaitable[None]]) -> None:
        context: Any = SimpleNamespace(additional_context={KEY: self.shop.services})
        await job(context, business_id=self.shop.business_id, conversation_id=self.conversation_id)

    async def _gone(self) -> None:
        await asyncio.gather(*self.working, return_exceptions=True)
        self.working.clear()

    async def end(self) -> None:
        """Workers are well again: everything is taken in and sent, or it is lost."""
        await self._gone()
        for _ in range(LATE):
            await self._job(drain)
            await self._job(send)
            if not await self.left():
                return
            await asyncio.sleep(0.1)

    async def left(self) -> list[str]:
        """What still waits."""
        rows = await self.shop.rows(
            "SELECT 'event' AS what FROM inbox_event WHERE conversation_id = %s AND done_at IS NULL"
            " UNION ALL SELECT state FROM outbox WHERE conversation_id = %s"
            " AND state IN ('queued', 'sending', 'unknown')",
            self.conversation_id,
            self.conversation_id,
        )
        return [row["what"] for row in rows]

    async def statuses_come(self) -> None:
        """What reached the customer is told, as the channel does; a crash may have hidden it from us."""
        for message in self.shop.simulator.sent_to(self.wa_id, NUMBER):
            await status_comes(self.shop, message)

    async def check(self) -> None:
        """The invariants."""
        told = f"seed {self.seed}: {' '.join(self.log)}"
        assert await self.left() == [], told
        rows = await self.shop.outbox_of(self.conversation_id)
        sent = self.shop.simulator.sent_to(self.wa_id, NUMBER)
        heard = [int((message.callback_data or "").split("|")[0]) for message in sent]
        assert len(heard) == len(set(heard)), f"said twice, {told}"
        assert heard == sorted(heard), f"out of order, {told}"
        accepted = [row["outbox_id"] for row in rows if row["state"] == "accepted"]
        assert heard == accepted, f"{[row['state'] for row in rows]}, {told}"
        await self._check_voices(told)
        await self._check_thread(told)

    async def _check_voices(self, told: str) -> None:
        claimed = await self.shop.rows(
            "SELECT w.* FROM watched w JOIN outbox o USING (outbox_id) WHERE o.conversation_id = %s",
            self.conversation_id,
        )
        for row in claimed:
            if row["author"] == "bot":
                assert row["epoch"] == row["epoch_now"], f"the bot spoke out of turn, {told}"
                assert row["owner"] == "bot" or row["of_handoff"], f"the bot spoke over a human, {told}"
        lost = await self.shop.rows(
            "SELECT o.state FROM outbox o JOIN message m USING (message_id)"
            " WHERE o.conversation_id = %s AND m.author = 'agent' AND o.state <> 'accepted'",
            self.conversation_id,
        )
        assert lost == [], f"words of an agent were not sent, {told}"

    async def _check_thread(self, told: str) -> None:
        said = await self.shop.rows(
            "SELECT m.author, m.body FROM inbox_event e JOIN message m USING (message_id)"
            " WHERE e.conversation_id = %s ORDER BY e.event_id",
            self.conversation_id,
        )
        with tenant(self.shop.business_id):
            thread = f"{self.shop.business_id}:{self.conversation_id}"
            state = await remembered(self.shop.services.machine, thread)
        lines = [(one["author"], one["text"]) for one in state.get("window", []) if one["author"] != "bot"]
        wanted = [(row["author"], row["body"]) for row in said]
        most = len(lines) if len(state.get("window", [])) >= KEPT else len(wanted)
        assert lines == wanted[len(wanted) - most :], f"lost or out of order, {told}"


async def test_any_order_of_events(stage: Shop) -> None:
    async with stage.crm.transaction(stage.business_id) as tx:
        agents = [agent.agent_id for agent in await businesses.agents(tx)][:2]
    assert len(agents) == 2
    seeds = list(range(FIRST_SEED, FIRST_SEED + INTERLEAVINGS))
    for batch in (seeds[n : n + AT_ONCE] for n in range(0, len(seeds), AT_ONCE)):
        plays = [Play(stage, seed, agents) for seed in batch]
        await asyncio.gather(*(play.begin() for play in plays))
        await asyncio.gather(*(play.act() for play in plays))
        await asyncio.gather(*(play._gone() for play in plays))
        await asyncio.gather(*(play.statuses_come() for play in plays))
        await asyncio.gather(_somebody_else(stage, batch[0]), *(play.end() for play in plays))
        await asyncio.gather(*(play.statuses_come() for play in plays))
        for play in plays:
            await play.check()


async def _somebody_else(stage: Shop, seed: int) -> None:
    """Later messages go out on the number and are told: what has no status by then was never sent."""
    for number in range(12):
        other = Play(stage, 5_000_000 + seed * 100 + number, [])
        await other.begin()
        await stage.bot_says(other.conversation_id, "altro")
        for _ in range(LATE):
            await other._job(send)
            if not await other.left():
                break
            await asyncio.sleep(0.05)
        await other.statuses_come()
        await asyncio.sleep(0.4)


async def test_a_turn_in_flight_while_an_agent_takes_the_conversation(stage: Shop) -> None:
    """The customer hears exactly one voice, wherever in the turn the agent comes in."""
    async with stage.crm.transaction(stage.business_id) as tx:
        agents = [agent.agent_id for agent in await businesses.agents(tx)][:1]
    for number, pause in enumerate((0, 0.002, 0.005, 0.01, 0.02, 0.03, 0.05, 0.08)):
        play = Play(stage, 9_000_000 + number, agents)
        await play.begin()
        await stage.customer_writes(play.conversation_id, "Quanto costa un massaggio rilassante?")
        await play.turn_begins()
        await asyncio.sleep(pause)
        await play.agent_takes()
        await play.agent_answers()
        await play._gone()
        async with stage.crm.transaction(stage.business_id) as tx:
            assert (await conversations.get(tx, play.conversation_id)).owner == "human"
        await play.end()
        await play.statuses_come()
        await play.check()
        heard = [message.text or "" for message in stage.simulator.sent_to(play.wa_id, NUMBER)]
        assert heard, play.log
        assert all(text.startswith("Sono una persona") for text in heard), heard
