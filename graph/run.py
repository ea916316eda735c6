"""How an event enters the graph. The only place that calls `ainvoke`, and it always passes the Context.

One caller at a time for each thread (jobs/drain holds the conversation): two concurrent runs on one
thread lose a message silently.
"""

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, nullcontext
from datetime import datetime
from typing import Any, cast

from langchain_core.runnables import RunnableConfig
from langgraph.constants import START
from langgraph.types import Command, StateSnapshot

from graph.build import Machine
from graph.context import Context
from graph.state import (
    ABANDONED,
    JOINED,
    Event,
    Line,
    Said,
    State,
    extend,
    given_back,
    left_unanswered,
    spoken_over,
    taken_back,
    together,
    unanswered,
)

RECURSION_LIMIT = 40
# What may run again after a crash for nothing but its time. Before the others a thread is written:
# check_grounding follows what a model was asked for, and a model is not asked twice; and what acts, speaks or
# hands over does so only where the thread is still ours. An input goes with what it makes of the thread, and
# that before anything runs (transcribe comes first): a turn keeps its id, and whoever finishes it knows it.
REPEATABLE = frozenset({START, "load_contact", "triage", "score_sensitivity", "retrieve", "generate"})


def thread_config(thread_id: str) -> RunnableConfig:
    """What names a thread to LangGraph."""
    return {"configurable": {"thread_id": thread_id}, "recursion_limit": RECURSION_LIMIT}


async def finish(
    machine: Machine,
    context: Context,
    thread_id: str,
    *,
    within: Callable[[State], AbstractAsyncContextManager[None]] | None = None,
) -> StateSnapshot:
    """Finishes a turn that a crash interrupted, if there is one; the thread as it is then.

    `within` is entered around it, with what the thread remembered so far.
    """
    config = thread_config(thread_id)
    snapshot = await machine.aget_state(config)
    # A process may die after a node's writes were kept and before their checkpoint was: such a task counts
    # as run, so that `next` is empty, but it still stands in `tasks`, and what follows it has not run.
    if snapshot.tasks and "await_human" not in snapshot.next:
        # Of an input alone (written by an earlier release) the values are those of the turn before.
        known = within if START not in snapshot.next else None
        async with known(cast(State, snapshot.values)) if known else nullcontext():
            await machine.ainvoke(None, config, context=context, durability="sync")
        snapshot = await machine.aget_state(config)
    return snapshot


async def deliver(
    machine: Machine, context: Context, thread_id: str, event: Event, *, after: StateSnapshot | None = None
) -> State:
    """Delivers one event to its thread and returns the state afterwards.

    `after` is the thread as it is now, where the caller has just read it and nobody else can write it.

    New input to a paused thread would drop its interrupt, so a paused one is resumed instead. Events of
    a hand-over that find the thread not paused (the bot was speaking) join it without a turn.
    """
    config = thread_config(thread_id)
    snapshot = after or await machine.aget_state(config)
    if "await_human" in snapshot.next:
        given: Command[Any] | State = Command(resume=event)
    elif event["kind"] == "customer_message":
        given = State(event=event, last_event_id=event["last_event_id"])
    elif event["kind"] == "hand_back" and (due := _still_due(snapshot.values, event)):
        asked = {"event": Event(**{**event, "messages": due}), "last_event_id": event["last_event_id"]}
        given = cast(State, {**asked, **_taken_back(snapshot.values, event)})
    else:
        await _note(machine, config, snapshot.values, event)
        return cast(State, (await machine.aget_state(config)).values)
    values = await machine.ainvoke(given, config, context=context, durability="sync")
    return cast(State, values)


def _still_due(values: Mapping[str, Any], event: Event) -> list[Said]:
    """What nobody has answered when an agent gives back: the messages of a turn in the middle of which the
    agent took over, of one that was given up, and of those whose replies were withheld for it."""
    asked, withheld = (values.get("event") or {}).get("messages", []), unanswered(event)
    due = {said.get("message_id") for said in withheld}
    # As the thread knows them: a voice note with what was heard in it.
    heard = [said for said in asked if said.get("message_id") in due]
    return together(withheld, heard, left_unanswered(values.get("outcome"), asked))


