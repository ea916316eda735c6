"""From a file's bytes to a document, by the reader its content and name call for."""

import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import PurePath

from knowledge.errors import DocumentEmpty, DocumentTooBig, FormatUnknown
from knowledge.readers.amount import AMOUNT
from knowledge.readers.delimited import read_delimited
from knowledge.readers.document import Block, Document, Section
from knowledge.readers.encoding import decode
from knowledge.readers.kinds import kind_of
from knowledge.readers.markdown import read_markdown
from knowledge.readers.pdf import read_pdf
from knowledge.readers.plain import read_plain
from knowledge.readers.visible import visible
from knowledge.readers.webpage import read_webpage
from knowledge.readers.word import read_word
from knowledge.readers.workbook import read_workbook

# Of any document; text is never as large as a document with pictures in it.
MAX_BYTES = 20_000_000
MAX_TEXT_BYTES = 5_000_000

_OFFICE_READERS: dict[str, Callable[[bytes, str], Document]] = {
    ".pdf": read_pdf,
    ".docx": read_word,
    ".xlsx": read_workbook,
}
_TEXT_READERS: dict[str, Callable[[str, str], Document]] = {
    ".md": read_markdown,
    ".markdown": read_markdown,
    ".html": read_webpage,
    ".htm": read_webpage,
    ".xhtml": read_webpage,
    ".csv": read_delimited,
    ".tsv": read_delimited,
    ".txt": read_plain,
}
# Text under the name of an office document, as many programs export it.
_DISGUISED: dict[str, Callable[[str, str], Document]] = {
    ".xls": read_delimited,
    ".xlsx": read_delimited,
    ".doc": read_plain,
    ".docx": read_plain,
    ".pdf": read_plain,
}
READERS = frozenset(_OFFICE_READERS) | frozenset(_TEXT_READERS)

_HTML_START = re.compile(r"<(?:!doctype\s+html|html[\s>]|head[\s>]|body[\s>])", re.IGNORECASE)
_BEFORE_HTML = re.compile(r"\s*(?:<\?xml[^>]*>\s*)?")
_COMMENT = re.compile(r"<!--.*?-->\s*", re.DOTALL)


def read(data: bytes, name: str) -> Document:
    """The document in `data`; `name` is its file name, the title where it has none. It is read as what it is,
    whatever its ending says.

    Raises an UnreadableDocument whose message says why and what to do.
    """
    _check_size(data, MAX_BYTES)
    if not data.strip():
        raise DocumentEmpty(DocumentEmpty.__doc__)
    path = PurePath(name)
    title = path.stem.replace("_", " ").replace("-", " ").strip() or name
    kind = kind_of(data, path.suffix.lower())
    if kind == "text":
        document = _read_text(data, path.suffix.lower(), title)
    else:
        document = _without_unseen(_OFFICE_READERS[kind](data, title))
    document = _with_shown_title(document, title)
    if not document.sections:
        raise DocumentEmpty(DocumentEmpty.__doc__)
    return document


def _read_text(data: bytes, suffix: str, title: str) -> Document:
    _check_size(data, MAX_TEXT_BYTES)
    reader = _TEXT_READERS.get(suffix) or _DISGUISED.get(suffix)
    text = visible(decode(data))
    if _is_html(text):
        reader = read_webpage  # pages saved under another ending
    if reader is None:
        raise FormatUnknown(f"{suffix or 'files without ending'}: {FormatUnknown.__doc__}")
    return reader(text, title)


def _without_unseen(document: Document) -> Document:
    """An office document without its invisible characters; blocks of nothing else go."""
    sections = (
        replace(section, path=tuple(map(visible, section.path)), blocks=tuple(_seen(section)))
        for section in document.sections
    )
    return replace(
        document,
        title=visible(document.title),
        sections=tuple(section for section in sections if section.blocks),
    )


def _seen(section: Section) -> Iterator[Block]:
    for block in section.blocks:
        words = visible(block.text).strip()
        if words:
            cells = tuple((visible(name), visible(value)) for name, value in block.cells)
            yield replace(block, text=words, cells=cells)


def _with_shown_title(document: Document, otherwise: str) -> Document:
    """A title that states an amount counts only where the page shows it: a document's properties are seen by
    nobody who reads it, and no place to say what something costs."""
    if document.title != document.metadata.title or not AMOUNT.search(document.title):
        return document
    words = [*(heading for section in document.sections for heading in section.path), document.text]
    if any(document.title in shown for shown in words):
        return document
    return replace(document, title=otherwise)


def _is_html(text: str) -> bool:
    """Whether the text begins as a page does, after comments and an XML line."""
    before = _BEFORE_HTML.match(text)
    at = before.end() if before else 0
    while comment := _COMMENT.match(text, at):
        at = comment.end()
    return bool(_HTML_START.match(text, at))


def _check_size(data: bytes, limit: int) -> None:
    if len(data) > limit:
        raise DocumentTooBig(
            f"{len(data) / 1e6:.1f} MB are more than the {limit / 1e6:.0f} MB such a document may have: "
            "split it into several files"
        )
