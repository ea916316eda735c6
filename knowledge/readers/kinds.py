"""What a file is by its content, whatever its name says."""

import re
from typing import Literal

from knowledge.errors import DocumentBinary, DocumentLocked, FormatUnknown
from knowledge.readers.package import office_kind

Kind = Literal[".pdf", ".docx", ".xlsx", "text"]

_PDF = re.compile(rb"%PDF-\d\.\d")
_PDF_HEAD = 1024  # readers accept a PDF whose mark is a little way in
_PICTURE = "it is a picture: write what it says in a document, or run text recognition (OCR) to a PDF"
_PACKED = "it is a packed archive: unpack it and add the documents in it one by one"
_SOUND = "it is a sound or video file: write what it says in a document"
_PROGRAM = "it is a program or a library, not a document: remove it"
_SIGNATURES = (
    (b"\x89PNG", _PICTURE),
    (b"\xff\xd8\xff", _PICTURE),
    (b"GIF8", _PICTURE),
    (b"II*\0", _PICTURE),
    (b"MM\0*", _PICTURE),
    (b"8BPS", _PICTURE),
    (b"\x1f\x8b", _PACKED),
    (b"7z\xbc\xaf", _PACKED),
    (b"Rar!\x1a", _PACKED),
    (b"\xfd7zXZ", _PACKED),
    (b"OggS", _SOUND),
    (b"fLaC", _SOUND),
    (b"\x7fELF", _PROGRAM),
    (b"MZ\x90\0", _PROGRAM),
    (b"\xcf\xfa\xed\xfe", _PROGRAM),
    (b"\xca\xfe\xba\xbe", _PROGRAM),
    (b"SQLite format 3\0", "it is a database: export the table you need as .csv"),
    (b"{\\rtf", "it is a rich-text document: save it as .docx"),
)
_RIFF = {b"WEBP": _PICTURE, b"WAVE": _SOUND, b"AVI ": _SOUND}
_BOXED_PICTURES = (b"heic", b"heix", b"avif", b"mif1")
_OLD_OFFICE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"


def kind_of(data: bytes, suffix: str) -> Kind:
    """Raises FormatUnknown, DocumentBinary, DocumentLocked and what `office_kind` raises, each saying what to
    do with the file.
    """
    start = data[:_PDF_HEAD].lstrip(b"\xef\xbb\xbf \t\r\n")
    if _PDF.match(start) or (suffix == ".pdf" and _PDF.search(data[:_PDF_HEAD])):
        return ".pdf"
    if data.startswith((b"PK\x03\x04", b"PK\x05\x06")):
        return office_kind(data)
    if data.startswith(_OLD_OFFICE):
        raise _old_office(data)
    for signature, says in _SIGNATURES:
        if data.startswith(signature):
            raise DocumentBinary(says)
    if data[:4] == b"RIFF" and data[8:12] in _RIFF:
        raise DocumentBinary(_RIFF[data[8:12]])
    if data[4:8] == b"ftyp":
        raise DocumentBinary(_PICTURE if data[8:12] in _BOXED_PICTURES else _SOUND)
    return "text"


def _old_office(data: bytes) -> Exception:
    """The error for the container of old office documents, which also holds protected new ones."""
    if _utf16("EncryptedPackage") in data:
        return DocumentLocked(DocumentLocked.__doc__)
    if _utf16("WordDocument") in data:
        return FormatUnknown("it is an old Word document (.doc): save it as .docx")
    if _utf16("Workbook") in data or _utf16("Book") in data:
        return FormatUnknown("it is an old workbook (.xls): save it as .xlsx")
    if _utf16("PowerPoint Document") in data:
        return FormatUnknown("it is an old presentation: export it as PDF")
    return FormatUnknown("it is an old office document or a saved message: save it as .docx, .xlsx or .pdf")


def _utf16(name: str) -> bytes:
    return name.encode("utf-16-le")
