"""The sums of days, kept up: what the figures of a long period are read from.

A day is summed up again while something about it can still change: a reply that the channel takes late, a
hand-over of a conversation that goes on, a lead that has its 48 hours. Doing it twice changes nothing.
"""

from datetime import date, timedelta

from crm import analytics
from crm.periods import Period
from crm.record import Tx

LATELY = 3  # days in which most of what comes late has come
FOR_LONG = 45  # days after which a day stays as it is
_AT_ONCE = 31


async def refresh(tx: Tx, period: Period) -> None:
    """Sums up every day of a period anew."""
    where = await analytics.zone(tx)
    since, until = period.bounds(where)
    days = {"first": period.first, "last": period.last}
    await tx.run("metric_refresh_mark", **days)
    await tx.run("metric_refresh_clear", **days)
    await tx.run(
        "metric_refresh_fill",
        since=since,
        until=until,
        zone=where.key,
        durations=list(analytics.DURATIONS),
    )


async def due(tx: Tx, *, lately: int = LATELY) -> list[Period]:
    """What is to be summed up now: the last days up to today, and days before them that never were.

    In portions for one transaction each, the oldest first.
    """
    where = await analytics.zone(tx)
    today = tx.now.astimezone(where).date()
    began: date | None = await tx.value("metric_first_day", zone=where.key)
    if began is None or began > today:
        return []
    recent = max(began, today - timedelta(days=lately))
    whole = Period(began, today)
    open_days = await analytics.open_days(tx, whole, where)
    first = recent if open_days is None else min(open_days.first, recent)
    return _portions(Period(first, today))


def _portions(period: Period) -> list[Period]:
    starts = range(0, period.days, _AT_ONCE)
    days = period.each()
    return [Period(days[at], days[min(at + _AT_ONCE, period.days) - 1]) for at in starts]
