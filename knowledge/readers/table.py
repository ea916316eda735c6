"""Table rows as sentences that can be understood alone."""

import re
from collections.abc import Sequence

from knowledge.readers.document import SectionBuilder

_JOINT = " | "
# 65,00 · € 1.200 · 50 min · 10% · 18:30: what a cell of data looks like and a column's name does not.
_DATUM = re.compile(r"^[^\w]*\d[\d.,:/\s]*[^\w]*(?:[a-zA-Z€£$%]{1,4}\.?)?$")

Row = Sequence[str]


def add_table(into: SectionBuilder, rows: Sequence[Row], *, header: Row | None, group_level: int) -> None:
    """Adds each row as one block, `Servizio: Massaggio | Durata: 50 min | Prezzo: 65,00 €`.

    A row with the first cell alone names the group of the fuller rows below it: it becomes a heading at
    `group_level`. Without a header the cells are joined bare; empty cells are left out.
    """
    for row, below in zip(rows, [*rows[1:], ()], strict=True):
        if _is_lone(row) and not looks_like_data(row[0]) and len([cell for cell in below if cell]) > 1:
            into.heading(group_level, row[0])
        elif _is_lone(row):
            into.block("row", row[0])
        else:
            cells = name_cells(row, header)
            into.block("row", _JOINT.join(f"{name}: {cell}" if name else cell for name, cell in cells), cells)


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
