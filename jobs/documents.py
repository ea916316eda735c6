"""Files made of the record: a quote's PDF, sent to the customer; an invoice draft's PDF and XML."""

import asyncio

import structlog

from crm import (
    businesses,
    contacts,
    conversations,
    fatturapa,
    files,
    fiscal,
    invoices,
    outbox,
    queue,
    quotes,
    vat,
)
from crm.contacts import ContactRow
from crm.events import HookRow
from crm.fatturapa_rules import FatturaRefused
from crm.fiscal import BuyerRow, SellerRow
from crm.invoices import InvoiceRow
from crm.messages import NewMessage
from crm.quotes import QuoteRow
from crm.record import Tx
from jobs.paper import Paper, pdf
from jobs.services import Services
from knowledge.phrases import Say
from tools.wording import day, money

log = structlog.get_logger(__name__)

PDF = "application/pdf"


async def write(services: Services, tx: Tx, hook: HookRow) -> None:
    """Renders what an event asks for and keeps it; a quote goes to the customer through the outbox, once."""
    seller = await fiscal.seller(tx)
    if seller is None or hook.subject_id is None:
        return
    contact = await contacts.get(tx, hook.contact_id)
    if hook.kind == "quote_issued":
        await _quote(services, tx, seller, contact, await quotes.get(tx, hook.subject_id))
        return
    of_quote = hook.kind == "quote_accepted"
    draft = await invoices.of(
        tx,
        quote_id=hook.subject_id if of_quote else None,
        appointment_id=None if of_quote else hook.subject_id,
    )
    if draft is not None and draft.status == "ready":
        await _invoice(services, tx, seller, contact, draft)


async def _quote(services: Services, tx: Tx, seller: SellerRow, contact: ContactRow, quote: QuoteRow) -> None:
    language, say = await _spoken(services, tx, quote.language)
    lines = await quotes.issued_lines(tx, quote.quote_id)
    until = quote.valid_until
    paper = Paper(
        title=say("Quote {number}", number=quote.number),
        about=[
            say("Date: {date}", date=day(fiscal.today_at(tx, seller.time_zone), language)),
            *([say("Valid until {date}", date=day(until, language))] if until else []),
        ],
        seller=seller,
        buyer=await fiscal.buyer(tx, contact.contact_id) or _named(contact, seller),
        lines=lines,
        currency=quote.currency,
        language=language,
        written_at=quote.issued_at or tx.now,
        note=_note(say, taxed=vat.totals(lines).taxed),
    )
    filename = f"{say('Quote')} {(quote.number or '').replace('/', '-')}.pdf"
    file_id = await files.keep(
        tx,
        contact_id=contact.contact_id,
        kind="quote_pdf",
        quote_id=quote.quote_id,
        filename=filename,
        mime_type=PDF,
        content=await asyncio.to_thread(pdf, paper, say),
    )
    if quote.conversation_id is not None:
        amount = money(vat.totals(lines).gross, quote.currency, language, seller.country)
        caption = say("Quote {number}: {amount}", number=quote.number, amount=amount)
        await _send(tx, quote, file_id, filename, caption, language)


def _note(say: Say, *, taxed: bool) -> str:
    if taxed:
        return say("Prices include VAT. Accept this quote in the chat, or ask us anything about it.")
    return say("Accept this quote in the chat, or ask us anything about it.")


async def _send(tx: Tx, quote: QuoteRow, file_id: int, filename: str, caption: str, language: str) -> None:
    """A file was promised when the quote was issued: it goes out whoever has the conversation by now, so it
    speaks for the system and not for the bot."""
    turn_id = f"quote:{quote.quote_id}"
    if quote.conversation_id is None or await outbox.spoke(tx, turn_id):
        return
    conversation = await conversations.lock(tx, quote.conversation_id)
    message = NewMessage(
        conversation_id=conversation.conversation_id,
        contact_id=quote.contact_id,
        author="system",
        kind="document",
        body=caption,
        language=language,
        media_mime_type=PDF,
        media_filename=filename,
        file_id=file_id,
        sent_at=tx.now,
    )
    await outbox.add(tx, [message], turn_id=turn_id, epoch=conversation.epoch, answers=None)
    await queue.send(tx, conversation.conversation_id)


async def _invoice(
    services: Services, tx: Tx, seller: SellerRow, contact: ContactRow, draft: InvoiceRow
) -> None:
    if draft.number is None or draft.invoice_date is None:
        return
    language, say = await _spoken(services, tx, draft.language)
    lines = await invoices.lines(tx, draft.invoice_draft_id)
    told = await fiscal.buyer(tx, contact.contact_id)
    buyer = told or _named(contact, seller)
    paper = Paper(
        title=say("Invoice draft {number}", number=draft.number),
        about=[say("Date: {date}", date=day(draft.invoice_date, language))],
        seller=seller,
        buyer=buyer,
        lines=lines,
        currency=draft.currency,
        language=language,
        written_at=tx.now,
        note=say("This is a draft and no invoice: the invoice follows."),
    )
    await files.keep(
        tx,
        contact_id=contact.contact_id,
        kind="invoice_pdf",
        invoice_id=draft.invoice_draft_id,
        filename=f"{say('Invoice draft')} {draft.number.replace('/', '-')}.pdf",
        mime_type=PDF,
        content=await asyncio.to_thread(pdf, paper, say),
    )
    if seller.is_italian:
        await _electronic(tx, seller, buyer, draft, lines)


async def _electronic(
    tx: Tx, seller: SellerRow, buyer: BuyerRow, draft: InvoiceRow, lines: list[invoices.InvoiceLine]
) -> None:
    """The electronic invoice, or on the draft what keeps it from being written."""
    if draft.number is None or draft.invoice_date is None:
        return
    try:
        written = fatturapa.write(
            seller,
            buyer,
            lines,
            number=draft.number,
            on=draft.invoice_date,
            currency=draft.currency,
        )
    except FatturaRefused as refused:
        log.warning("invoice_not_electronic", invoice_id=draft.invoice_draft_id, problems=refused.problems)
        await invoices.lacks(tx, draft.invoice_draft_id, refused.problems)
        return
    await files.keep(
        tx,
        contact_id=draft.contact_id,
        kind="invoice_xml",
        invoice_id=draft.invoice_draft_id,
        filename=written.filename,
        mime_type="application/xml",
        content=written.content,
    )
    await invoices.lacks(tx, draft.invoice_draft_id, ())


async def _spoken(services: Services, tx: Tx, language: str | None) -> tuple[str, Say]:
    """The language of a paper, the business's own where none is noted, and its sentences in it."""
    profile = await businesses.profile(tx)
    spoken = language or profile.language
    return spoken, services.context.phrases.speaker(spoken, formal=profile.pack.formal)


def _named(contact: ContactRow, seller: SellerRow) -> BuyerRow:
    """A customer who has told nothing but a name, or not even that."""
    name = contact.name or f"+{contact.wa_id or ''}"
    return BuyerRow(name, None, None, None, None, None, None, seller.country)
