"""Whether a customer may be written to unasked, and what proves it.

`contact.opted_out_at` is the state everything asks before it speaks first; this is the history behind it.
"""

import csv
import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from crm import phones
from crm.record import Tx

Source = Literal["word", "whatsapp_menu", "meta_131050", "import", "agent"]


@dataclass(frozen=True)
class ConsentRow:
    """One change of mind: how it was told, and what proves it (a wamid, a form, a line of a file)."""

    given: bool
    source: str
    evidence: str
    at: datetime


@dataclass(frozen=True)
class Imported:
    """One line of a file of consents. `at` is when the customer gave it."""

    wa_id: str
    evidence: str
    at: datetime
    name: str | None = None


class BadConsents(ValueError):
    """The file of consents cannot be used; the message names the line."""


async def changed(
    tx: Tx, contact_id: int, *, given: bool, source: Source, evidence: str = "", at: datetime | None = None
) -> None:
    """Writes down that a customer allowed marketing, or stopped it."""
    await tx.run(
        "consent_insert",
        contact_id=contact_id,
        given=given,
        source=source,
        evidence=evidence[:500],
        at=at or tx.now,
    )


async def history(tx: Tx, contact_id: int) -> list[ConsentRow]:
    """Every change of a customer's mind, latest first."""
    return await tx.all(ConsentRow, "consents_of_contact", contact_id=contact_id)


def read(lines: Iterable[str], *, country: str, now: datetime) -> list[Imported]:
    """A CSV file with the columns phone, given_at (ISO, with its offset), evidence and perhaps name.

    A phone number that does not say its country is one of `country` (IT). Raises BadConsents: a proof without
    date or source is none, and one of a time after `now` would outlast whatever the customer says until then.
    """
    rows = csv.DictReader(lines)
    missing = {"phone", "given_at", "evidence"} - set(rows.fieldnames or ())
    if missing:
        raise BadConsents(f"the first line has to name the columns {', '.join(sorted(missing))}")
    return [_line(number, row, country, now) for number, row in enumerate(rows, start=2)]


def _as_the_channel(written: str, country: str) -> str | None:
    """A phone number as a wa_id. Old ones of Mexico (521 …) and Brazil (without the 9) are no valid numbers,
    and the channel calls people by them all the same."""
    bare = phones.figures(written)
    old = re.fullmatch(r"\+?(?:521\d{10}|55\d{10})", written)
    return phones.wa_id_of(written, country) or (bare if old else None)


def _line(number: int, row: dict[str, str | None], country: str, now: datetime) -> Imported:
    # The number as the channel writes it: another contact with the same phone would not be bound by its STOP.
    phone = _as_the_channel((row["phone"] or "").strip(), country)
    evidence = (row["evidence"] or "").strip()
    if phone is None:
        raise BadConsents(
            f"line {number}: {row['phone']!r} is no phone number such as +39 333 1234567; with + and the"
            " country's digits it is never mistaken"
        )
    if not evidence:
        raise BadConsents(f"line {number}: the evidence is empty; say where and how the customer agreed")
    try:
        at = datetime.fromisoformat((row["given_at"] or "").strip())
    except ValueError:
        raise BadConsents(
            f"line {number}: {row['given_at']!r} is no date such as 2026-03-01T10:00+01:00"
        ) from None
    if at.tzinfo is None:
        at = at.astimezone()
    if at > now:
        raise BadConsents(
            f"line {number}: {row['given_at']!r} is still to come; say when the customer agreed"
        )
    return Imported(phone, evidence, at, (row.get("name") or "").strip() or None)
