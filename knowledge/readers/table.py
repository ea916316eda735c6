"""Table rows as sentences that can be understood alone."""

import re
from collections.abc import Sequence

from knowledge.readers.document import SectionBuilder

_JOINT = " | "
# 65,00 · € 1.200 · 50 min · 10% · 18:30: what a cell of data looks like and a column's name does not.
_DATUM = re.compile(r"^[^\w]*\d[\d.,:/\s]*[^\w]*(?:[a-zA-Z€£$%]{1,4}\.?)?$")
_DIGIT = re.compile(r"\d")
_MAX_NAME = 40  # characters in a column's name
_MAX_BARE_ROW = 120  # a longer cell alone in its row is running text

Row = Sequence[str]


def add_table(into: SectionBuilder, rows: Sequence[Row], *, header: Row | None, group_level: int) -> None:
    """Adds each row as one block, `Servizio: Massaggio | Durata: 50 min | Prezzo: 65,00 €`.

    A row with the first cell alone names the group of the fuller rows below it: it becomes a heading at
    `group_level`, which ends with the table. Without a header the cells are joined bare; empty cells are left
    out.
    """
    for row, below in zip(rows, [*rows[1:], ()], strict=True):
        if _is_lone(row) and not looks_like_data(row[0]) and len([cell for cell in below if cell]) > 1:
            into.heading(group_level, row[0])
        elif _is_lone(row):
            is_note = row[0].endswith((".", "!", "?")) or len(row[0]) > _MAX_BARE_ROW
            into.block("text" if is_note else "row", row[0])
        else:
            cells = name_cells(row, header)
            into.block("row", _JOINT.join(f"{name}: {cell}" if name else cell for name, cell in cells), cells)
    into.leave(group_level)


def add_grid(into: SectionBuilder, rows: Sequence[Row], *, bold: Sequence[bool], group_level: int) -> None:
    """Adds a table whose column names are not declared: titles above it become headings, its first row the
    column names when it reads like it, or is bold (`bold`, by row) over rows that are not.
    """
    kept = [(row, is_bold) for row, is_bold in zip(rows, bold, strict=True) if any(row)]
    level = group_level
    while len(kept) > 2 and _is_lone(kept[0][0]) and not looks_like_data(kept[0][0][0]):
        into.heading(level, kept[0][0][0])
        kept, level = kept[1:], level + 1
    data = [row for row, _ in kept]
    marked = len(kept) > 1 and kept[0][1] and not all(is_bold for _, is_bold in kept[1:])
    if len(data) > 1 and (reads_like_header(data) or (marked and _may_name(data[0]))):
        add_table(into, data[1:], header=data[0], group_level=level)
    else:
        add_table(into, data, header=None, group_level=level)
    into.leave(group_level)


def _may_name(row: Row) -> bool:
    return sum(map(bool, row)) > 1 and not any(looks_like_data(cell) or len(cell) > _MAX_NAME for cell in row)


def reads_like_header(rows: Sequence[Row]) -> bool:
    """Whether the first row names columns: short words of each, over rows with numbers where it has none.

    Two columns without numbers are taken for names and their values (`Telefono | 02 5550101`), not for a
    table with column names.
    """
    names, below = rows[0], [row for row in rows[1:] if sum(1 for cell in row if cell) > 1]
    if not below or not all(names) or any(len(name) > _MAX_NAME or _DIGIT.search(name) for name in names):
        return False
    if len(names) > 2:
        return True
    return sum(1 for row in below if looks_like_data(row[-1])) * 2 > len(below)


def _is_lone(row: Row) -> bool:
    return len(row) > 1 and bool(row[0]) and not any(row[1:])


def name_cells(row: Row, header: Row | None) -> tuple[tuple[str, str], ...]:
    """The row's values as written, each with its column's name ("" without one); empty ones left out."""
    names = list(header or ())
    names += [""] * (len(row) - len(names))
    return tuple((name, cell) for name, cell in zip(names, row, strict=False) if cell)


def split_header(rows: Sequence[Row]) -> tuple[Row | None, Sequence[Row]]:
    """The first row as header, unless one of its cells is a number, a price or a time; and the rest."""
    if len(rows) < 2 or any(looks_like_data(cell) for cell in rows[0]):
        return None, rows
    return rows[0], rows[1:]


def looks_like_data(cell: str) -> bool:
    """Whether the cell is a number with or without unit, currency or sign."""
    return bool(_DATUM.match(cell))


def squeeze(cell: str) -> str:
    """A cell on one line."""
    return " ".join(cell.split())
