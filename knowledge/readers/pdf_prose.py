"""Rows of a PDF as headings, paragraphs, items and tables."""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Literal

from knowledge.readers.document import SectionBuilder
from knowledge.readers.pdf_layout import Region
from knowledge.readers.pdf_lines import Piece, Row, joined
from knowledge.readers.pdf_tables import Grid, after, rejoined
from knowledge.readers.table import add_grid, looks_like_data

_BULLET = re.compile(r"(?:[•·●▪■◦○‣➢➤✓✔]\s*|(?:[–—*-]|\d{1,2}[.)]|[a-z]\))\s+)(?=\S)")
_UNFINISHED = re.compile(r"[^.!?…:»\"”]$")
_LARGER = 1.08  # times the size of running text
_MAX_HEADING = 160
_MAX_BOLD_HEADING = 90
# Of the usual distance between two lines of a paragraph.
_PARAGRAPH_GAP = 1.18
_WIDE_GAP = 2.2  # parts of the font size; more is never inside a paragraph
_MAX_LEVELS = 6


@dataclass
class _Paragraph:
    """Lines that belong together; `right` is where their column ends, in points."""

    lines: list[Piece]
    right: float
    page: int

    @property
    def style(self) -> tuple[float, bool]:
        return self.lines[0].size, self.lines[0].bold

    @property
    def text(self) -> str:
        """One text; a line keeps its end where its author broke it, that is, where the next word would
        still have fitted.
        """
        text = self.lines[0].text
        for line, following in zip(self.lines, self.lines[1:], strict=False):
            if self._is_broken_by_author(line, following):
                text = f"{text}\n{following.text}"
            else:
                text = rejoined(text, following.text)
        return text

    def _is_broken_by_author(self, line: Piece, following: Piece) -> bool:
        words = following.text.split()
        if not words or line.text.endswith(("-", "\u00ad")):
            return False
        word_width = following.width * len(words[0]) / len(following.text)
        return line.x1 + word_width + 0.8 * line.size < self.right


@dataclass(frozen=True)
class _Table:
    grid: Grid
    page: int


Item = _Paragraph | _Table


