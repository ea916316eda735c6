"""Who looked at a customer's data, who came in, and who changed what: one trail, the latest first.

A look is written down in the transaction that reads, so that nothing is shown of which no word is kept. What
is looked at again within `LOOK` (a list within `LIST`) is one look. Changes that keep a word of themselves
(hand-overs, settings, notes, the history of customers) are read from there and not written twice.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from crm.record import Tx

LOOK = timedelta(minutes=10)
LIST = timedelta(hours=1)
PAGE = 100

Via = Literal["console", "api", "terminal"]
Look = Literal["conversation", "contact", "appointment", "sources", "recording", "file", "export", "search"]
Listed = Literal["queue", "contacts", "calendar", "undelivered", "figures", "trail", "search"]
Did = Literal["message", "sent_again", "canned_reply", "document_added", "document_dated", "document_deleted"]
Entry = Literal[
    "login", "login_provider", "login_failed", "logout", "password", "token", "disabled", "membership"
]


@dataclass(frozen=True)
class Reader:
    """Who looks, and from where: no agent is the operator; `address` is the network address asked from."""

    agent_id: int | None
    via: Via
    address: str = ""


OPERATOR = Reader(None, "terminal")


@dataclass(frozen=True)
class TrailRow:
    """One line. `kind` is look, change or entry; `subject_name` is whom an entry is about, if another."""

    kind: str
    what: str
    at: datetime
    agent_id: int | None
    agent_name: str | None
    contact_id: int | None
    contact_name: str | None
    subject_id: int | None
    subject_name: str | None
    detail: str
    via: str
    address: str


@dataclass(frozen=True)
class SeenRow:
    """That a customer's data was looked at, as the customer may know it."""

    what: str
    via: str
    at: datetime


@dataclass(frozen=True)
class _EntryOf:
    contact_id: int


async def looked(
    tx: Tx, who: Reader, what: Look, contacts: Sequence[int], *, subject_id: int | None = None
) -> None:
    """Writes down that somebody saw data of these customers; `subject_id` is the thing it was seen in."""
    await _looked(tx, who, what, list(contacts), LOOK, subject_id)


async def listed(tx: Tx, who: Reader, what: Listed) -> None:
    """Writes down that somebody saw a list which may name many customers."""
    await _looked(tx, who, what, [None], LIST, None)


async def searched(tx: Tx, who: Reader, contacts: Sequence[int]) -> None:
    """Writes down whom a search showed; not the words searched for, which may be a customer's."""
    if contacts:
        await looked(tx, who, "search", sorted(set(contacts)))
    else:
        await listed(tx, who, "search")


async def looked_at_message(tx: Tx, who: Reader, what: Look, message_id: int) -> None:
    """The same for what hangs on a message: its sound, its file, its sources."""
    await tx.run(
        "trail_looked_at_message",
        agent_id=who.agent_id,
        what=what,
        message_id=message_id,
        via=who.via,
        address=who.address,
        span=_span(tx.now, LOOK),
    )


async def did(
    tx: Tx,
    who: Reader,
    what: Did,
    *,
    contact_id: int | None = None,
    subject_id: int | None = None,
    detail: str = "",
) -> None:
    """Writes down a change that keeps no word of itself. `detail` never holds words of customers."""
    await tx.run(
        "trail_did",
        agent_id=who.agent_id,
        what=what,
        contact_id=contact_id,
        subject_id=subject_id,
        via=who.via,
        address=who.address,
        detail=detail[:200],
    )


async def entered(tx: Tx, who: Reader, what: Entry, whose: int, *, detail: str = "") -> None:
    """Writes down, at every business that person works for, that they came in or may come in otherwise."""
    await tx.run(
        "trail_of_agent",
        agent_id=who.agent_id,
        what=what,
        whose=whose,
        via=who.via,
        address=who.address,
        detail=detail[:200],
    )


async def entries_of(tx: Tx, contact_id: int) -> list[int]:
    """A customer's entry and those that were merged into it: what was seen of them stays with them."""
    return [row.contact_id for row in await tx.all(_EntryOf, "trail_entries", contact_id=contact_id)]


async def page(
    tx: Tx,
    since: datetime,
    until: datetime,
    *,
    agent_id: int | None = None,
    contacts: Sequence[int] | None = None,
    number: int = 1,
    size: int = PAGE,
) -> tuple[list[TrailRow], bool]:
    """A page of the trail from `since` until before `until`, and whether there is another after it."""
    rows = await tx.all(
        TrailRow,
        "trail_page",
        agent_id=agent_id,
        contacts=None if contacts is None else list(contacts),
        since=since,
        until=until,
        most=size + 1,
        skip=(number - 1) * size,
    )
    return rows[:size], len(rows) > size


async def seen(tx: Tx, contact_id: int) -> list[SeenRow]:
    """When a customer's data was looked at, for the customer (article 15); by whom is the agents' own."""
    return await tx.all(SeenRow, "trail_of_contact", contact_id=contact_id)


async def agent_of(tx: Tx, email: str) -> int | None:
    """Somebody of the business, also who may no longer log in; None for nobody."""
    agent_id: int | None = await tx.value("trail_agent", email=email.strip())
    return agent_id


async def forget(tx: Tx, older_than: timedelta, *, most: int) -> int:
    """Deletes, over all tenants, what was written down longer ago; how many. Thirty days stay anyhow."""
    return int(await tx.value("trail_forget", older_than=older_than, most=most))


async def _looked(
    tx: Tx,
    who: Reader,
    what: str,
    contacts: Sequence[int | None],
    within: timedelta,
    subject_id: int | None,
) -> None:
    await tx.run(
        "trail_looked",
        agent_id=who.agent_id,
        what=what,
        contacts=contacts,
        subject_id=subject_id,
        via=who.via,
        address=who.address,
        span=_span(tx.now, within),
    )


def _span(now: datetime, within: timedelta) -> int:
    """Which stretch of that length a moment is in, counted from 1970."""
    return int(now.timestamp()) // int(within.total_seconds())
