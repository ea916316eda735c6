"""The conversations behind the net promoter score."""

from crm import analytics
from crm.analytics import Behind
from crm.periods import Period
from crm.record import Tx

_NEWEST = 2**62  # greater than any conversation's id


async def behind(tx: Tx, period: Period, *, limit: int = 50, after: int | None = None) -> list[Behind]:
    """The conversations after which customers were asked and answered in a period, the newest first.

    `value` is the answer, 0 to 10; `after` the conversation_id of the last one shown: the next page. Answers
    whose conversation is gone are in the score and not here.
    """
    since, until = period.bounds(await analytics.zone(tx))
    last = _NEWEST if after is None else after
    return await tx.all(Behind, "nps_behind", since=since, until=until, after=last, most=limit)
