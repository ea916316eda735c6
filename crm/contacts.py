"""Customers: one internal id, however the channel names them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import psycopg

from crm import consent
from crm.consent import Source
from crm.errors import RecordContended
from crm.record import Ask, Tx


@dataclass(frozen=True)
class ContactRow:
    contact_id: int
    wa_id: str | None
    bsuid: str | None
    name: str | None
    email: str | None
    language: str | None
    lifecycle: str
    opted_out_at: datetime | None
    created_at: datetime
    last_seen_at: datetime | None
    told_language: str | None

    @property
    def reads(self) -> str | None:
        """The language they are written to in: the one they chose, else the one they write in, if known."""
        return self.told_language or self.language


@dataclass(frozen=True)
class EventRow:
    kind: str
    detail: str
    at: datetime


@dataclass(frozen=True)
class KnownRow:
    """Who has a phone number."""

    contact_id: int
    bsuid: str | None


@dataclass(frozen=True)
class FoundRow:
    """Who is known under a further number, or a business-scoped id."""

    contact_id: int


def of_phone(wa_id: str | None) -> Ask[KnownRow]:
    """Whose phone number it is, for `known_as`: to be asked together with what else there is."""
    return Ask(KnownRow, "contact_by_wa_id", {"wa_id": wa_id})


def again(contact_id: int, name: str | None) -> Ask[None]:
    """A customer of whom the sender tells nothing new (`known_as`) wrote: their row is locked."""
    return Ask(None, "contact_seen", {"contact_id": contact_id, "wa_id": None, "bsuid": None, "name": name})


def known_as(found: Sequence[KnownRow], bsuid: str | None) -> int | None:
    """Who wrote, where the phone number says all there is to know of that."""
    return next((row.contact_id for row in found if bsuid in (None, row.bsuid)), None)


async def seen(tx: Tx, *, wa_id: str | None, bsuid: str | None, name: str | None) -> int:
    """The contact behind a sender, made on first sight; returns its id with its row locked.

    Either identity may be missing (a customer without a visible phone, a payload of the older shape).
    Raises ValueError when both are.
    """
    if not wa_id and not bsuid:
        raise ValueError("a sender needs a wa_id or a bsuid")
    for _ in range(2):
        found = await tx.all(KnownRow, "contact_by_wa_id", wa_id=wa_id) if wa_id else []
        if (same := known_as(found, bsuid)) is not None:
            await tx.together([again(same, name)])
            return same
        elsewhere = [] if found else await tx.together(_otherwise(wa_id, bsuid))
        known: list[KnownRow | FoundRow] = [row for rows in [found, *elsewhere] for row in rows]
        contact_id: int | None = known[0].contact_id if known else None
        if contact_id is not None:
            await _complete(tx, contact_id, wa_id=wa_id, bsuid=bsuid, name=name)
            return contact_id
        contact_id = await tx.value("contact_insert", wa_id=wa_id, bsuid=bsuid, name=name)
        if contact_id is not None:
            return contact_id
    raise RuntimeError("a contact was neither found nor made")


async def numbered(tx: Tx, wa_id: str) -> int | None:
    """Whose phone number it is, be it a further one of theirs; None where it is nobody's."""
    contact_id: int | None = await tx.value("contact_by_wa_id", wa_id=wa_id)
    if contact_id is None:
        contact_id = await tx.value("contact_of_alias", wa_id=wa_id)
    return contact_id


async def entered(tx: Tx, *, wa_id: str, name: str | None) -> int:
    """The contact with this phone number, made where there is none. They have not been heard of: unlike with
    `seen`, nothing says that they wrote."""
    for _ in range(2):
        contact_id = await numbered(tx, wa_id)
        if contact_id is None:
            contact_id = await tx.value("contact_enter", wa_id=wa_id, name=name)
        if contact_id is not None:
            return contact_id
    raise RuntimeError("a contact was neither found nor made")


def _otherwise(wa_id: str | None, bsuid: str | None) -> list[Ask[FoundRow]]:
    """Who wrote, where the phone number is not one they are answered on: the customer behind a further number
    before one with the business-scoped id, which they may have had when they wrote from the other one. What
    they wrote with is from now on what they are answered on."""
    asks = [Ask(FoundRow, "contact_writes_as", {"wa_id": wa_id})] if wa_id else []
    if bsuid:
        asks += [Ask(FoundRow, query, {"bsuid": bsuid}) for query in ("contact_by_bsuid", "contact_known_as")]
    return asks


async def _complete(
    tx: Tx, contact_id: int, *, wa_id: str | None, bsuid: str | None, name: str | None
) -> None:
    # An identity of another contact stays there: merging two people is a person's decision.
    if wa_id and await tx.value("contact_by_wa_id", wa_id=wa_id) not in (None, contact_id):
        wa_id = None
    if bsuid and await tx.value("contact_by_bsuid", bsuid=bsuid) not in (None, contact_id):
        bsuid = None
    try:
        await tx.run("contact_seen", contact_id=contact_id, wa_id=wa_id, bsuid=bsuid, name=name)
    except psycopg.errors.UniqueViolation as error:
        # Another message introduced the same identity a moment ago; the next try finds it.
        raise RecordContended("the same customer is being entered by another message") from error


async def get(tx: Tx, contact_id: int) -> ContactRow:
    """One customer. Raises LookupError for an id of nobody."""
    row = await tx.first(ContactRow, "contact", contact_id=contact_id)
    if row is None:
        raise LookupError(f"contact {contact_id}")
    return row


async def speaks(tx: Tx, contact_id: int, language: str) -> None:
    """Remembers the language a customer writes in."""
    await tx.run("contact_language", contact_id=contact_id, language=language)


async def update(
    tx: Tx, contact_id: int, *, name: str | None = None, email: str | None = None, language: str | None = None
) -> None:
    """What a customer tells of themselves; None leaves it. A language asked for stays."""
    await tx.run("contact_update", contact_id=contact_id, name=name, email=email, told_language=language)


async def opt_out(
    tx: Tx, contact_id: int, *, source: Source = "word", evidence: str = "", at: datetime | None = None
) -> bool:
    """The customer wants no more messages that were not asked for; False when that was known.

    Campaigns, reminders and follow-ups ask for `opted_out_at` when they are written and again when they are
    sent, so what is on its way already stays unsent.
    """
    if not await tx.run("contact_opt_out", contact_id=contact_id):
        return False
    await consent.changed(tx, contact_id, given=False, source=source, evidence=evidence, at=at)
    return True


async def opt_in(
    tx: Tx, contact_id: int, *, source: Source = "word", evidence: str = "", at: datetime | None = None
) -> None:
    """The customer wants them (again), which is the proof that a campaign asks for."""
    await tx.run("contact_opt_in", contact_id=contact_id)
    await consent.changed(tx, contact_id, given=True, source=source, evidence=evidence, at=at)


async def remember(
    tx: Tx,
    contact_id: int,
    kind: str,
    *,
    conversation_id: int | None = None,
    subject_id: int | None = None,
    detail: str = "",
) -> None:
    """Writes one domain event into the customer's history."""
    await tx.run(
        "crm_event_insert",
        contact_id=contact_id,
        conversation_id=conversation_id,
        kind=kind,
        subject_id=subject_id,
        detail=detail,
    )


async def history(tx: Tx, contact_id: int, most: int = 10) -> list[EventRow]:
    """What this customer did here, latest first."""
    return await tx.all(EventRow, "crm_events_of_contact", contact_id=contact_id, most=most)
