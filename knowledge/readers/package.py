"""Office documents are ZIP packages: what is inside, and whether it is safe to unpack.

Bounded here, before any of it is parsed: members (2000), unpacked size (120 MB in all, 25 MB of XML), the
ratio of unpacked to packed size (150), and XML may declare no types or entities. Members are read in pieces
and never beyond the size they declare.
"""

import io
import re
import zlib
from collections.abc import Iterator
from typing import Literal
from zipfile import BadZipFile, ZipFile, ZipInfo

from knowledge.errors import DocumentDamaged, DocumentLocked, DocumentSuspect, DocumentTooBig, FormatUnknown

MAX_MEMBERS = 2_000
MAX_UNPACKED = 120_000_000
MAX_XML = 25_000_000
MAX_RATIO = 150
_SMALL = 5_000_000  # packages that stay below this are no bombs, however well they are packed
_PIECE = 1_000_000
_XML = (".xml", ".rels", ".vml")
_DECLARATION = re.compile(
    "|".join(
        f"(?:{mark})" for mark in ("<!DOCTYPE", "<!ENTITY", "<\0!\0D\0O\0C\0", "<\0!\0E\0N\0T\0")
    ).encode(),
    re.IGNORECASE,
)

Office = Literal[".docx", ".xlsx"]


def office_kind(data: bytes) -> Office:
    """Which office document the package is, after looking through all of it.

    Raises FormatUnknown for any other archive, DocumentSuspect, DocumentTooBig, DocumentDamaged and
    DocumentLocked.
    """
    try:
        with ZipFile(io.BytesIO(data)) as package:
            names = {info.filename for info in package.infolist()}
            kind = _kind(package, names)
            _check_directory(package.infolist(), len(data))
            for info in package.infolist():
                _check_member(package, info)
            return kind
    except (BadZipFile, zlib.error, EOFError, NotImplementedError, ValueError, OSError) as error:
        raise DocumentDamaged(DocumentDamaged.__doc__) from error
    except RuntimeError as error:  # zipfile's word for an encrypted member
        raise DocumentLocked(DocumentLocked.__doc__) from error


def _kind(package: ZipFile, names: set[str]) -> Office:
    if "word/document.xml" in names and "[Content_Types].xml" in names:
        return ".docx"
    if "xl/workbook.xml" in names and "[Content_Types].xml" in names:
        return ".xlsx"
    if "ppt/presentation.xml" in names:
        raise FormatUnknown("it is a presentation: export it as PDF")
    if "xl/workbook.bin" in names:
        raise FormatUnknown("it is a binary workbook: save it as .xlsx")
    if "mimetype" in names:
        with package.open("mimetype") as member:
            held = member.read(200).decode("latin-1")
        raise FormatUnknown(_foreign(held))
    raise FormatUnknown("it is a ZIP archive: unpack it and add the documents in it one by one")


def _foreign(mimetype: str) -> str:
    if "opendocument.text" in mimetype:
        return "it is an OpenDocument text: save it as .docx or .pdf"
    if "opendocument.spreadsheet" in mimetype:
        return "it is an OpenDocument spreadsheet: save it as .xlsx"
    return "it is an e-book or another package: export it as PDF"


def _check_directory(members: list[ZipInfo], packed: int) -> None:
    unpacked = sum(info.file_size for info in members)
    xml = sum(info.file_size for info in members if info.filename.lower().endswith(_XML))
    if len(members) > MAX_MEMBERS:
        raise DocumentSuspect(f"it holds {len(members)} files: export it anew from its source")
    if unpacked > _SMALL and unpacked > MAX_RATIO * packed:
        raise DocumentSuspect("it unpacks to an enormous size: export it anew from its source")
    if unpacked > MAX_UNPACKED or xml > MAX_XML:
        raise DocumentTooBig(f"it unpacks to {unpacked / 1e6:.0f} MB: split it into several files")


def _check_member(package: ZipFile, info: ZipInfo) -> None:
    """Reads the member to its end. Raises DocumentSuspect, and BadZipFile when its sum is wrong."""
    is_xml = info.filename.lower().endswith(_XML)
    overlap = b""
    for piece in member_pieces(package, info):
        if is_xml and _DECLARATION.search(overlap + piece):
            raise DocumentSuspect("its XML declares entities, which no office program does: save it anew")
        overlap = piece[-20:]


def member_pieces(package: ZipFile, info: ZipInfo) -> Iterator[bytes]:
    """The member's content piece by piece."""
    with package.open(info) as member:
        while piece := member.read(_PIECE):
            yield piece
