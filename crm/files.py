"""Files rendered from the record, kept as they were sent."""

from dataclasses import dataclass
from typing import Literal

from crm.record import Tx

Kind = Literal["quote_pdf", "invoice_pdf", "invoice_xml", "attachment"]


@dataclass(frozen=True)
class FileRow:
    """One file with its bytes."""

    file_id: int
    contact_id: int
    kind: str
    filename: str
    mime_type: str
    content: bytes


async def keep(
    tx: Tx,
    *,
    contact_id: int,
    kind: Kind,
    filename: str,
    mime_type: str,
    content: bytes,
    quote_id: int | None = None,
    invoice_id: int | None = None,
) -> int:
    """Keeps the file of a quote or of an invoice draft; the one kept first stays. Returns its id."""
    about = {"kind": kind, "quote_id": quote_id, "invoice_draft_id": invoice_id}
    file_id: int | None = await tx.value(
        "file_insert",
        contact_id=contact_id,
        filename=filename,
        mime_type=mime_type,
        content=content,
        **about,
    )
    if file_id is None:
        file_id = await kept(tx, kind, quote_id=quote_id, invoice_id=invoice_id)
    if file_id is None:
        raise RuntimeError("a file was neither kept nor found")
    return file_id


async def kept(
    tx: Tx, kind: Kind, *, quote_id: int | None = None, invoice_id: int | None = None
) -> int | None:
    """The id of the file already made of a document."""
    value: int | None = await tx.value("file_of", kind=kind, quote_id=quote_id, invoice_draft_id=invoice_id)
    return value


async def get(tx: Tx, file_id: int) -> FileRow | None:
    """One file."""
    return await tx.first(FileRow, "file", file_id=file_id)


async def of_contact(tx: Tx, contact_id: int) -> list[FileRow]:
    """The files made for a customer, oldest first."""
    return await tx.all(FileRow, "files_of_contact", contact_id=contact_id)
