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


async def heard(tx: Tx, at: datetime, *, within: timedelta, least: timedelta, most: timedelta) -> bool:
    """Whether a webhook that the channel first sent `within` a moment `at` must have been taken in by now.

    It was if one process was there all that time. Else the channel repeats it, at intervals that grow with
    the time that has passed (they are said to get ever longer, "decreasing frequency", at
    https://developers.facebook.com/docs/graph-api/webhooks/getting-started; doubling is assumed): then it was
    if one process has been there since for twice as long as it took until it came, `least` to `most`.
    """
    return bool(await tx.value("uptime_heard", at=at, within=within, least=least, most=most))
