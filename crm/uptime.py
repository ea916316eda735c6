"""When webhooks could be taken in."""

from datetime import datetime, timedelta
from uuid import UUID

from crm.record import Tx

_KEPT = timedelta(days=2)


async def beat(tx: Tx, process: UUID) -> None:
    """A process that takes webhooks in is alive; call it every second. It needs the database for that as
    it does for webhooks, so a missing beat means a webhook could not have been taken in either."""
    await tx.run("uptime_beat", process=process)


async def forget(tx: Tx) -> None:
    """Drops processes long gone."""
    await tx.run("uptime_forget", before=tx.now - _KEPT)


async def covers(tx: Tx, since: datetime, until: datetime) -> bool:
    """Whether one process was there all the time between two moments."""
    return bool(await tx.value("uptime_covers", since=since, until=until))