@dataclass
class Prose:
    """Gathers the regions of all pages, then writes them down, since only all pages tell what is large."""

    _items: list[Item] = field(default_factory=list)
    _sizes: Counter[float] = field(default_factory=Counter)
    _bold: Counter[bool] = field(default_factory=Counter)
    _leading: Counter[float] = field(default_factory=Counter)

    def add(self, regions: Sequence[Region], page: int) -> None:
        """Takes one page's regions in reading order."""
        for region in regions:
            self._measure(region)
        for region in regions:
            previous: Piece | None = None
            for part in region.parts:
                if isinstance(part, Grid):
                    self._add_table(part, page)
                    previous = None
                elif not self._is_table_row(part, page):
                    line = joined(part)
                    self._add_line(line, previous, region, page)
                    previous = line

    def _measure(self, region: Region) -> None:
        previous: Piece | None = None
        for part in region.parts:
            line = joined(part) if not isinstance(part, Grid) else None
            if line:
                self._sizes[line.size] += len(line.text)
                self._bold[line.bold] += len(line.text)
                if previous and previous.size == line.size:
                    step = (line.baseline - previous.baseline) / line.size
                    if 0 < step < _WIDE_GAP:
                        self._leading[round(step * 20) / 20] += 1
            previous = line

    def _add_table(self, grid: Grid, page: int) -> None:
        last = self._items[-1] if self._items else None
        if isinstance(last, _Table) and last.page < page and after(grid, last.grid):
            repeated = grid.rows[0] == last.grid.rows[0]
            rows, bold = grid.rows[int(repeated) :], grid.bold[int(repeated) :]
            self._items[-1] = _Table(Grid(grid.box, last.grid.rows + rows, last.grid.bold + bold), page)
        else:
            self._items.append(_Table(grid, page))

    def _is_table_row(self, row: Row, page: int) -> bool:
        """A single row on top of a page may be the last of the table on the page before."""
        last = self._items[-1] if self._items else None
        if not isinstance(last, _Table) or last.page >= page or len(row) != last.grid.width:
            return False
        box = (row[0].x0, row[0].top, row[-1].x1, row[0].bottom)
        grid = Grid(box, (tuple(piece.text for piece in row),), (all(piece.bold for piece in row),))
        if after(grid, last.grid):
            self._add_table(grid, page)
            return True
        return False

    def _add_line(self, line: Piece, previous: Piece | None, region: Region, page: int) -> None:
        last = self._items[-1] if self._items else None
        if previous and isinstance(last, _Paragraph) and self._goes_on(previous, line, last):
            last.lines.append(line)
        else:
            self._items.append(_Paragraph([line], region.right, page))

    def _goes_on(self, previous: Piece, line: Piece, paragraph: _Paragraph) -> bool:
        step = line.baseline - previous.baseline
        same_style = abs(line.size - previous.size) < 0.3 and line.bold == paragraph.lines[0].bold
        leading = self._line_step() if abs(line.size - self.body_size) < 0.3 else 1.35
        near = 0 < step <= max(leading * _PARAGRAPH_GAP, 1.2) * line.size
        return (
            near and (same_style or not _starts_or_ends_bold(previous, line)) and not _BULLET.match(line.text)
        )

    def _line_step(self) -> float:
        """The smallest usual distance between two lines of text, in parts of the font size."""
        usual = [step for step, times in self._leading.items() if times * 4 >= max(self._leading.values())]
        return min(usual, default=1.3)

    @property
    def body_size(self) -> float:
        """The size of running text, in points."""
        return self._sizes.most_common(1)[0][0] if self._sizes else 0.0

    def write(self, into: SectionBuilder) -> str | None:
        """Writes all that was gathered and returns the largest heading on the first page, if there is one."""
        items = list(_with_rests(self._items))
        styles = sorted(
            {i.style for i in items if isinstance(i, _Paragraph) and self._is_heading(i)}, reverse=True
        )
        levels = {style: min(n, _MAX_LEVELS) for n, style in enumerate(styles, start=1)}
        level, title = 0, None
        for item in items:
            if isinstance(item, _Table):
                add_grid(into, item.grid.rows, bold=item.grid.bold, group_level=level + 1)
            elif self._is_heading(item):
                level = levels[item.style]
                words = " ".join(item.text.split())
                title = title or (words if level == 1 and item.page == 1 else None)
                into.heading(level, words)
            else:
                _write_block(into, item.text)
        return title

    def _is_heading(self, paragraph: _Paragraph) -> bool:
        size, bold = paragraph.style
        text = paragraph.text
        is_amount = looks_like_data(text) and not _BULLET.match(text)  # "65,00 €", but not "10. Foro"
        if is_amount or not re.search(r"[^\W\d]", text) or len(paragraph.lines) > 3:
            return False
        if size >= self.body_size * _LARGER:
            return len(text) <= _MAX_HEADING
        mostly_plain = self._bold[False] > self._bold[True]
        return (
            bold
            and mostly_plain
            and size >= 0.95 * self.body_size
            and len(text) <= _MAX_BOLD_HEADING
            and not text.endswith((".", ",", ";"))
            and (not _BULLET.match(text) or text[0].isdigit())
        )


def _starts_or_ends_bold(previous: Piece, line: Piece) -> bool:
    """A bold line over a plain one is a heading; a plain one over a bold one ends before it."""
    return previous.bold != line.bold or abs(line.size - previous.size) >= 0.3


def _with_rests(items: Sequence[Item]) -> Iterator[Item]:
    """The items, with paragraphs put together that a column's or page's end has cut."""
    held: Item | None = None
    for item in items:
        if isinstance(held, _Paragraph) and isinstance(item, _Paragraph) and _is_rest(held, item):
            held = _Paragraph(held.lines + item.lines, min(held.right, item.right), held.page)
            continue
        if held:
            yield held
        held = item
    if held:
        yield held


def _is_rest(held: _Paragraph, item: _Paragraph) -> bool:
    first, last = item.lines[0], held.lines[-1]
    cut = first.top < last.top  # the next column or page
    return (
        cut and held.style == item.style and first.text[:1].islower() and bool(_UNFINISHED.search(last.text))
    )


def _write_block(into: SectionBuilder, text: str) -> None:
    bullet = _BULLET.match(text)
    kind: Literal["item", "text"] = "item" if bullet else "text"
    into.block(kind, f"- {' '.join(text[bullet.end() :].split())}" if bullet else text)
