"""What a person does about a quote: prices what the record could not, and issues it."""

from collections.abc import Sequence
from decimal import Decimal

from crm import events, fiscal, quotes
from crm.errors import QuoteNotPriced
from crm.quotes import QuoteRow
from crm.record import Tx


async def issue(tx: Tx, quote_id: int, prices: Sequence[Decimal] = ()) -> QuoteRow:
    """Prices the lines that have none, in order and VAT included, and issues the quote: its PDF goes out.

    Raises UnknownQuote, QuoteDecided, and QuoteNotPriced when the prices are not as many as the lines that
    lack one, or the business has not entered its tax data.
    """
    seller = await fiscal.seller(tx)
    before = await quotes.get(tx, quote_id)
    unpriced = [line for line in await quotes.all_lines(tx, quote_id) if line.unit_price is None]
    if seller is None or (before.status == "requested" and len(unpriced) != len(prices)):
        raise QuoteNotPriced(
            f"quote {quote_id} has {len(unpriced)} lines without a price: give as many, VAT included"
            if seller
            else f"{QuoteNotPriced.__doc__}"
        )
    for line, price in zip(unpriced, prices, strict=False):
        await quotes.price_line(tx, quote_id, line.ordinal, price)
    issued = await quotes.issue(tx, quote_id, seller)
    await events.happened(
        tx,
        "quote_issued",
        issued.contact_id,
        key=f"quote_issued:{quote_id}",
        conversation_id=issued.conversation_id,
        subject_id=quote_id,
        detail=f"{issued.number}",
    )
    return issued


async def expired(tx: Tx, quote: QuoteRow, *, conversation_id: int | None) -> None:
    """Its time is over, found out by the clock or in a conversation: written down once."""
    await events.happened(
        tx,
        "quote_expired",
        quote.contact_id,
        key=f"quote_expired:{quote.quote_id}",
        conversation_id=conversation_id,
        subject_id=quote.quote_id,
        detail=f"{quote.number}",
    )
