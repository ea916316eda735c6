"""What a conversation's delivery begins with, in one round trip."""

from dataclasses import dataclass
from datetime import datetime

from crm.contacts import ContactRow
from crm.conversations import ConversationRow
from crm.errors import UnknownConversation
from crm.halts import HaltRow
from crm.outbox import OutboxRow
from crm.record import Ask, Tx


@dataclass(frozen=True)
class Waiting:
    """A conversation, locked, with whom it is, and what of it waits in the outbox, in order.

    `halt`: why its number may not send. `behind`: words of an earlier conversation are on their way to the
    same customer on the same number.
    """

    conversation: ConversationRow
    contact: ContactRow
    halt: HaltRow | None
    behind: bool
    rows: list[OutboxRow]


@dataclass(frozen=True)
class _Earlier:
    anything: bool


async def waiting(tx: Tx, conversation_id: int, *, since: datetime) -> Waiting:
    """What waits, after everyone who was adding to the conversation has finished; of earlier conversations
    what was written after `since` counts. Raises UnknownConversation.
    """
    this = {"conversation_id": conversation_id}
    locked, contacts, halts, earlier, rows = await tx.together(
        [
            Ask(ConversationRow, "conversation_lock", this),
            Ask(ContactRow, "contact_of_conversation", this),
            Ask(HaltRow, "halt_of_conversation", this),
            Ask(_Earlier, "outbox_earlier", {**this, "since": since}),
            Ask(OutboxRow, "outbox_open", this),
        ]
    )
    if not locked:
        raise UnknownConversation(UnknownConversation.__doc__)
    return Waiting(locked[0], contacts[0], next(iter(halts), None), earlier[0].anything, rows)
