"""Customers as the console shows them: a page of the list, a card with its timeline, what is edited."""

from dataclasses import asdict, dataclass, replace
from datetime import datetime

from crm import console, events
from crm.contacts import ContactRow
from crm.errors import UnknownContact
from crm.record import Tx

PAGE = 50
TIMELINE = 60


@dataclass(frozen=True)
class ListedRow:
    """A customer in the list; `language` is the one they asked for, else the one they write in."""

    contact_id: int
    name: str | None
    wa_id: str | None
    email: str | None
    language: str | None
    lifecycle: str
    opted_out: bool
    last_seen_at: datetime | None
    created_at: datetime


@dataclass(frozen=True)
class Entry:
    """What the team enters of a customer; `language` is the one they asked for."""

    name: str | None
    email: str | None
    language: str | None


@dataclass(frozen=True)
class TimelineRow:
    """Something that happened with a customer: `what` is its author, state or kind of event."""

    kind: str
    at: datetime
    what: str
    agent_name: str | None
    detail: str
    place: int | None  # the conversation
    location_id: int | None  # where an appointment is


@dataclass(frozen=True)
class TalkRow:
    conversation_id: int
    status: str
    owner: str
    last_activity_at: datetime
    summary: str | None


@dataclass(frozen=True)
class AliasRow:
    wa_id: str | None
    bsuid: str | None


@dataclass(frozen=True)
class MergedRow:
    at: datetime
    agent_name: str | None
    name: str | None
    wa_id: str | None
    rows_moved: int


@dataclass(frozen=True)
class _Standing:
    merged_into: int | None
    erased_at: datetime | None


async def page(
    tx: Tx, *, lifecycle: str | None = None, language: str | None = None, search: str = "", number: int = 1
) -> tuple[list[ListedRow], bool]:
    """A page of customers, whoever was heard of last first, and whether there is another after it."""
    words = console.tsquery(search)
    if search.strip() and words is None:
        return [], False
    rows = await tx.all(
        ListedRow,
        "contacts_page",
        lifecycle=lifecycle,
        language=language,
        words=words,
        most=PAGE + 1,
        skip=(number - 1) * PAGE,
    )
    return rows[:PAGE], len(rows) > PAGE


async def stands(tx: Tx, contact_id: int) -> int:
    """The entry that stands for a customer now: itself, or the one it was merged into.

    Raises UnknownContact.
    """
    for _ in range(20):
        row = await tx.first(_Standing, "contact_standing", contact_id=contact_id)
        if row is None or row.erased_at is not None:
            break
        if row.merged_into is None:
            return contact_id
        contact_id = row.merged_into
    raise UnknownContact(UnknownContact.__doc__)


async def timeline(tx: Tx, contact_id: int, *, before: datetime | None = None) -> list[TimelineRow]:
    """Messages, appointments, quotes, invoices, tickets, leads and events of a customer, the latest first.

    What is still to come (appointments) is in it too, at its time.
    """
    before = before or datetime.max.replace(tzinfo=tx.now.tzinfo)
    return await tx.all(TimelineRow, "contact_timeline", contact_id=contact_id, before=before, most=TIMELINE)


async def talks(tx: Tx, contact_id: int) -> list[TalkRow]:
    """A customer's conversations, the latest first."""
    return await tx.all(TalkRow, "contact_conversations", contact_id=contact_id)


async def aliases(tx: Tx, contact_id: int) -> list[AliasRow]:
    """A customer's other numbers and ids."""
    return await tx.all(AliasRow, "contact_aliases", contact_id=contact_id)


async def merges(tx: Tx, contact_id: int) -> list[MergedRow]:
    """What was merged into a customer, by whom."""
    return await tx.all(MergedRow, "contact_merges", contact_id=contact_id)


async def edit(
    tx: Tx, contact_id: int, agent_id: int, given: Entry, *, was: Entry | None = None, attempt: str
) -> None:
    """Enters name, e-mail address and the language to be spoken; what changed stands in the history.

    `was` is what stood there when it was filled in: what was left as it was stays as it is now, whatever
    became of it meanwhile. Raises UnknownContact.
    """
    await stands(tx, contact_id)
    row = await tx.first(ContactRow, "contact_lock", contact_id=contact_id)
    if row is None:
        raise UnknownContact(UnknownContact.__doc__)
    before = Entry(row.name, row.email, row.told_language)
    seen = asdict(was) if was else {}
    meant = {key: value for key, value in asdict(given).items() if key not in seen or value != seen[key]}
    after = replace(before, **meant)
    if after == before:
        return
    await tx.run("contact_edit", contact_id=contact_id, **asdict(after))
    new = asdict(after)
    changed = [f"{key}: {old or '—'} → {new[key] or '—'}" for key, old in asdict(before).items()
               if old != new[key]]  # fmt: skip
    await events.happened(
        tx,
        "contact_edited",
        contact_id,
        key=f"contact_edited:{contact_id}:{attempt}",
        detail="; ".join(changed),
        agent_id=agent_id,
    )
