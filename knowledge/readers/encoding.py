"""Bytes to text, when nobody says in which encoding they were written."""

import codecs
import re
import unicodedata

from knowledge.errors import BadEncoding, DocumentBinary

# The UTF-32 mark begins with the UTF-16 one, so it comes first.
_MARKS = (
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_DECLARED = re.compile(rb"<meta[^>]+charset\s*=\s*[\"']?\s*(?P<name>[\w.:-]+)", re.IGNORECASE)
_HEAD = 4096
# Real prose has no control characters beyond tab and line ends; a few stray ones are forgiven.
_MAX_CONTROL_SHARE = 0.005


def decode(data: bytes) -> str:
    """The text in NFC with `\\n` line ends. UTF-8, UTF-16/32 with or without mark, a declared HTML charset,
    else Windows-1252 (a superset of Latin-1's letters).

    Raises DocumentBinary for what is no text and BadEncoding for text that contradicts its own mark.
    """
    text = _decoded(data)
    controls = sum(1 for c in text if unicodedata.category(c) == "Cc" and c not in "\t\n\r\f\x0b\x85")
    if "\x00" in text or controls > _MAX_CONTROL_SHARE * len(text):
        raise DocumentBinary(DocumentBinary.__doc__)
    return unicodedata.normalize("NFC", text.replace("\r\n", "\n").replace("\r", "\n"))


def _decoded(data: bytes) -> str:
    for mark, encoding in _MARKS:
        if data.startswith(mark):
            return _strictly(data, encoding)
    wide = _unmarked_utf16(data[:_HEAD])
    if wide:
        return _strictly(data, wide)
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        return _legacy(data)


def _strictly(data: bytes, encoding: str) -> str:
    try:
        return data.decode(encoding)
    except UnicodeDecodeError as error:
        raise BadEncoding(
            f"it says it is {encoding} but byte {error.start} is not: save it as UTF-8"
        ) from error


def _unmarked_utf16(head: bytes) -> str | None:
    """Western text in UTF-16 has a zero in nearly every other byte."""
    pairs = len(head) // 2
    if pairs < 2:
        return None
    if head[1::2].count(0) > 0.7 * pairs and head[0::2].count(0) == 0:
        return "utf-16-le"
    if head[0::2].count(0) > 0.7 * pairs and head[1::2].count(0) == 0:
        return "utf-16-be"
    return None


def _legacy(data: bytes) -> str:
    declared = _DECLARED.search(data[:_HEAD])
    # Windows-1252 leaves five bytes undefined; Latin-1 defines all, as control characters.
    for encoding in (declared["name"].decode("ascii") if declared else "", "cp1252", "latin-1"):
        try:
            return data.decode(encoding) if encoding else data.decode("cp1252")
        except (LookupError, UnicodeDecodeError):
            continue
    raise BadEncoding(BadEncoding.__doc__)
