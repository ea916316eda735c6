"""Other systems that hear of events by signed webhooks, and one row per delivery.

Deliveries are written by triggers of the record's tables (migration 0016), in the transaction of the event.
States: queued → delivered | dead.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from crm.alerts import DueRow
from crm.record import Tx

FAMILIES = ("appointment", "quote", "ticket", "lead", "handoff", "message")
State = Literal["queued", "delivered", "dead"]


@dataclass(frozen=True)
class SubscriptionRow:
    """Who hears of what. Address and secrets are encrypted; `stopped` says why nothing is sent any more."""

    webhook_subscription_id: int
    host: str
    events: list[str]
    with_content: bool
    sealed_url: bytes
    sealed_secret: bytes
    sealed_previous: bytes | None
    previous_until: datetime | None
    stopped: str | None
    failures: int
    paused_until: datetime | None
    queued: int
    delivered: int
    dead: int


@dataclass(frozen=True)
class ParcelRow:
    """A delivery under way; `webhook_id` is the event's at every attempt, `attempts` counts this one."""

    webhook_delivery_id: int
    type: str
    webhook_id: str
    body: str
    attempts: int


@dataclass(frozen=True)
class DeliveryRow:
    """What became of a delivery."""

    webhook_delivery_id: int
    webhook_subscription_id: int
    host: str
    type: str
    webhook_id: str
    state: str
    attempts: int
    next_attempt_at: datetime
    settled_at: datetime | None
    status_code: int | None
    error: str | None
    created_at: datetime


def is_event(name: str) -> bool:
    """Whether a subscription may name this: `*`, a family such as `quote.*`, or one event of it."""
    family, dot, kind = name.partition(".")
    return name == "*" or (family in FAMILIES and bool(dot) and (kind == "*" or kind.isidentifier()))


async def subscribe(
    tx: Tx, *, host: str, events: Sequence[str], with_content: bool, sealed_url: bytes, sealed_secret: bytes
) -> int:
    """From now on that system hears of these events; its id."""
    return int(
        await tx.value(
            "subscription_insert",
            host=host,
            events=list(events),
            with_content=with_content,
            sealed_url=sealed_url,
            sealed_secret=sealed_secret,
        )
    )


async def unsubscribe(tx: Tx, subscription_id: int) -> bool:
    """It hears nothing more, neither what still waits; False when there is none."""
    return await tx.run("subscription_delete", webhook_subscription_id=subscription_id) == 1


async def subscriptions(tx: Tx) -> list[SubscriptionRow]:
    """All of them, with how many deliveries wait, arrived and were given up."""
    return await tx.all(SubscriptionRow, "subscriptions")


async def subscription(tx: Tx, subscription_id: int) -> SubscriptionRow | None:
    """One of them, without counts; None when it is gone."""
    return await tx.first(SubscriptionRow, "subscription", webhook_subscription_id=subscription_id)


async def rotate(tx: Tx, subscription_id: int, sealed_secret: bytes, previous_until: datetime) -> bool:
    """A new secret signs, and until a moment the one of before as well; False when there is none."""
    changed = await tx.run(
        "subscription_rotate",
        webhook_subscription_id=subscription_id,
        sealed_secret=sealed_secret,
        previous_until=previous_until,
    )
    return changed == 1


async def stop(tx: Tx, subscription_id: int, reason: str) -> None:
    """Nothing is sent to it any more until somebody replays."""
    await tx.run("subscription_stop", webhook_subscription_id=subscription_id, reason=reason)


async def claim(tx: Tx, subscription_id: int, lease: timedelta) -> ParcelRow | None:
    """The oldest due delivery, nobody else's until the lease is over. Commit before the request leaves."""
    return await tx.first(ParcelRow, "delivery_claim", webhook_subscription_id=subscription_id, lease=lease)


async def delivered(tx: Tx, subscription_id: int, delivery_id: int, status_code: int) -> None:
    """The receiver took it."""
    await tx.run(
        "delivery_settle",
        webhook_delivery_id=delivery_id,
        state="delivered",
        status_code=status_code,
        error=None,
    )
    await tx.run("subscription_worked", webhook_subscription_id=subscription_id)


async def failed(
    tx: Tx,
    subscription_id: int,
    delivery_id: int,
    *,
    status_code: int | None,
    error: str,
    again_at: datetime | None,
    pause_until: datetime,
) -> None:
    """It was not taken: to be tried `again_at`, or given up; the receiver is left alone until then."""
    said = {"webhook_delivery_id": delivery_id, "status_code": status_code, "error": error}
    if again_at is None:
        await tx.run("delivery_settle", state="dead", **said)
    else:
        await tx.run("delivery_again", at=again_at, **said)
    await tx.run("subscription_failed", webhook_subscription_id=subscription_id, until=pause_until)


async def deliveries(tx: Tx, state: State | None = None, most: int = 50) -> list[DeliveryRow]:
    """What was sent to whom, the newest first."""
    return await tx.all(DeliveryRow, "deliveries", state=state, most=most)


async def replay(
    tx: Tx,
    *,
    subscription_id: int | None = None,
    ids: Sequence[int] | None = None,
    state: State | None = None,
    since: datetime | None = None,
) -> int:
    """Sends settled deliveries once more, under the ids they had; how many. Wakes their subscriptions."""
    rows = await tx.all(
        _ReplayedRow,
        "deliveries_replay",
        webhook_subscription_id=subscription_id,
        ids=list(ids) if ids is not None else None,
        state=state,
        since=since,
    )
    for woken in sorted({row.webhook_subscription_id for row in rows}):
        await tx.run("subscription_wake", webhook_subscription_id=woken)
    return len(rows)


@dataclass(frozen=True)
class _ReplayedRow:
    webhook_subscription_id: int


async def due_subscriptions(tx: Tx) -> list[DueRow]:
    """Subscriptions, of all tenants, with deliveries that are due and that no job is about to send."""
    return await tx.all(DueRow, "webhook_subscriptions_due")
