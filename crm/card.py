"""What the record knows of a customer when a turn begins, in one round trip."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from crm.appointments import AppointmentRow
from crm.contacts import ContactRow, EventRow
from crm.conversations import ConversationRow, SummaryRow
from crm.errors import UnknownContact, UnknownConversation
from crm.quotes import QuoteRow
from crm.record import Ask, Crm, Tx
from crm.tickets import TicketRow

_VISITS = 3
_EVENTS = 10
_CONVERSATIONS = 3


@dataclass(frozen=True)
class Card:
    """A contact, what is open with them, and what was; the conversation they are in, and the version of the
    business they are with (`businesses.profile_version`)."""

    contact: ContactRow
    conversation: ConversationRow
    profile_version: int
    appointments: list[AppointmentRow]  # from now on
    visits: list[AppointmentRow]  # latest first
    quotes: list[QuoteRow]  # open ones
    tickets: list[TicketRow]  # open ones
    history: list[EventRow]  # latest first
    earlier: list[SummaryRow]  # how conversations ended, latest first


@dataclass(frozen=True)
class _Version:
    version: int


async def card(tx: Tx, contact_id: int, conversation_id: int) -> Card:
    """The card of a contact. Raises UnknownContact, UnknownConversation."""
    return _card(await tx.together(_asks(contact_id, conversation_id, tx.now)))


@asynccontextmanager
async def opened(
    crm: Crm, business_id: int, contact_id: int, conversation_id: int
) -> AsyncIterator[tuple[Tx, Card]]:
    """A transaction that begins with the card of a contact. Raises as `card`."""
    asks = _asks(contact_id, conversation_id, crm.clock())
    async with crm.opening(business_id, asks) as (tx, found):
        yield tx, _card(found)


def _asks(contact_id: int, conversation_id: int, now: datetime) -> list[Ask[Any]]:
    of_them = {"contact_id": contact_id}
    return [
        Ask(ContactRow, "contact", of_them),
        Ask(ConversationRow, "conversation", {"conversation_id": conversation_id}),
        Ask(_Version, "profile_version"),
        Ask(AppointmentRow, "appointments_of_contact", of_them),
        Ask(AppointmentRow, "visits_of_contact", {**of_them, "most": _VISITS}),
        Ask(QuoteRow, "quotes_of_contact", of_them),
        Ask(TicketRow, "tickets_of_contact", {**of_them, "closed_since": now + timedelta(days=1)}),
        Ask(EventRow, "crm_events_of_contact", {**of_them, "most": _EVENTS}),
        Ask(SummaryRow, "conversation_summaries", {**of_them, "most": _CONVERSATIONS}),
    ]


def _card(found: Sequence[list[Any]]) -> Card:
    contact, conversation, version, *rest = found
    if not contact:
        raise UnknownContact(UnknownContact.__doc__)
    if not conversation:
        raise UnknownConversation(UnknownConversation.__doc__)
    return Card(contact[0], conversation[0], version[0].version if version else 0, *rest)
