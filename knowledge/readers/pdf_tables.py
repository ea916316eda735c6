"""Tables on a page: drawn with lines, or only aligned."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from statistics import median
from typing import Any

from pdfplumber.page import Page

from knowledge.readers.pdf_lines import Char, Piece, Row, gaps, rows_of
from knowledge.readers.table import looks_like_data

Box = tuple[float, float, float, float]

# More strokes than this are a drawing, not a table, and finding cells in them would take minutes.
_MAX_EDGES = 6_000
# Gaps between baselines, in parts of the font size.
_TABLE_GAP = 3.2
_ALIGNED = 4.0  # points by which edges of a column may differ
_WRAPPED_GAP = 1.45
_LOWEST_SHARE = 0.6


@dataclass(frozen=True)
class Grid:
    """A table as read from one page; `bold` tells of each row whether all of it is."""

    box: Box
    rows: tuple[tuple[str, ...], ...]
    bold: tuple[bool, ...]

    @property
    def width(self) -> int:
        return max(len(row) for row in self.rows)


def ruled_tables(page: Page, chars: Sequence[Char]) -> tuple[list[Grid], list[Char]]:
    """The tables drawn with lines, and the characters outside them."""
    if not (page.rects or page.lines or page.curves) or len(page.edges) > _MAX_EDGES:
        return [], list(chars)
    grids, rest = [], list(chars)
    for table in page.find_tables():
        inside, outside = _split(rest, table.bbox)
        grid = _ruled(table, inside, float(page.height))
        if grid:
            grids.append(grid)
            rest = outside
    return grids, rest


def _split(chars: Sequence[Char], box: Box) -> tuple[list[Char], list[Char]]:
    inside: list[Char] = []
    outside: list[Char] = []
    for char in chars:
        (inside if _holds(box, char) else outside).append(char)
    return inside, outside


def _holds(box: Box, char: Char) -> bool:
    x, y = (char["x0"] + char["x1"]) / 2, (char["top"] + char["bottom"]) / 2
    return bool(box[0] <= x <= box[2] and box[1] <= y <= box[3])


def _ruled(table: Any, chars: list[Char], height: float) -> Grid | None:
    """None for a frame around text, which is no table."""
    lefts = sorted({cell[0] for cell in table.cells})
    rows: list[tuple[str, ...]] = []
    bold: list[bool] = []
    for row in table.rows:
        in_row = [c for c in chars if row.bbox[1] <= (c["top"] + c["bottom"]) / 2 <= row.bbox[3]]
        held = [_cell(box, in_row, height) for box in row.cells]
        for part in _unlined_rows(held):
            cells = [
                _text(pieces) if box else _from_above(table.cells, row.bbox, lefts[n], n, rows)
                for n, (box, pieces) in enumerate(zip(row.cells, part, strict=True))
            ]
            if any(cells):
                rows.append(tuple(cells))
                bold.append(all(piece.bold for pieces in part for piece in pieces))
    rows = _filled_columns(rows)
    if len(rows) < 2 or len(rows[0]) < 2 or sum(1 for row in rows if sum(map(bool, row)) > 1) < 2:
        return None
    return Grid(table.bbox, tuple(rows), tuple(bold))


def _unlined_rows(cells: list[list[Piece]]) -> list[list[list[Piece]]]:
    """Rows with no line between them, told by a column with one amount for each; every line of the other
    cells goes to the amount it stands nearest to.
    """
    amounts = next((c for c in reversed(cells) if len(c) > 1 and all(looks_like_data(p.text) for p in c)), [])
    if not amounts or sum(1 for c in cells if len(c) >= len(amounts)) < 2:
        return [cells]
    parts: list[list[list[Piece]]] = [[[] for _ in cells] for _ in amounts]
    for column, pieces in enumerate(cells):
        for piece in pieces:
            distances = [abs(piece.baseline - amount.baseline) for amount in amounts]
            parts[distances.index(min(distances))][column].append(piece)
    return parts


def _cell(box: Box | None, chars: Sequence[Char], height: float) -> list[Piece]:
    if not box:
        return []
    return [piece for row in rows_of([c for c in chars if _holds(box, c)], height) for piece in row]


def _text(pieces: Sequence[Piece]) -> str:
    """A cell on one line; a word hyphenated at a line's end is put together by `rejoined` there."""
    text = ""
    for piece in pieces:
        text = rejoined(text, piece.text) if text else piece.text
    return text


