"""Follow-ups: what a person of the business has to do for a customer, by when, and who."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from crm.errors import UnknownFollowUp
from crm.record import Tx

Kind = Literal["price_quote", "chase_quote", "call_lead", "after_visit"]


@dataclass(frozen=True)
class FollowUpRow:
    """`agent_id` is who looks after it; without one it is for whoever of the queue comes first."""

    follow_up_id: int
    contact_id: int
    kind: str
    subject_id: int | None
    agent_id: int | None
    agent_name: str | None
    queue: str | None
    due_at: datetime
    status: str


async def add(
    tx: Tx, contact_id: int, kind: Kind, *, due_at: datetime, subject_id: int | None, event_id: int | None
) -> None:
    """One more thing to do, given to the agent with the fewest; what is open for the same reason stays."""
    await tx.run(
        "follow_up_insert",
        contact_id=contact_id,
        kind=kind,
        subject_id=subject_id,
        due_at=due_at,
        crm_event_id=event_id,
    )


async def close(
    tx: Tx,
    contact_id: int,
    kinds: Sequence[Kind],
    *,
    subject_id: int | None = None,
    status: Literal["done", "cancelled"] = "done",
) -> None:
    """What was to be done happened, or is not needed any more; without a subject whatever it was about."""
    await tx.run(
        "follow_up_close", contact_id=contact_id, kinds=list(kinds), subject_id=subject_id, status=status
    )


async def done(tx: Tx, follow_up_id: int) -> None:
    """A person did it. Raises UnknownFollowUp."""
    if await tx.run("follow_up_done", follow_up_id=follow_up_id) == 0:
        raise UnknownFollowUp(UnknownFollowUp.__doc__)


async def due(tx: Tx, until: datetime) -> list[FollowUpRow]:
    """What has to be done by a moment, the first due first."""
    return await tx.all(FollowUpRow, "follow_ups_due", until=until)


async def of_contact(tx: Tx, contact_id: int) -> list[FollowUpRow]:
    """All about one customer."""
    return await tx.all(FollowUpRow, "follow_ups_of_contact", contact_id=contact_id)
