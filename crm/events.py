"""Domain events: what happened, once, and everything in the record that follows from it, in one transaction.

What has to be done outside of the record (a file to render, a calendar, an alert) becomes a row of
`event_hook` in the same transaction; a job does it, again and again until it is done.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from crm import handlers, queue
from crm.handlers import Happened
from crm.record import Tx

Target = Literal["document", "calendar", "alert"]

# Which targets hear of which event. A target's job asks for its own hooks with `next_hook`.
HOOKS: dict[str, tuple[Target, ...]] = {
    "appointment_booked": ("calendar", "alert"),
    "appointment_moved": ("calendar", "alert"),
    "appointment_cancelled": ("calendar", "alert"),
    "appointment_completed": ("document",),
    "appointment_missed": ("alert",),
    "appointment_conflict": ("alert",),  # somebody's own calendar says that they cannot
    "quote_requested": ("alert",),
    "quote_issued": ("document",),
    "quote_accepted": ("document", "alert"),
    "quote_declined": ("alert",),
    "lead_qualified": ("alert",),
    "ticket_opened": ("alert",),
}


@dataclass(frozen=True)
class HookRow:
    """Something to be done outside of the record, with the event that asks for it."""

    event_hook_id: int
    target: str
    attempts: int
    crm_event_id: int
    kind: str
    contact_id: int
    conversation_id: int | None
    subject_id: int | None
    detail: str


@dataclass(frozen=True)
class _DueRow:
    business_id: int


async def happened(
    tx: Tx,
    kind: str,
    contact_id: int,
    *,
    key: str,
    conversation_id: int | None = None,
    subject_id: int | None = None,
    detail: str = "",
    agent_id: int | None = None,
) -> bool:
    """Writes an event down and lets its handlers follow; False when `key` says it was written before.

    Every handler works in the caller's transaction: all of it happens, or nothing.
    """
    event_id: int | None = await tx.value(
        "crm_event_once",
        kind=kind,
        contact_id=contact_id,
        conversation_id=conversation_id,
        subject_id=subject_id,
        detail=detail,
        key=key,
        agent_id=agent_id,
    )
    if event_id is None:
        return False
    event = Happened(event_id, kind, contact_id, conversation_id, subject_id, detail)
    for handler in handlers.HANDLERS.get(kind, ()):
        await handler(tx, event)
    targets = HOOKS.get(kind, ())
    for target in targets:
        await tx.run("hook_insert", crm_event_id=event_id, target=target)
    if targets:
        await queue.hooks(tx)
    return True


async def next_hook(tx: Tx, targets: Sequence[str]) -> HookRow | None:
    """The oldest hook of these targets that is due, locked until the transaction ends."""
    return await tx.first(HookRow, "hook_next", targets=list(targets))


async def wait_s(tx: Tx, targets: Sequence[str]) -> float | None:
    """Seconds until the next hook of these targets is due; None when none waits."""
    value: float | None = await tx.value("hook_wait", targets=list(targets))
    return value


async def settle(
    tx: Tx, hook_id: int, state: Literal["done", "failed"] = "done", error: str | None = None
) -> None:
    """A hook is done, or given up."""
    await tx.run("hook_settle", event_hook_id=hook_id, state=state, error=error)


async def try_again(tx: Tx, hook_id: int, at: datetime, error: str) -> None:
    """A hook failed for now."""
    await tx.run("hook_again", event_hook_id=hook_id, at=at, error=error)


async def due_hooks(tx: Tx, targets: Sequence[str], older_than: timedelta) -> list[int]:
    """Businesses, of all tenants, with hooks of these targets that are due and that no job is about to do."""
    rows = await tx.all(_DueRow, "due_hooks", targets=list(targets), older_than=older_than)
    return [row.business_id for row in rows]


async def overdue_businesses(tx: Tx) -> list[int]:
    """Businesses, of all tenants, with quotes to expire or contacts to let sleep."""
    return [row.business_id for row in await tx.all(_DueRow, "overdue_businesses")]
