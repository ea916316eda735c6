"""Turns as LangSmith traces: a turn's runs are gathered in this process, and handed over whole at its end.

LangSmith's own tracer sends every run as it goes, and masks field by field on the thread that serves
customers. Here a turn costs a reference to each of its runs; masking, with the people of the turn known, and
sending happen elsewhere (`graph.langsmith_sender`). A turn that a crash cuts off leaves no trace.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Any, cast
from uuid import NAMESPACE_URL, UUID, uuid5

from langchain_core.tracers.base import BaseTracer
from langchain_core.tracers.schemas import Run

from inference.masking import masker_for
from inference.masking_plain import Plain, Plainer


class Tracer(BaseTracer):
    """Hands every finished turn to `hand_over`, with all its runs below it."""

    run_inline = (
        True  # on a pool's threads, where LangChain puts other handlers, runs would overtake each other
    )

    def __init__(self, hand_over: Callable[[Run], None]) -> None:
        super().__init__()
        self._hand_over = hand_over

    def _persist_run(self, run: Run) -> None:
        for one in _runs(run):
            self.order_map.pop(one.id, None)  # LangChain keeps them as long as the tracer lives
        self._hand_over(run)


def run_id_of(project: str, business_id: int, turn_id: str) -> UUID:
    """The id of a turn's trace: known from the record, so that what is learnt later finds it."""
    return uuid5(NAMESPACE_URL, f"sara:{project}:{business_id}:{turn_id}")


def thread_of(project: str, thread_id: str) -> str:
    """A conversation's name at LangSmith, where several installations may share a workspace."""
    return f"{project}:{thread_id}"


def records(root: Run, project: str) -> list[dict[str, Any]]:
    """A turn's runs as LangSmith takes them, parents first, with nothing in them that names a person.

    Every part is made anew of what may leave: what is not named here (events with the words a model said,
    serialized objects, attachments, this machine's environment) does not. A turn that failed has the id
    LangChain gave it, so that its second attempt gets the turn's own.
    """
    plainer = Plainer()
    parts = [_parts(run, plainer) for run in _runs(root)]
    masker = masker_for(cast(Plain, parts))
    # A turn taken up again after a failure goes into the machine as nothing: its nodes know whose it is, the
    # last of them best, for the first may still hold the turn before.
    turn = next(filter(None, map(_turn_of, (parts[0], *reversed(parts)))), {})
    whole = bool(turn) and not root.error
    own = run_id_of(project, turn["business_id"], turn["turn_id"]) if whole else root.id
    thread = turn.get("thread_id") or (root.extra or {}).get("metadata", {}).get("thread_id")
    ids = {**turn, "thread_id": thread_of(project, str(thread))} if thread else turn
    found = []
    for run, part in zip(_runs(root), parts, strict=True):
        masked = cast(dict[str, Any], masker.plain(part))
        found.append(
            {
                "id": own if run is root else run.id,
                "trace_id": own,
                "parent_run_id": own if run.parent_run_id == root.id else run.parent_run_id,
                "dotted_order": run.dotted_order.replace(str(root.id), str(own)),
                "session_name": project,
                "run_type": run.run_type,
                "start_time": run.start_time,
                "end_time": run.end_time,
                "name": masked["name"],
                "inputs": masked["inputs"],
                "outputs": masked["outputs"],
                "error": masked["error"],
                "tags": masked["tags"],
                "extra": {
                    "metadata": {**masked["metadata"], **ids},
                    "invocation_params": masked["invocation_params"],
                },
            }
        )
    return found


def _runs(run: Run) -> Iterator[Run]:
    yield run
    for child in run.child_runs:
        yield from _runs(child)


def _parts(run: Run, plainer: Plainer) -> dict[str, Plain]:
    extra = run.extra or {}
    return {
        "name": run.name,
        "inputs": plainer.plain(run.inputs or {}),
        "outputs": plainer.plain(run.outputs),
        "error": run.error,
        "tags": plainer.plain(run.tags or []),
        "metadata": plainer.plain(extra.get("metadata") or {}),
        "invocation_params": plainer.plain(extra.get("invocation_params") or {}),
    }


def _turn_of(part: Mapping[str, Any]) -> dict[str, Any]:
    """Whose turn it is, out of what came of a run or went into it: numbers of ours, by which it is found."""
    given = part["inputs"]
    for state in (part["outputs"], given, given.get("input") if isinstance(given, Mapping) else None):
        event = _event_of(state)
        if event.get("turn_id") and event.get("business_id"):
            return {
                "business_id": event["business_id"],
                "turn_id": event["turn_id"],
                "thread_id": f"{event['business_id']}:{event.get('conversation_id')}",
            }
    return {}


def _event_of(state: Any) -> Mapping[str, Any]:
    """A state's event, or the one that a paused thread was resumed with."""
    if not isinstance(state, Mapping):
        return {}
    event = state.get("event") or state.get("resume")
    return event if isinstance(event, Mapping) else {}
