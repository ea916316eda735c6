"""A turn that fails every time, or ends the process that runs it, goes to a person with its conversation."""

import traceback
from collections.abc import Sequence
from pathlib import Path

import structlog

from channels.whatsapp.errors import WhatsAppError
from crm import alerts, businesses, contacts, conversations, handoffs, inbox, outbox, quarantine, queue
from crm.businesses import Profile
from crm.conversations import ConversationRow
from crm.errors import RecordUnavailable
from crm.inbox import InboxRow
from crm.messages import NewMessage
from crm.record import Tx
from graph.run import abandon, began_at
from graph.state import Event, Said, answered_wamids
from jobs.said import said
from jobs.services import Services
from jobs.spoken import speaker_to
from jobs.telling import desk_of
from knowledge.phrases import Say
from tools import alarm
from tools.holding import call_for_help

log = structlog.get_logger(__name__)

REASON = "turn_failed"
_HOUSE = Path(__file__).parent.parent


async def give_up(
    services: Services, business_id: int, conversation_id: int, *, tries: int, deaths: int, cause: str = ""
) -> None:
    """Opens a hand-over with the reason, tells team and customer, and lets the next messages pass.

    The caller holds the conversation.
    """
    log.error("conversation_quarantined", tries=tries, deaths=deaths, cause=cause)
    services.watching.metrics.quarantined()
    async with services.crm.transaction(business_id) as tx:
        conversation = await conversations.lock(tx, conversation_id)
        rows = await inbox.waiting(tx, conversation_id, after=0)
        last = rows[-1].event_id if rows else 0
        turn_id = f"{conversation_id}:{last}:failed"
        words = " / ".join(row.body for row in rows if row.body)
        wants = await _wants(services, tx, conversation, rows)
        profile = await businesses.profile(tx)
        called = _called_for_help(services, words, profile)
        handoff_id = await handoffs.open_one(
            tx,
            conversation_id,
            turn_id=turn_id,
            reason=REASON,
            label="emergency" if called is not None else None,
            score=called,
            summary=wants,
            wants=wants,
            draft="",
        )
        await quarantine.put(
            tx,
            conversation_id,
            handoff_id,
            last_event_id=last,
            tries=tries,
            deaths=deaths,
            cause=cause,
        )
        if called is not None:  # also of one that was open before, for something else
            await handoffs.alarm(tx, handoff_id, score=called, wants=wants)
        passed_on = conversation.owner != "human"
        # Spoken of already by a worker that died a moment later.
        alarmed = called is not None and not passed_on and not await outbox.spoke(tx, turn_id)
        desk, row = await desk_of(services, tx), await handoffs.get(tx, handoff_id)
        await alerts.tell(tx, desk.handoff(row, anew=turn_id if alarmed else None))
        if passed_on or alarmed:
            epoch = conversation.epoch
            if passed_on:
                epoch = await conversations.give_to_human(tx, conversation_id)
            help_ = profile if called is not None else None
            await _tell(services, tx, conversation, turn_id, epoch, said(rows), help_, passed_on=passed_on)
    asked = [row for row in rows if row.kind == inbox.CUSTOMER_MESSAGE]
    await _leave(services, f"{business_id}:{conversation_id}", last, said(asked))
    # Last: a worker that dies in between begins anew, and the thread hears of the turn it leaves behind.
    async with services.crm.transaction(business_id) as tx:
        await inbox.done(tx, conversation_id, up_to=last)


async def media_away_s(
    services: Services, business_id: int, conversation_id: int, error: BaseException | None
) -> float | None:
    """How many seconds WhatsApp has not given out the file for which a turn failed, which is no fault of the
    turn's: since its first try, since what an outage of ours had kept before says nothing about WhatsApp.

    None for any other failure, for a wait that is too long for that (Patience.most_media_wait_s), and where a
    call for help stands beside the note: a person must not hear of it later than of other failures.
    """
    if not isinstance(error, WhatsAppError) or not error.retryable:
        return None
    async with services.crm.transaction(business_id) as tx:
        since = await inbox.waiting_since(tx, conversation_id)
        rows = await inbox.waiting(tx, conversation_id, after=0)
        profile = await businesses.profile(tx)
    words = " / ".join(row.body for row in rows if row.body)
    if since is None or _called_for_help(services, words, profile) is not None:
        return None
    began = await began_at(services.machine, f"{business_id}:{conversation_id}")
    waited = (services.clock() - max(filter(None, [since, began]))).total_seconds()
    return max(waited, 0.0) if waited < services.patience.most_media_wait_s else None


async def _wants(services: Services, tx: Tx, conversation: ConversationRow, rows: Sequence[InboxRow]) -> str:
    """What the customer wrote, for the person who takes over; what has no words is named."""
    say = await _speaker(services, tx, conversation)
    named = {"audio": say("a voice note"), "image": say("a picture"), "document": say("a document")}
    return " / ".join(filter(None, (row.body or named.get(row.message_kind or "") for row in rows)))


async def _speaker(services: Services, tx: Tx, conversation: ConversationRow) -> Say:
    contact, profile = await contacts.get(tx, conversation.contact_id), await businesses.profile(tx)
    return speaker_to(services, contact, profile)


def _called_for_help(services: Services, words: str, profile: Profile) -> float | None:
    """How surely the word lists hear a call for help; no model is asked: one may be what failed. Nothing here
    may fail: a turn that could not be given up either would come back for ever."""
    try:
        return alarm.by_words(words, profile, services.context)
    except Exception as error:
        log.exception("not_judged", error=str(error))
        return None


async def _leave(services: Services, thread_id: str, last: int, asked: list[Said]) -> None:
    """The thread goes on behind the turn. One that cannot even be read stays as it is: the next message tries
    it again, and ends with the same person."""
    try:
        await abandon(services.machine, thread_id, last, asked)
    except RecordUnavailable:
        raise
    except Exception as error:
        log.exception("thread_not_left", error=str(error))


async def _tell(
    services: Services,
    tx: Tx,
    conversation: ConversationRow,
    turn_id: str,
    epoch: int,
    asked: list[Said],
    calls_for_help: Profile | None,
    *,
    passed_on: bool,
) -> None:
    say = await _speaker(services, tx, conversation)
    words = [call_for_help(calls_for_help, say)] if calls_for_help is not None else []
    if passed_on:
        words.append(
            say("I'm passing you to a colleague, who will read everything you wrote and answer you here.")
        )
    message = NewMessage(
        conversation_id=conversation.conversation_id,
        contact_id=conversation.contact_id,
        author="bot",
        kind="text",
        body=" ".join(words),
        sent_at=tx.now,
    )
    answers = answered_wamids(Event(messages=asked))
    await outbox.add(tx, [message], turn_id=turn_id, epoch=epoch, answers=answers)
    await queue.send(tx, conversation.conversation_id)


def cause_of(error: BaseException) -> str:
    """What kind of error and where in the program, without its words: they may be a customer's."""
    frames = traceback.extract_tb(error.__traceback__)
    ours = [frame for frame in frames if _HOUSE in Path(frame.filename).parents]
    kind = f"{type(error).__module__}.{type(error).__qualname__}".removeprefix("builtins.")
    if not ours:
        return kind
    return f"{kind} at {Path(ours[-1].filename).relative_to(_HOUSE)}:{ours[-1].lineno}"
