"""Where a customer stands: a cold lead, qualified, a client, or dormant; it changes with events alone."""

from dataclasses import dataclass
from typing import Literal

from crm.record import Tx

Lifecycle = Literal["lead", "qualified", "client", "dormant"]
_RANK: dict[str, int] = {"lead": 0, "qualified": 1, "client": 2}
_BATCH = 500


@dataclass(frozen=True)
class _AsleepRow:
    contact_id: int


async def rise(tx: Tx, contact_id: int, to: Lifecycle, event_id: int | None) -> bool:
    """A customer becomes at least `to`; nobody falls back by it. Whoever was dormant wakes as what they were.

    Returns whether anything changed.
    """
    now = str(await tx.value("contact_lifecycle_lock", contact_id=contact_id))
    before = await _before_sleep(tx, contact_id) if now == "dormant" else now
    wanted = max(before, to, key=_RANK.__getitem__)
    if wanted == now:
        return False
    await _move(tx, contact_id, now, wanted, event_id)
    return True


async def wake(tx: Tx, contact_id: int) -> None:
    """A dormant customer wrote again."""
    now = str(await tx.value("contact_lifecycle_lock", contact_id=contact_id))
    if now == "dormant":
        await _move(tx, contact_id, now, await _before_sleep(tx, contact_id), None)


async def put_to_sleep(tx: Tx) -> int:
    """Makes dormant whoever was not heard of for as long as the business says; returns how many."""
    asleep = await tx.all(_AsleepRow, "contacts_asleep", most=_BATCH)
    for row in asleep:
        now = str(await tx.value("contact_lifecycle_lock", contact_id=row.contact_id))
        await _move(tx, row.contact_id, now, "dormant", None)
    return len(asleep)


async def _before_sleep(tx: Tx, contact_id: int) -> str:
    value: str | None = await tx.value("lifecycle_before_sleep", contact_id=contact_id)
    return value or "lead"


async def _move(tx: Tx, contact_id: int, now: str, to: str, event_id: int | None) -> None:
    await tx.run("contact_lifecycle", contact_id=contact_id, lifecycle=to)
    await tx.run(
        "lifecycle_change_insert",
        contact_id=contact_id,
        crm_event_id=event_id,
        from_lifecycle=now,
        to_lifecycle=to,
    )