def rejoined(before: str, after: str) -> str:
    """Two lines as one; a word cut at the end of the first is one word again."""
    if before.endswith("\u00ad"):
        return before[:-1] + after
    if len(before) > 2 and before[-1] in "-‐" and before[-2].isalpha() and after[:1].islower():
        first = after.split(maxsplit=1)[0].strip(".,;:!?)")
        return before + after if first in _AFTER_HYPHEN else before[:-1] + after
    return f"{before} {after}"


# Words that stand behind a hyphen of their own: e-mail, check-in, encontra-se.
_AFTER_HYPHEN = frozenset(
    {"mail", "in", "out", "up", "off", "line", "book", "a", "o", "as", "os", "se", "la", "lo", "las", "los"}
    | {"na", "no", "me", "te", "lhe", "lhes", "nos", "vos"}
)


def _from_above(
    cells: Sequence[Box], row: Box, left: float, column: int, rows: Sequence[tuple[str, ...]]
) -> str:
    """What a cell over several rows says in this one; a cell over several columns speaks in its first."""
    middle = (row[1] + row[3]) / 2
    spans = any(abs(c[0] - left) < 1 and c[1] < row[1] - 1 and c[3] > middle for c in cells)
    return rows[-1][column] if spans and rows else ""


def _filled_columns(rows: list[tuple[str, ...]]) -> list[tuple[str, ...]]:
    """The rows without columns that are empty everywhere, which double lines leave."""
    filled = [column for column in range(len(rows[0]) if rows else 0) if any(row[column] for row in rows)]
    return [tuple(row[column] for column in filled) for row in rows]


def open_tables(rows: Sequence[Row]) -> Iterator[Row | Grid]:
    """The rows in order, with those that form an aligned table replaced by it."""
    at = 0
    while at < len(rows):
        ends = _ends(rows, at, _run_end(rows, at))
        found = next(((grid, end) for end in ends if (grid := _aligned(rows[at:end]))), None)
        if found:
            yield found[0]
            at = found[1]
        else:
            yield rows[at]
            at += 1


def _ends(rows: Sequence[Row], start: int, end: int) -> Iterator[int]:
    """Where the table may end: with the whole run, or before a lone line in it, which may be a heading
    between two tables.
    """
    if end - start > 1:
        yield end
        yield from (at for at in range(end - 1, start + 1, -1) if len(rows[at]) == 1)


def _run_end(rows: Sequence[Row], start: int) -> int:
    """Where the run of table-like rows that begins at `start` ends: the last one with several pieces, and
    what is wrapped under it.
    """
    if len(rows[start]) < 2:
        return start
    end = start + 1
    for at in range(start + 1, len(rows)):
        gap = rows[at][0].baseline - rows[at - 1][0].baseline
        is_larger = len(rows[at]) == 1 and rows[at][0].size > 1.1 * rows[start][0].size
        if is_larger or not 0 < gap <= _TABLE_GAP * rows[at][0].size or at - end > 2:
            break
        if len(rows[at]) > 1:
            end = at + 1
    while end < len(rows) and _hangs(rows[end], rows[start:end]):
        end += 1
    return end


def _hangs(row: Row, above: Sequence[Row]) -> bool:
    """Whether a row is the rest of a wrapped cell that is not in the first column."""
    gap = row[0].baseline - above[-1][0].baseline
    starts = {round(piece.x0) for other in above for piece in other[1:]}
    return 0 < gap <= _WRAPPED_GAP * row[0].size and any(abs(row[0].x0 - x) < _ALIGNED for x in starts)


def _aligned(rows: Sequence[Row]) -> Grid | None:
    """The rows as a table, when their pieces stand in columns."""
    columns = _columns(rows)
    full = [row for row in rows if len(row) > 1]
    if len(columns) < 2 or len(full) < 2 or not _stand_apart(full, columns):
        return None
    placed = [_placed(row, columns) for row in rows]
    merged = _merge_wrapped(rows, placed)
    bold = [all(piece.bold for piece in row) for row, is_start in merged if is_start]
    cells = _cells([(entry, start) for entry, (_, start) in zip(placed, merged, strict=True)], len(columns))
    box = (columns[0][0], rows[0][0].top, columns[-1][1], rows[-1][0].bottom)
    return Grid(box, tuple(cells), tuple(bold))


