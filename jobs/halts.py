"""A number that may not send: stopped once, told to the team, asked about, and started again."""

from datetime import timedelta

import structlog
from procrastinate import Blueprint, JobContext

from channels.whatsapp.errors import TokenExpired, WhatsAppError
from crm import alerts, halts, queue
from crm.record import Tx
from jobs.periodic import every
from jobs.services import Services, services_of
from jobs.telling import desk_of

log = structlog.get_logger(__name__)

ASK_EVERY = timedelta(seconds=20)
# A number's record can be read though nothing may be sent on it: only sending again tells whether it may.
TRY_EVERY = timedelta(minutes=5)
_GONE = ("BANNED", "DELETED", "MIGRATED", "DISCONNECTED")


def blueprint() -> Blueprint:
    """The task of this file, for one app: adding a blueprint to an app renames its tasks."""
    made = Blueprint()
    every(made, "* * * * * */5", "halts", ask, queue=queue.SENDS, priority=15)
    return made


async def stop(services: Services, tx: Tx, phone_number_id: str, error: WhatsAppError) -> None:
    """Nothing more is sent on the number. The team hears of it once, in the same transaction."""
    if await halted(tx, phone_number_id, error):
        desk = await desk_of(services, tx)
        await alerts.tell(tx, desk.halted(phone_number_id, error.code, str(error), tx.now))


async def halted(tx: Tx, phone_number_id: str, error: WhatsAppError) -> bool:
    """Nothing more is sent on the number; False when it was stopped before. The watch tells the team."""
    ask_at = tx.now + (ASK_EVERY if isinstance(error, TokenExpired) else TRY_EVERY)
    first = await halts.halt(tx, phone_number_id, error_code=error.code, reason=str(error), ask_at=ask_at)
    if first:
        log.error("number_halted", phone_number_id=phone_number_id, code=error.code, error=str(error))
    return first


async def ask(job: JobContext, timestamp: int) -> None:
    """Every five seconds, by whichever worker comes first."""
    await ask_once(services_of(job))


async def ask_once(services: Services) -> None:
    """Asks about every stopped number whose time has come, and starts those that work again."""
    async with services.crm.outside() as tx:
        due = await halts.to_ask(tx)
    for row in due:
        async with services.crm.transaction(row.business_id) as tx:
            mine = await halts.claim(tx, row.phone_number_id, tx.now + ASK_EVERY)
        if mine:
            await _ask(services, row.business_id, row.phone_number_id)


async def _ask(services: Services, business_id: int, phone_number_id: str) -> None:
    try:
        client = await services.client_of(business_id, phone_number_id, fresh=True)
        known = await client.phone_number(phone_number_id)
    except WhatsAppError as error:
        log.info("number_still_halted", phone_number_id=phone_number_id, error=str(error))
        return
    if known.status in _GONE:
        log.info("number_still_halted", phone_number_id=phone_number_id, status=known.status)
        return
    async with services.crm.transaction(business_id) as tx:
        resumed = await halts.lift(tx, phone_number_id)
    log.warning("number_works_again", phone_number_id=phone_number_id, conversations=resumed)
