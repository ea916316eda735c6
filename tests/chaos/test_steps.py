"""A customer, agents, Meta, timers, a worker that stops at any commit: random steps, always the same rules.

A machine of hypothesis draws the steps; a failure prints them as a program. The normal run takes about 300,
`SARA_CHAOS_STEPS=10000 pytest tests/chaos/test_steps.py` takes ten thousand.
"""

import os
from collections.abc import Coroutine, Iterator
from pathlib import Path
from typing import Any, ClassVar

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)

from crm import desk, takeover
from crm.privacy import erasure
from jobs.drain import drain
from jobs.send import send
from tests.chaos.steps.commits import Life
from tests.chaos.steps.customer import Customer
from tests.chaos.steps.doing import Doing
from tests.chaos.steps.invariants import Invariants
from tests.chaos.steps.stage import Stage, set_up

STEPS = int(os.environ.get("SARA_CHAOS_STEPS", "300"))
EACH = 25

pytestmark = [pytest.mark.chaos, pytest.mark.timeout(600 + STEPS)]

ASKED = ("Dove siete?", "A che ora aprite domani?", "Grazie", "Vorrei prenotare un massaggio domani")
TEXTS = st.lists(st.sampled_from((*ASKED, *ASKED, "Vorrei parlare con una persona")), min_size=1, max_size=3)
STOP, START = "STOP", "START"


class Steps(RuleBasedStateMachine):
    """One customer, from the first word to the last."""

    stage: ClassVar[Stage]

    def __init__(self) -> None:
        super().__init__()
        self.stage.people += 1
        self.customer = Customer(self.stage.shop, self.stage.owner, f"39377{self.stage.people:07d}")
        self.rules = Invariants(self.customer, self.stage.run(self.stage.claims()))
        self.play = Doing(self.stage, self.customer, self.rules)

    # What the customer does

    @initialize(texts=TEXTS)
    def customer_comes(self, texts: list[str]) -> None:
        self._do(self.customer.writes(*texts))

    @rule(texts=TEXTS)
    def customer_writes(self, texts: list[str]) -> None:
        self._do(self.customer.writes(*texts))
        self.rules.erased = False

    @rule(leaves=st.booleans())
    def customer_opts(self, leaves: bool) -> None:
        self._do(self.customer.writes(STOP if leaves else START))
        self.rules.out, self.rules.erased = leaves, False

    # What Meta does

    @rule(number=st.integers(0, 9))
    def webhook_comes_again(self, number: int) -> None:
        self._do(self.customer.writes_again(number))

    @rule(number=st.integers(0, 9), status=st.sampled_from(("sent", "delivered", "read")))
    def status_comes(self, number: int, status: str) -> None:
        phone = self.customer.phone()
        if not phone:
            self.all_is_done()
        else:
            self._do(self._tells(phone[: len(phone) - number % len(phone)], status))

    @rule(fault=st.sampled_from(("p500", "p429", "p_reset", "p_lost_answer", "refused")))
    def next_send_meets(self, fault: Any) -> None:
        faults = self.stage.shop.simulator.faults
        if fault == "refused":
            self.rules.refusals += 1
            faults.refuses(self.customer.wa_id, 131026)
        else:
            faults.meets(self.customer.wa_id, fault)

    # What the worker does

    @rule(stops_at=st.integers(0, 24), before=st.booleans(), dies=st.booleans())
    def turn_stops_at_a_commit(self, stops_at: int, before: bool, dies: bool) -> None:
        self._do(self.play.works(drain, Life(stops_at, before), dies=dies or before))

    @rule(stops_at=st.integers(0, 5), before=st.booleans(), dies=st.booleans())
    def delivery_stops_at_a_commit(self, stops_at: int, before: bool, dies: bool) -> None:
        self._do(self.play.works(send, Life(stops_at, before), dies=dies or before))

    @rule()
    def turn_runs(self) -> None:
        self._do(self.play.works(drain, Life()))

    @rule()
    def delivery_runs(self) -> None:
        self._do(self.play.works(send, Life()))

    @rule()
    def all_is_done(self) -> None:
        self._do(self.play.works(drain, Life()))
        self._do(self.play.works(send, Life()))

    @rule(further=st.integers(1, 12) | st.none())
    def frozen_worker_goes_on(self, further: int | None) -> None:
        if not self.play.jobs:
            self.all_is_done()
        else:
            self._do(self.play.goes_on(self.play.jobs.pop(0), further))

    @rule()
    def frozen_worker_dies(self) -> None:
        if not self.play.jobs:
            self.all_is_done()
        else:
            self._do(self.play.jobs.pop(0).die())

    # What agents do

    # Where there is nothing to do of a kind, something else is done: the machine must draw the same steps
    # again whatever came of them.

    @rule(agent=st.integers(0, 1))
    def agent_takes(self, agent: int) -> None:
        self._do(self.play.acts(lambda tx, c, _: takeover.take(tx, c, self.stage.agents[agent])))

    @rule(agent=st.integers(0, 1), twice=st.booleans())
    def agent_answers(self, agent: int, twice: bool) -> None:
        self._do(self.play.answers(self.stage.agents[agent], f"{self.stage.steps}", 1 + twice))

    @rule(agent=st.integers(0, 1))
    def agent_gives_back(self, agent: int) -> None:
        who = self.stage.agents[agent]
        self._do(self.play.acts(lambda tx, _, h: desk.hand_back(tx, h, who, note="fatto"), handed=True))

    @rule(agent=st.integers(0, 1))
    def agent_resolves(self, agent: int) -> None:
        who = self.stage.agents[agent]
        self._do(self.play.acts(lambda tx, _, h: desk.resolve(tx, h, who, note="fatto"), handed=True))

    # What time does

    @rule(minutes=st.sampled_from((1, 31, 61, 25 * 60)))
    def time_passes(self, minutes: int) -> None:
        self._do(self.play.ages(minutes))

    @rule()
    def reminder_is_due(self) -> None:
        self._do(self.play.reminds())

    @rule(proven=st.sampled_from((True, False, False, False)))
    def customer_is_erased(self, proven: bool) -> None:
        self._do(self.play.erases(proven))

    # What comes of it

    @invariant()
    def all_holds(self) -> None:
        self.stage.run(self.rules.hold())

    def teardown(self) -> None:
        self.stage.run(self.play.end())

    async def _tells(self, phone: list[Any], status: str) -> None:
        """A status of the last of these messages; Meta does not keep quiet about earlier ones for long."""
        await self.customer.told(phone[-1], status)
        for earlier in phone[self.rules.before_erasure : -1]:
            await self.customer.told(earlier, "sent")

    def _do(self, work: Coroutine[Any, Any, Any]) -> None:
        self.stage.steps += 1
        self.stage.run(work)


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    with set_up(tmp_path) as opened:
        yield opened


def test_random_steps(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(erasure, "_PATIENCE_S", 0.0)
    Steps.stage = stage
    run_state_machine_as_test(
        Steps,
        settings=settings(
            max_examples=max(1, STEPS // EACH),
            stateful_step_count=EACH,
            deadline=None,
            derandomize=True,
            database=None,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        ),
    )
    sent = len(stage.shop.simulator.world.all_sent())
    print(f"\n{stage.steps} steps, {stage.people} customers, {sent} messages to them")
    assert stage.steps >= STEPS // 2