def _columns(rows: Sequence[Row]) -> list[tuple[float, float]]:
    """The ranges of x that pieces of rows with several of them cover."""
    spans = sorted((piece.x0, piece.x1) for row in rows if len(row) > 1 for piece in row)
    columns: list[tuple[float, float]] = []
    for left, right in spans:
        if columns and left < columns[-1][1]:
            columns[-1] = (columns[-1][0], max(columns[-1][1], right))
        else:
            columns.append((left, right))
    return columns


def _stand_apart(rows: Sequence[Row], columns: Sequence[tuple[float, float]]) -> bool:
    """Every piece in a column of its own, and every column aligned to the left, the right or the middle."""
    for left, right in columns:
        inside = [[p for p in row if left <= p.x0 and p.x1 <= right] for row in rows]
        pieces = [held[0] for held in inside if held]
        if any(len(held) > 1 for held in inside) or not _is_flush(pieces):
            return False
    return True


def _is_flush(pieces: Sequence[Piece]) -> bool:
    for edge in ([p.x0 for p in pieces], [p.x1 for p in pieces], [(p.x0 + p.x1) / 2 for p in pieces]):
        middle = median(edge)
        if sum(1 for x in edge if abs(x - middle) <= _ALIGNED) >= _LOWEST_SHARE * len(edge):
            return True
    return False


def _placed(row: Row, columns: Sequence[tuple[float, float]]) -> dict[int, Piece]:
    """The row's pieces by column; a lone piece over several columns stands in the one it begins in."""
    placed: dict[int, Piece] = {}
    for piece in row:
        overlaps = [min(piece.x1, right) - max(piece.x0, left) for left, right in columns]
        starts = [n for n, (left, right) in enumerate(columns) if left - _ALIGNED <= piece.x0 <= right]
        best = starts[-1] if starts else overlaps.index(max(overlaps))
        placed[best] = replace(piece, text=f"{placed[best].text} {piece.text}") if best in placed else piece
    return placed


def _merge_wrapped(rows: Sequence[Row], placed: Sequence[dict[int, Piece]]) -> list[tuple[Row, bool]]:
    """Each row with whether it begins a row of the table, or only goes on with the one above."""
    steps = gaps(rows)
    wrap = _wrap_gap(steps)
    width = max(len(entry) for entry in placed)
    merged = [(rows[0], True)]
    for at, step in enumerate(steps, start=1):
        entry = placed[at]
        below = steps[at] if at < len(steps) else None
        first = entry.get(0)
        has_amount = any(column and looks_like_data(piece.text) for column, piece in entry.items())
        is_short = wrap is not None and step <= wrap and len(entry) < width and not has_amount
        is_rest = first is None or (wrap is None and len(entry) == 1 and first.text[:1].islower())
        leads_group = first is not None and len(entry) == 1 and below is not None and below < step
        merged.append((rows[at], not ((is_short and not leads_group) or is_rest)))
    return merged


def _wrap_gap(steps: Sequence[float]) -> float | None:
    """The largest gap inside a wrapped row, when gaps inside and between rows can be told apart."""
    ordered = sorted(steps)
    jumps = [(above - below, below, above) for below, above in pairwise(ordered)]
    if not jumps:
        return None
    _, below, above = max(jumps)
    return (below + above) / 2 if below < 0.9 * above else None


def _cells(entries: Sequence[tuple[dict[int, Piece], bool]], width: int) -> list[tuple[str, ...]]:
    cells: list[list[str]] = []
    for entry, is_start in entries:
        if is_start:
            cells.append([""] * width)
        for column, piece in entry.items():
            held = cells[-1][column]
            cells[-1][column] = rejoined(held, piece.text) if held else piece.text
    return [tuple(row) for row in cells]


def after(grid: Grid, earlier: Grid) -> bool:
    """Whether a table on top of a page goes on with the one at the foot of the page before."""
    ends = (abs(grid.box[0] - earlier.box[0]), abs(grid.box[2] - earlier.box[2]))
    return grid.width == earlier.width and (min(ends) < 3 * _ALIGNED or grid.rows[0] == earlier.rows[0])
