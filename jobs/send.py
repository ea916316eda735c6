"""Delivery: a conversation's outbox, in order, each message once.

The channel has no idempotency key. A row is marked `sending` and committed before the request leaves;
whatever then cuts the answer off (a crash, a time-out) leaves it unknown, and an unknown row waits for a
status that carries our reference. It is sent again only when statuses of later messages have come back
on the same number, long enough ago, and its own has not: then the channel never had it.
"""

import asyncio
import time
from collections.abc import Sequence
from datetime import datetime, timedelta

import structlog
from procrastinate import Blueprint, JobContext

from channels.messages import Button, Kind, OutboundMessage, Place, Row
from channels.whatsapp.errors import ConnectFailed, OutcomeUnknown, RateLimited, WhatsAppError
from crm import conversations, delivery, files, inbound, messages, outbox, queue, uptime
from crm.contacts import ContactRow
from crm.conversations import ConversationRow
from crm.outbox import OutboxRow
from crm.record import SENDS, Tx
from db.tenancy import tenant
from db.trace import Span
from jobs import permission, steering
from jobs.halts import stop
from jobs.parcel import Parcel, with_file
from jobs.services import Patience, Services, services_of

log = structlog.get_logger(__name__)

CUSTOMER_WINDOW = timedelta(hours=24)
_MOST_BACKOFF_S = 300.0
_BUSY_RETRY_S = 0.5
_PACED_S = 0.5  # a turn of the governor so near that it is taken and waited for
_NAP_S = 0.25  # a wait so short that it is slept through
_LOOK_AGAIN_S = 600.0  # the longest wait believed in: a tier can rise and a number recover before its time
_SOONEST_S = 0.01
_HALT_LAG_S = 10.0  # who is stopped looks again only after the question whether it may go on was asked


def blueprint() -> Blueprint:
    """The task of this file, for one app: adding a blueprint to an app renames its tasks."""
    made = Blueprint()
    made.task(name="send", queue=queue.SENDS, pass_context=True)(send)
    return made


async def send(job: JobContext, *, business_id: int, conversation_id: int) -> None:
    """Delivers what a conversation has waiting; what must wait longer is queued again for its time."""
    services = services_of(job)
    with (
        tenant(business_id),
        structlog.contextvars.bound_contextvars(
            business_id=business_id,
            conversation_id=conversation_id,
            thread_id=f"{business_id}:{conversation_id}",
        ),
    ):
        wait: float | None
        try:
            async with services.crm.hold(conversation_id, SENDS) as held:
                wait = await _deliver_all(services, business_id, conversation_id) if held else _BUSY_RETRY_S
        except Exception as error:
            log.exception("send_failed", error=str(error))
            wait = services.patience.heartbeat_s
        if wait is not None:
            async with services.crm.transaction(business_id) as tx:
                await queue.send(tx, conversation_id, delay_s=wait)


async def _deliver_all(services: Services, business_id: int, conversation_id: int) -> float | None:
    """Sends row after row; returns the seconds after which to look again, None when nothing is left."""
    more = True
    while more:
        async with delivery.begun(services.crm, business_id, conversation_id) as (tx, due):
            parcel, wait = await _next(services, tx, due)
        if parcel is not None:
            more = await _post(services, business_id, parcel)
        elif wait is not None and wait <= _NAP_S:
            await asyncio.sleep(wait)  # sooner than the queue would look again
        else:
            return wait
    return None


async def _next(services: Services, tx: Tx, due: delivery.Waiting) -> tuple[Parcel | None, float | None]:
    """Claims the first row that may go out now, settling those before it that never will."""
    conversation = due.conversation
    if due.halt is not None:
        return None, max(_BUSY_RETRY_S, (due.halt.ask_at - tx.now).total_seconds() + _HALT_LAG_S)
    # A conversation that was closed while its last words were on their way: they come before the next one's.
    for earlier in due.earlier:
        if await _holds_back(services, tx, conversation, earlier.state, earlier.attempted_at):
            return None, _BUSY_RETRY_S
    waits: list[float] = []
    for place, row in enumerate(due.rows):
        rest = await permission.rests(tx, due.contact, row) if row.state == "queued" else None
        if rest is not None:  # and keeps nobody who writes at night waiting
            waits.append(min(rest, _LOOK_AGAIN_S))
            await outbox.rests(tx, row.outbox_id, tx.now + timedelta(seconds=waits[-1]))
            continue
        wait = await _wait(services, tx, conversation, row)
        if wait is not None:
            waits.append(wait)
            if row.lane == "campaign" or _is_history(conversation, row, due.rows[place:]):
                continue
            if await _holds_back(services, tx, conversation, row.state, row.attempted_at):
                break
        elif row.state == "queued":
            found = await _claimed(services, tx, conversation, due.contact, row)
            if isinstance(found, Parcel):
                return found, None
            if found is not None:
                waits.append(max(found, _SOONEST_S))
                if row.lane != "campaign":
                    break
    return None, min(waits, default=None)


