"""What follows from an event within the record: each handler once per event, in the event's transaction."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from crm import fiscal, follow_ups, hours, invoices, leads, lifecycle, queue, quotes
from crm.leads import Stage
from crm.lifecycle import Lifecycle
from crm.record import Tx

_OPEN_DAY = 480  # minutes of opening hours that count as a working day
_CALL_WITHIN = 120
_ASK_AFTER_VISIT = timedelta(days=1)
_CHASE_AFTER = timedelta(days=3)


@dataclass(frozen=True)
class Happened:
    """An event as its handlers see it; `subject_id` is the appointment, quote, lead or ticket it is about."""

    event_id: int
    kind: str
    contact_id: int
    conversation_id: int | None
    subject_id: int | None
    detail: str


Handler = Callable[[Tx, Happened], Awaitable[None]]


def to_stage(stage: Stage, *, back: bool = False) -> Handler:
    """The customer's open lead moves to a stage of the pipeline."""

    async def handler(tx: Tx, event: Happened) -> None:
        await leads.move(
            tx, event.contact_id, stage, event.event_id, conversation_id=event.conversation_id, back=back
        )

    return handler


def to_lifecycle(step: Lifecycle) -> Handler:
    """The customer becomes at least this."""

    async def handler(tx: Tx, event: Happened) -> None:
        await lifecycle.rise(tx, event.contact_id, step, event.event_id)

    return handler


def follow_up(kind: follow_ups.Kind, open_minutes: int) -> Handler:
    """Somebody has to act within so many minutes of opening hours."""

    async def handler(tx: Tx, event: Happened) -> None:
        week = await hours.week(tx)
        due_at = hours.after_open_minutes(week, tx.now, open_minutes)
        await _follow(tx, event, kind, due_at)

    return handler


def no_follow_up(*kinds: follow_ups.Kind) -> Handler:
    """What was to be done about the subject needs no doing any more."""

    async def handler(tx: Tx, event: Happened) -> None:
        await follow_ups.close(tx, event.contact_id, kinds, subject_id=event.subject_id, status="cancelled")

    return handler


async def draft_of_booking(tx: Tx, event: Happened) -> None:
    """An appointment gets its invoice draft, pending until it has taken place."""
    booked = await invoices.booked(tx, _subject(event))
    if booked is not None:
        await invoices.of_booking(tx, booked)


async def draft_is_due(tx: Tx, event: Happened) -> None:
    """The appointment took place: its draft gets number and date."""
    booked, seller = await invoices.booked(tx, _subject(event)), await fiscal.seller(tx)
    if booked is None or seller is None:
        return
    draft = await invoices.of_booking(tx, booked)
    if draft is not None:
        await invoices.make_ready(tx, draft, seller)


async def draft_is_void(tx: Tx, event: Happened) -> None:
    """The appointment will not take place, or nobody came."""
    draft = await invoices.of(tx, appointment_id=_subject(event))
    if draft is not None:
        await invoices.void(tx, draft)


async def draft_of_quote(tx: Tx, event: Happened) -> None:
    """An accepted quote becomes an invoice draft at once."""
    seller = await fiscal.seller(tx)
    if seller is not None:
        await invoices.make_ready(tx, await invoices.of_quote(tx, _subject(event)), seller)


async def give_place_away(tx: Tx, event: Happened) -> None:
    """A time became free: whoever waits for it hears of it."""
    await queue.agenda(tx)


async def ask_after_visit(tx: Tx, event: Happened) -> None:
    """The day after an appointment somebody asks how it was; a moved one moves that too."""
    booked = await invoices.booked(tx, _subject(event))
    if booked is not None:
        await follow_ups.close(
            tx, event.contact_id, ("after_visit",), subject_id=event.subject_id, status="cancelled"
        )
        await _follow(tx, event, "after_visit", booked.ends + _ASK_AFTER_VISIT)


async def chase_quote(tx: Tx, event: Happened) -> None:
    """A quote nobody answered is asked about after three days, or on its last one."""
    row = await quotes.get(tx, _subject(event))
    week = await hours.week(tx)
    due_at = hours.after_open_minutes(week, tx.now + _CHASE_AFTER, 0)
    await follow_ups.close(tx, event.contact_id, ("price_quote",), subject_id=row.quote_id, status="done")
    await _follow(tx, event, "chase_quote", due_at)


async def price_quote(tx: Tx, event: Happened) -> None:
    """A request that was not issued at once waits for a person: by the end of a working day."""
    if (await quotes.get(tx, _subject(event))).status != "requested":
        return
    week = await hours.week(tx)
    await _follow(tx, event, "price_quote", hours.after_open_minutes(week, tx.now, _OPEN_DAY))


async def _follow(tx: Tx, event: Happened, kind: follow_ups.Kind, due_at: datetime) -> None:
    await follow_ups.add(
        tx,
        event.contact_id,
        kind,
        due_at=due_at,
        subject_id=event.subject_id,
        event_id=event.event_id,
    )


def _subject(event: Happened) -> int:
    if event.subject_id is None:
        raise ValueError(f"an event of kind {event.kind} needs its subject")
    return event.subject_id


HANDLERS: dict[str, tuple[Handler, ...]] = {
    "lead_interest": (to_stage("new"),),
    "lead_qualified": (
        to_stage("qualified"),
        to_lifecycle("qualified"),
        follow_up("call_lead", _CALL_WITHIN),
    ),
    "quote_requested": (to_stage("qualified"), to_lifecycle("qualified"), price_quote),
    "quote_issued": (to_stage("quoted"), chase_quote),
    "quote_accepted": (
        to_stage("won"),
        to_lifecycle("client"),
        draft_of_quote,
        no_follow_up("chase_quote"),
    ),
    "quote_declined": (to_stage("lost"), no_follow_up("chase_quote", "price_quote")),
    "quote_expired": (to_stage("lost"), no_follow_up("chase_quote")),
    "appointment_booked": (
        to_stage("booked"),
        to_lifecycle("qualified"),
        draft_of_booking,
        ask_after_visit,
    ),
    "appointment_moved": (ask_after_visit, give_place_away),
    "appointment_cancelled": (
        to_stage("qualified", back=True),
        draft_is_void,
        no_follow_up("after_visit"),
        give_place_away,
    ),
    "waiting_joined": (give_place_away,),
    "appointment_completed": (to_stage("won"), to_lifecycle("client"), draft_is_due),
    "appointment_missed": (to_stage("lost"), draft_is_void, no_follow_up("after_visit")),
}
