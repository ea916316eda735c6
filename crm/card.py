"""What the record knows of a customer when a turn begins, in one round trip."""

from dataclasses import dataclass
from datetime import timedelta

from crm.appointments import AppointmentRow
from crm.contacts import ContactRow, EventRow
from crm.conversations import SummaryRow
from crm.errors import UnknownContact
from crm.quotes import QuoteRow
from crm.record import Ask, Tx
from crm.tickets import TicketRow

_VISITS = 3
_EVENTS = 10
_CONVERSATIONS = 3


@dataclass(frozen=True)
class Card:
    """A contact, what is open with them, and what was."""

    contact: ContactRow
    appointments: list[AppointmentRow]  # from now on
    visits: list[AppointmentRow]  # latest first
    quotes: list[QuoteRow]  # open ones
    tickets: list[TicketRow]  # open ones
    history: list[EventRow]  # latest first
    earlier: list[SummaryRow]  # how conversations ended, latest first


async def card(tx: Tx, contact_id: int) -> Card:
    """The card of a contact. Raises UnknownContact."""
    of_them = {"contact_id": contact_id}
    contact, *rest = await tx.together(
        [
            Ask(ContactRow, "contact", of_them),
            Ask(AppointmentRow, "appointments_of_contact", of_them),
            Ask(AppointmentRow, "visits_of_contact", {**of_them, "most": _VISITS}),
            Ask(QuoteRow, "quotes_of_contact", of_them),
            Ask(TicketRow, "tickets_of_contact", {**of_them, "closed_since": tx.now + timedelta(days=1)}),
            Ask(EventRow, "crm_events_of_contact", {**of_them, "most": _EVENTS}),
            Ask(SummaryRow, "conversation_summaries", {**of_them, "most": _CONVERSATIONS}),
        ]
    )
    if not contact:
        raise UnknownContact(UnknownContact.__doc__)
    return Card(contact[0], *rest)