async def _claimed(
    services: Services, tx: Tx, conversation: ConversationRow, contact: ContactRow, row: OutboxRow
) -> Parcel | float | None:
    """The row, ready to go out; or the seconds after which to look again; None when it will not go out."""
    if (late := await outbox.outdated(tx, row)) is not None:
        if late.why is not None:
            await outbox.settle(tx, row.outbox_id, "superseded", error=late.why)
            services.watching.metrics.settled("superseded")
            return None
        if late.paused:
            return _LOOK_AGAIN_S
    file = await files.get(tx, row.file_id) if row.file_id is not None else None
    window_open = _window_is_open(conversation, tx)
    answer = await permission.asked(tx, contact, row, window_open=window_open)
    if isinstance(answer, permission.Refusal):
        await outbox.settle(tx, row.outbox_id, answer.state, error=answer.why)
        services.watching.metrics.settled(answer.state)
        return None
    message = await _message(tx, conversation, answer)
    number, campaign = conversation.phone_number_id, row.lane == "campaign"
    turn = await outbox.take(
        tx,
        row.outbox_id,
        number,
        contact.contact_id,
        campaign=campaign,
        initiated=not window_open,
        patience_s=_PACED_S,
        ending=not campaign,  # behind advertising that waits, an answer may still go
    )
    if turn is None:
        return None if campaign else _SOONEST_S
    if not turn.taken:
        services.watching.metrics.waits(turn.reason)
        return min(turn.wait_s, _LOOK_AGAIN_S)
    at = tx.now + timedelta(seconds=turn.wait_s)
    return Parcel(answer, number, contact, message, at, turn.gap_s or 0.0, file)


async def _wait(services: Services, tx: Tx, conversation: ConversationRow, row: OutboxRow) -> float | None:
    """The seconds a row has to wait; None when it may go out now, or was settled and never will."""
    if row.state == "sending":  # we hold the conversation, so whoever was sending it is gone
        look_again = tx.now + timedelta(seconds=services.patience.unknown_grace_s)
        await outbox.unknown(tx, row.outbox_id, look_again, "the sender died before the answer came")
        return services.patience.unknown_grace_s
    if row.next_attempt_at > tx.now:
        return (row.next_attempt_at - tx.now).total_seconds()
    if row.state == "unknown":
        return await _reconsider(services, tx, conversation, row)
    if refusal := _undeliverable(conversation, row, tx):
        if _overtaken(conversation, row) and await outbox.goes_on(tx, row.outbox_id):
            return None
        await outbox.settle(tx, row.outbox_id, refusal[0], error=refusal[1])
        services.watching.metrics.settled(refusal[0])
    return None


def _is_history(conversation: ConversationRow, row: OutboxRow, after: Sequence[OutboxRow]) -> bool:
    """Whether a row that waits will not be sent any more, whatever became of its first attempt: a person has
    taken the conversation and spoken since."""
    return _overtaken(conversation, row) and any(later.author == "agent" for later in after)


def _overtaken(conversation: ConversationRow, row: OutboxRow) -> bool:
    """Whether the conversation changed hands after the bot wrote it."""
    return row.author == "bot" and row.epoch < conversation.epoch


async def _holds_back(
    services: Services, tx: Tx, conversation: ConversationRow, state: str, attempted: datetime | None
) -> bool:
    """Whether what follows a waiting answer must wait too.

    Order is kept: an unknown outcome on a number on which statuses come back is decided before long. Without
    any it is not waited for without end, for when nothing else is sent on the number, what follows brings
    the evidence.
    """
    if state != "unknown" or attempted is None:
        return True
    if await outbox.later_status(tx, conversation.phone_number_id, attempted) is not None:
        return True
    return tx.now - attempted <= timedelta(seconds=services.patience.unknown_block_s)


