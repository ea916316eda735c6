"""CSV as spreadsheets export it: comma, semicolon, tab or bar; decimal commas stay as written."""

import csv
import re
from collections import Counter

from knowledge.errors import BadTable
from knowledge.readers.document import Document, Metadata, SectionBuilder
from knowledge.readers.metadata import metadata_of
from knowledge.readers.table import add_table, split_header, squeeze

# The semicolon before the comma: where a comma is the decimal sign, both give tables of equal width.
_DELIMITERS = (";", "\t", "|", ",")
_SAMPLE_LINES = 200
_DESCRIPTION = re.compile(r"^#[ \t]*(?P<key>[a-z_]+)[ \t]*:[ \t]*(?P<value>.*)$")
_REGULAR_SHARE = 0.9


def read_delimited(text: str, name: str) -> Document:
    """One block per row. `# key: value` lines on top describe the document, as front matter would.

    Raises BadTable for unbalanced quotes, BadMetadata for a wrong description.
    """
    metadata, body = _split_description(text)
    rows = _rows(body, sniff_delimiter(body))
    into = SectionBuilder()
    while rows and sum(1 for cell in rows[0] if cell) == 1 and len(rows) > 1:
        into.heading(1, next(cell for cell in rows[0] if cell))  # a caption above the column names
        rows = rows[1:]
    header, data = split_header(rows)
    add_table(into, data, header=header, group_level=2)
    return into.document(metadata, name)


def sniff_delimiter(text: str) -> str:
    """The first delimiter that cuts nearly all rows into the same number (>1) of cells; else a comma."""
    sample = "\n".join(text.splitlines()[:_SAMPLE_LINES])
    best, best_share = ",", 0.0
    for delimiter in _DELIMITERS:
        widths = [len(row) for row in csv.reader(sample.splitlines(), delimiter=delimiter) if any(row)]
        width, times = Counter(widths).most_common(1)[0] if widths else (0, 0)
        share = times / len(widths) if width > 1 else 0.0
        if share >= _REGULAR_SHARE:
            return delimiter
        if share > best_share:
            best, best_share = delimiter, share
    return best


def _rows(text: str, delimiter: str) -> list[list[str]]:
    reader = csv.reader(text.splitlines(keepends=True), delimiter=delimiter, strict=True)
    try:
        return [[squeeze(cell) for cell in row] for row in reader if any(cell.strip() for cell in row)]
    except csv.Error as error:
        raise BadTable(f"line {reader.line_num}: {error}; check the quotes around that cell") from error


def _split_description(text: str) -> tuple[Metadata, str]:
    values: dict[str, str] = {}
    lines = text.split("\n")
    used = 0
    for line in lines:
        found = _DESCRIPTION.match(line.rstrip(";, \t"))
        if not found:
            break
        values[found["key"]] = found["value"]
        used += 1
    return metadata_of(values), "\n".join(lines[used:])
