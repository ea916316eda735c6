"""Files made of the record: rendered once, sent once, tried again after a failure."""

import io
from dataclasses import fields
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pdfplumber
import pytest

from crm import attendance, events, fiscal, quote_desk, quotes
from crm.fiscal import BuyerRow
from graph.context import Context
from jobs import documents, expiry, hooks
from jobs.paper import Paper, pdf
from jobs.services import Patience, Services
from knowledge.phrases import Phrases
from tests.crm.conftest import Book, book, record_pool  # noqa: F401
from tests.crm.test_events import booked, one
from tests.tools.talk import NotNeeded

BUYER = BuyerRow("Łukasz Żółć 🌸", None, "RCCMNL83S18D969H", "Via Torino 5", "20123", "Milano", "MI", "IT")


@pytest.fixture
def services(book: Book) -> Services:  # noqa: F811
    """A worker's services on the test's clock; rendering needs the record and the phrases alone."""
    nothing: dict[str, Any] = {item.name: NotNeeded() for item in fields(Context)}
    context = Context(**{**nothing, "crm": book.crm, "phrases": Phrases.load(), "clock": book.clock})
    absent: Any = NotNeeded()
    return Services(
        crm=book.crm, machine=absent, context=context, client=absent, patience=Patience(), clock=book.clock
    )


async def issued(book: Book, price: str = "130.00", language: str = "en") -> tuple[int, int]:  # noqa: F811
    """A customer with an issued quote of one line."""
    contact_id, conversation_id = await book.customer()
    async with book.crm.transaction(book.business_id) as tx:
        quote_id = await quotes.request(
            tx,
            contact_id=contact_id,
            conversation_id=conversation_id,
            currency="EUR",
            language=language,
            text="a letter",
            lines=[quotes.Line(None, "Formal letter – “urgent”", Decimal(1), None)],
            idempotency_key=f"doc:{contact_id}",
        )
        await quote_desk.issue(tx, quote_id, [Decimal(price)])
    return contact_id, quote_id


def text_of(content: bytes) -> str:
    with pdfplumber.open(io.BytesIO(content)) as file:
        return "\n".join(page.extract_text() for page in file.pages)


async def test_an_issued_quote_is_rendered_and_sent_once(book: Book, services: Services) -> None:  # noqa: F811
    contact_id, _ = await issued(book)
    for _ in range(2):
        await hooks.hooks_once(services, book.business_id)
    file = await one(book, "SELECT * FROM stored_file WHERE contact_id = %s", contact_id)
    words = text_of(file["content"])
    assert "Quote 2026/" in words
    assert "Formal letter" in words
    assert "€130.00" in words
    assert "Net at 22 % €106.56" in words
    assert "IT08765430585" in words
    message = await one(book, "SELECT * FROM message WHERE contact_id = %s AND kind = 'document'", contact_id)
    assert (message["file_id"], message["author"]) == (file["file_id"], "system")


async def test_where_no_vat_is_charged_the_sheet_includes_none(
    book: Book,  # noqa: F811
    services: Services,
) -> None:
    told = []
    for rate in ("0", "22"):
        await book.rows(
            "UPDATE business_fiscal SET vat_rate = %s WHERE business_id = %s", rate, book.business_id
        )
        contact_id, _ = await issued(book)
        await hooks.hooks_once(services, book.business_id)
        file = await one(book, "SELECT * FROM stored_file WHERE contact_id = %s", contact_id)
        told.append(text_of(file["content"]))
    assert all("Accept this quote in the chat" in words for words in told)
    assert ["include VAT" in words for words in told] == [False, True]


async def test_a_law_firms_quote_addresses_the_customer_formally(book: Book, services: Services) -> None:  # noqa: F811
    contact_id, _ = await issued(book, language="it")
    await hooks.hooks_once(services, book.business_id)
    file = await one(book, "SELECT * FROM stored_file WHERE contact_id = %s", contact_id)
    assert "Può accettare il preventivo" in text_of(file["content"])


