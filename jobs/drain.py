"""A conversation's waiting events become turns of its graph thread, in order, one worker at a time."""

import asyncio
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager
from dataclasses import dataclass
from itertools import takewhile
from typing import cast

import psycopg
import structlog
from langgraph.types import StateSnapshot
from procrastinate import Blueprint, JobContext
from psycopg_pool import PoolTimeout

from channels.whatsapp.errors import WhatsAppError
from crm import handoffs, inbox, outbox, progress, quarantine, queue
from crm.conversations import ConversationRow
from crm.errors import RecordUnavailable
from crm.record import SUSPECTS, Tx
from crm.turns import Turn
from db.checkpoints import writing_alone
from db.errors import ThreadTakenOver
from db.tenancy import tenant
from db.trace import Span
from graph.run import REPEATABLE, deliver, finish
from graph.state import IDLE, Event, State
from jobs import took
from jobs.attend import IDLE_NOTE
from jobs.quarantine import cause_of, give_up, media_away_s
from jobs.said import said
from jobs.services import Services, services_of
from knowledge.errors import KnowledgeUnavailable

log = structlog.get_logger(__name__)

BUSY_RETRY_S = 0.5
_MOST_BACKOFF_S = 30.0
_TYPING_PATIENCE_S = 2.0


class TurnFailed(Exception):
    """A turn failed and the log says so; `__cause__` is why."""


def blueprint() -> Blueprint:
    """The task of this file, for one app: adding a blueprint to an app renames its tasks."""
    made = Blueprint()
    made.task(name="drain", queue=queue.TURNS, pass_context=True)(drain)
    return made


async def drain(
    job: JobContext, *, business_id: int, conversation_id: int, attempt: int = 0, deaths: int = 0
) -> None:
    """Finishes a crashed turn and delivers what is waiting.

    A failure queues this job again with a growing delay: Procrastinate's own retry would deadlock with
    a sibling waiting under the same queueing lock. A conversation that fails too often goes to a human, and
    so does one in which workers died too often (the sweep counts `deaths`).
    """
    services = services_of(job)
    thread_id = f"{business_id}:{conversation_id}"
    with (
        tenant(business_id),
        structlog.contextvars.bound_contextvars(
            business_id=business_id, conversation_id=conversation_id, thread_id=thread_id, attempt=attempt
        ),
    ):
        try:
            async with services.crm.hold(conversation_id) as held:
                tried = held and await _tried(services, business_id, conversation_id, attempt, deaths)
            # Another worker may be at it, and will not see what came after it looked.
            again = None if tried else (BUSY_RETRY_S, attempt)
        except Exception as failure:
            error = failure.__cause__ if isinstance(failure, TurnFailed) else failure
            if error is failure:
                log.exception("drain_failed", error=str(failure))
            services.watching.metrics.failed()
            again = await _next_try(services, business_id, conversation_id, attempt, error)
        if again is not None:
            async with services.crm.transaction(business_id) as tx:
                await queue.drain(tx, conversation_id, delay_s=again[0], attempt=again[1], deaths=deaths)


async def _next_try(
    services: Services, business_id: int, conversation_id: int, attempt: int, error: BaseException | None
) -> tuple[float, int]:
    """In how many seconds a failed turn is tried again, and how many failures count by then.

    An outage is not the turn's fault: it must not send whole towns to a human.
    """
    delay = min(_MOST_BACKOFF_S, 0.5 * 2**attempt)
    if _database_away(error):
        return delay, attempt
    waited = await media_away_s(services, business_id, conversation_id, error)
    if waited is None:
        return delay, attempt + 1
    # Nothing is counted, so the pauses grow with what the customer has waited.
    return min(_MOST_BACKOFF_S, max(delay, waited / 3)), attempt


async def _tried(
    services: Services, business_id: int, conversation_id: int, attempt: int, deaths: int
) -> bool:
    """Runs what waits, or gives it up. False when it has to wait because another suspect is being tried.

    A turn in which workers died is tried while no other suspect is: so the one that kills them is told from
    those that only ran beside it. The try is written down before it begins. Hold the conversation.
    """
    patience = services.patience
    if attempt >= patience.most_turn_attempts or deaths >= patience.most_turn_deaths:
        await give_up(services, business_id, conversation_id, tries=attempt, deaths=deaths)
        return True
    if deaths < patience.suspect_after:
        await _turns_or_person(services, business_id, conversation_id, attempt, deaths)
        return True
    async with services.crm.hold(0, SUSPECTS) as alone:
        if not alone:
            return False
        log.warning("suspect_tried_alone", deaths=deaths)
        async with services.crm.transaction(business_id) as tx:
            await quarantine.suspect_counted(tx, conversation_id, deaths + 1)
        await _turns_or_person(services, business_id, conversation_id, attempt, deaths)
    return True