def _undeliverable(conversation: ConversationRow, row: OutboxRow, tx: Tx) -> tuple[str, str] | None:
    if _overtaken(conversation, row):
        return "superseded", "the conversation changed hands before this was sent"
    if not _window_is_open(conversation, tx) and row.template_name is None and row.purpose is None:
        return "held", permission.NEED_A_TEMPLATE
    return None


def _window_is_open(conversation: ConversationRow, tx: Tx) -> bool:
    last = conversation.last_customer_at
    return last is not None and tx.now - last <= CUSTOMER_WINDOW


async def _reconsider(
    services: Services, tx: Tx, conversation: ConversationRow, row: OutboxRow
) -> float | None:
    """What to do with an unknown outcome whose grace is over: again, wait on, or leave it to a person."""
    patience = services.patience
    attempted = row.attempted_at or tx.now
    evidence = await _evidence(services, tx, conversation, attempted)
    if (
        evidence is not None
        and (left := (_conclusive(patience, attempted, evidence) - tx.now)) <= timedelta()
    ):
        if row.attempts >= patience.most_attempts:
            log.error("delivery_given_up", outbox_id=row.outbox_id, attempts=row.attempts)
            await outbox.settle(tx, row.outbox_id, "held", error="WhatsApp never said that it took it")
            services.watching.metrics.settled("held")
            return None
        log.warning("unknown_outcome_sent_again", outbox_id=row.outbox_id, attempts=row.attempts)
        await outbox.try_again(tx, row.outbox_id, tx.now, error="no status came while later ones did")
        return 0.0
    if evidence is None and tx.now - attempted > timedelta(seconds=patience.unknown_hold_s):
        log.error("delivery_unknown", outbox_id=row.outbox_id)
        await outbox.settle(tx, row.outbox_id, "held", error="nobody can say whether WhatsApp took it")
        services.watching.metrics.settled("held")
        return None
    wait = patience.unknown_grace_s if evidence is None else left.total_seconds()
    await outbox.unknown(tx, row.outbox_id, tx.now + timedelta(seconds=wait), "waiting for a status")
    return wait


async def _evidence(
    services: Services, tx: Tx, conversation: ConversationRow, attempted: datetime
) -> datetime | None:
    """When a status of a later message came, if one of this attempt would have come too."""
    patience = services.patience
    heard = await uptime.heard(
        tx,
        attempted,
        within=timedelta(seconds=patience.unknown_grace_s),
        least=timedelta(seconds=patience.unknown_repeat_s),
        most=timedelta(seconds=patience.unknown_retry_s),
    )
    return await outbox.later_status(tx, conversation.phone_number_id, attempted) if heard else None


def _conclusive(patience: Patience, attempted: datetime, evidence: datetime) -> datetime:
    """When a status still missing means that the channel never had the message.

    `evidence` is when the first status of a later message came. The time until then may have been an
    outage of our webhook, and the channel spaces its repeats ever wider: after an outage a status can be
    late by as long as the outage lasted.
    """
    outage = min(evidence - attempted, timedelta(seconds=patience.unknown_outage_s))
    return evidence + max(outage, timedelta(seconds=patience.unknown_grace_s))


async def _message(tx: Tx, conversation: ConversationRow, row: OutboxRow) -> OutboundMessage:
    plain = row.kind == "text" and row.template_name is None
    options = [] if plain else await messages.options(tx, row.message_id)
    must = permission.only_as_template(row, window_open=_window_is_open(conversation, tx))
    if row.template_name is not None and must:
        return OutboundMessage(
            kind="template",
            body=row.body,
            template=row.template_name,
            code=row.template_code,
            values=tuple(row.template_values or ()),
            buttons=tuple(Button(id=o.option_id, title=o.title) for o in options),
        )
    buttons = tuple(Button(id=o.option_id, title=o.title) for o in options) if row.kind == "buttons" else ()
    rows = (
        tuple(Row(id=o.option_id, title=o.title, description=o.description) for o in options)
        if row.kind == "list"
        else ()
    )
    if row.kind == "reaction":
        return OutboundMessage(kind="reaction", body=row.body, reply_to=row.reply_to_wamid)
    if row.kind == "location" and (found := await inbound.place(tx, row.message_id)):
        place = Place(
            latitude=found.latitude, longitude=found.longitude, name=found.name, address=found.address
        )
        return OutboundMessage(kind="location", place=place, reply_to=row.reply_to_wamid)
    kind: Kind = "buttons" if buttons else "list" if rows else "text"
    return OutboundMessage(
        kind=kind,
        body=row.body,
        buttons=buttons,
        rows=rows,
        opener=row.opener,
        reply_to=row.reply_to_wamid,
        preview=row.preview,
    )


