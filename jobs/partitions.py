"""Parts of large tables, made ahead and dropped when their time is over."""

import structlog
from procrastinate import Blueprint, JobContext

from crm import queue, status_parts
from crm.errors import RecordUnavailable
from jobs.periodic import every
from jobs.services import Services, services_of

log = structlog.get_logger(__name__)


def blueprint() -> Blueprint:
    """The task of this file, for one app: adding a blueprint to an app renames its tasks."""
    made = Blueprint()
    every(made, "41 * * * *", "partitions", partitions, queue=queue.OUTWARD)
    return made


async def partitions(job: JobContext, timestamp: int) -> None:
    """Every hour, by whichever worker comes first. A cut that got no lock is gone on with next time."""
    services = services_of(job)
    try:
        await cut(services)
        await drop(services)
    except RecordUnavailable as error:
        log.warning("parts_not_tended", error=str(error))


async def cut(services: Services, *, least: int = status_parts.LEAST) -> str | None:
    """A part of `message_status` for this month, where it has enough messages; its name if it was made now.

    Raises RecordUnavailable when a lock was not to be had in time.
    """
    month = services.clock().date().replace(day=1)
    async with services.crm.outside() as tx:
        if not await status_parts.cut_begin(tx, month, least=least):
            return None
    async with services.crm.outside() as tx:
        await status_parts.cut_look(tx)
    async with services.crm.outside() as tx:
        made = await status_parts.cut_end(tx, month)
    log.info("part_made", part=made)
    return made


async def drop(services: Services) -> list[str]:
    """Drops parts whose messages are all older than the setting; their names."""
    gone: list[str] = []
    while True:
        async with services.crm.outside() as tx:
            part = await status_parts.drop(tx, services.keeping.statuses)
        if part is None:
            return gone
        gone.append(part)
        log.info("part_dropped", part=part)
