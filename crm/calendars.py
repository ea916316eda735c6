"""The calendars of people and rooms outside: what they should show, what they show, what blocks a time there.

The record is the truth. A calendar follows it, and what somebody wrote into one themselves blocks that time.
"""

import hashlib
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from crm.errors import UnknownCalendar, UnknownResource
from crm.record import Tx

Provider = Literal["caldav", "google"]


@dataclass(frozen=True)
class CalendarRow:
    """A resource's calendar. Without a provider there is only its feed, if it has one."""

    resource_id: int
    resource_key: str
    resource_name: str
    time_zone: str
    provider: Provider | None
    address: str
    username: str
    secret: bytes | None
    has_feed: bool
    checked_at: datetime | None
    error: str | None


@dataclass(frozen=True)
class BookedRow:
    """An appointment as a calendar shows it."""

    appointment_id: int
    resource_id: int
    status: str
    starts: datetime
    ends: datetime
    people: int
    duration_minutes: int | None
    service_name: str
    contact_name: str | None
    wa_id: str | None
    place: str
    address: str
    changed_at: datetime


@dataclass(frozen=True)
class FeedRow:
    business_id: int
    resource_id: int


@dataclass(frozen=True)
class ConflictRow:
    appointment_id: int
    contact_id: int
    starts: datetime


@dataclass(frozen=True)
class Blocked:
    """A span somebody wrote into a calendar."""

    uid: str
    starts: datetime
    ends: datetime


@dataclass(frozen=True)
class _GoneRow:
    appointment_id: int


@dataclass(frozen=True)
class _BusinessRow:
    business_id: int


async def resource_of(tx: Tx, key: str) -> int:
    """The id of a person or room by its key. Raises UnknownResource."""
    found: int | None = await tx.value("resource_of_key", key=key)
    if found is None:
        raise UnknownResource(f"{key}: {UnknownResource.__doc__}")
    return found


async def get(tx: Tx, resource_id: int) -> CalendarRow | None:
    """A resource's calendar; None when it has none."""
    return await tx.first(CalendarRow, "calendar", resource_id=resource_id)


async def of_business(tx: Tx) -> list[CalendarRow]:
    """All calendars of the business."""
    return await tx.all(CalendarRow, "calendars")


async def new_feed(tx: Tx, resource_id: int) -> str:
    """A new token for a resource's feed: whoever has it may read; the old one opens nothing any more."""
    token = secrets.token_urlsafe(32)
    await tx.run("calendar_feed_put", resource_id=resource_id, digest=_digest(token))
    return token


async def of_feed(tx: Tx, token: str) -> FeedRow:
    """Whose calendar a token opens; asked before the tenant is known. Raises UnknownCalendar."""
    found = await tx.first(FeedRow, "calendar_of_feed", digest=_digest(token))
    if found is None:
        raise UnknownCalendar(UnknownCalendar.__doc__)
    return found


async def link(
    tx: Tx, resource_id: int, provider: Provider, *, address: str, username: str, secret: bytes
) -> None:
    """A resource's bookings are written to that calendar and its own entries are read; `secret` is sealed."""
    await tx.run("calendar_leave", resource_id=resource_id, provider=provider, address=address)
    await tx.run(
        "calendar_put",
        resource_id=resource_id,
        provider=provider,
        address=address,
        username=username,
        secret=secret,
    )


async def unlink(tx: Tx, resource_id: int) -> None:
    """The calendar is left as it is; what it blocked is free again."""
    await tx.run("calendar_unlink", resource_id=resource_id)


async def feed(tx: Tx, resource_id: int, since: datetime) -> list[BookedRow]:
    """What a resource's feed shows."""
    return await tx.all(BookedRow, "feed_events", resource_id=resource_id, since=since)


async def to_write(tx: Tx, resource_id: int) -> list[BookedRow]:
    """What a calendar does not show as the record has it."""
    return await tx.all(BookedRow, "calendar_to_write", resource_id=resource_id)


async def to_remove(tx: Tx, resource_id: int) -> list[int]:
    """The appointments a calendar shows and should not."""
    rows = await tx.all(_GoneRow, "calendar_to_remove", resource_id=resource_id)
    return [row.appointment_id for row in rows]


async def may_show(tx: Tx, row: BookedRow) -> None:
    """An appointment is about to be written into a calendar; to be committed before. Whatever becomes of the
    answer, it is written again until `shows`, and removed when it is cancelled or somebody else's."""
    await tx.run(
        "calendar_event_begun",
        appointment_id=row.appointment_id,
        resource_id=row.resource_id,
        status=row.status,
    )


async def shows(tx: Tx, row: BookedRow) -> None:
    """A calendar shows an appointment as it is."""
    await tx.run(
        "calendar_event_put",
        appointment_id=row.appointment_id,
        resource_id=row.resource_id,
        starts=row.starts,
        ends=row.ends,
        status=row.status,
    )


async def shows_no_more(tx: Tx, resource_id: int, appointment_id: int) -> None:
    """A calendar shows an appointment no more."""
    await tx.run("calendar_event_gone", appointment_id=appointment_id, resource_id=resource_id)


async def blocked(tx: Tx, resource_id: int, spans: Sequence[Blocked]) -> None:
    """What somebody wrote into a calendar takes the place of what was read there before."""
    await tx.value("resource_lock", resource_id=resource_id)  # nobody books while it changes
    await tx.run("calendar_busy_clear", resource_id=resource_id)
    for span in spans:
        await tx.run(
            "calendar_busy_put", resource_id=resource_id, uid=span.uid, starts=span.starts, ends=span.ends
        )


async def conflicts(tx: Tx, resource_id: int) -> list[ConflictRow]:
    """Bookings to come that overlap what somebody wrote into the calendar."""
    return await tx.all(ConflictRow, "calendar_conflicts", resource_id=resource_id)


async def checked(tx: Tx, resource_id: int, error: str | None = None) -> None:
    """Notes how reading and writing a calendar went."""
    await tx.run("calendar_checked", resource_id=resource_id, error=error)


async def businesses_with_calendars(tx: Tx) -> list[int]:
    """Businesses, of all tenants, with calendars that are written to and read."""
    return [row.business_id for row in await tx.all(_BusinessRow, "calendar_businesses")]


def _digest(token: str) -> bytes:
    return hashlib.sha256(token.encode("utf-8", "replace")).digest()
