"""Hand-overs that nobody looks after: the customer is told that it takes longer, an idle agent's goes back.

The team hears of a waiting one through jobs/watch; this file is about the customer.
"""

from datetime import datetime, timedelta

import structlog
from procrastinate import Blueprint, JobContext

from crm import businesses, contacts, conversations, desk, handoffs, hours, outbox, queue
from crm.businesses import Profile
from crm.conversations import ConversationRow
from crm.handoffs import HandoffRow, UnansweredRow
from crm.messages import NewMessage, Option
from crm.record import Tx
from inference import extract
from jobs.periodic import every
from jobs.services import Services, services_of
from jobs.spoken import speaker_to
from knowledge.phrases import Say
from tools.holding import CALL_ME, WAIT_ON, call_for_help

log = structlog.get_logger(__name__)

IDLE_NOTE = "Nobody answered for a while: SARA goes on."


def blueprint() -> Blueprint:
    """The task of this file, for one app: adding a blueprint to an app renames its tasks."""
    made = Blueprint()
    every(made, "* * * * * */20", "attend", attend, queue=queue.TURNS)
    return made


async def attend(job: JobContext, timestamp: int) -> None:
    """Every twenty seconds, by whichever worker comes first."""
    await attend_once(services_of(job))


async def attend_once(services: Services) -> None:
    """Looks at every open hand-over that has waited long enough to be looked at."""
    patience = services.attention
    least = timedelta(minutes=min(patience.apologise_after, patience.idle_after))
    async with services.crm.outside() as tx:
        waiting = await handoffs.to_attend(tx, services.clock() - least)
    for row in waiting:
        async with services.crm.transaction(row.business_id) as tx:
            await _look(services, tx, row.handoff_id)


async def _look(services: Services, tx: Tx, handoff_id: int) -> None:
    before = await handoffs.get(tx, handoff_id)
    conversation = await conversations.lock(tx, before.conversation_id)
    handoff = await handoffs.get(tx, handoff_id)
    owed = await _owed(tx, handoff_id)
    if handoff.status not in handoffs.OPEN or not owed:
        return
    since = owed[0].since
    profile = await businesses.profile(tx)
    if handoff.status == "claimed" and _idle(services, profile, handoff, since, tx.now):
        say = speaker_to(services, await contacts.get(tx, conversation.contact_id), profile)
        await _return(tx, handoff, _call_wanted(say, owed))
    elif handoff.apologised_at is None and _late(profile, since, services.attention.apologise_after, tx.now):
        await _apologise(services, tx, profile, conversation, handoff)


async def waits_since(tx: Tx, handoff_id: int) -> datetime | None:
    """Since when the customer waits for a human; None when one spoke last and at most was thanked for it."""
    return next((one.since for one in await _owed(tx, handoff_id)), None)


async def _owed(tx: Tx, handoff_id: int) -> list[UnansweredRow]:
    """What a human owes the customer an answer to, from the earliest on."""
    waiting = await handoffs.unanswered(tx, handoff_id)
    return [one for one in waiting if not (one.spoke and _thanks(one))]


def _thanks(said: UnansweredRow) -> bool:
    """Whether nobody owes an answer to it. A picture may be what was asked for, whatever stands under it."""
    if said.kind == "sticker":
        return True
    return said.kind in ("text", "audio") and bool(said.words) and extract.asks_nothing(said.words or "")


def _late(profile: Profile, since: datetime, minutes: int, now: datetime) -> bool:
    """Whether so many minutes of opening hours have passed; closed hours were announced as such."""
    return hours.is_open(profile, now) and hours.after_open_minutes(profile, since, minutes) <= now


def _idle(services: Services, profile: Profile, handoff: HandoffRow, since: datetime, now: datetime) -> bool:
    touched = max(filter(None, [handoff.touched_at, handoff.claimed_at, since]))
    return _late(profile, touched, services.attention.idle_after, now)


async def _return(tx: Tx, handoff: HandoffRow, call: str | None) -> None:
    """SARA goes on; what is sensitive is never SARA's, and she can `call` nobody, so that goes back to the
    colleagues, who are told by the watch."""
    if call is not None:
        await handoffs.also_wants(tx, handoff.handoff_id, call)
    if handoff.label is not None or handoff.reason == "sensitive" or call is not None:
        await handoffs.release(tx, handoff.handoff_id)
        await conversations.give_to_human(tx, handoff.conversation_id)
        await handoffs.step(tx, handoff.handoff_id, "released", None)
    else:
        await desk.hand_back(tx, handoff.handoff_id, None, note=IDLE_NOTE)
    log.info("handoff_left_idle", handoff_id=handoff.handoff_id, reason=handoff.reason)


def _call_wanted(say: Say, owed: list[UnansweredRow]) -> str | None:
    """The words with which the customer asked to be called, as they were offered: pressed, or written."""
    offered = say("Please call me")
    for one in owed:
        words = (one.words or "").strip(" .!")
        if one.option_id == CALL_ME or words.casefold() == offered.casefold():
            return words or offered
    return None


async def _apologise(
    services: Services, tx: Tx, profile: Profile, conversation: ConversationRow, handoff: HandoffRow
) -> None:
    if desk.window_over(conversation, tx) or not await handoffs.apologised(tx, handoff.handoff_id):
        return
    contact = await contacts.get(tx, conversation.contact_id)
    if contact.opted_out_at is not None:
        return
    say = speaker_to(services, contact, profile)
    message = NewMessage(
        conversation_id=conversation.conversation_id,
        contact_id=contact.contact_id,
        author="bot",
        kind="buttons",
        body=_sorry(profile, say, handoff),
        language=contact.language,
        sent_at=tx.now,
        options=_instead(say, handoff),
    )
    await outbox.add(
        tx,
        [message],
        turn_id=f"apology:{handoff.handoff_id}",
        epoch=conversation.epoch,
        answers=None,
        purpose="apology",  # the customer still waits for an answer
    )
    await handoffs.step(tx, handoff.handoff_id, "apologised", None)
    await queue.send(tx, conversation.conversation_id)


def _sorry(profile: Profile, say: Say, handoff: HandoffRow) -> str:
    """Who may be in danger hears first whom to call meanwhile."""
    sorry = say(
        "I'm sorry, it is taking longer than it should. A colleague will answer you here; "
        "if you prefer, we call you back."
    )
    return f"{call_for_help(profile, say)} {sorry}" if handoff.label == "emergency" else sorry


def _instead(say: Say, handoff: HandoffRow) -> list[Option]:
    """A call; to wait on is offered to nobody in danger."""
    options = [Option(CALL_ME, say("Please call me"))]
    if handoff.label != "emergency":
        options.append(Option(WAIT_ON, say("I'll wait here")))
    return options
