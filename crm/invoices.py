"""Invoice drafts: of an accepted quote or of an appointment, for the business to check and send."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Protocol

from crm import fiscal, quotes
from crm.fiscal import SellerRow
from crm.record import Tx
from crm.vat import Taxed


class Sold(Taxed, Protocol):
    """A taxed line that says what it is for."""

    @property
    def description(self) -> str: ...


@dataclass(frozen=True)
class InvoiceRow:
    """`pending` while the booking is to come, `ready` with number and date, `void` when nothing is to pay.

    `missing` is what keeps the electronic invoice from being written.
    """

    invoice_draft_id: int
    contact_id: int
    conversation_id: int | None
    quote_id: int | None
    appointment_id: int | None
    status: str
    currency: str
    language: str | None
    number: str | None
    invoice_date: date | None
    missing: list[str]


@dataclass(frozen=True)
class InvoiceLine:
    """One line; the price of a unit holds VAT."""

    description: str
    quantity: Decimal
    unit_price: Decimal
    vat_rate: Decimal
    vat_nature: str | None


@dataclass(frozen=True)
class BookedRow:
    """An appointment as it goes on an invoice; without tax data of the business there is no rate."""

    appointment_id: int
    contact_id: int
    conversation_id: int | None
    status: str
    price: Decimal | None
    service_key: str
    price_unit: str
    ends: datetime
    language: str | None
    currency: str
    vat_rate: Decimal | None
    vat_nature: str | None
    service_name: str


async def booked(tx: Tx, appointment_id: int) -> BookedRow | None:
    """What an appointment is for."""
    return await tx.first(BookedRow, "booked_service", appointment_id=appointment_id)


async def of_booking(tx: Tx, row: BookedRow) -> InvoiceRow | None:
    """The draft of an appointment, pending, made once. None when there is no amount or no tax data to make
    one of: a percentage, a price on request, nothing to pay."""
    if not row.price or row.vat_rate is None or row.price_unit in ("percent", "month"):
        return None
    line = InvoiceLine(row.service_name, Decimal(1), row.price, row.vat_rate, row.vat_nature)
    return await _made(
        tx,
        [line],
        contact_id=row.contact_id,
        conversation_id=row.conversation_id,
        quote_id=None,
        appointment_id=row.appointment_id,
        currency=row.currency,
        language=row.language,
    )


async def of_quote(tx: Tx, quote_id: int) -> InvoiceRow:
    """The draft of an accepted quote, line by line, made once."""
    row = await quotes.get(tx, quote_id)
    return await _made(
        tx,
        await quotes.issued_lines(tx, quote_id),
        contact_id=row.contact_id,
        conversation_id=row.conversation_id,
        quote_id=quote_id,
        appointment_id=None,
        currency=row.currency,
        language=row.language,
    )


async def _made(tx: Tx, lines: Sequence[Sold], **fields: object) -> InvoiceRow:
    invoice_id: int | None = await tx.value("invoice_insert", **fields)
    if invoice_id is not None:
        for ordinal, line in enumerate(lines):
            await tx.run(
                "invoice_line_insert",
                invoice_draft_id=invoice_id,
                ordinal=ordinal,
                description=line.description,
                quantity=line.quantity,
                unit_price=line.unit_price,
                vat_rate=line.vat_rate,
                vat_nature=line.vat_nature,
            )
    found = await of(tx, quote_id=fields["quote_id"], appointment_id=fields["appointment_id"])
    if found is None:
        raise RuntimeError("an invoice draft just made cannot be read back")
    return found


async def of(tx: Tx, *, quote_id: object = None, appointment_id: object = None) -> InvoiceRow | None:
    """The draft of a quote or of an appointment, locked; None when there is none."""
    return await tx.first(InvoiceRow, "invoice_of", quote_id=quote_id, appointment_id=appointment_id)


async def get(tx: Tx, invoice_id: int) -> InvoiceRow | None:
    """One draft."""
    return await tx.first(InvoiceRow, "invoice", invoice_draft_id=invoice_id)


async def of_contact(tx: Tx, contact_id: int) -> list[InvoiceRow]:
    """A customer's drafts, the latest first."""
    return await tx.all(InvoiceRow, "invoices_of_contact", contact_id=contact_id)


async def lines(tx: Tx, invoice_id: int) -> list[InvoiceLine]:
    """The lines of a draft."""
    return await tx.all(InvoiceLine, "invoice_lines", invoice_draft_id=invoice_id)


async def make_ready(tx: Tx, row: InvoiceRow, seller: SellerRow) -> None:
    """There is something to pay: the draft gets its number and today's date, once."""
    if row.status != "pending":
        return
    today = fiscal.today_at(tx, seller.time_zone)
    number = await fiscal.next_number(tx, "invoice", today)
    await tx.run("invoice_ready", invoice_draft_id=row.invoice_draft_id, number=number, invoice_date=today)


async def void(tx: Tx, row: InvoiceRow) -> None:
    """There is nothing to pay after all."""
    await tx.run("invoice_void", invoice_draft_id=row.invoice_draft_id)


async def lacks(tx: Tx, invoice_id: int, missing: Sequence[str]) -> None:
    """Notes what keeps the electronic invoice from being written."""
    await tx.run("invoice_missing", invoice_draft_id=invoice_id, missing=list(missing))
