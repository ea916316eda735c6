"""What the pages show, gathered in one transaction each."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Literal

from api.console.places import Places
from crm import (
    agents,
    appointments,
    businesses,
    console,
    contacts,
    conversations,
    desk,
    handoffs,
    quotes,
    templates,
    tickets,
)
from crm.agents import CannedRow, NoteRow, PresentRow
from crm.appointments import AppointmentRow
from crm.businesses import AgentRow, BusinessRow
from crm.console import BubbleRow, Counts, QueueRow, Value, View
from crm.contacts import ContactRow, EventRow
from crm.conversations import ConversationRow, SummaryRow
from crm.handoffs import FactRow, HandoffRow, StepRow
from crm.quotes import QuoteRow
from crm.record import Tx
from crm.templates import TemplateRow
from crm.tickets import TicketRow
from knowledge.phrases import Say

Mode = Literal["write", "held", "bot", "closed", "window"]


@dataclass(frozen=True)
class QueuePage:
    """A page of the queue with its filters."""

    rows: list[QueueRow]
    more: bool
    number: int
    view: View
    search: str
    queue: str | None
    queues: list[str]
    counts: Counts
    time_zone: str


@dataclass(frozen=True)
class Item:
    """Something in the thread: a message, a note or a step, at its time.

    `aside`: the message is shown by saying that it changed one that stands above.
    """

    at: datetime
    bubble: BubbleRow | None = None
    note: NoteRow | None = None
    step: StepRow | None = None
    aside: bool = False


@dataclass(frozen=True)
class Conversation:
    """A conversation as its page shows it. `mode` says what can be done with the composer."""

    row: ConversationRow
    contact: ContactRow
    business: BusinessRow
    places: Places
    services: dict[str, str]  # their names in the business's language by their keys
    handoff: HandoffRow | None
    holder: str | None
    mine: bool
    mode: Mode
    items: list[Item]
    earlier: int | None
    present: list[PresentRow]
    canned: list[CannedRow]
    colleagues: list[AgentRow]
    templates: list[TemplateRow]
    queues: list[str]
    seconds_left: float


@dataclass(frozen=True)
class Packet:
    """What is known about the matter and the customer."""

    facts: list[FactRow]
    history: list[EventRow]
    summaries: list[SummaryRow]
    appointments: list[AppointmentRow]
    quotes: list[tuple[QuoteRow, Decimal | None]]
    tickets: list[TicketRow]
    value: Value


async def queue_page(
    tx: Tx, view: View, *, agent_id: int, search: str, queue: str | None, number: int
) -> QueuePage:
    """A page of the queue."""
    rows, more = await console.page(tx, view, agent_id=agent_id, queue=queue, search=search, number=number)
    return QueuePage(
        rows,
        more,
        number,
        view,
        search,
        queue,
        await console.queues(tx),
        await console.counts(tx, agent_id),
        (await businesses.row(tx)).time_zone,
    )


async def conversation(
    tx: Tx, conversation_id: int, *, agent_id: int, before: int | None = None
) -> Conversation:
    """One conversation. Raises UnknownConversation."""
    row = await conversations.get(tx, conversation_id)
    profile = await businesses.profile(tx)
    contact = await contacts.get(tx, row.contact_id)
    found = await console.handoffs_of(tx, conversation_id)
    handoff = await handoffs.get(tx, found[0].handoff_id) if found else None
    is_open = handoff is not None and handoff.status in handoffs.OPEN
    holder_id = handoff.agent_id if handoff is not None and is_open else None
    bubbles = await console.thread(tx, conversation_id, before=before)
    left = row.last_customer_at + desk.CUSTOMER_WINDOW - tx.now if row.last_customer_at else timedelta()
    return Conversation(
        row=row,
        contact=contact,
        business=profile.business,
        places=Places(profile),
        services=profile.names(profile.language),
        handoff=handoff,
        holder=await agents.name_of(tx, holder_id) if holder_id else None,
        mine=holder_id == agent_id,
        mode=_mode(row, is_open=is_open, holder_id=holder_id, agent_id=agent_id, left=left),
        items=await _items(tx, conversation_id, bubbles, before=before),
        earlier=bubbles[0].message_id if len(bubbles) >= 60 else None,
        present=await agents.who_is_here(tx, conversation_id, but=agent_id),
        canned=await agents.canned(tx, contact.reads),
        colleagues=[one for one in await businesses.agents(tx) if one.agent_id != agent_id],
        templates=await templates.for_agents(tx, contact.reads),
        queues=await console.queues(tx),
        seconds_left=left.total_seconds(),
    )


def _mode(
    row: ConversationRow, *, is_open: bool, holder_id: int | None, agent_id: int, left: timedelta
) -> Mode:
    if row.status == "closed":
        return "closed"
    if row.owner == "bot" or not is_open:
        return "bot"
    if holder_id not in (None, agent_id):
        return "held"
    return "write" if left > timedelta() else "window"


async def _items(
    tx: Tx, conversation_id: int, bubbles: Sequence[BubbleRow], *, before: int | None
) -> list[Item]:
    """Messages with the notes and steps between them, in order."""
    first = bubbles[0].sent_at if bubbles and before is not None else None
    last = bubbles[-1].sent_at if bubbles and before is not None else None
    above = {one.message_id for one in bubbles}
    items = [Item(one.sent_at, bubble=one, aside=one.edits in above) for one in bubbles]
    others = [Item(one.at, note=one) for one in await agents.notes(tx, conversation_id)]
    others += [Item(one.at, step=one) for one in await handoffs.steps(tx, conversation_id)]
    if first is not None and last is not None:
        others = [one for one in others if first <= one.at <= last]
    return sorted([*items, *others], key=lambda item: item.at)


async def packet(tx: Tx, shown: Conversation) -> Packet:
    """What goes beside the thread."""
    contact_id, handoff = shown.contact.contact_id, shown.handoff
    offers = await quotes.of_contact(tx, contact_id)
    return Packet(
        facts=await handoffs.facts(tx, handoff.handoff_id) if handoff else [],
        history=await contacts.history(tx, contact_id, most=8),
        summaries=await conversations.earlier(tx, contact_id),
        appointments=await appointments.of_contact(tx, contact_id),
        quotes=[(one, await _total(tx, one)) for one in offers[:5]],
        tickets=await tickets.of_contact(tx, contact_id),
        value=await console.value(tx, contact_id),
    )


async def _total(tx: Tx, quote: QuoteRow) -> Decimal | None:
    lines = await quotes.all_lines(tx, quote.quote_id)
    if any(line.unit_price is None for line in lines):
        return None
    return sum((line.quantity * (line.unit_price or 0) for line in lines), Decimal(0))


def filled(text: str, shown: Conversation, agent: str) -> str:
    """A canned reply with its variables filled in."""
    name = (shown.contact.name or "").split(" ")[0]
    known = {"name": name, "agent": agent.split(" ", maxsplit=1)[0], "business": shown.business.name}
    for key, value in known.items():
        text = text.replace(f"{{{key}}}", value)
    return text.replace("  ", " ").replace(" ,", ",")


def suggestions(say: Say, shown: Conversation, known: Packet) -> list[str]:
    """What to do next, from the reason and the record; no model involved."""
    handoff, found = shown.handoff, []
    if handoff is None or handoff.status not in handoffs.OPEN:
        return []
    if handoff.label == "emergency":
        found.append(say("Call the customer now; the emergency number was already given."))
    elif handoff.label:
        found.append(say("Let a qualified colleague answer; SARA gives no advice here."))
    if handoff.draft:
        found.append(say("Check the draft and send it."))
    slots = {fact.key for fact in known.facts if fact.kind == "slot"}
    if slots & {"service", "when", "date", "time"}:
        found.append(say("Finish the booking with what is already known, then hand back."))
    if handoff.reason == "voice_unclear":
        found.append(say("Listen to the voice note."))
    if any(one.status == "requested" for one, _ in known.quotes):
        found.append(say("Price the open quote."))
    if known.tickets:
        found.append(say("There is an open ticket: say how it stands."))
    if 0 < shown.seconds_left < 2 * 3600:
        found.append(say("Answer soon: the 24 hours are almost over."))
    if not found:
        found.append(say("Answer, then hand back with a note."))
    return found
