"""From a file's bytes to a document, by the reader its name and content call for."""

import re
from collections.abc import Callable
from pathlib import PurePath

from knowledge.errors import DocumentEmpty, DocumentTooBig, FormatUnknown
from knowledge.readers.delimited import read_delimited
from knowledge.readers.document import Document
from knowledge.readers.encoding import decode
from knowledge.readers.markdown import read_markdown
from knowledge.readers.plain import read_plain
from knowledge.readers.webpage import read_webpage

MAX_BYTES = 5_000_000

Reader = Callable[[str, str], Document]

READERS: dict[str, Reader] = {
    ".md": read_markdown,
    ".markdown": read_markdown,
    ".html": read_webpage,
    ".htm": read_webpage,
    ".csv": read_delimited,
    ".tsv": read_delimited,
    ".txt": read_plain,
}
_HTML_START = re.compile(r"\A\s*(?:<!--.*?-->\s*)*<(?:!doctype\s+html|html[\s>])", re.IGNORECASE | re.DOTALL)


def read(data: bytes, name: str) -> Document:
    """The document in `data`; `name` is its file name, the title where it has none.

    Raises an UnreadableDocument whose message says why and what to do.
    """
    if len(data) > MAX_BYTES:
        raise DocumentTooBig(
            f"{len(data) / 1e6:.1f} MB are more than the {MAX_BYTES / 1e6:.0f} MB a document may have: "
            "split it into several files"
        )
    if not data.strip():
        raise DocumentEmpty(DocumentEmpty.__doc__)
    path = PurePath(name)
    reader = READERS.get(path.suffix.lower())
    if reader is None:
        raise FormatUnknown(f"{path.suffix or 'files without ending'}: {FormatUnknown.__doc__}")
    text = decode(data)
    if _HTML_START.match(text):
        reader = read_webpage  # pages saved under another ending
    document = reader(text, path.stem.replace("_", " ").replace("-", " ").strip() or name)
    if not document.sections:
        raise DocumentEmpty(DocumentEmpty.__doc__)
    return document
