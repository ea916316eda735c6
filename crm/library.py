"""The documents SARA may quote, as the team looks after them."""

from dataclasses import dataclass
from datetime import date, datetime

from crm import proposals
from crm.errors import RecordError
from crm.record import Tx


class UnknownDocument(RecordError):
    """No such document in this business: it may have been deleted meanwhile."""


class EndsBeforeItBegins(RecordError):
    """A document cannot stop being valid before it begins to be."""


@dataclass(frozen=True)
class DocumentRow:
    """A document; without dates it holds always. `passages` is how many pieces of it can be found.

    `dated_by_hand`: the team said from when to when it holds, whatever its file says.
    """

    document_id: int
    path: str
    title: str
    language: str
    valid_from: date | None
    valid_until: date | None
    dated_by_hand: bool
    ingested_at: datetime
    passages: int

    def holds(self, on: date) -> bool:
        """Whether it is valid on a local day."""
        return not (
            (self.valid_from and self.valid_from > on) or (self.valid_until and self.valid_until < on)
        )


@dataclass(frozen=True)
class _Held:
    """A document that was given days, and whether it holds today."""

    path: str
    today: bool


async def documents(tx: Tx) -> list[DocumentRow]:
    """All of the business's documents, by name."""
    return await tx.all(DocumentRow, "library")


async def drop(tx: Tx, document_id: int) -> str:
    """Deletes a document with its passages; returns its name. Raises UnknownDocument."""
    path: str | None = await tx.value("library_drop", document_id=document_id)
    if path is None:
        raise UnknownDocument(UnknownDocument.__doc__)
    return path


async def hold(tx: Tx, document_id: int, valid_from: date | None, valid_until: date | None) -> str:
    """Says from when to when a document holds, both days included; returns its name.

    None of its passages holds on another day; one whose section begins later or ends sooner keeps to that.
    The days stay when the document's file is taken in again. When today is none of them, what it lists is
    proposed no longer.

    Raises UnknownDocument, EndsBeforeItBegins.
    """
    if valid_from and valid_until and valid_until < valid_from:
        raise EndsBeforeItBegins(EndsBeforeItBegins.__doc__)
    days = {"valid_from": valid_from, "valid_until": valid_until}
    held = await tx.first(_Held, "library_validity", document_id=document_id, **days)
    if held is None:
        raise UnknownDocument(UnknownDocument.__doc__)
    if not held.today:
        await proposals.withdraw(tx, held.path)
    return held.path


async def dated_by_hand(tx: Tx) -> dict[str, tuple[date | None, date | None]]:
    """First and last day of the documents that the team gave days, by name."""
    rows = await documents(tx)
    return {row.path: (row.valid_from, row.valid_until) for row in rows if row.dated_by_hand}
