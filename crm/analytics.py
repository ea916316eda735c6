"""What the record says about a period: one figure a question, and the conversations behind it.

docs/metrics.md defines every figure, db/migrations/0023_analytics.sql counts it. Days that are over come
from their sums (crm/analytics_refresh.py); today, and a day nobody has summed up yet, is counted when it is
asked for.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Literal
from zoneinfo import ZoneInfo

from crm import gap_clusters
from crm.gap_clusters import Gap
from crm.periods import Period
from crm.record import Tx

__all__ = [
    "NAMES",
    "Behind",
    "Figure",
    "Gap",
    "Period",
    "Unit",
    "behind",
    "by_day",
    "figures",
    "gaps",
    "shares",
    "today",
]

Unit = Literal["seconds", "share", "count", "points", "tokens"]
Shared = Literal["languages", "reasons", "intents"]
_How = Literal["median", "p90", "share", "sum"]

_FIRST_LOOK = 400  # conversations looked into at once for a figure that nearly every one of them is part of
_READ_QUESTIONS = 400
_NEWEST = 2**62  # greater than any conversation's id


@dataclass(frozen=True)
class Figure:
    """One figure of a period, measured on `of` things; `value` is None where there was nothing to measure."""

    name: str
    unit: Unit
    value: float | None
    of: int


@dataclass(frozen=True)
class Behind:
    """A conversation that is part of a figure: the last moment it was, and what it adds.

    `value` is the longest duration, the share or the sum of the conversation; `at` is in UTC.
    """

    conversation_id: int
    thread_id: str
    contact_name: str | None
    wa_id: str | None
    at: datetime
    value: float | None


@dataclass(frozen=True)
class _Kind:
    """What a figure is made of (a name of the view metric_fact) and how."""

    fact: str
    how: _How
    unit: Unit


_KINDS: dict[str, _Kind] = {
    "response_median": _Kind("response", "median", "seconds"),
    "response_p90": _Kind("response", "p90", "seconds"),
    "conversations": _Kind("conversations", "sum", "count"),
    "messages_in": _Kind("messages_in", "sum", "count"),
    "messages_out": _Kind("messages_out", "sum", "count"),
    "containment": _Kind("containment", "share", "share"),
    "escalation": _Kind("escalation", "share", "share"),
    "lead_qualified_48h": _Kind("lead_qualified_48h", "share", "share"),
    "leads": _Kind("leads", "sum", "count"),
    "bookings": _Kind("bookings", "sum", "count"),
    "no_shows": _Kind("no_shows", "share", "share"),
    "quotes_sent": _Kind("quotes_sent", "sum", "count"),
    "quotes_accepted": _Kind("quotes_accepted", "sum", "count"),
    "tickets": _Kind("tickets", "sum", "count"),
    "tickets_in_sla": _Kind("tickets_in_sla", "share", "share"),
    "voice_share": _Kind("voice_share", "share", "share"),
    "first_response_median": _Kind("first_response", "median", "seconds"),
    "handling_median": _Kind("handling", "median", "seconds"),
    "unanswered": _Kind("unanswered", "sum", "count"),
    "tokens": _Kind("tokens", "sum", "tokens"),
    "compute_seconds": _Kind("compute_seconds", "sum", "seconds"),
}
NAMES: tuple[str, ...] = tuple(_KINDS)
DURATIONS: tuple[str, ...] = tuple(
    dict.fromkeys(kind.fact for kind in _KINDS.values() if kind.how in ("median", "p90"))
)
_IN_NEARLY_ALL = frozenset(
    {"response", "messages_in", "messages_out", "voice_share", "conversations", "containment", "escalation"}
    | {"tokens", "compute_seconds"}
)


@dataclass(frozen=True)
class _SumRow:
    name: str
    things: int
    total: float


@dataclass(frozen=True)
class _DaySumRow:
    day: date
    things: int
    total: float


@dataclass(frozen=True)
class _DurationRow:
    things: int
    median: float | None
    p90: float | None


@dataclass(frozen=True)
class _DayDurationRow:
    day: date
    things: int
    median: float
    p90: float


@dataclass(frozen=True)
class _ShareRow:
    key: str
    things: int


@dataclass(frozen=True)
class _OpenRow:
    first: date | None
    last: date | None


@dataclass(frozen=True)
class _SeenRow:
    conversation_id: int
    thread_id: str
    contact_name: str | None
    wa_id: str | None
    at: datetime | None
    value: float | None


@dataclass(frozen=True)
class _QuestionRow:
    conversation_id: int
    question: str


async def figures(tx: Tx, period: Period) -> dict[str, Figure]:
    """Every figure of NAMES for a period of the transaction's business."""
    asked = await _asked(tx, period)
    summed = [kind.fact for kind in _KINDS.values() if kind.how in ("share", "sum")]
    sums = {row.name: row for row in await tx.all(_SumRow, "metric_sums", names=summed, **asked)}
    measured = {
        name: await tx.first(_DurationRow, "metric_durations", name=name, **asked) for name in DURATIONS
    }
    return {
        name: Figure(name, kind.unit, *_value(kind, sums.get(kind.fact), measured.get(kind.fact)))
        for name, kind in _KINDS.items()
    }


