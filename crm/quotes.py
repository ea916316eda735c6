"""Quotes a customer asked for."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from crm.record import Tx


@dataclass(frozen=True)
class QuoteRow:
    quote_id: int
    status: str
    request: str
    created_at: datetime


@dataclass(frozen=True)
class Line:
    """One line; `unit_price` is None until a person has priced it."""

    service_id: int | None
    description: str
    quantity: Decimal
    unit_price: Decimal | None


async def request(
    tx: Tx,
    *,
    contact_id: int,
    conversation_id: int | None,
    currency: str,
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


async def of_contact(tx: Tx, contact_id: int) -> list[QuoteRow]:
    """A customer's open quotes."""
    return await tx.all(QuoteRow, "quotes_of_contact", contact_id=contact_id)
