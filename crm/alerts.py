"""Alerts to the team: where it is reached, and one row for each thing each of these places is told.

States of an alert: queued → sent | dead. A dead one was tried often enough: `sara doctor` shows it, and
`sara alerts dead --retry` queues it again.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from crm.events import HOOKS
from crm.record import Tx

# What is told besides the events whose hooks ask for it.
WATCHED = (
    "handoff_opened",
    "handoff_unanswered",
    "ticket_due",
    "delivery_failed",
    "webhook_failed",
    "channel_halted",
    "campaign_paused",
    "number_stopped",
    "model_budget",
    "weekly_digest",
)
KINDS = (*WATCHED, *(kind for kind, targets in HOOKS.items() if "alert" in targets))


@dataclass(frozen=True)
class TargetRow:
    """A place where the team is reached; `sealed` is its address, encrypted. Empty `kinds`: every kind."""

    alert_target_id: int
    name: str
    queue: str | None
    kinds: list[str]
    service: str
    sealed: bytes
    failures: int
    paused_until: datetime | None
    queued: int
    sent: int
    dead: int


@dataclass(frozen=True)
class AlertRow:
    """An alert that is being sent; `attempts` counts this one."""

    alert_id: int
    kind: str
    title: str
    body: str
    urgent: bool
    attempts: int


@dataclass(frozen=True)
class DeadRow:
    """An alert that was given up, and why."""

    alert_id: int
    target: str
    kind: str
    title: str
    attempts: int
    error: str | None
    created_at: datetime
    settled_at: datetime | None


@dataclass(frozen=True)
class DueRow:
    """Something of a tenant that a job is needed for."""

    business_id: int
    target_id: int


@dataclass(frozen=True)
class PatienceRow:
    """After how many minutes of opening hours a waiting hand-over, and how many before its due time a
    ticket, is told to the team."""

    unanswered_minutes: int
    due_soon_minutes: int


@dataclass(frozen=True)
class News:
    """Something to tell. `key` names what it is about: every target hears of it once."""

    kind: str
    key: str
    title: str
    body: str
    queue: str | None = None
    contact_id: int | None = None
    urgent: bool = False


async def add_target(
    tx: Tx, name: str, *, queue: str | None, kinds: Sequence[str], service: str, sealed: bytes
) -> int | None:
    """One more place; None when another has that name."""
    made: int | None = await tx.value(
        "alert_target_insert", name=name, queue=queue, kinds=list(kinds), service=service, sealed=sealed
    )
    return made


async def remove_target(tx: Tx, name: str) -> bool:
    """It is not told any more, neither what still waits; False when there is none of that name."""
    return await tx.value("alert_target_delete", name=name) is not None


async def targets(tx: Tx) -> list[TargetRow]:
    """Every place, with how many alerts wait, were sent and were given up."""
    return await tx.all(TargetRow, "alert_targets")


async def target(tx: Tx, target_id: int) -> TargetRow | None:
    """One place, without counts; None when it is gone."""
    return await tx.first(TargetRow, "alert_target", alert_target_id=target_id)


async def tell(tx: Tx, news: News) -> int:
    """Writes one row per target that wants to hear of it; how many are new. The sweep queues their jobs."""
    return await tx.run(
        "alert_insert",
        kind=news.kind,
        key=news.key,
        title=news.title,
        body=news.body,
        queue=news.queue,
        contact_id=news.contact_id,
        urgent=news.urgent,
    )


async def claim(tx: Tx, target_id: int, lease: timedelta) -> AlertRow | None:
    """The oldest due alert of a target, nobody else's until the lease is over. Commit before it is sent."""
    return await tx.first(AlertRow, "alert_claim", alert_target_id=target_id, lease=lease)


async def sent(tx: Tx, target_id: int, alert_id: int) -> None:
    """The target took it."""
    await tx.run("alert_settle", alert_id=alert_id, state="sent", error=None)
    await tx.run("alert_target_worked", alert_target_id=target_id)


async def failed(
    tx: Tx, target_id: int, alert_id: int, error: str, *, again_at: datetime | None, pause_until: datetime
) -> None:
    """The target did not take it: to be tried `again_at`, or given up; it is left alone until then."""
    if again_at is None:
        await tx.run("alert_settle", alert_id=alert_id, state="dead", error=error)
    else:
        await tx.run("alert_again", alert_id=alert_id, at=again_at, error=error)
    await tx.run("alert_target_failed", alert_target_id=target_id, until=pause_until)


async def dead(tx: Tx, most: int = 50) -> list[DeadRow]:
    """What was given up, the newest first."""
    return await tx.all(DeadRow, "alerts_dead", most=most)


async def revive(tx: Tx) -> int:
    """What was given up is tried again at once; how many."""
    await tx.run("alert_targets_wake")
    return await tx.run("alerts_revive")


async def last_told(tx: Tx, kind: Literal["delivery_failed"]) -> datetime | None:
    """When the team was told of that kind last."""
    at: datetime | None = await tx.value("alert_last", kind=kind)
    return at


async def patience(tx: Tx) -> PatienceRow:
    """The business's minutes."""
    found = await tx.first(PatienceRow, "alert_patience")
    if found is None:
        raise RuntimeError("a transaction without its business")
    return found


async def set_patience(tx: Tx, *, unanswered: int | None = None, due_soon: int | None = None) -> None:
    """Changes the minutes; None leaves them."""
    await tx.run("alert_patience_set", unanswered_minutes=unanswered, due_soon_minutes=due_soon)


async def due_targets(tx: Tx) -> list[DueRow]:
    """Targets, of all tenants, with alerts that are due and that no job is about to send."""
    return await tx.all(DueRow, "alert_targets_due")


async def watched_businesses(tx: Tx) -> list[int]:
    """Businesses, of all tenants, whose team wants to be told."""
    return [row.business_id for row in await tx.all(DueRow, "alert_businesses")]


async def forget(tx: Tx, older_than: timedelta) -> int:
    """Deletes alerts and webhook deliveries settled longer ago, over all tenants; how many."""
    return int(await tx.value("told_forget", older_than=older_than))
