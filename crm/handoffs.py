"""Hand-overs to a human, and what comes back."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from crm.errors import UnknownHandoff
from crm.record import Tx

OPEN = ("open", "claimed")
TAKEN_OVER = ("agent_takeover", "reopened", "owner_on_phone")  # reasons: a person wished it, no customer


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
    touched_at: datetime | None
    apologised_at: datetime | None
    written_by: str | None


@dataclass(frozen=True)
class StepRow:
    """Something that was done to a hand-over; without an agent the operator, a phone or a timer did it."""

    handoff_id: int
    kind: str
    detail: str
    at: datetime
    agent_name: str | None


@dataclass(frozen=True)
class WaitingRow:
    business_id: int
    handoff_id: int


@dataclass(frozen=True)
class UnansweredRow:
    """A message of the customer's that no human has answered, or the hand-over itself, without `kind` and
    `words`, where none came since its opening. `spoke`: a human has written since the opening, or has taken
    over, so that thanks are owed no answer."""

    since: datetime
    kind: str | None
    words: str | None
    option_id: str | None
    spoke: bool


@dataclass(frozen=True)
class FactRow:
    kind: str
    key: str
    body: str


@dataclass(frozen=True)
class _ActRow:
    detail: str


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


async def alarm(tx: Tx, handoff_id: int, *, score: float, wants: str) -> None:
    """An open hand-over becomes an emergency, whatever it was opened for; `wants`: the words that say so."""
    await tx.run("handoff_alarm", handoff_id=handoff_id, score=score, wants=wants)


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
    """What the agent learned and promised, and what was known before: `kind` tells them apart."""
    return await tx.all(FactRow, "handoff_facts", handoff_id=handoff_id)


async def know(
    tx: Tx,
    handoff_id: int,
    *,
    slots: Mapping[str, str],
    words: Sequence[str],
    sources: Sequence[tuple[str, str]],
) -> None:
    """Keeps what was known when it was opened: slots, the words that triggered it, (document, section)."""
    known = [("slot", key, body) for key, body in slots.items()]
    known += [("word", "", word) for word in words]
    known += [("source", source, section) for source, section in sources]
    counted: dict[str, int] = {}
    for kind, key, body in known:
        ordinal = counted[kind] = counted.get(kind, -1) + 1
        await tx.run("handoff_known", handoff_id=handoff_id, kind=kind, ordinal=ordinal, key=key, body=body)


async def touch(tx: Tx, handoff_id: int) -> None:
    """An agent did something about it: it is not idle."""
    await tx.run("handoff_touched", handoff_id=handoff_id)


async def release(tx: Tx, handoff_id: int, queue: str | None = None) -> None:
    """Nobody has it any more: back into its queue, or into another."""
    await tx.run("handoff_release", handoff_id=handoff_id, queue=queue)


async def write(tx: Tx, handoff_id: int, *, summary: str, draft: str, written_by: str) -> bool:
    """A model's summary and draft in place of the first ones; False when it is closed."""
    return (
        await tx.run(
            "handoff_written", handoff_id=handoff_id, summary=summary, draft=draft, written_by=written_by
        )
        == 1
    )


async def also_wants(tx: Tx, handoff_id: int, wants: str) -> None:
    """The customer wants something more of whoever has an open hand-over; what they wanted before stays."""
    await tx.run("handoff_wants", handoff_id=handoff_id, wants=wants)


async def apologised(tx: Tx, handoff_id: int) -> bool:
    """Notes that the customer was told that it takes longer; False when they had been."""
    return await tx.run("handoff_apologised", handoff_id=handoff_id) == 1


async def step(tx: Tx, handoff_id: int, kind: str, agent_id: int | None, detail: str = "") -> None:
    """Writes down who did what."""
    await tx.run("handoff_step", handoff_id=handoff_id, kind=kind, agent_id=agent_id, detail=detail)


async def acted(tx: Tx, handoff_id: int, agent_id: int, detail: str) -> None:
    """Writes down what an agent carried out for the customer, and what came of it."""
    await tx.run("handoff_acted", handoff_id=handoff_id, agent_id=agent_id, detail=detail)
    await touch(tx, handoff_id)


async def acts(tx: Tx, handoff_id: int) -> list[str]:
    """What agents carried out during a hand-over, in order."""
    return [row.detail for row in await tx.all(_ActRow, "handoff_acts", handoff_id=handoff_id)]


async def steps(tx: Tx, conversation_id: int) -> list[StepRow]:
    """Who did what in a conversation, in order."""
    return await tx.all(StepRow, "handoff_steps", conversation_id=conversation_id)


async def unanswered(tx: Tx, handoff_id: int) -> list[UnansweredRow]:
    """For what the customer waits, from the earliest on; nothing when a human spoke last, nor where a person
    took over what SARA had answered. No reactions."""
    which = {"handoff_id": handoff_id, "taken_over": list(TAKEN_OVER)}
    return await tx.all(UnansweredRow, "handoff_unanswered", **which)


async def to_attend(tx: Tx, quiet_since: datetime) -> list[WaitingRow]:
    """Open hand-overs of all tenants that were opened before that."""
    return await tx.all(WaitingRow, "handoffs_to_attend", quiet_since=quiet_since)
