"""Everything the record holds about a customer, as data."""

from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any

from crm import trail
from crm.privacy import basis, people
from crm.privacy.collect import walk
from crm.privacy.people import Person
from crm.record import Tx
from crm.sealing import Seal

_TYPES = {"recording": "media_mime_type", "inbound_file": "media_mime_type"}


@dataclass(frozen=True)
class File:
    """A file of an export: what is to be written under which name."""

    name: str
    content: bytes


@dataclass(frozen=True)
class Section:
    """The rows of one table; `title` is what people call it."""

    table: str
    title: str
    rows: list[dict[str, Any]]


@dataclass
class Export:
    """What is held, and the files it speaks of. `raw_webhooks` are copies of the messages as they came."""

    person: Person
    at: datetime
    bases: list[basis.BasisRow]
    sections: list[Section] = field(default_factory=list)
    threads: dict[str, Any] = field(default_factory=dict)
    raw_webhooks: int = 0
    files: list[File] = field(default_factory=list)

    def data(self) -> dict[str, Any]:
        """The export without its files' contents."""
        return {
            "format": "sara-contact-export/1",
            "exported_at": self.at,
            "contact_id": self.person.contact_id,
            "lawful_basis": [asdict(row) for row in self.bases],
            "records": {section.table: section.rows for section in self.sections},
            "thread_states": self.threads,
            "raw_webhooks": self.raw_webhooks,
            "files": [file.name for file in self.files],
        }


async def export(tx: Tx, person: Person, seal: Seal | None) -> Export:
    """Everything about a customer of the transaction's business.

    Sound and files are opened with `seal`; without it they are only listed. Raises NotOurSeal.
    """
    made = Export(person, tx.now, await basis.of(tx, person.contact_id))
    types: dict[int, str] = {}
    async for holding, found, _ in walk(tx.connection, person.contact_id):
        rows = found
        if holding.table == "access_log":
            # When and what, also of entries merged into this one; not by whom, which is the agents' own data.
            rows = [asdict(row) for row in await trail.seen(tx, person.contact_id)]
        if holding.table == "message":
            types = {row["message_id"]: row["media_mime_type"] or "" for row in rows}
        shown = [_row(holding.table, row, types, seal, made.files) for row in rows]
        if shown:
            made.sections.append(Section(holding.table, holding.title, shown))
    return made


async def count_raw(tx: Tx, person: Person) -> int:
    """How many raw webhooks carry the customer; the owner's transaction, nobody else reads them."""
    former = await people.former_numbers(tx, person.contact_id)
    known = [one.encode() for one in (person.wa_id, person.bsuid, *former) if one]
    return int(await tx.value("person_payloads_count", identities=known)) if known else 0


def _row(
    table: str, row: dict[str, Any], types: dict[int, str], seal: Seal | None, files: list[File]
) -> dict[str, Any]:
    shown = {key: value for key, value in row.items() if not isinstance(value, bytes | memoryview)}
    if table == "stored_file":
        shown["file"] = _add(
            files, f"files/document-{row['file_id']}-{_safe(row['filename'])}", row["content"]
        )
    elif table in _TYPES and row["sealed"] is not None:
        number, kind = row["message_id"], types.get(row["message_id"], "")
        name = f"files/{table}-{number}.{_ending(kind)}"
        shown["file"] = (
            _add(files, name, seal.open(bytes(row["sealed"]))) if seal else "encrypted: no key here"
        )
    return shown


def _add(files: list[File], name: str, content: bytes) -> str:
    files.append(File(name, bytes(content)))
    return name


def _safe(filename: str) -> str:
    return "".join(c if c.isalnum() or c in "._-" else "_" for c in filename)[-80:].lstrip(".") or "file"


def _ending(mime_type: str) -> str:
    subtype = mime_type.split(";", maxsplit=1)[0].rpartition("/")[2]
    return "".join(c for c in subtype if c.isalnum())[:12] or "bin"
