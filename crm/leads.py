"""Leads: what somebody may buy, how promising it is, and where in the pipeline it stands."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from crm.packs import Asked
from crm.record import Tx

Stage = Literal["new", "qualified", "quoted", "booked", "won", "lost"]

QUALIFIED_FROM = 50  # of 100: from that score on a lead is worth a seller's call
_ORDER: tuple[str, ...] = ("new", "qualified", "quoted", "booked", "won")
_LONGEST_WISH = 2000


@dataclass(frozen=True)
class LeadRow:
    """`score` is 0..100."""

    lead_id: int
    contact_id: int
    wish: str
    score: int
    stage: str


@dataclass(frozen=True)
class StageChangeRow:
    """One step in the pipeline; the first has no `from_stage`."""

    from_stage: str | None
    to_stage: str
    at: datetime


@dataclass(frozen=True)
class PipelineRow:
    """How many leads stand at a stage."""

    stage: str
    leads: int


def score(questions: Sequence[Asked], answers: Mapping[str, str]) -> int:
    """How much of what the trade wants to know a customer told, 0..100, by the weights of its questions.

    An answer that is one of a question's options earns that option's share of its weight, any other answer
    the whole. A trade that asks nothing knows enough from the wish alone: 100.
    """
    whole = sum(asked.weight for asked in questions)
    if not whole:
        return 100
    earned = sum(
        asked.weight * _share(asked, answers[asked.key]) for asked in questions if answers.get(asked.key)
    )
    return round(100 * earned / whole)


def _share(asked: Asked, answer: str) -> float:
    chosen = [o for o, titles in asked.options.items() if answer == o or answer in titles.values()]
    return asked.shares.get(chosen[0], 1.0) if chosen else 1.0


async def note(
    tx: Tx,
    contact_id: int,
    *,
    conversation_id: int | None,
    wish: str = "",
    answers: Mapping[str, str] | None = None,
    points: int = 0,
) -> LeadRow:
    """Adds to a customer's open lead, or opens one; a score never falls by what is told later."""
    found = await open_of(tx, contact_id)
    if found is None:
        await tx.value(
            "lead_insert",
            contact_id=contact_id,
            conversation_id=conversation_id,
            wish=wish[:_LONGEST_WISH],
            score=points,
        )
        found = await open_of(tx, contact_id)
        if found is None:
            raise RuntimeError("a lead just opened cannot be read back")
        await _remember(tx, found.lead_id, None, "new", None)
    else:
        together = found.wish if wish in found.wish else f"{found.wish}\n{wish}".strip()
        await tx.run("lead_update", lead_id=found.lead_id, wish=together[:_LONGEST_WISH], score=points)
    for key, answer in (answers or {}).items():
        await tx.run("lead_answer_put", lead_id=found.lead_id, key=key, answer=answer)
    return found


async def move(
    tx: Tx,
    contact_id: int,
    to: Stage,
    event_id: int | None,
    *,
    conversation_id: int | None = None,
    back: bool = False,
) -> None:
    """Moves a customer's open lead along; opens one where there is none.

    A lead does not fall back unless `back` says so: a quote asked for after a booking leaves it booked.
    Nothing is opened only to be closed: who comes to a second appointment has won the business nothing new.
    """
    found = await open_of(tx, contact_id)
    if found is None:
        if to in ("won", "lost") or back:
            return
        found = await note(tx, contact_id, conversation_id=conversation_id)
    forward = to == "lost" or _ORDER.index(to) > _ORDER.index(found.stage)
    if found.stage != to and (forward or back):
        await tx.run("lead_stage", lead_id=found.lead_id, stage=to)
        await _remember(tx, found.lead_id, found.stage, to, event_id)


async def open_of(tx: Tx, contact_id: int) -> LeadRow | None:
    """A customer's open lead, locked."""
    return await tx.first(LeadRow, "lead_open_of", contact_id=contact_id)


async def of_contact(tx: Tx, contact_id: int) -> list[LeadRow]:
    """A customer's leads, the latest first."""
    return await tx.all(LeadRow, "leads_of_contact", contact_id=contact_id)


async def changes(tx: Tx, lead_id: int) -> list[StageChangeRow]:
    """How a lead moved, oldest first."""
    return await tx.all(StageChangeRow, "stage_changes", lead_id=lead_id)


async def pipeline(tx: Tx) -> dict[str, int]:
    """How many leads stand at each stage."""
    return {row.stage: row.leads for row in await tx.all(PipelineRow, "pipeline")}


async def _remember(tx: Tx, lead_id: int, before: str | None, to: str, event_id: int | None) -> None:
    await tx.run(
        "stage_change_insert", lead_id=lead_id, from_stage=before, to_stage=to, crm_event_id=event_id
    )
