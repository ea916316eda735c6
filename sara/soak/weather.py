"""What goes wrong while customers write: faults of Meta that come and go, and the plan's breakages."""

import asyncio
import time
from collections import Counter

from channels.simulator.faults import Fault, FaultPlan
from channels.simulator.settings import Faults, SimulatorSettings
from channels.simulator.simulator import Simulator
from sara.soak.plan import Plan
from sara.soak.processes import Installation

CALM = Faults(latency_s=0.05)
STORMY = Faults(
    latency_s=0.12,
    p500=0.03,
    p429=0.03,
    p_reset=0.01,
    p_lost_answer=0.02,
    p_timeout=0.002,
    timeout_s=35.0,  # longer than the client waits
    p_duplicate=0.15,
    p_media=0.1,
    p_disorder=0.15,
    late_status_s=0.5,
)
"""Shares of sends, and of webhooks that come twice; statuses late and in the wrong order."""
BATCH_S = 0.15
"""What happens within so long comes in one webhook."""
_PHASE_S = 45.0
_STORMS = (STORMY, STORMY, CALM)


class CountedFaults(FaultPlan):
    """The faults, counted as they are drawn."""

    def __init__(self, faults: Faults) -> None:
        super().__init__(faults)
        self.met: Counter[Fault] = Counter()

    def draw(self, wa_id: str | None = None) -> Fault | None:
        """What the next send meets."""
        fault = super().draw(wa_id)
        if fault is not None:
            self.met[fault] += 1
        return fault


def simulator_of(settings: SimulatorSettings, seed: int) -> tuple[Simulator, CountedFaults]:
    """A simulator that batches webhooks, repeats what was not answered, and counts its faults."""
    faults = STORMY.model_copy(update={"seed": seed})
    simulator = Simulator(settings.model_copy(update={"batch_window_s": BATCH_S, "faults": faults}))
    simulator.faults = counted = CountedFaults(faults)
    return simulator, counted


async def storms(simulator: Simulator) -> None:
    """Weather that changes; until cancelled, whereupon it clears up."""
    try:
        while True:
            for faults in _STORMS:
                _set(simulator, faults)
                await asyncio.sleep(_PHASE_S)
    finally:
        _set(simulator, CALM)


def _set(simulator: Simulator, faults: Faults) -> None:
    simulator.faults.now = faults
    simulator.courier.p_duplicate = faults.p_duplicate


async def breakages(installation: Installation, plan: Plan, began: float) -> None:
    """Everything the plan breaks, each when it is due and once all works again; where that takes long, not
    all of it fits into the run."""
    for due in plan.breakages():
        await asyncio.sleep(max(0.0, began + due.at_s - time.monotonic()))
        if time.monotonic() - began > plan.seconds:
            return
        await installation.suffer(due.what, began)
        await installation.ready()
