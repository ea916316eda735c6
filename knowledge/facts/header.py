"""Column names that a reader took for data, and data that it took for column names."""

import re
from dataclasses import replace

from knowledge.facts.columns import role_of
from knowledge.facts.fact import Unclear
from knowledge.facts.money import read_price
from knowledge.facts.table import Row, Table
from knowledge.facts.week import names_weekdays


def mended(table: Table, currency: str) -> Table:
    """The table with the column names it has in truth.

    "Trattamento | 50' | 80'" names columns although it holds figures, "lunedì–venerdì | 10:00–21:00" does not
    although it holds none.
    """
    columns = table.columns
    if any(columns):
        if names_weekdays(columns[0]) or any(_is_amount(column, currency) for column in columns):
            return _without_names(table)
    elif len(table.rows) > 1 and _names_columns(table.rows[0]):
        return _named_by_first_row(table)
    return table


def _is_amount(column: str, currency: str) -> bool:
    try:
        return re.search(r"\d", column) is not None and not read_price(column, currency).plain
    except Unclear:
        return False


def _names_columns(row: Row) -> bool:
    """Whether the first cell is what a column of services is called."""
    return len(row.cells) > 1 and role_of(row.cells[0][1]) == "name" and len(row.cells[0][1].split()) == 1


def _without_names(table: Table) -> Table:
    first = Row(tuple(("", column) for column in table.columns if column), " | ".join(table.columns))
    rows = (Row(tuple(("", value) for _, value in row.cells), row.text) for row in table.rows)
    return replace(table, rows=(first, *rows))


def _named_by_first_row(table: Table) -> Table:
    """Rows with empty cells keep their bare ones: nothing tells any more to which columns those belong."""
    names = [value for _, value in table.rows[0].cells]
    rows = []
    for row in table.rows[1:]:
        values = [value for _, value in row.cells]
        complete = len(values) == len(names)
        rows.append(replace(row, cells=tuple(zip(names, values, strict=True))) if complete else row)
    return replace(table, rows=tuple(rows))