async def test_a_failure_is_tried_again_and_undone_meanwhile(
    book: Book,  # noqa: F811
    services: Services,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    contact_id, quote_id = await issued(book)

    def broken(paper: Paper, say: object) -> bytes:
        raise OSError("no space left on device")

    monkeypatch.setattr(documents, "pdf", broken)
    wait = await hooks.hooks_once(services, book.business_id)
    assert wait is not None
    assert wait > 0
    hook = await one(
        book, "SELECT h.* FROM event_hook h JOIN crm_event e USING (crm_event_id) WHERE e.subject_id = %s"
        " AND e.kind = 'quote_issued'", quote_id,
    )  # fmt: skip
    assert (hook["state"], hook["attempts"]) == ("waiting", 1)
    assert "no space left" in hook["error"]
    assert await book.rows("SELECT 1 FROM stored_file WHERE contact_id = %s", contact_id) == []
    monkeypatch.undo()
    book.clock.now += timedelta(seconds=2)
    await hooks.hooks_once(services, book.business_id)
    assert len(await book.rows("SELECT 1 FROM stored_file WHERE contact_id = %s", contact_id)) == 1


async def test_a_completed_booking_has_pdf_and_xml(book: Book, services: Services) -> None:  # noqa: F811
    contact_id, appointment_id = await booked(book)
    async with book.crm.transaction(book.business_id) as tx:
        await fiscal.tell(tx, contact_id, BUYER)
        await attendance.attended(tx, appointment_id)
    await hooks.hooks_once(services, book.business_id)
    files = await book.rows(
        "SELECT kind, content FROM stored_file WHERE contact_id = %s ORDER BY kind", contact_id
    )
    assert [file["kind"] for file in files] == ["invoice_pdf", "invoice_xml"]
    assert b"<ImportoTotaleDocumento>90.00<" in files[1]["content"]
    assert "Lukasz Zólc".encode() in files[1]["content"]
    assert "Lukasz Zólc" in text_of(files[0]["content"])


async def test_what_an_invoice_lacks_stands_on_it(book: Book, services: Services) -> None:  # noqa: F811
    contact_id, appointment_id = await booked(book)
    async with book.crm.transaction(book.business_id) as tx:
        await attendance.attended(tx, appointment_id)
    await hooks.hooks_once(services, book.business_id)
    files = await book.rows("SELECT kind FROM stored_file WHERE contact_id = %s", contact_id)
    assert files == [{"kind": "invoice_pdf"}]
    draft = await one(book, "SELECT missing FROM invoice_draft WHERE contact_id = %s", contact_id)
    assert draft["missing"] == [
        "buyer: address is missing",
        "00417: the buyer has neither VAT number nor codice fiscale",
    ]


async def test_quotes_expire_on_the_day_after_their_last(book: Book, services: Services) -> None:  # noqa: F811
    contact_id, quote_id = await issued(book)
    quote = await one(book, "SELECT valid_until, status FROM quote WHERE quote_id = %s", quote_id)
    assert (quote["valid_until"].isoformat(), quote["status"]) == ("2026-12-03", "issued")
    book.clock.now += timedelta(days=16)
    async with book.crm.transaction(book.business_id) as tx:
        await expiry.expire_quotes(tx)
    assert (await one(book, "SELECT status FROM quote WHERE quote_id = %s", quote_id))["status"] == "expired"
    lead = await one(book, "SELECT stage FROM lead WHERE contact_id = %s", contact_id)
    assert lead["stage"] == "lost"
    await expiry.expire_once(services)


async def test_hooks_nobody_does_yet_wait_for_their_runner(
    book: Book,  # noqa: F811
    services: Services,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(hooks, "RUNNERS", {"document": documents.write})
    contact_id, _ = await booked(book)
    await hooks.hooks_once(services, book.business_id)
    async with book.crm.transaction(book.business_id) as tx:
        hook = await events.next_hook(tx, ("calendar",))
    assert hook is not None
    assert hook.target == "calendar"
    rows = await book.rows(
        "SELECT DISTINCT state FROM event_hook JOIN crm_event USING (crm_event_id) WHERE contact_id = %s",
        contact_id,
    )
    assert rows == [{"state": "waiting"}]


async def test_a_long_quote_has_pages_and_the_same_bytes_each_time(book: Book, services: Services) -> None:  # noqa: F811
    async with book.crm.transaction(book.business_id) as tx:
        seller = await fiscal.seller(tx)
    assert seller is not None
    line = quotes.IssuedLine("Лист " + "x" * 180, Decimal(3), Decimal("19.99"), Decimal("22.00"), None)
    paper = Paper("Quote 2026/1", [], seller, BUYER, [line] * 60, "EUR", "pt", book.clock.now, "note")
    say = services.context.phrases.speaker("pt")
    first = pdf(paper, say)
    assert first == pdf(paper, say)
    assert "Total 3.598,20 €" in text_of(first).replace("3 598,20", "3.598,20")
    with pdfplumber.open(io.BytesIO(first)) as file:
        assert len(file.pages) > 2
