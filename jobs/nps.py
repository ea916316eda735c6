"""Asks customers how likely they are to recommend the business, some time after a conversation ended well.

Whom and when is decided by the record (crm/nps.py) at the moment of asking, with the customer's row held: a
job that runs twice, late, or on several workers at once asks once.
"""

import structlog
from procrastinate import Blueprint, JobContext

from crm import businesses, conversations, nps, outbox, queue
from crm.businesses import Profile
from crm.messages import NewMessage, Option
from crm.nps import DueRow
from crm.quiet import quiet_until
from crm.record import Tx
from inference.nps import complains
from jobs.periodic import alone, every
from jobs.services import Services, services_of
from knowledge.phrases import Say
from tools.nps import NO

log = structlog.get_logger(__name__)


def blueprint() -> Blueprint:
    """The task of this file, for one app: adding a blueprint to an app renames its tasks."""
    made = Blueprint()
    every(made, "*/5 * * * *", "nps", surveys, queue=queue.HOOKS, priority=-10)
    return made


async def surveys(job: JobContext, timestamp: int) -> None:
    """Every five minutes, by whichever worker comes first."""
    await ask_all(services_of(job))


async def ask_all(services: Services) -> None:
    """Asks whoever is due, business by business."""
    async with services.crm.outside() as tx:
        found = await nps.businesses_that_ask(tx)
    for business_id in found:
        with alone(business_id, "nps"):
            await ask_once(services, business_id)


async def ask_once(services: Services, business_id: int) -> int:
    """Asks the customers of one business who are due; returns how many."""
    async with services.crm.transaction(business_id) as tx:
        profile = await businesses.profile(tx)
        found = [row for row in await nps.due(tx) if await _welcome(tx, profile, row)]
    told = 0
    for row in found:
        async with services.crm.transaction(business_id) as tx:
            told += await _ask(services, tx, profile, row.contact_id)
    if told:
        log.info("nps_asked", customers=told)
    return told


async def _welcome(tx: Tx, profile: Profile, row: DueRow) -> bool:
    """Whether it is no quiet hour where the customer is, and nothing they said sounds like a complaint."""
    if quiet_until(row.wa_id, tx.now, home=profile.business.time_zone) is not None:
        return False
    return not any(complains(words) for words in await nps.said(tx, row.conversation_id))


async def _ask(services: Services, tx: Tx, profile: Profile, contact_id: int) -> bool:
    """One customer; False when they were asked, or wrote, or are with a person by now.

    The contact first, then the conversation, as whoever takes in a message does.
    """
    row = await nps.take(tx, contact_id)
    if row is None:
        return False
    await conversations.lock(tx, row.conversation_id)
    if await nps.take(tx, contact_id) is None:  # an agent took it at this moment
        return False
    conversation_id = await conversations.open_for(tx, contact_id, row.phone_number_id)
    conversation = await conversations.lock(tx, conversation_id)
    nps_response_id = await nps.asked(tx, row, row.language)
    say = services.context.phrases.speaker(row.language, formal=profile.pack.formal)
    message = NewMessage(
        conversation_id=conversation_id,
        contact_id=contact_id,
        author="bot",
        kind="buttons",
        body=_question(say, profile.business.name),
        language=row.language,
        sent_at=tx.now,
        options=[Option(NO, say("No, thanks"))],
    )
    (message_id,) = await outbox.add(
        tx,
        [message],
        turn_id=f"nps:{nps_response_id}",
        epoch=conversation.epoch,
        answers=None,
        purpose=nps.NAME,  # asked for by nobody: it is not sent to who leaves meanwhile
    )
    await nps.asked_with(tx, nps_response_id, message_id)
    await queue.send(tx, conversation_id)
    return True


def _question(say: Say, business: str) -> str:
    """Eleven answers fit neither buttons (3) nor a list (10 rows): the customer writes the number."""
    return say(
        "One quick question: how likely are you to recommend {business} to a friend, from 0 (not at all) "
        "to 10 (certainly)? Just answer with a number, and if you like a few words about why.",
        business=business,
    )
