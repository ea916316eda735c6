"""Hand-overs to a human, and what comes back."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from crm.errors import UnknownHandoff
from crm.record import Tx

OPEN = ("open", "claimed")


@dataclass(frozen=True)
class HandoffRow:
    handoff_id: int
    conversation_id: int
    reason: str
    label: str | None
    score: float | None
    summary: str
    wants: str
    draft: str
    status: str
    agent_id: int | None
    opened_at: datetime
    claimed_at: datetime | None
    closed_at: datetime | None
    note: str | None
    thread_id: str
    contact_id: int
    last_customer_at: datetime | None
    owner: str
    contact_name: str | None
    wa_id: str | None
    language: str | None
    queue: str | None


@dataclass(frozen=True)
class FactRow:
    kind: str
    key: str
    body: str


async def open_one(
    tx: Tx,
    conversation_id: int,
    *,
    turn_id: str,
    reason: str,
    label: str | None,
    score: float | None,
    summary: str,
    wants: str,
    draft: str,
) -> int:
    """Opens the hand-over of a turn, once; returns its id, also when this turn opened it before.

    It stands in the queue of its business.
    """
    handoff_id: int | None = await tx.value(
        "handoff_insert",
        conversation_id=conversation_id,
        turn_id=turn_id,
        reason=reason,
        label=label,
        score=score,
        summary=summary,
        wants=wants,
        draft=draft,
    )
    if handoff_id is None:
        handoff_id = await tx.value("handoff_of_turn", turn_id=turn_id)
    if handoff_id is None:
        handoff_id = await open_of(tx, conversation_id)
    if handoff_id is None:
        raise RuntimeError("a hand-over was neither found nor made")
    return handoff_id


async def get(tx: Tx, handoff_id: int) -> HandoffRow:
    """One hand-over. Raises UnknownHandoff."""
    row = await tx.first(HandoffRow, "handoff", handoff_id=handoff_id)
    if row is None:
        raise UnknownHandoff(UnknownHandoff.__doc__)
    return row


async def queue(tx: Tx, statuses: Sequence[str] = OPEN, most: int = 200) -> list[HandoffRow]:
    """Hand-overs in those states, the longest waiting first."""
    return await tx.all(HandoffRow, "handoffs", statuses=list(statuses), most=most)


async def open_of(tx: Tx, conversation_id: int) -> int | None:
    """The open hand-over of a conversation."""
    value: int | None = await tx.value("handoff_open_of", conversation_id=conversation_id)
    return value


async def claim(tx: Tx, handoff_id: int, agent_id: int | None) -> bool:
    """An agent takes it; False when it is closed."""
    return await tx.run("handoff_claim", handoff_id=handoff_id, agent_id=agent_id) == 1


async def close(
    tx: Tx,
    handoff_id: int,
    status: str,
    *,
    note: str,
    agent_id: int | None,
    facts: Mapping[str, str] | None = None,
    promises: Sequence[str] = (),
) -> bool:
    """Ends it as `returned` or `resolved` with what the agent learned; False when it was closed before."""
    if await tx.run("handoff_close", handoff_id=handoff_id, status=status, note=note, agent_id=agent_id) == 0:
        return False
    for ordinal, (key, body) in enumerate((facts or {}).items()):
        await tx.run(
            "handoff_fact_insert", handoff_id=handoff_id, kind="fact", ordinal=ordinal, key=key, body=body
        )
    for ordinal, body in enumerate(promises):
        await tx.run(
            "handoff_fact_insert", handoff_id=handoff_id, kind="promise", ordinal=ordinal, key="", body=body
        )
    return True


async def facts(tx: Tx, handoff_id: int) -> list[FactRow]:
    """What the agent learned and promised."""
    return await tx.all(FactRow, "handoff_facts", handoff_id=handoff_id)
