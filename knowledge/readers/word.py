"""Word documents: headings by style, lists, tables in their place; headers and footers are left out.

Deleted text under tracked changes, hidden text and field codes are not read; inserted text is. What a package
may unpack to is bounded in `package`.
"""

import io
import re
from collections.abc import Iterator
from typing import Any

import docx
from docx.document import Document as WordDocument
from docx.oxml.ns import qn
from docx.styles.style import BaseStyle
from docx.text.paragraph import Paragraph

from knowledge.errors import DocumentDamaged, UnreadableDocument
from knowledge.readers.document import Document, Metadata, SectionBuilder
from knowledge.readers.metadata import marked_language
from knowledge.readers.table import add_grid, looks_like_data, squeeze

_HEADING = re.compile(
    r"(?:heading|titolo|t[ií]tulo|intestazione|encabezado|cabeçalho|überschrift|titre)\s*(?P<level>[1-9])",
    re.IGNORECASE,
)
_TITLE = re.compile(r"title|titolo|t[ií]tulo|titel|titre", re.IGNORECASE)
_LIST = re.compile(r"\b(?:list|lista|elenco|liste|vi[ñn]eta|marcador)", re.IGNORECASE)
_CONTENTS = re.compile(r"(?:toc|sommario|tdc|índice|sumário)\s*\d|toc heading", re.IGNORECASE)
_BULLET = re.compile(r"(?:[•·●▪■◦○‣✓✔–—*-]|\d{1,2}[.)])\s+(?=\S)")
_FALLBACK = "{http://schemas.openxmlformats.org/markup-compatibility/2006}Fallback"
_TEXT_BREAKS = {qn("w:br"): "\n", qn("w:cr"): "\n", qn("w:tab"): "\t", qn("w:noBreakHyphen"): "‑"}
_UNREAD = {qn("w:del"), qn("w:moveFrom"), qn("w:txbxContent"), qn("w:pPr"), qn("w:rPr"), _FALLBACK}
_WRAPPERS = {qn("w:sdt"), qn("w:sdtContent"), qn("w:customXml"), qn("w:ins"), qn("w:smartTag")}
_FROM_ABOVE = "\0"  # a cell merged into the one above it
_MAX_BOLD_HEADING = 90
_MAX_STYLES_UP = 10


def read_word(data: bytes, name: str) -> Document:
    """Raises DocumentDamaged and DocumentTooBig."""
    try:
        return _Reader(docx.Document(io.BytesIO(data))).read(name)
    except UnreadableDocument:
        raise
    except Exception as error:  # python-docx raises whatever a damaged part makes it trip over
        raise DocumentDamaged(DocumentDamaged.__doc__) from error


class _Reader:
    """Walks the body once."""

    def __init__(self, document: WordDocument) -> None:
        self._document = document
        self._into = SectionBuilder()
        self._level = 0
        self._titled = False
        self._has_styles = any(
            self._heading_level(Paragraph(p, document)) is not None
            for p in document.element.body.iter(qn("w:p"))
        )

    def read(self, name: str) -> Document:
        for element in _blocks(self._document.element.body):
            if element.tag == qn("w:tbl"):
                self._table(element)
            else:
                self._paragraph(element)
        properties = self._document.core_properties
        metadata = Metadata(
            title=squeeze(properties.title or "") or None, language=marked_language(properties.language)
        )
        return self._into.document(metadata, name)

    def _paragraph(self, element: Any) -> None:
        paragraph = Paragraph(element, self._document)
        style = _style_name(paragraph)
        text = _text(element)
        level = self._heading_level(paragraph)
        bullet = _BULLET.match(text)
        if _CONTENTS.match(style):
            return
        if text and level is None and self._looks_like_heading(element, text):
            level = 1
        if text and level is not None:
            self._level = level
            self._into.heading(level, text)
        elif bullet or _is_list(paragraph, style):
            self._into.block("item", f"- {squeeze(text[bullet.end() :] if bullet else text)}" if text else "")
        else:
            self._into.block("text", _lines(text))
        for box in element.iter(qn("w:txbxContent")):
            if not _inside(box, _FALLBACK, element):
                for inner in box.iter(qn("w:p")):
                    self._into.block("text", _lines(_text(inner)))

    def _heading_level(self, paragraph: Paragraph) -> int | None:
        """1 for the title and for chapters, since a document has either one or the other on top."""
        style: BaseStyle | None = paragraph.style
        outline = _outline_level(paragraph._p)
        for _ in range(_MAX_STYLES_UP):
            if style is None:
                break
            found = _HEADING.match(style.name or "")
            if found:
                return int(found["level"]) + 1
            if _TITLE.fullmatch(style.name or ""):
                return 1
            outline = outline if outline is not None else _outline_level(style.element)
            style = _base_style(style)
        return outline + 2 if outline is not None else None

    def _looks_like_heading(self, element: Any, text: str) -> bool:
        """Without heading styles people set headings as short lines all in bold."""
        if self._has_styles or len(text) > _MAX_BOLD_HEADING or text.endswith((".", ",", ";")):
            return False
        if looks_like_data(text) or _BULLET.match(text) or "\n" in text:
            return False
        return _is_bold(element)

    def _table(self, element: Any) -> None:
        found = [row for held in element.iterchildren(qn("w:tr"), *_WRAPPERS) for row in _rows(held)]
        rows = [_cells(row) for row in found]
        for above, row in zip([None, *rows], rows, strict=False):
            row[:] = [
                above[n]
                if cell == _FROM_ABOVE and above and n < len(above)
                else cell.replace(_FROM_ABOVE, "")
                for n, cell in enumerate(row)
            ]
        if not any(map(any, rows)):
            return
        if max(len(row) for row in rows) == 1:  # a frame around text
            for row in rows:
                self._into.block("text", row[0])
            return
        bold = [row.find(f".//{qn('w:tblHeader')}") is not None or _is_bold(row) for row in found]
        add_grid(self._into, rows, bold=bold, group_level=self._level + 1)


