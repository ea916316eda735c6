"""Tickets: something is wrong and somebody has to look after it, by a time."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from crm import hours
from crm.businesses import Profile
from crm.errors import UnknownTicket
from crm.record import Tx

Priority = Literal["low", "normal", "high", "urgent"]


@dataclass(frozen=True)
class Level:
    """By when a ticket is answered and solved, in minutes of opening hours."""

    priority: str
    answer_minutes: int
    solve_minutes: int


# What a small business can keep: an urgent matter is looked at within the hour and settled the same day.
LEVELS = (
    Level("urgent", 60, 480),
    Level("high", 240, 960),
    Level("normal", 480, 1440),
    Level("low", 960, 2400),
)
_CLOSED_SHOWN = timedelta(days=30)


@dataclass(frozen=True)
class TicketRow:
    """`answer_due` and `solve_due` were fixed when it was opened."""

    ticket_id: int
    contact_id: int
    conversation_id: int | None
    status: str
    description: str
    queue: str | None
    priority: str
    answer_due: datetime | None
    solve_due: datetime | None
    answered_at: datetime | None
    closed_at: datetime | None
    created_at: datetime

    def overdue(self, now: datetime) -> bool:
        """Whether its answer or its solution is late at `now`."""
        if self.status == "closed":
            return False
        unanswered = self.answered_at is None and self.answer_due is not None and self.answer_due < now
        return unanswered or (self.solve_due is not None and self.solve_due < now)


async def open_one(
    tx: Tx,
    profile: Profile,
    *,
    contact_id: int,
    conversation_id: int | None,
    description: str,
    priority: Priority,
    idempotency_key: str,
) -> TicketRow:
    """Opens a ticket in the business's queue, its due times counted in opening hours; once per key."""
    level = await _level(tx, priority)
    await tx.value(
        "ticket_insert",
        contact_id=contact_id,
        conversation_id=conversation_id,
        description=description,
        idempotency_key=idempotency_key,
        queue=profile.pack.queue,
        priority=priority,
        answer_due=hours.after_open_minutes(profile, tx.now, level.answer_minutes),
        solve_due=hours.after_open_minutes(profile, tx.now, level.solve_minutes),
    )
    made = await tx.first(TicketRow, "ticket_by_key", idempotency_key=idempotency_key)
    if made is None:
        raise RuntimeError("a ticket just opened cannot be read back")
    return made


async def of_contact(tx: Tx, contact_id: int, *, closed_too: bool = False) -> list[TicketRow]:
    """A customer's open tickets; with `closed_too` also those closed within a month."""
    since = tx.now - _CLOSED_SHOWN if closed_too else tx.now + timedelta(days=1)
    return await tx.all(TicketRow, "tickets_of_contact", contact_id=contact_id, closed_since=since)


async def get(tx: Tx, ticket_id: int) -> TicketRow:
    """One ticket. Raises UnknownTicket."""
    row = await tx.first(TicketRow, "ticket", ticket_id=ticket_id)
    if row is None:
        raise UnknownTicket(UnknownTicket.__doc__)
    return row


async def open_ones(tx: Tx) -> list[TicketRow]:
    """What has to be looked after, the first due first."""
    return await tx.all(TicketRow, "tickets_open")


async def take(tx: Tx, ticket_id: int, agent_id: int | None) -> TicketRow:
    """Somebody looks into it: it counts as answered from now on. Raises UnknownTicket."""
    if await tx.value("ticket_take", ticket_id=ticket_id, agent_id=agent_id) is None:
        raise UnknownTicket(UnknownTicket.__doc__)
    return await get(tx, ticket_id)


async def close(tx: Tx, ticket_id: int) -> TicketRow:
    """It is settled. Raises UnknownTicket for one that is closed already."""
    if await tx.value("ticket_close", ticket_id=ticket_id) is None:
        raise UnknownTicket(UnknownTicket.__doc__)
    return await get(tx, ticket_id)


async def end(tx: Tx, ticket_id: int) -> None:
    """It is over without being settled: it counts as late where it was late already, and else in no figure.

    Raises UnknownTicket for one that is closed already.
    """
    if await tx.value("ticket_end", ticket_id=ticket_id) is None:
        raise UnknownTicket(UnknownTicket.__doc__)


async def _level(tx: Tx, priority: str) -> Level:
    own = await tx.all(Level, "service_levels")
    return next(level for level in (*own, *LEVELS) if level.priority == priority)
