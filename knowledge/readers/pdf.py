"""PDF: text in reading order by heading, with its tables; running heads and page numbers are left out.

What a PDF may cost is bounded in `pdf_limits`.
"""

import io
import logging
import re
from collections.abc import Iterator
from contextlib import contextmanager

from pdfminer.pdfdocument import PDFEncryptionError, PDFPasswordIncorrect
from pdfminer.pdftypes import resolve1
from pdfplumber.page import Page
from pdfplumber.pdf import PDF
from pdfplumber.utils.exceptions import PdfminerException

from knowledge.errors import (
    DocumentDamaged,
    DocumentEmpty,
    DocumentLocked,
    DocumentScanned,
    UnreadableDocument,
)
from knowledge.readers.document import Document, Metadata, SectionBuilder
from knowledge.readers.metadata import marked_language
from knowledge.readers.pdf_layout import PageText, regions, without_running_heads
from knowledge.readers.pdf_limits import Deadline, lay_out, limit_pdfminer, pages_of
from knowledge.readers.pdf_lines import Char, readable_chars, rows_of
from knowledge.readers.pdf_prose import Prose
from knowledge.readers.pdf_tables import ruled_tables

# What it says of a file's oddities is of no use to who reads the error.
for _name in ("pdfminer", "pdfplumber"):
    logging.getLogger(_name).setLevel(logging.CRITICAL)
limit_pdfminer()

_NO_TITLE = re.compile(
    r"untitled|senza titolo|s[ie][nm] t[ií]tulo|document[oe]?\s*\d*|microsoft (?:word|excel|powerpoint)\b.*"
    r"|.*\.(?:docx?|xlsx?|pptx?|odt|pdf|indd|pages|html?)|\W*",
    re.IGNORECASE,
)
# A glyph whose letter the font does not tell.
_UNMAPPED = re.compile(r"\(cid:\d+\)|\ufffd")
_MAX_UNMAPPED = 0.2
_MAX_TITLE = 150
_PICTURE_SHARE = 0.5  # of the page's area


def read_pdf(data: bytes, name: str) -> Document:
    """Raises DocumentLocked, DocumentScanned, DocumentDamaged, DocumentSuspect, DocumentTooBig."""
    with _told_apart(), PDF(io.BytesIO(data)) as pdf:
        texts = _page_texts(pdf)
        prose = Prose()
        for number, text in enumerate(without_running_heads(texts), start=1):
            prose.add(regions(text), number)
        into = SectionBuilder()
        heading = prose.write(into)
        return into.document(Metadata(title=_title(pdf) or heading, language=_language(pdf)), name)


@contextmanager
def _told_apart() -> Iterator[None]:
    """pdfminer's errors, of any class on a broken file, as ours."""
    try:
        yield
    except UnreadableDocument:
        raise
    except Exception as error:
        causes = [error, *error.args] if isinstance(error, PdfminerException) else [error]
        for cause in causes:
            if isinstance(cause, UnreadableDocument):
                raise cause from None
            if isinstance(cause, PDFPasswordIncorrect | PDFEncryptionError):
                raise DocumentLocked(DocumentLocked.__doc__) from error
        raise DocumentDamaged(DocumentDamaged.__doc__) from error


def _page_texts(pdf: PDF) -> list[PageText]:
    deadline = Deadline()
    texts: list[PageText] = []
    pictures = letters = unmapped = 0
    for number, page_object in enumerate(pages_of(pdf), start=1):
        deadline.check()
        page = Page(pdf, page_object, number)
        lay_out(page, pdf.rsrcmgr, deadline)
        chars = [c for c in page.chars if not _UNMAPPED.fullmatch(c["text"])]
        letters, unmapped = letters + len(page.chars), unmapped + len(page.chars) - len(chars)
        text = _page_text(page, chars)
        pictures += not text.rows and not text.tables and _is_picture(page)
        texts.append(text)
        page.close()
    _check_text(texts, pictures, unmapped / max(letters, 1))
    return texts


def _page_text(page: Page, chars: list[Char]) -> PageText:
    width, height = float(page.width), float(page.height)
    tables, rest = ruled_tables(page, readable_chars(chars, width, height))
    return PageText(width, height, tuple(rows_of(rest, height)), tuple(tables))


def _is_picture(page: Page) -> bool:
    area = sum(float(image["width"]) * float(image["height"]) for image in page.images)
    return area > _PICTURE_SHARE * float(page.width) * float(page.height)


def _check_text(texts: list[PageText], pictures: int, unmapped: float) -> None:
    """Raises DocumentScanned, DocumentEmpty, DocumentDamaged when there are no words to read."""
    if pictures * 2 >= len(texts) > 0 and pictures:
        raise DocumentScanned(DocumentScanned.__doc__)
    if not texts:
        raise DocumentDamaged(DocumentDamaged.__doc__)
    if unmapped > _MAX_UNMAPPED:
        raise DocumentScanned(
            "its fonts do not say which letters they show: export it anew with fonts embedded, or run OCR"
        )
    if not any(text.rows or text.tables for text in texts):
        raise DocumentEmpty("it has no text, only drawings: export it from its source with text in it")


def _title(pdf: PDF) -> str | None:
    title = " ".join(str(pdf.metadata.get("Title") or "").replace("\x00", "").split())
    return title if 2 < len(title) <= _MAX_TITLE and not _NO_TITLE.fullmatch(title) else None


def _language(pdf: PDF) -> str | None:
    held = resolve1(pdf.doc.catalog.get("Lang"))
    return marked_language(held.decode("latin-1") if isinstance(held, bytes) else held)
