"""Sums of days for the figures of the record: the last days often, the last weeks every night."""

from collections.abc import Awaitable, Callable

import structlog
from procrastinate import Blueprint, JobContext

from crm import analytics_refresh, businesses, queue
from crm.periods import Period
from crm.record import Tx
from jobs.periodic import alone, every
from jobs.services import Services, services_of

log = structlog.get_logger(__name__)


def blueprint() -> Blueprint:
    """The tasks of this file, for one app: adding a blueprint to an app renames its tasks."""
    made = Blueprint()
    every(made, "*/10 * * * *", "analytics", lately, queue=queue.OUTWARD, priority=-10)
    every(made, "41 * * * *", "analytics_nightly", nightly, queue=queue.OUTWARD, priority=-10)
    return made


async def lately(job: JobContext, timestamp: int) -> None:
    """Every ten minutes, by whichever worker comes first."""
    await refresh_once(services_of(job), lately=analytics_refresh.LATELY)


async def nightly(job: JobContext, timestamp: int) -> None:
    """What came late about days of the last weeks: once a night, or in the first hour after it that a worker
    runs."""
    await _summed_up(services_of(job), analytics_refresh.due_again)


async def refresh_once(services: Services, *, lately: int) -> int:
    """Sums up the last `lately` days of every business, and those that never were; how many portions."""

    async def due(tx: Tx) -> list[Period]:
        return await analytics_refresh.due(tx, lately=lately)

    return await _summed_up(services, due)


async def _summed_up(services: Services, due: Callable[[Tx], Awaitable[list[Period]]]) -> int:
    done = 0
    async with services.crm.outside() as tx:
        everyone = await businesses.directory(tx)
    for business in everyone:
        with alone(business.business_id, "analytics"):
            async with services.crm.transaction(business.business_id) as tx:
                portions = await due(tx)
            for period in portions:
                async with services.crm.transaction(business.business_id) as tx:
                    await analytics_refresh.refresh(tx, period)
                done += 1
    log.debug("days_summed_up", businesses=len(everyone), portions=done)
    return done
