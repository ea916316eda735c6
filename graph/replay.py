"""Past turns, read from their checkpoints and run again on a copy of them.

A turn is run again from where everything about it was known and nothing decided: after load_contact, before
triage. What was heard, who wrote and what stood in the thread are as they were; search, prompt, model and
thresholds are today's. The copy lives in memory, so that the thread itself never learns of it.
"""

from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from itertools import takewhile
from typing import Any, cast

from langchain_core.runnables import RunnableConfig
from langgraph.checkpoint.base import BaseCheckpointSaver
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.types import StateSnapshot

from graph.build import Machine, build
from graph.context import Context, MediaUnusable
from graph.history import newest_first
from graph.run import go_on
from graph.state import State, text_of

_DECIDES, _PAUSE = "triage", "await_human"
_BEFORE_DECIDING = ("transcribe", "load_contact")


class CheckpointGone(Exception):
    """No turn of the thread has that checkpoint: it was removed, or belongs to another thread."""


@dataclass(frozen=True)
class Told:
    """What a turn came to. `handoff` is the reason it left for a human, None where it did not."""

    reply: str
    intent: str | None
    outcome: str | None
    handoff: str | None
    label: str | None
    model: str | None

    def differs(self, other: "Told") -> tuple[str, ...]:
        """The names of what the customer or a colleague would notice: hand-over, intent, outcome, reply."""
        noticed = ("handoff", "label", "intent", "outcome", "reply")
        mine, theirs = asdict(self), asdict(other)
        return tuple(name for name in noticed if mine[name] != theirs[name])


@dataclass(frozen=True)
class PastTurn:
    """A turn that is over: what was said in it and what it came to. `checkpoint_id` is where it is run again
    from, `at` when that was."""

    thread_id: str
    turn_id: str
    business_id: int
    conversation_id: int
    checkpoint_id: str
    at: datetime
    text: str
    told: Told
    checkpoints: tuple[str, ...] = ()


async def past_turns(machine: Machine, thread_id: str) -> list[PastTurn]:
    """The turns of a thread in which the assistant had to decide something, oldest first.

    Messages that only joined a paused thread are no such turns, nor is one that is still going on.
    """
    snapshots = [snapshot async for snapshot in newest_first(machine, thread_id)]
    grouped: dict[str, list[StateSnapshot]] = {}
    for snapshot in reversed(snapshots):
        turn_id = snapshot.values.get("event", {}).get("turn_id")
        if turn_id:
            grouped.setdefault(turn_id, []).append(snapshot)
    found = (_past(thread_id, turn_id, turn) for turn_id, turn in grouped.items())
    return [turn for turn in found if turn is not None]


def _past(thread_id: str, turn_id: str, turn: list[StateSnapshot]) -> PastTurn | None:
    start = next((at for at, snapshot in enumerate(turn) if _DECIDES in snapshot.next), None)
    if start is None:
        return None
    # What joined the thread after the turn (an agent's words, say) is no part of it.
    end = next((s for s in turn[start:] if not s.next or _PAUSE in s.next), None)
    if end is None:
        return None
    first, event = turn[start], turn[start].values["event"]
    return PastTurn(
        thread_id=thread_id,
        turn_id=turn_id,
        business_id=event["business_id"],
        conversation_id=event["conversation_id"],
        checkpoint_id=_id(first),
        at=datetime.fromisoformat(str(first.created_at)),
        text=text_of(event),
        told=told(cast(State, end.values)),
        checkpoints=tuple(_id(snapshot) for snapshot in turn),
    )


def _id(snapshot: StateSnapshot) -> str:
    return str((snapshot.config.get("configurable") or {}).get("checkpoint_id", ""))


def told(state: State) -> Told:
    """What a turn's end holds."""
    outcome, proposal, handoff = state.get("outcome", {}), state.get("proposal", {}), state.get("handoff", {})
    away = bool(handoff.get("open"))
    window = state.get("window", [])
    said = list(takewhile(lambda line: line["author"] == "bot", reversed(window)))
    return Told(
        reply="\n".join(line["text"] for line in reversed(said)),
        intent=proposal.get("intent") if away else outcome.get("intent"),
        outcome=None if away else outcome.get("kind"),
        handoff=str(handoff.get("reason")) if away else None,
        label=handoff.get("label") if away else None,
        model=proposal.get("model"),
    )


class _NoMedia:
    """Nothing is fetched from the channel: notes were heard when the turn was first run."""

    async def fetch(self, media_id: str, sha256: str | None, phone_number_id: str) -> bytes:
        """Raises MediaUnusable."""
        raise MediaUnusable(f"{media_id} is not fetched for a replay")


def stubbed(context: Context, clock: Callable[[], datetime], **services: Any) -> Context:
    """The services of a turn that is run again: the time it was, nobody notified, nothing fetched or kept.

    `services` has the record to work on, one in which nothing stays.
    """
    return replace(context, clock=clock, notify=None, media=_NoMedia(), seal=None, **services)


async def again(
    machine: Machine, context: Context, turn: PastTurn, *, epoch: int, at: str | None = None
) -> Told:
    """Runs a turn again on `context`, which must be `stubbed`, from its start or from checkpoint `at`.

    `epoch` is the conversation's today: whoever has taken it since, the turn is judged as its owner's.
    Raises CheckpointGone, and what nodes raise.
    """
    saver = cast(BaseCheckpointSaver[str], machine.checkpointer)
    kept = await saver.aget_tuple(_config(turn, at or turn.checkpoint_id))
    start = await saver.aget_tuple(_config(turn, turn.checkpoint_id))
    if kept is None or start is None:
        raise CheckpointGone(CheckpointGone.__doc__)
    values = dict(kept.checkpoint["channel_values"])
    event = {**values["event"], "epoch": epoch}
    if any(f"branch:to:{name}" in values for name in _BEFORE_DECIDING):
        # The sound may be gone; its words are not.
        event["messages"] = start.checkpoint["channel_values"]["event"]["messages"]
    checkpoint = {**kept.checkpoint, "channel_values": {**values, "event": event}}
    memory = InMemorySaver(serde=saver.serde)
    versions = kept.checkpoint["channel_versions"]
    empty = cast(RunnableConfig, {"configurable": {"thread_id": turn.thread_id, "checkpoint_ns": ""}})
    await memory.aput(empty, cast(Any, checkpoint), kept.metadata, versions)
    return told(await go_on(build(memory), context, turn.thread_id))


def _config(turn: PastTurn, checkpoint_id: str) -> RunnableConfig:
    return {
        "configurable": {"thread_id": turn.thread_id, "checkpoint_ns": "", "checkpoint_id": checkpoint_id}
    }
