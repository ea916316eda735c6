"""How likely customers are to recommend the business: who is asked and when, what they answer, the score.

A customer is asked once in so many days, after a conversation that came to a good end: SARA answered from a
source or did what was wanted, or a person finished it; nothing waits for an answer, and it has been quiet for
a while. Not while a person has the word, nor soon after something sensitive, a report or a failure. The
question is a free message, so it is asked inside of the 24 hours or not at all.

The score is that of Frederick F. Reichheld, "The One Number You Need to Grow", Harvard Business Review,
December 2003: the share of promoters (9 and 10) less the share of detractors (0 to 6), from −100 to +100.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from crm import analytics, events
from crm.analytics import Figure
from crm.periods import Period
from crm.record import Tx

NAME = "nps"
WINDOW = timedelta(hours=23)
"""How long after a customer's last words they may be asked: the 24 hours, less time to get there."""
SILENCE = timedelta(minutes=30)
"""How long a conversation has to be quiet before it counts as over."""
ANSWER_WITHIN = timedelta(hours=48)
"""How long a question waits for its answer."""
DETRACTOR, PROMOTER = 6, 9
"""The highest score of a detractor, and the lowest of a promoter."""

_SORE = timedelta(days=7)  # after something sensitive, a report, a failure
_SORE_REASONS = ("sensitive", "low_score", "turn_failed", "tool_failed")
_GOOD_ENDS = ("answered", "done", "small_talk", "silent")
_SETTLING = (
    "appointment_booked",
    "appointment_moved",
    "appointment_cancelled",
    "quote_issued",
    "quote_accepted",
    "lead_qualified",
    "contact_updated",
    "details_given",
)
_LONGEST_COMMENT = 2000


@dataclass(frozen=True)
class Settings:
    """Whether the business asks, and after how many days it asks the same customer again."""

    asks_nps: bool
    nps_every_days: int


@dataclass(frozen=True)
class DueRow:
    """A customer who may be asked now, with the conversation that ended well."""

    conversation_id: int
    contact_id: int
    phone_number_id: str
    wa_id: str | None
    language: str


@dataclass(frozen=True)
class PendingRow:
    """A question that waits for its answer; `score` only where this very turn has taken it in before."""

    nps_response_id: int
    score: int | None


@dataclass(frozen=True)
class _BusinessRow:
    business_id: int


@dataclass(frozen=True)
class _WordsRow:
    words: str


@dataclass(frozen=True)
class _CountRow:
    promoters: int
    detractors: int
    answers: int


@dataclass(frozen=True)
class _WeekRow:
    week: date
    promoters: int
    detractors: int
    answers: int


async def businesses_that_ask(tx: Tx) -> list[int]:
    """Businesses, of all tenants, that ask and spoke with somebody within the window."""
    found = await tx.all(_BusinessRow, "nps_businesses", since=tx.now - WINDOW)
    return [row.business_id for row in found]


async def settings(tx: Tx) -> Settings:
    """Whether the business asks, and how often."""
    row = await tx.first(Settings, "nps_settings")
    if row is None:
        raise RuntimeError("a transaction without a business asks for its settings")
    return row


async def set_up(tx: Tx, wanted: Settings) -> None:
    """Whether the business asks from now on, and how often."""
    await tx.run("nps_settings_put", asks_nps=wanted.asks_nps, nps_every_days=wanted.nps_every_days)


async def due(tx: Tx, most: int = 1000) -> list[DueRow]:
    """Customers who may be asked now, the longest waiting first."""
    return await tx.all(DueRow, "nps_due", **_when(contact_id=None, most=most))


async def take(tx: Tx, contact_id: int) -> DueRow | None:
    """The same of one customer, whom nobody else can ask until the transaction ends; None: not any more."""
    await tx.value("nps_lock", contact_id=contact_id)
    return await tx.first(DueRow, "nps_due", **_when(contact_id=contact_id, most=1))


async def said(tx: Tx, conversation_id: int) -> list[str]:
    """What the customer wrote or said in a conversation, latest first."""
    return [row.words for row in await tx.all(_WordsRow, "nps_said", conversation_id=conversation_id)]


