"""What a conversation's delivery begins with, in one round trip."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from crm.contacts import ContactRow
from crm.conversations import ConversationRow
from crm.errors import UnknownConversation
from crm.halts import HaltRow
from crm.outbox import OutboxRow
from crm.record import Ask, Crm, Tx


@dataclass(frozen=True)
class EarlierRow:
    """What is known of a message on its way."""

    state: str
    attempted_at: datetime | None


@dataclass(frozen=True)
class Waiting:
    """A conversation, locked, with whom it is, and what of it waits in the outbox, in order.

    `halt`: why its number may not send. `earlier`: answers of earlier conversations on their way to the same
    customer on the same number.
    """

    conversation: ConversationRow
    contact: ContactRow
    halt: HaltRow | None
    earlier: list[EarlierRow]
    rows: list[OutboxRow]


@asynccontextmanager
async def begun(crm: Crm, business_id: int, conversation_id: int) -> AsyncIterator[tuple[Tx, Waiting]]:
    """A transaction that begins with what waits, after everyone who was adding to the conversation has
    finished. Raises UnknownConversation.
    """
    this = {"conversation_id": conversation_id}
    asks: list[Ask[Any]] = [
        Ask(ConversationRow, "conversation_lock", this),
        Ask(ContactRow, "contact_of_conversation", this),
        Ask(HaltRow, "halt_of_conversation", this),
        Ask(EarlierRow, "outbox_earlier", this),
        Ask(OutboxRow, "outbox_open", this),
    ]
    async with crm.opening(business_id, asks) as (tx, [locked, contacts, halts, earlier, rows]):
        if not locked:
            raise UnknownConversation(UnknownConversation.__doc__)
        yield tx, Waiting(locked[0], contacts[0], next(iter(halts), None), earlier, rows)
