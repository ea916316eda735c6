"""The true figures of a seeded history, worked out from what was chosen, not from what was written."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date

import numpy as np

from crm.periods import Period

_SHARES = ("containment", "escalation", "lead_qualified_48h", "no_shows", "tickets_in_sla", "voice_share")
_COUNTS = ("conversations", "messages_in", "messages_out", "leads", "bookings", "quotes_sent",
           "quotes_accepted", "tickets", "unanswered", "tokens", "compute_seconds")  # fmt: skip
_PERCENTILES = {
    "response_median": ("response", 50),
    "response_p90": ("response", 90),
    "first_response_median": ("first_response", 50),
    "handling_median": ("handling", 50),
}


@dataclass(frozen=True)
class Fact:
    """One thing that was chosen to happen: the day it counts for, and what it adds.

    `conversation` is its number in the history; None for what belongs to none.
    """

    name: str
    day: date
    value: float
    conversation: int | None = None
    key: str = ""


@dataclass(frozen=True)
class Truth:
    """What is true of a history of the days of `period`.

    figures           of the whole period, by name; None where there is nothing to measure
    by_day            the same of every day
    shares            how often each language, reason and intent
    unanswered        how often each question that nothing answers, by the first of its wordings
    conversation_ids  of the conversations, in the order of their numbers
    """

    period: Period
    facts: Sequence[Fact]
    figures: dict[str, float | None]
    by_day: dict[str, dict[date, float | None]]
    shares: dict[str, dict[str, int]]
    unanswered: dict[str, int]
    conversation_ids: list[int] = field(default_factory=list)

    def of(self, period: Period) -> dict[str, float | None]:
        """The true figures of some of its days."""
        return figures_of([fact for fact in self.facts if period.first <= fact.day <= period.last])


def truth_of(period: Period, facts: Sequence[Fact], unanswered: dict[str, int], ids: list[int]) -> Truth:
    """What follows from what was chosen."""
    daily: dict[date, list[Fact]] = {day: [] for day in period.each()}
    for fact in facts:
        if fact.day in daily:
            daily[fact.day].append(fact)
    inside = [fact for of_day in daily.values() for fact in of_day]
    each = {day: figures_of(of_day) for day, of_day in daily.items()}
    figures = figures_of(inside)
    return Truth(
        period=period,
        facts=facts,
        figures=figures,
        by_day={name: {day: each[day][name] for day in each} for name in figures},
        shares={
            what: dict(Counter(fact.key for fact in inside if fact.name == what))
            for what in ("languages", "reasons", "intents")
        },
        unanswered=unanswered,
        conversation_ids=ids,
    )


def figures_of(facts: Sequence[Fact]) -> dict[str, float | None]:
    """Every figure of some facts."""
    values: dict[str, list[float]] = {}
    for fact in facts:
        values.setdefault(fact.name, []).append(fact.value)
    found: dict[str, float | None] = {name: float(sum(values.get(name, []))) for name in _COUNTS}
    found |= {name: _mean(values.get(name, [])) for name in _SHARES}
    for name, (made_of, percent) in _PERCENTILES.items():
        measured = values.get(made_of, [])
        found[name] = float(np.percentile(measured, percent)) if measured else None
    return found


def _mean(values: Sequence[float]) -> float | None:
    return sum(values) / len(values) if values else None
