"""The tables of a document: rows that stand together, each with its cells, headings and language."""

from collections.abc import Iterator
from dataclasses import dataclass

from knowledge.readers.document import Block, Document, Section

Cell = tuple[str, str]


@dataclass(frozen=True)
class Row:
    """One row: its cells as (column name, value), and as written. A row of one bare value has one cell."""

    cells: tuple[Cell, ...]
    text: str


@dataclass(frozen=True)
class Table:
    """Rows that belong together; `headings` are those above it, outermost first."""

    rows: tuple[Row, ...]
    headings: tuple[str, ...]
    language: str | None

    @property
    def columns(self) -> tuple[str, ...]:
        """The column names in order of first sight; bare columns are one name, ""."""
        return tuple(dict.fromkeys(name for row in self.rows for name, _ in row.cells))

    def values(self, column: str) -> list[str]:
        """What the rows hold in a column."""
        return [value for row in self.rows for name, value in row.cells if name == column]


def tables_of(document: Document) -> Iterator[tuple[Section, Table]]:
    """Every table of a document in reading order, with the section it stands in."""
    for section in document.sections:
        language = section.language or document.metadata.language
        for rows in _runs(section.blocks):
            yield section, Table(tuple(rows), section.path, language)


def _runs(blocks: tuple[Block, ...]) -> Iterator[list[Row]]:
    """Consecutive rows; rows that share no column with those before begin another table."""
    run: list[Row] = []
    for block in blocks:
        row = Row(block.cells or (("", block.text),), block.text)
        names = {name for name, _ in row.cells}
        known = {name for earlier in run for name, _ in earlier.cells}
        if run and (block.kind != "row" or (block.cells and known != {""} and not names & known)):
            yield run
            run = []
        if block.kind == "row":
            run.append(row)
    if run:
        yield run
