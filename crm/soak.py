"""What a soak finds in its database afterwards, over all tenants; everything in the owner's transaction."""

from dataclasses import dataclass
from datetime import datetime

from crm.record import Tx


@dataclass(frozen=True)
class HeardRow:
    """A customer's message; without an event it never reached a turn."""

    wamid: str
    wa_id: str | None
    conversation_id: int
    event_id: int | None
    created_at: datetime | None
    done_at: datetime | None


@dataclass(frozen=True)
class SaidRow:
    """A message that was to go out; `answers` are the customer's messages it is about, comma-separated."""

    outbox_id: int
    conversation_id: int
    turn_id: str
    ordinal: int
    lane: str
    state: str
    answers: str | None
    attempts: int
    error: str | None
    author: str
    wa_id: str | None
    phone_number_id: str


@dataclass(frozen=True)
class ClaimRow:
    """A message at the moment it was handed to the channel; `of_handoff`: it announces a person."""

    outbox_id: int
    turn_id: str
    lane: str
    author: str
    epoch: int
    epoch_now: int
    owner: str
    of_handoff: bool


@dataclass(frozen=True)
class HandedRow:
    """When a person had a conversation; `closed_at` None: still."""

    conversation_id: int
    turn_id: str
    reason: str
    status: str
    opened_at: datetime
    closed_at: datetime | None


@dataclass(frozen=True)
class _Counted:
    name: str
    number: int


async def watch_claims(tx: Tx) -> None:
    """Begins to write down by whose right messages go out; once, on a database made for it."""
    for query in ("soak_claims_table", "soak_claims_grant", "soak_claims_function", "soak_claims_trigger"):
        await tx.run(query)


async def claims(tx: Tx) -> list[ClaimRow]:
    """Every message that was handed to the channel since, as often as it was."""
    return await tx.all(ClaimRow, "soak_claims")


async def heard(tx: Tx) -> list[HeardRow]:
    """What customers wrote, in the order of its events."""
    return await tx.all(HeardRow, "soak_heard")


async def said(tx: Tx) -> list[SaidRow]:
    """What was to go out, in order."""
    return await tx.all(SaidRow, "soak_said")


async def handed(tx: Tx) -> list[HandedRow]:
    """Every hand-over."""
    return await tx.all(HandedRow, "soak_handoffs")


async def jobs_left(tx: Tx) -> dict[str, int]:
    """Jobs that are due or running, by task and status; those the clock begins are left out."""
    return await _counted(tx, "soak_jobs")


async def locks_left(tx: Tx) -> dict[str, int]:
    """Advisory locks, and transactions open for over ten seconds."""
    return await _counted(tx, "soak_locks")


async def done(tx: Tx) -> dict[str, int]:
    """How much of each kind of thing was done."""
    return await _counted(tx, "soak_done")


async def connections(tx: Tx) -> int:
    """Connections to the server now."""
    return int(await tx.value("soak_connections"))


async def _counted(tx: Tx, query: str) -> dict[str, int]:
    return {row.name: row.number for row in await tx.all(_Counted, query) if row.number}
