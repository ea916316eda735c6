"""What the figures of the analytics mean: which way is better, and what a comparable system reports."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

Verdict = Literal["better", "worse", "same", "neither"]

# Figures that only tell how much went on (conversations, messages, tickets, cost) stand in neither.
_MORE_IS_BETTER = frozenset(
    {
        "containment",
        "lead_qualified_48h",
        "leads",
        "bookings",
        "quotes_sent",
        "quotes_accepted",
        "tickets_in_sla",
        "nps",
    }
)
_LESS_IS_BETTER = frozenset(
    {
        "response_median",
        "response_p90",
        "escalation",
        "no_shows",
        "first_response_median",
        "handling_median",
        "unanswered",
    }
)

PUBLISHED: Mapping[str, float] = {
    "response_median": 4.0,
    "escalation": 0.12,
    "lead_qualified_48h": 0.38,
    "nps": 14.0,
}
"""Published figures of a comparable system, in the unit of the figure (docs/metrics.md): something to look
at, no target."""


@dataclass(frozen=True)
class Change:
    """How a figure differs from the period before, in its own unit, and whether that is good."""

    difference: float
    before: float
    verdict: Verdict


def change(name: str, now: float | None, before: float | None) -> Change | None:
    """The difference between two periods; None where one of them had nothing to measure."""
    if now is None or before is None:
        return None
    return Change(now - before, before, _verdict(name, now - before))


def _verdict(name: str, difference: float) -> Verdict:
    if difference == 0:
        return "same"
    if name in _MORE_IS_BETTER:
        return "better" if difference > 0 else "worse"
    if name in _LESS_IS_BETTER:
        return "worse" if difference > 0 else "better"
    return "neither"
