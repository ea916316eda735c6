"""What is done to the customer of the steps test, by workers, agents, timers and the clock."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

from crm import conversations, desk, outbox, queue
from crm.errors import BotSpeaks, ContactBusy, HandoffClosed, HeldByColleague, WindowOver
from crm.messages import NewMessage
from crm.privacy import erasure
from jobs.attend import attend_once
from jobs.drain import drain
from jobs.send import send
from jobs.services import KEY
from tests.chaos.steps.commits import Job, Life, begin
from tests.chaos.steps.customer import Customer
from tests.chaos.steps.invariants import Invariants
from tests.chaos.steps.stage import Stage

LATE = 40  # rounds of work after which what is still open is lost


@dataclass
class Doing:
    """One customer's play. `jobs` are those of frozen workers."""

    stage: Stage
    customer: Customer
    rules: Invariants
    jobs: list[Job] = field(default_factory=list)
    unasked: int = 0

    async def works(self, job: Callable[..., Awaitable[None]], life: Life, *, dies: bool = False) -> None:
        """A worker takes up the latest conversation, though another one may be at it already."""
        known = await self.customer.conversations()
        if not known:
            return
        begun = await begin(
            job,
            life,
            SimpleNamespace(additional_context={KEY: self.stage.services}),
            business_id=self.stage.shop.business_id,
            conversation_id=known[-1]["conversation_id"],
        )
        if begun.frozen and dies:
            await begun.die()
        elif begun.frozen:
            self.jobs.append(begun)

    async def goes_on(self, job: Job, further: int | None) -> None:
        await job.go_on(further)
        if job.frozen:
            self.jobs.append(job)

    async def acts(self, act: Callable[..., Awaitable[object]], *, handed: bool = False) -> None:
        """An agent's act on the open conversation, refused as the desk refuses."""
        found = await self.customer.open_one()
        if found is None:
            return
        if handed and not found["handed"]:
            await self.works(drain, Life())
            return
        shop, conversation_id = self.stage.shop, found["conversation_id"]
        with contextlib.suppress(HeldByColleague, HandoffClosed, BotSpeaks, WindowOver):
            async with shop.crm.transaction(shop.business_id) as tx:
                handoff_id = await self._handoff(conversation_id)
                await act(tx, conversation_id, handoff_id)

    async def _handoff(self, conversation_id: int) -> int | None:
        rows = await self.customer.rows(
            "SELECT handoff_id FROM handoff WHERE conversation_id = %s AND status IN ('open', 'claimed')",
            conversation_id,
        )
        return rows[0]["handoff_id"] if rows else None

    async def answers(self, agent: int, attempt: str, times: int) -> None:
        for _ in range(times):  # a second press of the button
            await self.acts(
                lambda tx, _, h: desk.answer(tx, h, agent, [f"Sono una persona, {attempt}"], attempt=attempt),
                handed=True,
            )

    async def ages(self, minutes: int) -> None:
        """Timers look at what has waited. What is on its way does not take a day to arrive."""
        if minutes >= 60 * 24:
            self.rules.days += 1
            await self._all_die()
        if minutes * 60 >= self.stage.services.patience.unknown_hold_s:
            for row in await self.customer.outbox():
                if row["state"] in ("sending", "unknown"):
                    self.rules.undecided.add(row["outbox_id"])
        await self.customer.ages(minutes)
        await attend_once(self.stage.shop.services)

    async def _all_die(self) -> None:
        while self.jobs:
            await self.jobs.pop().die()

    async def reminds(self) -> None:
        """SARA speaks first, as for an appointment."""
        found = await self.customer.open_one()
        if found is None:
            return
        self.unasked += 1
        shop, conversation_id = self.stage.shop, found["conversation_id"]
        async with shop.crm.transaction(shop.business_id) as tx:
            conversation = await conversations.lock(tx, conversation_id)
            message = NewMessage(
                conversation_id=conversation_id,
                contact_id=conversation.contact_id,
                author="bot",
                kind="text",
                body="A domani!",
                sent_at=tx.now,
            )
            turn_id = f"reminder:{conversation_id}:{self.unasked}"
            await outbox.add(
                tx, [message], turn_id=turn_id, epoch=conversation.epoch, answers=None, purpose="reminder"
            )
            await queue.send(tx, conversation_id)

    async def erases(self, proven: bool) -> None:
        rows = await self.customer.rows(
            "SELECT contact_id FROM contact WHERE wa_id = %s", self.customer.wa_id
        )
        if not rows:
            return
        shop = self.stage.shop
        try:
            report = await erasure.erase(
                shop.crm,
                shop.business_id,
                rows[0]["contact_id"],
                close=True,
                invoices="anonymise",
                prove=proven,
            )
        except ContactBusy:
            assert self.jobs, "nobody is at work, and yet the customer is busy"
            return
        assert not proven or report.clean, report.proof
        self.rules.forget()

    async def _somebody_else(self) -> None:
        """A later message of the number is delivered and told: what has no status by then was never sent."""
        self.stage.others += 1
        shop = self.stage.shop
        other = Customer(shop, self.stage.owner, f"39378{self.stage.others:07d}")
        conversation_id = await shop.open_conversation(other.wa_id)
        await shop.bot_says(conversation_id, "altro")
        job: Any = SimpleNamespace(additional_context={KEY: self.stage.services})
        await send(job, business_id=shop.business_id, conversation_id=conversation_id)
        for message in other.phone():
            await other.told(message, "delivered")

    async def _left(self) -> list[str]:
        rows = await self.customer.rows(
            "SELECT 'event' AS what FROM inbox_event e JOIN conversation USING (conversation_id)"
            " JOIN contact USING (contact_id) WHERE wa_id = %s AND e.done_at IS NULL"
            " UNION ALL SELECT o.state FROM outbox o JOIN conversation USING (conversation_id)"
            " JOIN contact USING (contact_id)"
            " WHERE wa_id = %s AND o.state IN ('queued', 'sending', 'unknown')",
            self.customer.wa_id,
            self.customer.wa_id,
        )
        return [row["what"] for row in rows]

    async def end(self) -> None:
        faults = self.stage.shop.simulator.faults
        while self.jobs:
            await self.goes_on(self.jobs.pop(0), None)
        for told in (faults._script_of, faults._refusals_of):
            told.pop(self.customer.wa_id, None)
        for _ in range(LATE):
            for one in await self.customer.conversations():
                for job in (drain, send):
                    await job(  # type: ignore[operator]
                        SimpleNamespace(additional_context={KEY: self.stage.services}),
                        business_id=self.stage.shop.business_id,
                        conversation_id=one["conversation_id"],
                    )
            for message in self.customer.phone()[self.rules.before_erasure :]:
                await self.customer.told(message, "delivered")
            left = await self._left()
            if not left:
                break
            if "unknown" in left:
                await self._somebody_else()
            await self.customer.ages(1)
            await asyncio.sleep(0.03)
        assert await self._left() == []
        await self.rules.hold()
        await self.rules.nothing_is_lost(self.stage.services.machine)
        if self.rules.handed:
            await self.acts(lambda tx, _, h: desk.resolve(tx, h, None, note="", by_force=True), handed=True)