def _blocks(parent: Any) -> Iterator[Any]:
    """Paragraphs and tables in reading order, those inside content controls too."""
    for child in parent.iterchildren():
        if child.tag in (qn("w:p"), qn("w:tbl")):
            yield child
        elif child.tag in _WRAPPERS:
            yield from _blocks(child)


def _rows(element: Any) -> Iterator[Any]:
    if element.tag == qn("w:tr"):
        yield element
    else:
        yield from element.iter(qn("w:tr"))


def _cells(row: Any) -> list[str]:
    """The row's cells by column: one over several columns speaks in the first, one merged into the cell
    above is marked.
    """
    cells: list[str] = []
    for cell in row.iterchildren(qn("w:tc"), *_WRAPPERS):
        for inner in [cell] if cell.tag == qn("w:tc") else cell.iter(qn("w:tc")):
            span = inner.find(f"{qn('w:tcPr')}/{qn('w:gridSpan')}")
            merge = inner.find(f"{qn('w:tcPr')}/{qn('w:vMerge')}")
            goes_on = merge is not None and merge.get(qn("w:val"), "continue") == "continue"
            cells.append(_FROM_ABOVE if goes_on else _cell_text(inner))
            width = int(span.get(qn("w:val"), "1")) if span is not None else 1
            cells.extend([""] * (min(width, 63) - 1))  # a Word table has at most 63 columns
    return cells


def _cell_text(cell: Any) -> str:
    return squeeze(" ".join(_text(paragraph) for paragraph in cell.iter(qn("w:p"))))


def _text(paragraph: Any) -> str:
    """The paragraph's words as a reader sees them."""
    return "".join(_words(paragraph)).strip()


def _words(element: Any) -> Iterator[str]:
    for child in element.iterchildren():
        if child.tag in _UNREAD or (child.tag == qn("w:r") and _is_hidden(child)):
            continue
        if child.tag == qn("w:t"):
            yield child.text or ""
        elif child.tag in _TEXT_BREAKS:
            yield _TEXT_BREAKS[child.tag]
        else:
            yield from _words(child)


def _is_hidden(run: Any) -> bool:
    return _is_on(run.find(f"{qn('w:rPr')}/{qn('w:vanish')}"))


def _is_bold(element: Any) -> bool:
    """Whether every run with words in it is bold of its own."""
    runs = [run for run in element.iter(qn("w:r")) if "".join(_words(run)).strip()]
    return bool(runs) and all(_is_on(run.find(f"{qn('w:rPr')}/{qn('w:b')}")) for run in runs)


def _is_on(switch: Any) -> bool:
    return switch is not None and switch.get(qn("w:val"), "true") not in ("0", "false", "off")


def _is_list(paragraph: Paragraph, style: str) -> bool:
    number = paragraph._p.find(f"{qn('w:pPr')}/{qn('w:numPr')}/{qn('w:numId')}")
    if number is not None:
        return bool(number.get(qn("w:val")) != "0")
    return bool(_LIST.search(style)) and "paragraph" not in style.lower()


def _style_name(paragraph: Paragraph) -> str:
    return (paragraph.style.name or "") if paragraph.style is not None else ""


def _base_style(style: BaseStyle) -> BaseStyle | None:
    base: BaseStyle | None = getattr(style, "base_style", None)
    return base


def _outline_level(element: Any) -> int | None:
    level = element.find(f"{qn('w:pPr')}/{qn('w:outlineLvl')}")
    value = level.get(qn("w:val"), "9") if level is not None else "9"
    return int(value) if value.isdecimal() and int(value) < 9 else None


def _inside(element: Any, tag: str, top: Any) -> bool:
    for above in element.iterancestors():
        if above is top:
            return False
        if above.tag == tag:
            return True
    return False


def _lines(text: str) -> str:
    return "\n".join(squeeze(line) for line in text.split("\n") if line.strip())
