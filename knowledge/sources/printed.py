"""Sources as PDF, in the layouts businesses use: ruled and open tables, two columns, letters."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Any

from fpdf import FPDF
from fpdf.enums import Align, XPos, YPos
from fpdf.fonts import FontFace

from knowledge.readers.table import looks_like_data
from knowledge.sources.source import BadSource, Part, Source, Table

WRITTEN = datetime(2026, 9, 1, 9, 0, tzinfo=UTC)
_PAGE_OF = {"it": "Pagina {0} di {1}", "en": "Page {0} of {1}", "es": "Página {0} de {1}"}
_PAGE_OF["pt"] = _PAGE_OF["es"]
_HEADING_SIZES = {1: 20, 2: 13.5, 3: 11.5, 4: 10.5}
_BODY_SIZE = 10.0
_LINE = 5.2  # millimetres between the lines of running text
_SHORT = 300  # characters; less is not set in columns
# Of a column's share of the page width, in characters: no column starves, none takes all.
_NARROWEST, _WIDEST = 9, 44


def render_pdf(source: Source) -> bytes:
    """The source as a PDF; the same source gives the same bytes. Raises BadSource."""
    sheet = _Sheet(source)
    sheet.add_page()
    sheet.letterhead()
    sheet.write_part(Part("heading", source.heading, 1))
    parts = source.body
    if source.layout == "columns":
        sheet.write_columns(parts)
    else:
        for part in parts:
            sheet.write_part(part)
    return bytes(sheet.output())


class _Sheet(FPDF):
    def __init__(self, source: Source) -> None:
        super().__init__(format="A4", unit="mm")
        self._source = source
        self._letter = source.layout == "letter"
        self._family = "times" if self._letter else "helvetica"
        self.core_fonts_encoding = "cp1252"
        self.set_creation_date(WRITTEN)
        self.set_title(source.title)
        self.set_author(source.author)
        self.set_lang(source.language)
        self.set_margins(25 if self._letter else 18, 22)
        self.set_auto_page_break(auto=True, margin=22)

    def normalize_text(self, text: str) -> str:
        """Text in the fonts' encoding. Raises BadSource for a character they do not have."""
        try:
            text.encode("cp1252")
        except UnicodeEncodeError as error:
            raise BadSource(
                f"{self._source.path}: the fonts lack {text[error.start]!r}: write it so"
            ) from error
        return str(super().normalize_text(text))

    def header(self) -> None:
        """The business's name on every page; a letter has its letterhead instead."""
        if self._letter:
            return
        self.set_font(self._family, size=8)
        self.set_y(9)
        self.cell(0, 5, self._source.business, align="L")
        self.set_y(22)

    def footer(self) -> None:
        """The page's number; fpdf2 puts the number of pages in the place of `{nb}` at the end."""
        self.set_y(-14)
        self.set_font(self._family, size=8)
        self.cell(0, 5, _PAGE_OF[self._source.language].format(self.page_no(), "{nb}"), align="C")

    def letterhead(self) -> None:
        if self._letter:
            self.set_font(self._family, "B", 15)
            self.cell(0, 8, self._source.business, align="R", new_x=XPos.LMARGIN, new_y=YPos.NEXT)
            self.ln(10)

    def write_part(self, part: Part) -> None:
        match part.kind:
            case "heading":
                self._write_heading(part)
            case "table":
                self._write_table(part.table)
            case "item":
                self._body_font()
                self._paragraph(f"•  {part.text}", indent=4)
            case _:
                self._body_font()
                self._paragraph(part.text)

    def _body_font(self) -> None:
        self.set_font(self._family, size=11 if self._letter else _BODY_SIZE)

    def _paragraph(self, text: str, indent: float = 0) -> None:
        left = self.l_margin
        self.set_left_margin(left + indent)
        self.set_x(left + indent)
        self.multi_cell(0, _LINE, text, align="L", new_x=XPos.LMARGIN, new_y=YPos.NEXT)
        self.set_left_margin(left)
        self.ln(1.2 if indent else 2.6)

    def _write_heading(self, part: Part) -> None:
        size = _HEADING_SIZES[part.level]
        if self.will_page_break(size * 0.5 + 18):
            self.add_page()  # a heading never stands alone at the foot of a page
        self.ln(1 if part.level == 1 else 3)
        self.set_font(self._family, "B", size)
        self.multi_cell(0, size * 0.46, part.text, align="L", new_x=XPos.LMARGIN, new_y=YPos.NEXT)
        self.ln(2.5)

    def _write_table(self, table: Table) -> None:
        self.set_font(self._family, size=9.5)
        is_open = self._source.layout in {"open", "letter"}
        options: dict[str, Any] = {
            "borders_layout": "NONE" if is_open else "ALL",
            "headings_style": FontFace(emphasis="BOLD", fill_color=None if is_open else (232, 236, 240)),
            "col_widths": _widths(table),
            "text_align": tuple(_alignments(table)),
            "line_height": 5,
            "padding": (0.6, 4, 0.6, 0) if is_open else (0.8, 1.6),
            "align": "LEFT",
            "v_align": "TOP",
        }
        with self.table(**options) as drawn:
            drawn.row(table.header)
            for cells in table.rows:
                if is_open or any(cells[1:]):
                    drawn.row(cells)
                else:  # a group's name over the rows that follow
                    drawn.row(style=FontFace(emphasis="BOLD")).cell(cells[0], colspan=len(cells), align="L")
        self.ln(4)

    def write_columns(self, parts: Sequence[Part]) -> None:
        """Prose in two columns; tables and what is short go over the full width between them."""
        for run in _runs(parts):
            if run[-1].kind == "table" or sum(len(part.text) for part in run) < _SHORT:
                for part in run:
                    self.write_part(part)
                continue
            with self.text_columns(
                ncols=2, gutter=9, text_align="J", line_height=1.25, balance=True
            ) as columns:
                for part in run:
                    is_heading = part.kind == "heading"
                    size = _HEADING_SIZES[part.level] if is_heading else _BODY_SIZE
                    self.set_font(self._family, "B" if is_heading else "", size)
                    with columns.paragraph(
                        text_align=Align.L if is_heading else Align.J, top_margin=2, bottom_margin=1.5
                    ) as paragraph:
                        paragraph.write(f"•  {part.text}" if part.kind == "item" else part.text)
            self.set_x(self.l_margin)
            self.ln(5)


def _runs(parts: Sequence[Part]) -> Iterator[list[Part]]:
    """Neighbouring parts that are no tables, together; each table alone with its heading."""
    run: list[Part] = []
    for part in parts:
        if part.kind != "table":
            run.append(part)
            continue
        titled = [run.pop()] if run and run[-1].kind == "heading" else []
        if run:
            yield run
        yield [*titled, part]
        run = []
    if run:
        yield run


def _columns(table: Table) -> list[tuple[str, ...]]:
    return list(zip(table.header, *(row for row in table.rows if any(row[1:])), strict=True))


def _widths(table: Table) -> tuple[float, ...]:
    return tuple(min(max(*(len(cell) for cell in column), _NARROWEST), _WIDEST) for column in _columns(table))


def _alignments(table: Table) -> Iterator[str]:
    """Columns of numbers and amounts stand to the right."""
    for column in _columns(table):
        filled = [cell for cell in column[1:] if cell]
        yield "RIGHT" if filled and all(looks_like_data(cell) for cell in filled) else "LEFT"
