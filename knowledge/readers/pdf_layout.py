"""The order in which a page is read: running heads left out, columns one after the other."""

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from statistics import median

from knowledge.readers.pdf_lines import Piece, Row
from knowledge.readers.pdf_tables import Grid, open_tables, rejoined

_MARGIN = 0.1  # the part of a page's height, above and below, where running heads stand
_MIN_GUTTER = 8.0  # points
_COLUMN_FILL = 0.55  # how much of its column a line of prose fills, in the median
_COLUMN_CHARS = 18
_SHORT_LINES = 0.6  # of the page's width between its margins
_SAME_HEIGHT = 4.0  # points
_NUMBER = re.compile(r"\d+")
_PAGE_NUMBER = re.compile(
    r"\W*(?:(?:p[aá]g(?:ina|e)?|p|page|hoja|foglio)\.?\s*)?\d{1,4}(?:\s*(?:/|di|of|de)\s*\d{1,4})?\W*",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class PageText:
    """A page's rows and drawn tables before they are put in order."""

    width: float
    height: float
    rows: tuple[Row, ...]
    tables: tuple[Grid, ...]


@dataclass(frozen=True)
class Region:
    """What is read from top to bottom, in one column: rows of text, which end at `right`, and tables."""

    right: float
    parts: tuple[Row | Grid, ...]


def without_running_heads(pages: Sequence[PageText]) -> list[PageText]:
    """The pages without page numbers and lines that stand at the same place on several of them."""
    seen: dict[tuple[str, int], list[_Seen]] = defaultdict(list)
    for number, page in enumerate(pages):
        for row in page.rows:
            if _in_margin(row, page):
                text, height = _key(row)
                seen[text, height].append(_Seen(number, _numbers(row)))
    return [
        PageText(
            page.width,
            page.height,
            tuple(row for row in page.rows if not _is_running_head(row, page, number, seen)),
            page.tables,
        )
        for number, page in enumerate(pages)
    ]


@dataclass(frozen=True)
class _Seen:
    """Where a line was seen, and the numbers in it."""

    page: int
    numbers: tuple[int, ...]

    def is_like(self, other: "_Seen") -> bool:
        """Whether all numbers are the same, or go up with the pages as page numbers do."""
        return self.page != other.page and all(
            mine in (theirs, theirs + self.page - other.page)
            for mine, theirs in zip(self.numbers, other.numbers, strict=True)
        )


def _words(row: Row) -> str:
    return " ".join(piece.text for piece in row)


def _numbers(row: Row) -> tuple[int, ...]:
    return tuple(int(number[:9]) for number in _NUMBER.findall(_words(row)))


def _key(row: Row) -> tuple[str, int]:
    return _NUMBER.sub("#", _words(row)), round(row[0].baseline / _SAME_HEIGHT)


def _in_margin(row: Row, page: PageText) -> bool:
    return row[0].bottom < _MARGIN * page.height or row[0].top > (1 - _MARGIN) * page.height


def _is_running_head(
    row: Row, page: PageText, number: int, seen: Mapping[tuple[str, int], Sequence[_Seen]]
) -> bool:
    if not _in_margin(row, page) or len(row) > 2:  # three and more pieces are a table's row
        return False
    text, height = _key(row)
    this = _Seen(number, _numbers(row))
    repeated = any(
        this.is_like(other)
        for near in (height - 1, height, height + 1)
        for other in seen.get((text, near), ())
    )
    return repeated or bool(_PAGE_NUMBER.fullmatch(_words(row))) or _is_small_head(row, page)


def _is_small_head(row: Row, page: PageText) -> bool:
    """On a page of its own: a line of words, smaller than the text and far above it."""
    sizes = [piece.size for other in page.rows for piece in other for _ in piece.text]
    below = [other[0].top for other in page.rows if other[0].top > row[0].bottom]
    return (
        row[0].bottom < _MARGIN * page.height
        and row[0].size < 0.9 * median(sizes)
        and (not below or min(below) - row[0].bottom > 2 * row[0].size)
        and not re.search(r"\d|@|www\.|€", _words(row))
    )


def regions(page: PageText) -> list[Region]:
    """The page's regions in reading order."""
    pieces = [piece for row in page.rows for piece in row]
    ordered = list(_ordered(pieces, list(page.tables), depth=0))
    width = page.width if len(ordered) == 1 else 0.0
    return [Region(_right_edge(held, width), tuple(_parts(held, tables))) for held, tables in ordered]


def _right_edge(pieces: Sequence[Piece], page_width: float) -> float:
    """Where the lines of a column end: the rightmost edge that several of them reach, or, on a page of short
    lines alone, as far from the right as they begin from the left.
    """
    if not pieces:
        return page_width
    needed = min(3, max(len(pieces) // 2, 1))
    edges = sorted((piece.x1 for piece in pieces), reverse=True)
    reached = (x for n, x in enumerate(edges[needed - 1 :]) if edges[n] - x < 2 * _MIN_GUTTER)
    edge = next(reached, edges[0]) + 1.0
    opposite = page_width - min(piece.x0 for piece in pieces)
    return opposite if edge < _SHORT_LINES * opposite else edge


Content = tuple[list[Piece], list[Grid]]


def _ordered(pieces: list[Piece], tables: list[Grid], depth: int) -> Iterator[Content]:
    """The content itself, or its bands over the full width and its columns."""
    gutter = _gutter(pieces) if depth < 3 else None
    if gutter is None:
        if pieces or tables:
            yield pieces, tables
        return
    whole: Content = ([], [])
    for is_free, (band, within) in _bands(pieces, tables, gutter):
        held, tail = _without_last_heading(band) if is_free else (band, [])
        sides = _sides(held, within, gutter)
        if is_free and all(_is_prose(side[0]) for side in sides):
            if any(whole):
                yield whole
            whole = (tail, [])
            for side in sides:
                yield from _ordered(*side, depth + 1)
        else:
            whole = (whole[0] + held + tail, whole[1] + within)
    if any(whole):
        yield whole


def _gutter(pieces: Sequence[Piece]) -> float | None:
    """The x that fewest pieces cross, with text on both sides; None when most of the page crosses it."""
    if len(pieces) < 6:
        return None
    left, right = min(p.x0 for p in pieces), max(p.x1 for p in pieces)
    best: tuple[int, float] | None = None
    candidates = sorted({p.x0 - _MIN_GUTTER / 2 for p in pieces if left + 60 < p.x0 < right - 60})
    for x in candidates:
        crossing = sum(1 for p in pieces if _crosses(p.x0, p.x1, x))
        beside = sum(1 for p in pieces if p.x0 >= x)
        if beside >= 3 and crossing < 0.6 * len(pieces):
            # Of two as good, the one whose right side begins with more pieces.
            flush = sum(1 for p in pieces if abs(p.x0 - _MIN_GUTTER / 2 - x) < 2)
            best = max(best or (-1_000, 0.0), (flush - 2 * crossing, x))
    return best[1] if best else None


def _crosses(x0: float, x1: float, x: float) -> bool:
    return x0 < x + _MIN_GUTTER / 2 - 0.5 and x1 > x - _MIN_GUTTER / 2 + 0.5


def _bands(pieces: list[Piece], tables: list[Grid], x: float) -> Iterator[tuple[bool, Content]]:
    """Runs of content from top to bottom, with whether it leaves the gutter free."""
    items: list[tuple[float, bool, Piece | Grid]] = [
        (p.baseline, not _crosses(p.x0, p.x1, x), p) for p in pieces
    ]
    items += [(t.box[1], not _crosses(t.box[0], t.box[2], x), t) for t in tables]
    items.sort(key=lambda item: item[0])
    for is_columns, run in groupby(items, key=lambda item: item[1]):
        held = [item for _, _, item in run]
        yield (
            is_columns,
            ([i for i in held if isinstance(i, Piece)], [i for i in held if isinstance(i, Grid)]),
        )


def _without_last_heading(pieces: list[Piece]) -> tuple[list[Piece], list[Piece]]:
    """A heading below both columns belongs to what follows them over the full width."""
    if len(pieces) < 3:
        return pieces, []
    *above, last = sorted(pieces, key=lambda p: p.baseline)
    apart = last.baseline - above[-1].baseline > 1.6 * last.size
    stands_out = last.bold or last.size > 1.1 * median(p.size for p in above)
    return (above, [last]) if apart and stands_out else (pieces, [])


def _sides(pieces: list[Piece], tables: list[Grid], x: float) -> tuple[Content, Content]:
    return (
        ([p for p in pieces if p.x0 < x], [t for t in tables if t.box[0] < x]),
        ([p for p in pieces if p.x0 >= x], [t for t in tables if t.box[0] >= x]),
    )


def _is_prose(side: Sequence[Piece]) -> bool:
    """Whether a side is running text: lines that fill their column, not the cells of a table."""
    rows = _rows(side)
    if len(rows) < 2 or median(len(row) for row in rows) > 1:
        return False
    column = max(p.x1 for p in side) - min(p.x0 for p in side)
    fill = median((row[-1].x1 - row[0].x0) / max(column, 1.0) for row in rows)
    return fill >= _COLUMN_FILL and median(sum(len(p.text) for p in row) for row in rows) >= _COLUMN_CHARS


def _parts(pieces: list[Piece], tables: list[Grid]) -> Iterator[Row | Grid]:
    """Rows and tables from top to bottom; aligned rows between two drawn tables may form one of their own."""
    rows = _rows(pieces)
    edges = sorted(tables, key=lambda table: table.box[1])
    at = 0
    for table in edges:
        end = at
        while end < len(rows) and rows[end][0].baseline < table.box[1] + 1:
            end += 1
        yield from open_tables(rows[at:end])
        yield table
        at = end
    yield from open_tables(rows[at:])


def _rows(pieces: Sequence[Piece]) -> list[Row]:
    rows: list[list[Piece]] = []
    for piece in sorted(pieces, key=lambda p: (p.baseline, p.x0)):
        if rows and piece.baseline - rows[-1][0].baseline < 0.4 * piece.size:
            rows[-1].append(piece)
        else:
            rows.append([piece])
    return _with_centred([tuple(sorted(row, key=lambda p: p.x0)) for row in rows])


def _with_centred(rows: list[Row]) -> list[Row]:
    """A cell of two lines beside cells of one, all centred: its lines stand half a line above and below the
    others, which no running text does.
    """
    merged: list[Row] = []
    for row in rows:
        if len(row) == 1 and len(merged) > 1 and _is_around(merged[-2], merged[-1], row[0]):
            above, middle = merged[-2][0], merged[-1]
            both = replace(above, text=rejoined(above.text, row[0].text), x1=max(above.x1, row[0].x1))
            cell = replace(both, baseline=middle[0].baseline)
            merged[-2:] = [tuple(sorted((cell, *middle), key=lambda p: p.x0))]
        else:
            merged.append(row)
    return merged


def _is_around(above: Row, middle: Row, below: Piece) -> bool:
    first = above[0]
    up, down = middle[0].baseline - first.baseline, below.baseline - middle[0].baseline
    beside = all(p.x0 >= max(first.x1, below.x1) or p.x1 <= min(first.x0, below.x0) for p in middle)
    aligned = abs(first.x0 - below.x0) < 3 and abs(up - down) < 0.2 * first.size
    return len(above) == 1 and beside and aligned and 0 < up < 0.85 * first.size
