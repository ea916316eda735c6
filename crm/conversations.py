"""Conversations: sessions of one customer on one number, each a graph thread, each owned by bot or human."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from crm.errors import UnknownConversation
from crm.record import Ask, Tx

IDLE_AFTER = timedelta(hours=24)


@dataclass(frozen=True)
class ConversationRow:
    conversation_id: int
    contact_id: int
    phone_number_id: str
    thread_id: str
    owner: str
    agent_id: int | None
    epoch: int
    status: str
    summary: str | None
    opened_at: datetime
    last_customer_at: datetime | None
    last_activity_at: datetime


@dataclass(frozen=True)
class OpenRow:
    conversation_id: int
    last_activity_at: datetime
    owner: str


@dataclass(frozen=True)
class SummaryRow:
    closed_at: datetime
    summary: str


@dataclass(frozen=True)
class WaitingRow:
    business_id: int
    conversation_id: int


def open_of(contact_id: int, phone_number_id: str) -> Ask[OpenRow]:
    """A customer's open conversation on a number, its row locked, for `open_for`: to be asked together with
    what else there is."""
    return Ask(OpenRow, "conversation_open", {"contact_id": contact_id, "phone_number_id": phone_number_id})


@dataclass(frozen=True)
class NewcomerRow:
    """A customer who was made together with their first conversation."""

    contact_id: int
    conversation_id: int


def newcomer(
    *, wa_id: str | None, bsuid: str | None, name: str | None, phone_number_id: str, wamid: str
) -> Ask[NewcomerRow]:
    """The sender of the message `wamid` and their first conversation, both rows locked; no row where the
    sender or the message is known."""
    sender = {"wa_id": wa_id, "bsuid": bsuid, "name": name}
    return Ask(NewcomerRow, "newcomer_insert", {**sender, "phone_number_id": phone_number_id, "wamid": wamid})


def open_of_phone(wa_id: str | None, phone_number_id: str) -> Ask[OpenRow]:
    """As `open_of`, of the customer with a phone number: to be asked behind that customer's lock."""
    return Ask(OpenRow, "conversation_open_of_phone", {"wa_id": wa_id, "phone_number_id": phone_number_id})


async def open_for(
    tx: Tx, contact_id: int, phone_number_id: str, found: Sequence[OpenRow] | None = None
) -> int:
    """The conversation a new message belongs to, its row locked until the transaction ends.

    An open one goes on unless it was idle for 24 hours; one that a human owns goes on whatever its age.
    `found` is what `open_of` came to, where it was asked in this transaction.
    """
    for _ in range(2):
        if found is None:
            [found] = await tx.together([open_of(contact_id, phone_number_id)])
        for row in found:
            if row.owner == "human" or tx.now - row.last_activity_at <= IDLE_AFTER:
                return row.conversation_id
            await close(tx, row.conversation_id)
        found = None
        made: int | None = await tx.value(
            "conversation_insert", contact_id=contact_id, phone_number_id=phone_number_id
        )
        if made is not None:
            return made
    raise RuntimeError("a conversation was neither found nor made")


def wrote(conversation_id: int, at: datetime) -> Ask[None]:
    """A customer's message arrived: the 24-hour window starts again at its time."""
    return Ask(None, "conversation_touch", {"conversation_id": conversation_id, "at": at})


async def customer_wrote(tx: Tx, conversation_id: int, at: datetime) -> None:
    """As `wrote`, done."""
    await tx.together([wrote(conversation_id, at)])


async def lock(tx: Tx, conversation_id: int) -> ConversationRow:
    """The conversation, after everyone who was adding to it has finished. Raises UnknownConversation."""
    row = await tx.first(ConversationRow, "conversation_lock", conversation_id=conversation_id)
    if row is None:
        raise UnknownConversation(UnknownConversation.__doc__)
    return row


async def get(tx: Tx, conversation_id: int) -> ConversationRow:
    """One conversation. Raises UnknownConversation."""
    row = await tx.first(ConversationRow, "conversation", conversation_id=conversation_id)
    if row is None:
        raise UnknownConversation(UnknownConversation.__doc__)
    return row


async def last_words(tx: Tx, contact_id: int, phone_number_id: str) -> datetime | None:
    """When a customer last wrote on a number; None for never."""
    at: datetime | None = await tx.value(
        "conversation_last_words", contact_id=contact_id, phone_number_id=phone_number_id
    )
    return at


async def close(tx: Tx, conversation_id: int, summary: str | None = None) -> None:
    """It ended; the customer's next message opens a new one."""
    await tx.run("conversation_close", conversation_id=conversation_id, summary=summary)


async def close_idle(tx: Tx, *, most: int) -> int:
    """Ends the bot's conversations that nobody went on with for 24 hours, as of their ends; how many.

    One that is not done with is left alone: a hand-over, a waiting event, something on its way out.
    """
    return await tx.run("conversations_close_idle", idle=IDLE_AFTER, most=most)


async def give_to_human(tx: Tx, conversation_id: int, agent_id: int | None = None) -> int:
    """From now on a human speaks; returns the new epoch. Bot messages of older epochs stay unsent."""
    epoch: int = await tx.value(
        "conversation_owner", conversation_id=conversation_id, owner="human", agent_id=agent_id
    )
    return epoch


async def give_to_bot(tx: Tx, conversation_id: int) -> int:
    """From now on the bot speaks again; returns the new epoch."""
    epoch: int = await tx.value(
        "conversation_owner", conversation_id=conversation_id, owner="bot", agent_id=None
    )
    return epoch


async def earlier(tx: Tx, contact_id: int, most: int = 3) -> list[SummaryRow]:
    """How this customer's earlier conversations ended, latest first."""
    return await tx.all(SummaryRow, "conversation_summaries", contact_id=contact_id, most=most)


async def with_waiting_events(tx: Tx, older_than: timedelta) -> list[WaitingRow]:
    """Conversations of any tenant whose events nobody has taken up for a while."""
    return await tx.all(WaitingRow, "waiting_conversations", older_than=older_than)
