"""What ends by itself: quotes past their last day, and customers who have not been heard of for long."""

import structlog
from procrastinate import Blueprint, JobContext

from crm import events, fiscal, lifecycle, queue, quote_desk, quotes
from crm.record import Tx
from jobs.periodic import every
from jobs.services import Services, services_of

log = structlog.get_logger(__name__)


def blueprint() -> Blueprint:
    """The task of this file, for one app: adding a blueprint to an app renames its tasks."""
    made = Blueprint()
    every(made, "*/10 * * * *", "expiry", expiry, queue=queue.HOOKS)
    return made


async def expiry(job: JobContext, timestamp: int) -> None:
    """Every ten minutes, by whichever worker comes first."""
    await expire_once(services_of(job))


async def expire_once(services: Services) -> None:
    """Expires quotes and puts customers to sleep, business by business."""
    async with services.crm.outside() as tx:
        overdue = await events.overdue_businesses(tx)
    for business_id in overdue:
        async with services.crm.transaction(business_id) as tx:
            await expire_quotes(tx)
            asleep = await lifecycle.put_to_sleep(tx)
        if asleep:
            log.info("contacts_dormant", business_id=business_id, contacts=asleep)


async def expire_quotes(tx: Tx) -> None:
    """Expires the quotes of the transaction's business, each with its event."""
    seller = await fiscal.seller(tx)
    if seller is None:
        return
    for quote in await quotes.expire(tx, fiscal.today_at(tx, seller.time_zone)):
        await quote_desk.expired(tx, quote, conversation_id=quote.conversation_id)
