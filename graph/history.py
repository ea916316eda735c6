"""A thread's past, read from its checkpoints: why something was said, and what a pause did to the state."""

from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, cast

from langchain_core.runnables import RunnableConfig
from langgraph.types import StateSnapshot

from graph.build import Machine
from graph.run import thread_config
from graph.state import State

_MOST_CHECKPOINTS = 2000  # of one thread: more than the turns have that are kept of it
_AT_ONCE = 200  # a saver holds in memory all that it is asked for
_PAUSE = "await_human"


@dataclass(frozen=True)
class Explained:
    """One turn as its checkpoints tell it. `node_ms` are milliseconds, checkpoint writes included."""

    checkpoint_id: str
    turn_id: str
    node_ms: dict[str, float] = field(default_factory=dict)
    values: State = field(default_factory=State)


@dataclass(frozen=True)
class Moment:
    """The state of a thread at one checkpoint."""

    name: str  # before, during, after
    checkpoint_id: str
    at: str
    waits_at: tuple[str, ...]
    values: State


async def explained(machine: Machine, thread_id: str, turn_id: str) -> Explained | None:
    """How a turn came to what it said; None when its checkpoints are gone."""
    turn: list[StateSnapshot] = []
    after: StateSnapshot | None = None
    times: dict[str, float] = {}
    async with aclosing(newest_first(machine, thread_id)) as snapshots:
        async for snapshot in snapshots:
            if snapshot.values.get("event", {}).get("turn_id") == turn_id:
                turn.append(snapshot)
                _add_time(times, snapshot, after)
            elif turn:
                break
            after = snapshot
    if not turn:
        return None
    last = turn[0]
    checkpoint = str((last.config.get("configurable") or {}).get("checkpoint_id", ""))
    return Explained(checkpoint, turn_id, dict(reversed(times.items())), cast(State, last.values))


def _add_time(times: dict[str, float], snapshot: StateSnapshot, after: StateSnapshot | None) -> None:
    if after is None or not snapshot.next or snapshot.next[0] in ("__start__", _PAUSE):
        return
    if snapshot.created_at and after.created_at:
        began, ended = datetime.fromisoformat(snapshot.created_at), datetime.fromisoformat(after.created_at)
        name = snapshot.next[0]
        times[name] = round(times.get(name, 0.0) + (ended - began).total_seconds() * 1000, 2)


async def newest_first(machine: Machine, thread_id: str) -> AsyncGenerator[StateSnapshot, None]:
    """A thread's checkpoints, read a part at a time for as long as somebody asks for more."""
    config = thread_config(thread_id)
    before: RunnableConfig | None = None
    for _ in range(_MOST_CHECKPOINTS // _AT_ONCE):
        read = 0
        async for snapshot in machine.aget_state_history(config, before=before, limit=_AT_ONCE):
            yield snapshot
            before, read = snapshot.config, read + 1
        if read < _AT_ONCE:
            return


async def around_pause(machine: Machine, thread_id: str, handoff_id: int) -> list[Moment]:
    """The thread right before the pause of a hand-over, in it, and now; fewer where it was not paused for it,
    where its checkpoints are gone, or where it waits for it still."""
    now: StateSnapshot | None = None
    pause: StateSnapshot | None = None
    opened: StateSnapshot | None = None
    async with aclosing(newest_first(machine, thread_id)) as snapshots:
        # The pause is the run of checkpoints that wait for this hand-over; what comes later here was earlier.
        async for one in snapshots:
            now = now or one
            ours = _PAUSE in one.next and _handoff_of(one) == handoff_id
            if pause is None:
                pause = one if ours else None
            elif "open_handoff" in one.next:
                opened = one
                break
            elif _PAUSE in one.next and not ours:
                break
    found = [("before", opened), ("during", pause), ("after", None if now is pause else now)]
    return [_moment(name, snapshot) for name, snapshot in found if snapshot is not None]


def _handoff_of(snapshot: StateSnapshot) -> Any:
    return (snapshot.values.get("handoff") or {}).get("handoff_id")


def _moment(name: str, snapshot: StateSnapshot) -> Moment:
    configurable: Mapping[str, Any] = snapshot.config.get("configurable") or {}
    return Moment(
        name,
        str(configurable.get("checkpoint_id", "")),
        snapshot.created_at or "",
        tuple(snapshot.next),
        cast(State, snapshot.values),
    )