async def go_on(machine: Machine, context: Context, thread_id: str) -> State:
    """Runs a thread on from where its latest checkpoint left it, to its end or to the next pause."""
    await machine.ainvoke(None, thread_config(thread_id), context=context, durability="exit")
    return await remembered(machine, thread_id)


async def _note(machine: Machine, config: RunnableConfig, values: Mapping[str, Any], event: Event) -> None:
    lines: list[Line] = [
        Line(author="agent", text=m.get("text", ""), at=m.get("sent_at", ""))
        for m in event.get("messages", [])
        if event["kind"] == "agent_message"
    ]
    update: dict[str, Any] = {
        "last_event_id": event["last_event_id"],
        "window": extend(list(values.get("window", [])), lines),
    }
    if event["kind"] == "hand_back":
        update |= _taken_back(values, event)
    elif lines:
        update |= {"outcome": {"kind": JOINED}, **spoken_over(event)}  # what was said before has its answer
    await machine.aupdate_state(config, update, as_node="reply")


def _taken_back(values: Mapping[str, Any], event: Event) -> dict[str, Any]:
    """What a human gives back with a conversation that was taken from the bot, not handed over by it."""
    return taken_back(values, event, {"reason": None, "label": None, **given_back(event)})


async def abandon(machine: Machine, thread_id: str, last_event_id: int, asked: Sequence[Said] = ()) -> None:
    """Gives up a turn that cannot be finished: the thread is where it would be after its end, and remembers
    what was `asked` in it, for whoever gives the conversation back."""
    config = thread_config(thread_id)
    waiting = [*_left_in(await machine.aget_state(config)), *asked]
    outcome = {"kind": ABANDONED, "replies": [], "waiting": waiting}
    update = {"last_event_id": last_event_id, "outcome": outcome, "handoff": {}}
    await machine.aupdate_state(config, update, as_node="reply")


def _left_in(snapshot: StateSnapshot) -> list[Said]:
    """What a thread had still to answer before: messages that its pause keeps, or that were given back to it
    and are being answered."""
    values = snapshot.values
    if "await_human" in snapshot.next:
        return list((values.get("handoff") or {}).get("waiting", []))
    event = values.get("event") or {}
    return list(event.get("messages", [])) if snapshot.tasks and event.get("kind") == "hand_back" else []


async def began_at(machine: Machine, thread_id: str) -> datetime | None:
    """Since when a thread is where it is: in a turn whose first node fails, since its first try. None for a
    new one.

    The thread is written before that node runs (see REPEATABLE) and not again until it has run.
    """
    at = (await machine.aget_state(thread_config(thread_id))).created_at
    return datetime.fromisoformat(at) if at else None


async def remembered(machine: Machine, thread_id: str) -> State:
    """What a thread remembers now."""
    return cast(State, (await machine.aget_state(thread_config(thread_id))).values)


async def settled(machine: Machine, thread_id: str, event_id: int) -> State | None:
    """What a thread remembers once it has taken an event in and come to rest; None before that.

    The event's row is marked done inside the turn's last node, a moment before its checkpoint is written.
    """
    snapshot = await machine.aget_state(thread_config(thread_id))
    resting = not snapshot.tasks or "await_human" in snapshot.next
    if not resting or int(snapshot.values.get("last_event_id", 0)) < event_id:
        return None
    return cast(State, snapshot.values)


async def node_times(machine: Machine, thread_id: str) -> dict[str, float]:
    """Milliseconds of each node in the thread's last turn, checkpoint included, from the checkpoints' times.

    A node that ran more than once (a regeneration) has its runs added up.
    """
    times: dict[str, float] = {}
    after: datetime | None = None
    async for snapshot in machine.aget_state_history(thread_config(thread_id), limit=RECURSION_LIMIT):
        at = datetime.fromisoformat(snapshot.created_at) if snapshot.created_at else None
        if after is not None and at is not None and snapshot.next:
            name = snapshot.next[0]
            if name in ("__start__", "await_human"):
                break
            times[name] = round(times.get(name, 0.0) + (after - at).total_seconds() * 1000, 2)
        after = at
    return dict(reversed(times.items()))
