"""What a PDF may cost: pages, bytes, objects and seconds, so that none fills the memory or never ends.

Bounded here: pages (300), a stream's size once inflated (32 MB) and a page's content (4 MB), drawn objects
per page (150 000 characters, strokes and figures), seconds for the whole document (120, asked between objects
and between pages). Not bounded: one step of the parser between two objects.
"""

import time
import zlib
from collections.abc import Sequence
from itertools import islice
from typing import Any

from pdfminer import pdftypes
from pdfminer.lzw import lzwdecode
from pdfminer.pdfinterp import PDFPageInterpreter, PDFResourceManager
from pdfminer.pdfpage import PDFPage
from pdfplumber.page import Page, PDFPageAggregatorWithMarkedContent
from pdfplumber.pdf import PDF

from knowledge.errors import DocumentSuspect, DocumentTooBig

MAX_PAGES = 300
MAX_SECONDS = 120.0
_MAX_STREAM = 32_000_000
_MAX_CONTENT = 4_000_000
_MAX_OBJECTS = 150_000
# LZW, gone from PDFs since the nineties, is unpacked in Python: at most this much of it.
_MAX_LZW = 200_000


class Deadline:
    """When the document must be read."""

    def __init__(self, seconds: float = MAX_SECONDS) -> None:
        self._end = time.monotonic() + seconds

    def check(self) -> None:
        """Raises DocumentTooBig when the time is over."""
        if time.monotonic() > self._end:
            raise DocumentTooBig("it takes too long to read: print it to a new PDF, or split it")


def pages_of(pdf: PDF) -> list[PDFPage]:
    """The pages, not yet laid out. Raises DocumentTooBig."""
    pages = list(islice(PDFPage.create_pages(pdf.doc), MAX_PAGES + 1))
    if len(pages) > MAX_PAGES:
        raise DocumentTooBig(f"it has more than {MAX_PAGES} pages: split it into several files")
    return pages


def lay_out(page: Page, rsrcmgr: PDFResourceManager, deadline: Deadline) -> None:
    """Reads the page's content within the limits; the page answers from it afterwards. Raises DocumentTooBig,
    DocumentSuspect and what pdfminer raises.
    """
    content = sum(len(stream.get_data()) for stream in map(_stream, page.page_obj.contents) if stream)
    if content > _MAX_CONTENT:
        raise DocumentTooBig(f"page {page.page_number} is too complex: print it to a new PDF, or split it")
    device = _Device(rsrcmgr, page.page_number, deadline)
    PDFPageInterpreter(rsrcmgr, device).process_page(page.page_obj)
    page._layout = device.get_result()


def _stream(held: object) -> pdftypes.PDFStream | None:
    resolved = pdftypes.resolve1(held)
    return resolved if isinstance(resolved, pdftypes.PDFStream) else None


class _Device(PDFPageAggregatorWithMarkedContent):
    """Counts what is drawn: forms that draw each other would otherwise multiply without end."""

    def __init__(self, rsrcmgr: PDFResourceManager, number: int, deadline: Deadline) -> None:
        super().__init__(rsrcmgr, pageno=number, laparams=None)
        self._deadline = deadline
        self._drawn = 0

    def _count(self) -> None:
        self._drawn += 1
        if self._drawn > _MAX_OBJECTS:
            raise DocumentTooBig(f"page {self.pageno} is too complex: print it to a new PDF, or split it")
        if self._drawn % 500 == 0:
            self._deadline.check()

    def render_char(self, *args: Any, **kwargs: Any) -> float:
        self._count()
        return super().render_char(*args, **kwargs)

    def paint_path(self, *args: Any, **kwargs: Any) -> None:
        self._count()
        super().paint_path(*args, **kwargs)

    def begin_figure(self, name: str, bbox: Any, matrix: Any) -> None:
        self._drawn += 99  # a figure may hold a whole stream of its own
        self._count()
        super().begin_figure(name, bbox, matrix)


class _Inflating:
    """One stream being inflated, up to the limit."""

    def __init__(self) -> None:
        self._inner = zlib.decompressobj()
        self._room = _MAX_STREAM

    def decompress(self, data: bytes) -> bytes:
        inflated = self._inner.decompress(data, self._room + 1)
        self._room -= len(inflated)
        if self._room < 0:
            raise DocumentSuspect("a part of it unpacks to an enormous size: print it to a new PDF")
        return inflated


class _Inflate:
    """Stands in for the zlib module inside pdfminer, which inflates without a limit."""

    error = zlib.error
    decompressobj = _Inflating

    @staticmethod
    def decompress(data: bytes) -> bytes:
        inflating = _Inflating()
        inflated = inflating.decompress(data)
        if not inflating._inner.eof:
            raise zlib.error("incomplete stream")
        return inflated


def _lzw(data: bytes) -> bytes:
    if len(data) > _MAX_LZW:
        raise DocumentTooBig("it is packed in an outdated way: print it to a new PDF")
    return lzwdecode(data)


def limit_pdfminer() -> None:
    """Puts the limits into pdfminer, once for the whole process."""
    replaced: Sequence[tuple[str, object]] = (("zlib", _Inflate), ("lzwdecode", _lzw))
    for name, bounded in replaced:
        setattr(pdftypes, name, bounded)