async def _post(services: Services, business_id: int, parcel: Parcel) -> bool:
    """Sends it when its turn comes, and keeps what came of it; whether the conversation may have more."""
    row = parcel.row
    await asyncio.sleep(
        services.pacer.leave(parcel.phone_number_id, parcel.at, parcel.gap_s, services.clock())
    )
    with (
        structlog.contextvars.bound_contextvars(turn_id=row.turn_id),
        services.watching.spans.span(
            "send",
            kind="client",
            parent=row.trace,
            turn_id=row.turn_id,
            thread_id=f"{business_id}:{row.conversation_id}",
            outbox_id=row.outbox_id,
            message_kind=row.kind,
        ) as span,
    ):
        return await _posted(services, business_id, parcel, span)


async def _posted(services: Services, business_id: int, parcel: Parcel, span: Span) -> bool:
    row, metrics, started = parcel.row, services.watching.metrics, time.perf_counter()
    try:
        client = await services.client_of(business_id, parcel.phone_number_id)
        message = await with_file(client, parcel)
        sent = await client.send(
            parcel.phone_number_id,
            to=parcel.contact.wa_id,
            recipient=None if parcel.contact.wa_id else parcel.contact.bsuid,
            message=message,
            callback_data=reference(row),
        )
    except WhatsAppError as error:
        seconds = time.perf_counter() - started
        async with services.crm.transaction(business_id) as tx:
            await conversations.lock(tx, row.conversation_id)
            result = await _failed(services, tx, row, error)
            if error.halts_number:
                await stop(services, tx, parcel.phone_number_id, error)
        metrics.sent(seconds, error, result=result)
        span.note(result=result, code=error.code or 0)
        wait_s = backoff_s(error, row.attempts)
        await steering.refused(services.crm, business_id, row.message_id, error, wait_s=wait_s)
        return True
    metrics.sent(time.perf_counter() - started)
    span.note(result="accepted")
    return await outbox.sent(services.crm, business_id, row, sent.wamid)


async def _failed(services: Services, tx: Tx, row: OutboxRow, error: WhatsAppError) -> str:
    """Keeps a failure with its row; the row is `unknown`, to be sent `again`, or `refused`."""
    reason = str(error)
    log.warning("not_sent", outbox_id=row.outbox_id, code=error.code, error=reason)
    if isinstance(error, OutcomeUnknown):
        look_again = tx.now + timedelta(seconds=services.patience.unknown_grace_s)
        await outbox.unknown(tx, row.outbox_id, look_again, reason)
        return "unknown"
    if error.halts_number or (error.retryable and _worth_another(services.patience, row, error)):
        at = tx.now + timedelta(seconds=backoff_s(error, row.attempts))
        await outbox.try_again(tx, row.outbox_id, at, error_code=error.code, error=reason)
        return "again"
    await outbox.settle(tx, row.outbox_id, "refused", error_code=error.code, error=reason)
    return "refused"


def _worth_another(patience: Patience, row: OutboxRow, error: WhatsAppError) -> bool:
    """An outage or a full quota says nothing about this message: it waits as long as its window is open."""
    return isinstance(error, ConnectFailed | RateLimited) or row.attempts + 1 < patience.most_attempts


def backoff_s(error: WhatsAppError, attempts: int) -> float:
    """Seconds before attempt `attempts` + 1 of a message that met this error."""
    first = error.retry_after_s or 0.5
    growth = 4 if first >= 4 else 2  # 131056 asks for 4^n seconds
    # A float's exponent has its limit, and a message that waits out an outage has no limit of attempts.
    return min(_MOST_BACKOFF_S, first * float(growth ** min(attempts, 16)))


def reference(row: OutboxRow) -> str:
    """Our reference on a message: its outbox id, then the wamids it answers."""
    return f"{row.outbox_id}|{row.answers or ''}"


def outbox_id_of(callback_data: str | None) -> int | None:
    """The outbox id in a reference that came back; None for one that is not ours."""
    head = (callback_data or "").split("|", 1)[0]
    return int(head) if head.isascii() and head.isdigit() and len(head) < 19 else None