async def _turns_or_person(
    services: Services, business_id: int, conversation_id: int, attempt: int, deaths: int
) -> None:
    """The last failure that is allowed goes to a person at once: the customer waits already."""
    try:
        await _turns(services, business_id, conversation_id)
    except Exception as failure:
        error = failure.__cause__ if isinstance(failure, TurnFailed) else failure
        last = attempt + 1 >= services.patience.most_turn_attempts
        if error is None or not last or _database_away(error):
            raise
        if await media_away_s(services, business_id, conversation_id, error) is not None:
            raise
        if error is failure:
            log.exception("drain_failed", error=str(failure))
        services.watching.metrics.failed()
        cause = cause_of(error)
        await give_up(services, business_id, conversation_id, tries=attempt + 1, deaths=deaths, cause=cause)


def _database_away(error: BaseException | None) -> bool:
    """Whether the connection was lost or refused (and the conversation perhaps with it), as opposed to a
    statement that failed."""
    cause = error.__cause__ if isinstance(error, RecordUnavailable) else error
    if isinstance(cause, psycopg.InterfaceError | PoolTimeout | ThreadTakenOver | KnowledgeUnavailable):
        return True
    if not isinstance(cause, psycopg.OperationalError | psycopg.errors.ReadOnlySqlTransaction):
        return False
    # Class 08: connection exceptions; 53: no disk, memory or connections; 57P: it shuts down, crashes or
    # starts up; 25006: a standby that has not taken over yet.
    return cause.sqlstate is None or cause.sqlstate.startswith(("08", "53", "57P", "25006"))


@dataclass(frozen=True)
class _Due:
    """An event to deliver, the traces it came with, and its conversation as it was then."""

    event: Event
    causes: Sequence[str]
    conversation: ConversationRow


async def _turns(services: Services, business_id: int, conversation_id: int) -> None:
    with writing_alone(REPEATABLE):
        await _turns_of_thread(services, business_id, conversation_id)


async def _turns_of_thread(services: Services, business_id: int, conversation_id: int) -> None:
    thread_id = f"{business_id}:{conversation_id}"

    def again(state: State) -> AbstractAsyncContextManager[None]:
        return _crashed(services, thread_id, state)

    thread = await finish(services.machine, services.context, thread_id, within=again)
    rested: StateSnapshot | None = thread
    state, turn = cast(State, thread.values), None
    last = int(state.get("last_event_id", 0))
    while due := await _next(services, business_id, conversation_id, last, turn):
        state, turn = await _turn(services, thread_id, due, state, rested)
        last, rested = due.event["last_event_id"], None


async def _turn(
    services: Services, thread_id: str, due: _Due, before: State, rested: StateSnapshot | None
) -> tuple[State, Turn | None]:
    """One turn, in the trace of the first message it answers; what the thread remembers then, and what the
    turn came to. `rested` is the thread before it, where it has just been read."""
    event = due.event
    with _job(services, thread_id, event, due.causes):
        showing = asyncio.create_task(_show_typing(services, due))
        started = time.perf_counter()
        try:
            with _told(services, thread_id, event) as span:
                state = await deliver(services.machine, services.context, thread_id, event, after=rested)
                outcome = state.get("outcome") or {}
                span.note(outcome=str(outcome.get("kind")), intent=str(outcome.get("intent")))
            seconds = time.perf_counter() - started
            services.watching.metrics.turn(event["kind"], before, state, seconds)
            await asyncio.wait({showing}, timeout=_TYPING_PATIENCE_S)
        finally:
            showing.cancel()
    return state, took.of_turn(event, before, state, seconds)


@asynccontextmanager
async def _crashed(services: Services, thread_id: str, state: State) -> AsyncIterator[None]:
    """Around the rest of a turn that was interrupted: in the trace that it began in."""
    event = state["event"]
    async with services.crm.transaction(event["business_id"]) as tx:
        cause = await inbox.trace_of(tx, event["last_event_id"])
    with _job(services, thread_id, event, [cause] if cause else []), _told(services, thread_id, event):
        yield


