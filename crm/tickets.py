"""Tickets: something is wrong and somebody has to look after it."""

from dataclasses import dataclass
from datetime import datetime

from crm.record import Tx


@dataclass(frozen=True)
class TicketRow:
    ticket_id: int
    status: str
    description: str
    created_at: datetime


async def open_one(
    tx: Tx, *, contact_id: int, conversation_id: int | None, description: str, idempotency_key: str
) -> int:
    """Opens a ticket, once per key; returns its id."""
    ticket_id: int | None = await tx.value(
        "ticket_insert",
        contact_id=contact_id,
        conversation_id=conversation_id,
        description=description,
        idempotency_key=idempotency_key,
    )
    if ticket_id is None:
        ticket_id = int(await tx.value("ticket_by_key", idempotency_key=idempotency_key))
    return ticket_id


async def of_contact(tx: Tx, contact_id: int) -> list[TicketRow]:
    """A customer's open tickets."""
    return await tx.all(TicketRow, "tickets_of_contact", contact_id=contact_id)