async def asked(tx: Tx, row: DueRow, language: str) -> int:
    """Writes down that a customer is asked; returns the question's id."""
    return int(
        await tx.value(
            "nps_insert",
            contact_id=row.contact_id,
            conversation_id=row.conversation_id,
            language=language,
        )
    )


async def asked_with(tx: Tx, nps_response_id: int, message_id: int) -> None:
    """Which message asks."""
    await tx.run("nps_asked_with", nps_response_id=nps_response_id, message_id=message_id)


async def pending(tx: Tx, contact_id: int, turn_id: str) -> PendingRow | None:
    """The question this turn may answer: the last thing that was said to the customer, and not long ago.

    A turn that is run again after a crash finds the question that it answered.
    """
    return await tx.first(
        PendingRow, "nps_pending", contact_id=contact_id, turn_id=turn_id, since=tx.now - ANSWER_WITHIN
    )


async def answer(
    tx: Tx,
    nps_response_id: int,
    score: int,
    comment: str,
    *,
    contact_id: int,
    conversation_id: int,
    turn_id: str,
) -> None:
    """Keeps a score, 0 to 10, with the customer's own words, which may be none; a second one corrects it,
    in the history too."""
    await tx.run(
        "nps_answer",
        nps_response_id=nps_response_id,
        score=score,
        comment=comment[:_LONGEST_COMMENT],
        turn_id=turn_id,
    )
    key, detail = f"nps_answered:{nps_response_id}", f"{score}/10"
    new = await events.happened(
        tx,
        "nps_answered",
        contact_id,
        key=key,
        conversation_id=conversation_id,
        subject_id=nps_response_id,
        detail=detail,
    )
    if not new:
        await tx.run("nps_answered_anew", key=key, detail=detail)


async def comment(tx: Tx, nps_response_id: int, words: str) -> None:
    """Keeps what the customer says about an answer that was given."""
    await tx.run("nps_comment", nps_response_id=nps_response_id, comment=words[:_LONGEST_COMMENT])


async def decline(tx: Tx, nps_response_id: int, *, turn_id: str) -> None:
    """The customer would rather not say; they are left alone for as long as after an answer."""
    await tx.run("nps_decline", nps_response_id=nps_response_id, turn_id=turn_id)


async def score(tx: Tx, period: Period) -> Figure:
    """The net promoter score of the answers of a period, in points from −100 to +100 (Reichheld 2003)."""
    since, until = period.bounds(await analytics.zone(tx))
    row = await tx.first(_CountRow, "nps_counts", since=since, until=until)
    if row is None:
        raise RuntimeError("a count has one row")
    return Figure(NAME, "points", _net(row.promoters, row.detractors, row.answers), row.answers)


async def trend(tx: Tx, period: Period) -> list[tuple[date, float | None, int]]:
    """The score by week: its Monday, the points (None without an answer) and how many answers.

    Weeks that reach over the ends of the period count the days inside of it.
    """
    since, until = period.bounds(await analytics.zone(tx))
    found = {row.week: row for row in await tx.all(_WeekRow, "nps_weeks", since=since, until=until)}
    return [(week, *_of_week(found.get(week))) for week in _mondays(period)]


def _of_week(row: _WeekRow | None) -> tuple[float | None, int]:
    return (None, 0) if row is None else (_net(row.promoters, row.detractors, row.answers), row.answers)


def _mondays(period: Period) -> Sequence[date]:
    first = period.first - timedelta(days=period.first.weekday())
    return [first + timedelta(days=days) for days in range(0, (period.last - first).days + 1, 7)]


def _net(promoters: int, detractors: int, answers: int) -> float | None:
    return round(100 * (promoters - detractors) / answers, 1) if answers else None


def _when(*, contact_id: int | None, most: int) -> dict[str, Any]:
    return {
        "contact_id": contact_id,
        "most": most,
        "window": WINDOW,
        "silence": SILENCE,
        "sore": _SORE,
        "sore_reasons": list(_SORE_REASONS),
        "good_ends": list(_GOOD_ENDS),
        "settling": list(_SETTLING),
    }