@contextmanager
def _job(services: Services, thread_id: str, event: Event, causes: Sequence[str]) -> Iterator[None]:
    """The job's part in a turn, and the turn's id on every log line."""
    turn_id = event["turn_id"]
    with (
        structlog.contextvars.bound_contextvars(turn_id=turn_id),
        services.watching.spans.span(
            "drain",
            kind="consumer",
            parent=causes[0] if causes else None,
            links=causes[1:],
            turn_id=turn_id,
            thread_id=thread_id,
        ),
    ):
        yield


@contextmanager
def _told(services: Services, thread_id: str, event: Event) -> Iterator[Span]:
    """The turn itself. A failure is told here, where its ids are known."""
    try:
        with services.watching.spans.span(
            "turn",
            turn_id=event["turn_id"],
            thread_id=thread_id,
            business_id=event["business_id"],
            event=event["kind"],
        ) as span:
            yield span
    except Exception as error:
        log.exception("turn_failed", error=str(error))
        raise TurnFailed(TurnFailed.__doc__) from error


async def _next(
    services: Services, business_id: int, conversation_id: int, last: int, turn: Turn | None
) -> _Due | None:
    """The next event: a customer's burst as one, everything else one by one.

    Marks the earlier ones done, and keeps what the `turn` before came to.
    """
    conversation, rows = await progress.take_up(
        services.crm, business_id, conversation_id, after=last, turn=turn
    )
    if not rows:
        return None
    burst = list(takewhile(lambda row: row.kind == rows[0].kind == inbox.CUSTOMER_MESSAGE, rows)) or rows[:1]
    causes = list(dict.fromkeys(row.trace for row in burst if row.trace))
    handoff = None
    if burst[0].kind in (inbox.HAND_BACK, inbox.RESOLVE) and burst[0].handoff_id is not None:
        async with services.crm.transaction(business_id) as tx:
            handoff = await _returned(tx, burst[0].handoff_id, conversation)
    event = Event(
        kind=burst[0].kind,  # type: ignore[typeddict-item]
        turn_id=f"{conversation_id}:{burst[-1].event_id}",
        last_event_id=burst[-1].event_id,
        business_id=business_id,
        conversation_id=conversation_id,
        contact_id=conversation.contact_id,
        epoch=conversation.epoch,
        messages=said(burst),
        handoff=handoff,
    )
    if any(row.kind in (inbox.HAND_BACK, inbox.RESOLVE) for row in rows[len(burst) :]):
        event["overtaken"] = (
            True  # the person who gives it back, or ends it, may have answered this, or may not
        )
    return _Due(event, causes, conversation)


async def _returned(tx: Tx, handoff_id: int, conversation: ConversationRow) -> dict[str, object]:
    """What a person gives back with the conversation."""
    handoff = await handoffs.get(tx, handoff_id)
    told = await handoffs.facts(tx, handoff_id)
    unsaid = await outbox.unsaid(tx, conversation.conversation_id, conversation.epoch)
    return {
        "handoff_id": handoff_id,
        "reason": handoff.reason,
        "label": handoff.label,
        # That nobody came is for the people who read the history; it takes no colleague's note's place.
        "note": "" if handoff.note == IDLE_NOTE else handoff.note or "",
        **({IDLE: True} if handoff.note == IDLE_NOTE else {}),
        "facts": {fact.key: fact.body for fact in told if fact.kind == "fact"},
        "promises": [fact.body for fact in told if fact.kind == "promise"],
        "done": await handoffs.acts(tx, handoff_id),
        "unanswered": said(await inbox.of_turns(tx, conversation.conversation_id, unsaid)),
    }


async def _show_typing(services: Services, due: _Due) -> None:
    """Blue ticks and "typing…" while the turn runs; a courtesy, so its failure is only logged."""
    event, number = due.event, due.conversation.phone_number_id
    wamids = [said["wamid"] for said in event.get("messages", []) if said.get("wamid")]
    if event["kind"] != "customer_message" or not wamids or wamids[-1] is None:
        return
    try:
        client = await services.client_of(event["business_id"], number)
        await client.mark_read(number, wamids[-1], typing=due.conversation.owner == "bot")
    except (WhatsAppError, RecordUnavailable) as error:
        log.info("typing_not_shown", error=str(error))
