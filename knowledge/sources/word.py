"""Sources as Word documents, with real heading, list and table styles."""

import io

import docx
from docx.document import Document
from docx.oxml import OxmlElement
from docx.oxml.ns import qn
from docx.shared import Pt
from docx.text.paragraph import Paragraph

from knowledge.sources.archive import repacked
from knowledge.sources.printed import WRITTEN
from knowledge.sources.source import Part, Source, Table


def render_docx(source: Source) -> bytes:
    """The source as a Word document; the same source gives the same bytes."""
    document = docx.Document()
    _describe(document, source)
    _margins(document, source)
    document.add_heading(source.heading, level=0)
    for part in source.body:
        _write(document, part)
    out = io.BytesIO()
    document.save(out)
    return repacked(out.getvalue())


def _describe(document: Document, source: Source) -> None:
    properties = document.core_properties
    properties.title = source.title
    properties.language = source.language
    properties.author = source.author
    properties.comments = ""
    properties.created = properties.modified = WRITTEN.replace(tzinfo=None)
    document.styles["Normal"].font.name = "Calibri"
    document.styles["Normal"].font.size = Pt(11)


def _margins(document: Document, source: Source) -> None:
    """The business's name over, the page's number under every page."""
    section = document.sections[0]
    section.header.paragraphs[0].text = source.business
    _page_number(section.footer.paragraphs[0])


def _page_number(paragraph: Paragraph) -> None:
    field = OxmlElement("w:fldSimple")
    field.set(qn("w:instr"), "PAGE")
    paragraph._p.append(field)


def _write(document: Document, part: Part) -> None:
    match part.kind:
        case "heading":
            document.add_heading(part.text, level=max(part.level - 1, 1))
        case "item":
            document.add_paragraph(part.text, style="List Bullet")
        case "table":
            _write_table(document, part.table)
        case _:
            document.add_paragraph(part.text)


def _write_table(document: Document, table: Table) -> None:
    drawn = document.add_table(rows=0, cols=len(table.header), style="Table Grid")
    for number, cells in enumerate((table.header, *table.rows)):
        row = drawn.add_row().cells
        is_group = not any(cells[1:]) and len(cells) > 1
        if is_group:
            row[0].merge(row[-1])
        for cell, text in zip(row[:1] if is_group else row, cells, strict=False):
            run = cell.paragraphs[0].add_run(text)
            run.bold = number == 0 or is_group or None
    document.add_paragraph()
