"""The waiting list: who would come if a place became free, and the place held for them until they answer."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from crm.record import Tx

PAGE = 50
"""As many entries are locked at a time."""


@dataclass(frozen=True)
class WaitingRow:
    """An entry: `since` and `until` are when the customer would start, `appointment_id` what is held."""

    waiting_id: int
    contact_id: int
    conversation_id: int | None
    service_id: int
    location_id: int
    resource_id: int | None
    since: datetime
    until: datetime
    people: int
    language: str
    status: str
    appointment_id: int | None
    answer_by: datetime | None


@dataclass(frozen=True)
class OfferRow:
    """A place kept for a customer, and what was said of it; None as long as nothing has left for them."""

    waiting_id: int
    words: str | None
    said_at: datetime | None


async def join(
    tx: Tx,
    *,
    contact_id: int,
    conversation_id: int | None,
    service_id: int,
    location_id: int,
    resource_id: int | None,
    since: datetime,
    until: datetime,
    people: int,
    language: str,
    idempotency_key: str,
) -> WaitingRow:
    """Puts a customer on the list; the same key again returns what the first call made."""
    await tx.run(
        "waiting_insert",
        contact_id=contact_id,
        conversation_id=conversation_id,
        service_id=service_id,
        location_id=location_id,
        resource_id=resource_id,
        since=since,
        until=until,
        people=people,
        language=language,
        idempotency_key=idempotency_key,
    )
    made = await tx.first(WaitingRow, "waiting_by_key", idempotency_key=idempotency_key)
    if made is None:
        raise RuntimeError("an entry just made cannot be read back")
    return made


async def get(tx: Tx, waiting_id: int) -> WaitingRow | None:
    """One entry, locked."""
    return await tx.first(WaitingRow, "waiting", waiting_id=waiting_id)


async def of_contact(tx: Tx, contact_id: int) -> list[WaitingRow]:
    """What a customer waits for or was offered, the latest first."""
    return await tx.all(WaitingRow, "waiting_of_contact", contact_id=contact_id)


async def offered(tx: Tx, contact_id: int) -> OfferRow | None:
    """The place that is kept for a customer until they answer, the last one of several."""
    return await tx.first(OfferRow, "waiting_offered", contact_id=contact_id)


async def in_turn(tx: Tx, after: int = 0) -> list[WaitingRow]:
    """Who waits for a time to come, first come first, locked: a page of those behind the entry `after`; the
    last page is a short one. Who wants no messages is passed over."""
    return await tx.all(WaitingRow, "waiting_next", after=after, most=PAGE)


async def unanswered(tx: Tx) -> list[WaitingRow]:
    """Offers whose time to answer is over, locked."""
    return await tx.all(WaitingRow, "waiting_lapsed")


async def let_pass(tx: Tx) -> None:
    """Ends the wait for times that have come."""
    await tx.run("waiting_over")


async def offer(tx: Tx, waiting_id: int, appointment_id: int, answer_by: datetime) -> None:
    """Notes what is held for somebody, and until when."""
    await tx.run("waiting_offer", waiting_id=waiting_id, appointment_id=appointment_id, answer_by=answer_by)


async def settle(tx: Tx, waiting_id: int, status: Literal["taken", "left", "lapsed"]) -> None:
    """Ends a wait."""
    await tx.run("waiting_settle", waiting_id=waiting_id, status=status)
