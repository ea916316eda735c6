"""A conversation's waiting events become turns of its graph thread, in order, one worker at a time."""

import asyncio
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager
from itertools import takewhile

import psycopg
import structlog
from procrastinate import Blueprint, JobContext
from psycopg_pool import PoolTimeout

from channels.whatsapp.errors import WhatsAppError
from crm import businesses, contacts, conversations, handoffs, inbox, outbox, queue, turns
from crm.conversations import ConversationRow
from crm.errors import RecordUnavailable
from crm.inbox import InboxRow
from crm.messages import NewMessage
from crm.record import Tx
from crm.turns import Turn
from db.tenancy import tenant
from db.trace import Span
from graph.run import abandon, deliver, finish
from graph.state import Event, Said, State, answered_wamids
from jobs import took
from jobs.services import Services, services_of

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


async def drain(job: JobContext, *, business_id: int, conversation_id: int, attempt: int = 0) -> None:
    """Finishes a crashed turn and delivers what is waiting.

    A failure queues this job again with a growing delay: Procrastinate's own retry would deadlock with
    a sibling waiting under the same queueing lock. A conversation that fails too often goes to a human.
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
                if held and attempt >= services.patience.most_turn_attempts:
                    await _give_up(services, business_id, conversation_id)
                elif held:
                    await _turns(services, business_id, conversation_id)
            # Another worker may be at it, and will not see what came after it looked.
            again = None if held else (BUSY_RETRY_S, attempt)
        except Exception as failure:
            error = failure.__cause__ if isinstance(failure, TurnFailed) else failure
            if error is failure:
                log.exception("drain_failed", error=str(failure))
            services.watching.metrics.failed()
            # An outage is not the turn's fault: it must not send whole towns to a human.
            failures = attempt if _database_away(error) else attempt + 1
            again = (min(_MOST_BACKOFF_S, 0.5 * 2**attempt), failures)
        if again is not None:
            async with services.crm.transaction(business_id) as tx:
                await queue.drain(tx, conversation_id, delay_s=again[0], attempt=again[1])


def _database_away(error: BaseException | None) -> bool:
    """Whether the connection was lost or refused, as opposed to a statement that failed."""
    cause = error.__cause__ if isinstance(error, RecordUnavailable) else error
    if isinstance(cause, psycopg.InterfaceError | PoolTimeout):
        return True
    if not isinstance(cause, psycopg.OperationalError):
        return False
    # Class 08: connection exceptions; 57P: the server shuts down, crashes or starts up.
    return cause.sqlstate is None or cause.sqlstate.startswith(("08", "57P"))


async def _turns(services: Services, business_id: int, conversation_id: int) -> None:
    thread_id = f"{business_id}:{conversation_id}"

    def again(state: State) -> AbstractAsyncContextManager[None]:
        return _crashed(services, thread_id, state)

    state = await finish(services.machine, services.context, thread_id, within=again)
    last, turn = int(state.get("last_event_id", 0)), None
    while found := await _next(services, business_id, conversation_id, last, turn):
        event, causes = found
        state, turn = await _turn(services, thread_id, event, causes, state)
        last = event["last_event_id"]


async def _turn(
    services: Services, thread_id: str, event: Event, causes: Sequence[str], before: State
) -> tuple[State, Turn | None]:
    """One turn, in the trace of the first message it answers; what the thread remembers then, and what the
    turn came to."""
    with _job(services, thread_id, event, causes):
        showing = asyncio.create_task(_show_typing(services, event))
        started = time.perf_counter()
        try:
            with _told(services, thread_id, event) as span:
                state = await deliver(services.machine, services.context, thread_id, event)
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
) -> tuple[Event, list[str]] | None:
    """The next event: a customer's burst as one, everything else one by one; and the traces it came with.

    Marks the earlier ones done, and keeps what the `turn` before came to.
    """
    async with services.crm.transaction(business_id) as tx:
        conversation = await conversations.lock(tx, conversation_id)
        if turn is not None:
            await turns.keep(tx, turn)
        await inbox.done(tx, conversation_id, up_to=last)
        rows = await inbox.waiting(tx, conversation_id, after=last)
        if not rows:
            return None
        burst = (
            list(takewhile(lambda row: row.kind == rows[0].kind == inbox.CUSTOMER_MESSAGE, rows)) or rows[:1]
        )
        causes = list(dict.fromkeys(row.trace for row in burst if row.trace))
        event = Event(
            kind=burst[0].kind,  # type: ignore[typeddict-item]
            turn_id=f"{conversation_id}:{burst[-1].event_id}",
            last_event_id=burst[-1].event_id,
            business_id=business_id,
            conversation_id=conversation_id,
            contact_id=conversation.contact_id,
            epoch=conversation.epoch,
            messages=_said(burst),
            handoff=await _returned(tx, burst[0]),
        )
    return event, causes


def _said(rows: Sequence[InboxRow]) -> list[Said]:
    return [
        Said(
            message_id=row.message_id,
            author="agent" if row.author == "agent" else "customer",
            kind=row.message_kind or "text",
            text=row.body or "",
            option_id=row.option_id,
            wamid=row.wamid,
            sent_at=row.sent_at.isoformat() if row.sent_at else "",
            media={
                "id": row.media_id,
                "mime_type": row.media_mime_type,
                "sha256": row.media_sha256,
                "voice": bool(row.media_voice),
                "filename": row.media_filename,
            }
            if row.media_id
            else None,
            transcript=None,
            place=_place(row),
            quoted=row.quoted or None,
            advertised=row.advertised or None,
        )
        for row in rows
        if row.message_id is not None
    ]


def _place(row: InboxRow) -> dict[str, object] | None:
    if row.latitude is None:
        return None
    return {
        "latitude": row.latitude,
        "longitude": row.longitude,
        "name": row.place_name,
        "address": row.place_address,
    }


async def _returned(tx: Tx, row: InboxRow) -> dict[str, object] | None:
    if row.kind not in (inbox.HAND_BACK, inbox.RESOLVE) or row.handoff_id is None:
        return None
    handoff = await handoffs.get(tx, row.handoff_id)
    told = await handoffs.facts(tx, row.handoff_id)
    return {
        "handoff_id": row.handoff_id,
        "reason": handoff.reason,
        "label": handoff.label,
        "note": handoff.note or "",
        "facts": {fact.key: fact.body for fact in told if fact.kind == "fact"},
        "promises": [fact.body for fact in told if fact.kind == "promise"],
        "done": await handoffs.acts(tx, row.handoff_id),
    }


async def _show_typing(services: Services, event: Event) -> None:
    """Blue ticks and "typing…" while the turn runs; a courtesy, so its failure is only logged."""
    wamids = [said["wamid"] for said in event.get("messages", []) if said.get("wamid")]
    if event["kind"] != "customer_message" or not wamids or wamids[-1] is None:
        return
    try:
        async with services.crm.transaction(event["business_id"]) as tx:
            conversation = await conversations.get(tx, event["conversation_id"])
        client = await services.client_of(event["business_id"], conversation.phone_number_id)
        await client.mark_read(conversation.phone_number_id, wamids[-1], typing=conversation.owner == "bot")
    except (WhatsAppError, RecordUnavailable) as error:
        log.info("typing_not_shown", error=str(error))


async def _give_up(services: Services, business_id: int, conversation_id: int) -> None:
    """A turn that fails every time must not hold the conversation up: a person takes it from here, and
    the customer is told. The caller holds the conversation."""
    log.error("conversation_quarantined")
    services.watching.metrics.quarantined()
    async with services.crm.transaction(business_id) as tx:
        conversation = await conversations.lock(tx, conversation_id)
        rows = await inbox.waiting(tx, conversation_id, after=0)
        last = rows[-1].event_id if rows else 0
        turn_id = f"{conversation_id}:{last}:failed"
        said = " / ".join(row.body for row in rows if row.body)
        await handoffs.open_one(
            tx,
            conversation_id,
            turn_id=turn_id,
            reason="turn_failed",
            label=None,
            score=None,
            summary=said,
            wants=said,
            draft="",
        )
        if conversation.owner != "human":
            epoch = await conversations.give_to_human(tx, conversation_id)
            await _tell(services, tx, conversation, turn_id, epoch, _said(rows))
        await inbox.done(tx, conversation_id, up_to=last)
    await abandon(services.machine, f"{business_id}:{conversation_id}", last)


async def _tell(
    services: Services, tx: Tx, conversation: ConversationRow, turn_id: str, epoch: int, said: list[Said]
) -> None:
    contact = await contacts.get(tx, conversation.contact_id)
    say = services.context.phrases.speaker(contact.language or (await businesses.profile(tx)).language)
    message = NewMessage(
        conversation_id=conversation.conversation_id,
        contact_id=conversation.contact_id,
        author="bot",
        kind="text",
        body=say("I'm passing you to a colleague, who will read everything you wrote and answer you here."),
        sent_at=tx.now,
    )
    answers = answered_wamids(Event(messages=said))
    await outbox.add(tx, [message], turn_id=turn_id, epoch=epoch, answers=answers)
    await queue.send(tx, conversation.conversation_id)
