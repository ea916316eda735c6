"""How well a business looks after its customers, as one number from 0 to 100 with its parts laid open.

Each part earns all its points at `full`, none at `nothing`, and in between in proportion. What was measured
on too few things earns nothing and takes nothing away: the score is the share of the points that could be
earned. docs/metrics.md gives the table and says why these parts.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from crm import analytics, nps
from crm.analytics import Figure, Unit
from crm.periods import Period
from crm.record import Tx

Why = Literal["all", "some", "none", "too_few"]
"""All points earned, some, none; or too little happened to tell."""

LEAST = 5
"""On fewer things than these a part is not judged."""
_LEAST_POINTS = 40  # of 100 that must be judged: two lucky parts are no health


@dataclass(frozen=True)
class _Part:
    """What a part weighs, and between which values it earns."""

    points: int
    full: float
    nothing: float
    unit: Unit
    least: int = LEAST


PARTS: Mapping[str, _Part] = {
    "response": _Part(15, 10.0, 120.0, "seconds"),
    "containment": _Part(15, 0.88, 0.40, "share"),
    "answered": _Part(15, 0.95, 0.60, "share"),
    "first_response": _Part(10, 1800.0, 28800.0, "seconds"),
    "tickets_in_sla": _Part(10, 0.95, 0.50, "share"),
    "tickets_late": _Part(5, 0.0, 0.5, "share", least=1),
    "no_shows": _Part(10, 0.05, 0.25, "share"),
    "undelivered": _Part(10, 0.01, 0.10, "share"),
    "nps": _Part(10, 50.0, -20.0, "points"),
}


@dataclass(frozen=True)
class Component:
    """A part of the score.

    `value` in `unit`, None where there was nothing to measure, rests on `measured_on` things; `points` are
    earned of `of` possible ones, which are 0 where too little happened (`why`). It earns everything at
    `full` and nothing at `nothing`.
    """

    name: str
    value: float | None
    points: float
    of: int
    why: Why
    unit: Unit
    measured_on: int
    full: float
    nothing: float


@dataclass(frozen=True)
class Health:
    """The score from 0 to 100, None where too little happened to have one, and what it is made of."""

    score: int | None
    components: tuple[Component, ...]


@dataclass(frozen=True)
class _UndeliveredRow:
    unsent: int
    failed: int


@dataclass(frozen=True)
class _TicketsRow:
    open: int
    late: int


async def health(tx: Tx, period: Period) -> Health:
    """The health of the transaction's business in a period; late tickets are those of this moment."""
    return of_measures(await _measures(tx, period))


def of_measures(measures: Mapping[str, tuple[float | None, int]]) -> Health:
    """The score of what was measured: a value, and on how many things, for each name of PARTS."""
    components = tuple(_component(name, part, *measures[name]) for name, part in PARTS.items())
    possible = sum(one.of for one in components)
    if possible < _LEAST_POINTS:
        return Health(None, components)
    return Health(round(100 * sum(one.points for one in components) / possible), components)


def _component(name: str, part: _Part, value: float | None, measured_on: int) -> Component:
    judged = value is not None and measured_on >= part.least
    share = _share(part, value) if judged and value is not None else 0.0
    why: Why = "too_few" if not judged else "all" if share == 1 else "none" if share == 0 else "some"
    return Component(
        name,
        value,
        round(share * part.points, 1),
        part.points if judged else 0,
        why,
        part.unit,
        measured_on,
        part.full,
        part.nothing,
    )


def _share(part: _Part, value: float) -> float:
    """How much of its points a value earns, 0 to 1."""
    return min(1.0, max(0.0, (value - part.nothing) / (part.full - part.nothing)))


async def _measures(tx: Tx, period: Period) -> dict[str, tuple[float | None, int]]:
    figures = await analytics.figures(tx, period)
    conversations = round(figures["conversations"].value or 0)
    return {
        "response": _measured(figures["response_median"]),
        "containment": _measured(figures["containment"]),
        "answered": _answered(figures["unanswered"].value or 0.0, conversations),
        "first_response": _measured(figures["first_response_median"]),
        "tickets_in_sla": _measured(figures["tickets_in_sla"]),
        "tickets_late": await _late(tx),
        "no_shows": _measured(figures["no_shows"]),
        "undelivered": await _undelivered(tx, period, round(figures["messages_out"].value or 0)),
        "nps": _measured(await nps.score(tx, period)),
    }


def _measured(figure: Figure) -> tuple[float | None, int]:
    return figure.value, figure.of


def _answered(unanswered: float, conversations: int) -> tuple[float | None, int]:
    """The share of conversations without a question that nothing answered, each question counting for one."""
    if not conversations:
        return None, 0
    return max(0.0, 1 - unanswered / conversations), conversations


async def _late(tx: Tx) -> tuple[float | None, int]:
    row = await tx.first(_TicketsRow, "health_open_tickets")
    return (row.late / row.open, row.open) if row is not None and row.open else (None, 0)


async def _undelivered(tx: Tx, period: Period, sent: int) -> tuple[float | None, int]:
    """The share of our messages that the channel refused, holds back, or took and failed to deliver."""
    since, until = period.bounds(await analytics.zone(tx))
    row = await tx.first(_UndeliveredRow, "health_undelivered", since=since, until=until)
    if row is None or not sent + row.unsent:
        return None, 0
    return min(1.0, (row.unsent + row.failed) / (sent + row.unsent)), sent + row.unsent
