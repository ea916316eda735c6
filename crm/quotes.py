"""Quotes: asked for, priced, issued with a number and a last day, accepted or declined."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Literal

from crm import fiscal, vat
from crm.errors import QuoteDecided, QuoteNotPriced, UnknownQuote
from crm.fiscal import SellerRow
from crm.record import Tx
from crm.vat import Totals


@dataclass(frozen=True)
class QuoteRow:
    """`number` and `valid_until` are there from the moment it is issued."""

    quote_id: int
    contact_id: int
    conversation_id: int | None
    status: str
    number: str | None
    currency: str
    language: str | None
    request: str
    created_at: datetime
    issued_at: datetime | None
    valid_until: date | None


@dataclass(frozen=True)
class Line:
    """One line as asked for; `unit_price` (VAT included) is None until a person has priced it."""

    service_id: int | None
    description: str
    quantity: Decimal
    unit_price: Decimal | None


@dataclass(frozen=True)
class LineRow:
    """One line as kept. Without tax data of the business there is no rate."""

    ordinal: int
    service_id: int | None
    description: str
    quantity: Decimal
    unit_price: Decimal | None
    vat_rate: Decimal | None
    vat_nature: str | None


@dataclass(frozen=True)
class IssuedLine:
    """A line of a binding quote."""

    description: str
    quantity: Decimal
    unit_price: Decimal
    vat_rate: Decimal
    vat_nature: str | None


async def request(
    tx: Tx,
    *,
    contact_id: int,
    conversation_id: int | None,
    currency: str,
    language: str | None,
    text: str,
    lines: Sequence[Line],
    idempotency_key: str,
) -> int:
    """Writes a quote request with its lines, once per key; returns its id."""
    quote_id: int | None = await tx.value(
        "quote_insert",
        contact_id=contact_id,
        conversation_id=conversation_id,
        currency=currency,
        language=language,
        request=text,
        idempotency_key=idempotency_key,
    )
    if quote_id is None:
        return int(await tx.value("quote_by_key", idempotency_key=idempotency_key))
    for ordinal, line in enumerate(lines):
        await tx.run(
            "quote_line_insert",
            quote_id=quote_id,
            ordinal=ordinal,
            service_id=line.service_id,
            description=line.description,
            quantity=line.quantity,
            unit_price=line.unit_price,
        )
    return quote_id


async def price_line(tx: Tx, quote_id: int, ordinal: int, unit_price: Decimal) -> None:
    """A person prices a line of a request, VAT included. Raises UnknownQuote for a line that is not open."""
    if await tx.run("quote_line_price", quote_id=quote_id, ordinal=ordinal, unit_price=unit_price) == 0:
        raise UnknownQuote(UnknownQuote.__doc__)


async def issue(tx: Tx, quote_id: int, seller: SellerRow) -> QuoteRow:
    """Makes a request binding: number, last day, VAT of each line. An issued quote comes back as it is.

    Raises UnknownQuote, QuoteNotPriced, QuoteDecided.
    """
    row = await _locked(tx, quote_id)
    if row.status == "issued":
        return row
    if row.status != "requested":
        raise QuoteDecided(QuoteDecided.__doc__)
    lines = await all_lines(tx, quote_id)
    if not lines or any(line.unit_price is None for line in lines):
        raise QuoteNotPriced(QuoteNotPriced.__doc__)
    for line in lines:
        rate = seller.vat_rate if line.vat_rate is None else line.vat_rate
        await tx.run(
            "quote_line_vat",
            quote_id=quote_id,
            ordinal=line.ordinal,
            vat_rate=rate,
            vat_nature=line.vat_nature,
        )
    today = fiscal.today_at(tx, seller.time_zone)
    number = await fiscal.next_number(tx, "quote", today)
    valid_until = today + timedelta(days=seller.quote_valid_days)
    await tx.run("quote_issue", quote_id=quote_id, number=number, valid_until=valid_until)
    return await get(tx, quote_id)


async def decide(
    tx: Tx, quote_id: int, contact_id: int, status: Literal["accepted", "declined"], today: date
) -> QuoteRow:
    """The customer accepts or declines. A quote past its last day expires instead; see the row's status.

    Deciding again the same way changes nothing. Raises UnknownQuote for another customer's quote,
    QuoteDecided for one that was decided otherwise or is not issued.
    """
    row = await _locked(tx, quote_id)
    if row.contact_id != contact_id:
        raise UnknownQuote(UnknownQuote.__doc__)
    if row.status in (status, "expired"):
        return row
    if row.status != "issued":
        raise QuoteDecided(QuoteDecided.__doc__)
    late = status == "accepted" and row.valid_until is not None and row.valid_until < today
    await tx.run("quote_decide", quote_id=quote_id, status="expired" if late else status)
    return await get(tx, quote_id)


async def expire(tx: Tx, today: date) -> list[QuoteRow]:
    """Closes issued quotes whose last day is over; returns them."""
    overdue = await tx.all(QuoteRow, "quotes_overdue", today=today)
    for row in overdue:
        await tx.run("quote_decide", quote_id=row.quote_id, status="expired")
    return overdue


async def get(tx: Tx, quote_id: int) -> QuoteRow:
    """One quote. Raises UnknownQuote."""
    row = await tx.first(QuoteRow, "quote", quote_id=quote_id)
    if row is None:
        raise UnknownQuote(UnknownQuote.__doc__)
    return row


async def all_lines(tx: Tx, quote_id: int) -> list[LineRow]:
    """The lines of a quote, priced or not."""
    return await tx.all(LineRow, "quote_lines", quote_id=quote_id)


async def issued_lines(tx: Tx, quote_id: int) -> list[IssuedLine]:
    """The lines of a quote that was issued. Raises QuoteNotPriced for one that cannot have been."""
    found = []
    for line in await all_lines(tx, quote_id):
        if line.unit_price is None or line.vat_rate is None:
            raise QuoteNotPriced(QuoteNotPriced.__doc__)
        found.append(
            IssuedLine(line.description, line.quantity, line.unit_price, line.vat_rate, line.vat_nature)
        )
    return found


async def totals(tx: Tx, quote_id: int) -> Totals:
    """What an issued quote comes to. Raises QuoteNotPriced."""
    return vat.totals(await issued_lines(tx, quote_id))


async def of_contact(tx: Tx, contact_id: int) -> list[QuoteRow]:
    """A customer's open quotes, the latest first."""
    return await tx.all(QuoteRow, "quotes_of_contact", contact_id=contact_id)


async def numbered(tx: Tx, contact_id: int, number: str) -> QuoteRow | None:
    """A customer's quote of that number, open or not; None when they have none."""
    return await tx.first(QuoteRow, "quote_by_number", contact_id=contact_id, number=number)


async def open_ones(tx: Tx) -> list[QuoteRow]:
    """What customers wait for or may still accept, the longest waiting first."""
    return await tx.all(QuoteRow, "quotes_open")


async def _locked(tx: Tx, quote_id: int) -> QuoteRow:
    row = await tx.first(QuoteRow, "quote_lock", quote_id=quote_id)
    if row is None:
        raise UnknownQuote(UnknownQuote.__doc__)
    return row
