"""A thread's past, newest first: which pause was a hand-over's, however much has happened since."""

from collections.abc import AsyncIterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from langgraph.types import StateSnapshot

from graph.history import around_pause, explained

THREAD = "1:7"
BEGAN = datetime(2026, 11, 1, 9, tzinfo=UTC)


class Kept:
    """A machine whose thread has these checkpoints, oldest first, and hands out some at a time."""

    def __init__(self, *checkpoints: tuple[str, Mapping[str, Any]]) -> None:
        self.asked = 0
        self._snapshots = [_snapshot(number, *one) for number, one in enumerate(checkpoints)]

    async def aget_state_history(
        self, config: Any, *, before: Any = None, limit: int
    ) -> AsyncIterator[StateSnapshot]:
        assert config["configurable"]["thread_id"] == THREAD
        self.asked += limit
        end = int(before["configurable"]["checkpoint_id"]) if before else len(self._snapshots)
        for snapshot in reversed(self._snapshots[max(0, end - limit) : end]):
            yield snapshot


def _snapshot(number: int, next_: str, values: Mapping[str, Any]) -> StateSnapshot:
    config: Any = {"configurable": {"thread_id": THREAD, "checkpoint_id": str(number)}}
    waiting = (next_,) if next_ else ()
    at = BEGAN + timedelta(seconds=number)
    return StateSnapshot(dict(values), waiting, config, None, at.isoformat(), None, (), ())


def paused(handoff_id: int) -> list[tuple[str, Mapping[str, Any]]]:
    """The checkpoints of a turn that ends in a hand-over, of a message that joins it, and of a hand-back."""
    handed = {"handoff": {"open": True, "handoff_id": handoff_id}}
    return [
        ("open_handoff", {"handoff": {"reason": f"for {handoff_id}"}}),
        ("await_human", handed),
        ("transcribe", handed),
        ("await_human", handed),
        ("", {"handoff": {"open": False}}),
    ]


async def moments(machine: Any, handoff_id: int) -> list[tuple[str, str]]:
    return [(one.name, one.checkpoint_id) for one in await around_pause(machine, THREAD, handoff_id)]


async def test_every_hand_over_has_the_moments_of_its_own_pause() -> None:
    machine = Kept(*paused(1), *paused(2), *paused(3)[:4])
    assert await moments(machine, 1) == [("before", "0"), ("during", "3"), ("after", "13")]
    assert await moments(machine, 2) == [("before", "5"), ("during", "8"), ("after", "13")]
    assert await moments(machine, 3) == [("before", "10"), ("during", "13")]
    assert await moments(machine, 4) == [("after", "13")], "it was never paused for that one"
    assert await moments(Kept(), 1) == []


async def test_what_is_gone_of_a_pause_is_not_taken_from_another() -> None:
    assert await moments(Kept(*paused(1), *paused(2)[1:]), 2) == [("during", "7"), ("after", "8")]


async def test_a_pause_is_found_however_much_was_said_since() -> None:
    later = [("triage", {"event": {"turn_id": f"7:{number // 12}"}}) for number in range(900)]
    machine: Any = Kept(*paused(1), *later)
    assert await moments(machine, 1) == [("before", "0"), ("during", "3"), ("after", "904")]
    machine.asked = 0
    found = await explained(machine, THREAD, "7:74")
    assert found is not None
    assert machine.asked <= 200, "what came before a turn is not read for it"
    assert await explained(machine, THREAD, "7:0") is not None