async def by_day(tx: Tx, period: Period, name: str) -> list[tuple[date, float | None]]:
    """A figure for each day of a period, in order. Raises KeyError for a name that is not in NAMES."""
    kind = _KINDS[name]
    asked = await _asked(tx, period)
    found: dict[date, float | None] = {}
    if kind.how in ("median", "p90"):
        for row in await tx.all(_DayDurationRow, "metric_durations_by_day", name=kind.fact, **asked):
            found[row.day] = row.median if kind.how == "median" else row.p90
    else:
        for sums in await tx.all(_DaySumRow, "metric_sums_by_day", name=kind.fact, **asked):
            found[sums.day] = sums.total / sums.things if kind.how == "share" else sums.total
    nothing = 0.0 if kind.how == "sum" else None
    return [(day, found.get(day, nothing)) for day in period.each()]


async def shares(tx: Tx, period: Period, what: Shared) -> list[tuple[str, int]]:
    """How many turns in each language or with each intent, or hand-overs for each reason; the most first."""
    asked = await _asked(tx, period)
    return [(row.key, row.things) for row in await tx.all(_ShareRow, "metric_shares", name=what, **asked)]


async def behind(
    tx: Tx, period: Period, name: str, *, limit: int = 50, after: int | None = None
) -> list[Behind]:
    """The conversations that a figure is made of, the newest conversation first.

    `after` is the conversation_id of the last one shown: the next page. Things that belong to no conversation
    (an appointment the business entered itself) are in the figure and not here. Raises KeyError for a name
    that is not in NAMES.
    """
    kind = _KINDS[name]
    since, until = period.bounds(await zone(tx))
    wanted: dict[str, Any] = {
        "name": kind.fact,
        "since": since,
        "until": until,
        "longest": kind.how in ("median", "p90"),
        "share": kind.how == "share",
    }
    if kind.fact not in _IN_NEARLY_ALL:
        rows = await tx.all(
            _SeenRow, "metric_behind", most=limit, after=_NEWEST if after is None else after, **wanted
        )
        return _shown(rows, limit)
    found: list[_SeenRow] = []
    most, last = max(limit, 1), _NEWEST if after is None else after
    while len(found) < limit:
        looked = await tx.all(_SeenRow, "metric_behind_newest", most=most, after=last, **wanted)
        found += [row for row in looked if row.at is not None]
        if len(looked) < most:
            break
        last, most = looked[-1].conversation_id, max(most, _FIRST_LOOK)
    return _shown(found, limit)


async def gaps(tx: Tx, period: Period, *, limit: int = 20) -> list[Gap]:
    """What customers asked and nothing answered, alike questions together, the most frequent first.

    Of the latest 400 such questions; words of erased customers are gone from it.
    """
    since, until = period.bounds(await zone(tx))
    rows = await tx.all(_QuestionRow, "metric_questions", since=since, until=until, most=_READ_QUESTIONS)
    asked = [(row.conversation_id, row.question.strip()) for row in rows if row.question.strip()]
    return gap_clusters.clustered(asked)[:limit]


async def zone(tx: Tx) -> ZoneInfo:
    """The time zone whose days are counted: the business's own."""
    return ZoneInfo(str(await tx.value("metric_zone")))


async def today(tx: Tx) -> date:
    """Which day it is at the business."""
    return tx.now.astimezone(await zone(tx)).date()


async def _asked(tx: Tx, period: Period) -> dict[str, Any]:
    """What the queries need to know: the period, and which days of it have to be counted now.

    Those are all from the first one nobody has summed up since it ended: today, where sums are kept up.
    """
    where = await zone(tx)
    uncounted = await open_days(tx, period, where)
    since, until = (None, None) if uncounted is None else uncounted.bounds(where)
    return {
        "first": period.first,
        "last": period.last,
        "zone": where.key,
        "open_first": uncounted and uncounted.first,
        "open_last": uncounted and uncounted.last,
        "open_since": since,
        "open_until": until,
    }


async def open_days(tx: Tx, period: Period, where: ZoneInfo) -> Period | None:
    """From the first to the last day of a period, up to today, that nobody has summed up since it ended."""
    began: date | None = await tx.value("metric_first_day", zone=where.key)
    counted = None if began is None else period.within(began, tx.now.astimezone(where).date())
    if counted is None:
        return None
    row = await tx.first(_OpenRow, "metric_open_days", first=counted.first, last=counted.last, zone=where.key)
    return None if row is None or row.first is None or row.last is None else Period(row.first, row.last)


def _value(kind: _Kind, sums: _SumRow | None, measured: _DurationRow | None) -> tuple[float | None, int]:
    """A figure's value and on how many things it rests."""
    match kind.how:
        case "median" | "p90":
            return (None, 0) if measured is None else (getattr(measured, kind.how), measured.things)
        case "share":
            return (None, 0) if sums is None else (sums.total / sums.things, sums.things)
        case "sum":
            return (0.0, 0) if sums is None else (sums.total, sums.things)


def _shown(rows: Sequence[_SeenRow], limit: int) -> list[Behind]:
    return [
        Behind(row.conversation_id, row.thread_id, row.contact_name, row.wa_id, row.at, row.value)
        for row in rows[:limit]
        if row.at is not None
    ]
