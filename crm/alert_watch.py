"""What nobody reports and the team has to know: waiting hand-overs, tickets at risk, undelivered messages."""

from dataclasses import dataclass
from datetime import datetime

from crm.record import Tx


@dataclass(frozen=True)
class WaitingHandoff:
    """`answered`: a person has written since it was opened; `told`, `told_again`: there are alerts of it.

    `released`: the step with which its agent, or a timer, left it to whoever takes it; `released_told`: there
    are alerts of that.
    """

    handoff_id: int
    opened_at: datetime
    reason: str
    label: str | None
    status: str
    answered: bool
    told: bool
    told_again: bool
    listening_since: datetime | None
    released: int | None
    released_at: datetime | None
    released_told: bool


@dataclass(frozen=True)
class DueTicket:
    """A ticket whose `step`, answer or solve, is due soon or late."""

    ticket_id: int
    contact_id: int
    contact_name: str | None
    wa_id: str | None
    queue: str | None
    priority: str
    description: str
    step: str
    due: datetime


@dataclass(frozen=True)
class Undelivered:
    """A message that did not reach its customer, and what the channel said."""

    outbox_id: int
    conversation_id: int
    state: str
    error: str | None


@dataclass(frozen=True)
class Subject:
    """What an event is about: a service's key or the customer's words, when, and who or how much."""

    what: str
    moment: datetime | None
    more: str | None


async def subject(tx: Tx, kind: str, subject_id: int) -> Subject | None:
    """The appointment, quote, ticket or lead of an event such as `quote_accepted`."""
    family = kind.partition("_")[0]
    return await tx.first(Subject, "alert_subject", family=family, subject_id=subject_id)


async def handoffs(tx: Tx) -> list[WaitingHandoff]:
    """Hand-overs of the last week that are not over."""
    return await tx.all(WaitingHandoff, "watch_handoffs")


async def tickets(tx: Tx) -> list[DueTicket]:
    """Tickets at risk that the team was not told of: within the business's minutes before their due time,
    or within the last quarter of a shorter time."""
    return await tx.all(DueTicket, "watch_tickets")


async def undelivered(tx: Tx) -> list[Undelivered]:
    """Messages of the last day that were refused, held or failed later; each is handed out once."""
    return await tx.all(Undelivered, "watch_undelivered")
