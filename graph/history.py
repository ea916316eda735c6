"""A thread's past, read from its checkpoints: why something was said, and what a pause did to the state."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, cast

from langgraph.types import StateSnapshot

from graph.build import Machine
from graph.run import thread_config
from graph.state import State

_MOST_CHECKPOINTS = 400
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
    async for snapshot in machine.aget_state_history(thread_config(thread_id), limit=_MOST_CHECKPOINTS):
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


async def around_pause(machine: Machine, thread_id: str) -> list[Moment]:
    """The thread right before its last pause, in it, and now; fewer where it was never paused."""
    snapshots = [
        snapshot
        async for snapshot in machine.aget_state_history(thread_config(thread_id), limit=_MOST_CHECKPOINTS)
    ]
    if not snapshots:
        return []
    now, found = snapshots[0], []
    # Newest first: the pause is the run of checkpoints that wait, and what follows it in the list was before.
    pause = next((number for number, one in enumerate(snapshots) if _PAUSE in one.next), None)
    if pause is not None:
        opened = next(
            (number for number in range(pause, len(snapshots)) if "open_handoff" in snapshots[number].next),
            None,
        )
        if opened is not None:
            found.append(_moment("before", snapshots[opened]))
        found.append(_moment("during", snapshots[pause]))
    if _PAUSE not in now.next:
        found.append(_moment("after", now))
    return found


def _moment(name: str, snapshot: StateSnapshot) -> Moment:
    configurable: Mapping[str, Any] = snapshot.config.get("configurable") or {}
    return Moment(
        name,
        str(configurable.get("checkpoint_id", "")),
        snapshot.created_at or "",
        tuple(snapshot.next),
        cast(State, snapshot.values),
    )
