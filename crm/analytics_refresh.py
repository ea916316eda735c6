"""The sums of days, kept up: what the figures of a long period are read from.

A day is summed up again while something about it can still change: a reply that the channel takes late, a
hand-over of a conversation that goes on, a lead that has its 48 hours. Doing it twice changes nothing.
"""

from datetime import UTC, date, datetime, time, timedelta

from crm import analytics
from crm.periods import Period
from crm.record import Tx

LATELY = 3  # days in which most of what comes late has come
FOR_LONG = 45  # days after which a day stays as it is
_AT_ONCE = 31
_NIGHT = time(2, 30, tzinfo=UTC)  # from then on the last weeks are due again


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


async def due_again(tx: Tx) -> list[Period]:
    """The last weeks, once a night: what came late about their days. Nothing if that has been done.

    In portions as `due`.
    """
    where = await analytics.zone(tx)
    today = tx.now.astimezone(where).date()
    began: date | None = await tx.value("metric_first_day", zone=where.key)
    last = today - timedelta(days=LATELY + 1)
    if began is None or began > last:
        return []
    # Days before `began`, which moves when its customer is erased, are not summed up again.
    first = max(began, today - timedelta(days=FOR_LONG))
    done: datetime | None = await tx.value("metric_refreshed", first=first, last=last)
    night = datetime.combine(tx.now.astimezone(UTC).date(), _NIGHT)
    if night > tx.now:
        night -= timedelta(days=1)
    return await due(tx, lately=FOR_LONG) if done is not None and done < night else []


def _portions(period: Period) -> list[Period]:
    starts = range(0, period.days, _AT_ONCE)
    days = period.each()
    return [Period(days[at], days[min(at + _AT_ONCE, period.days) - 1]) for at in starts]
