"""Workbooks: every visible sheet a section, its tables with their column names, values as cells show them.

Hidden sheets, rows and columns are left out. A formula gives the value it was saved with; one without is
computed when it is simple (`formulas`), else left out. Bounded here: rows and cells (200 000), merged cells
(200 000) and what the package may unpack to (`package`).
"""

import io
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from zipfile import ZipFile

from openpyxl import load_workbook
from openpyxl.utils.cell import range_boundaries
from openpyxl.utils.exceptions import InvalidFileException
from openpyxl.workbook import Workbook
from openpyxl.worksheet.worksheet import Worksheet

from knowledge.errors import DocumentDamaged, DocumentTooBig, UnreadableDocument
from knowledge.readers.cell_text import written
from knowledge.readers.document import Document, Metadata, SectionBuilder
from knowledge.readers.formulas import Formulas, Place
from knowledge.readers.metadata import marked_language
from knowledge.readers.package import member_pieces
from knowledge.readers.table import Row, add_grid, looks_like_data, squeeze

MAX_CELLS = 200_000
_MAX_COLUMN = 16_384
_CELL = re.compile(rb"<(?:\w+:)?(?:c|row)[\s>/]")
_FORMULA = re.compile(rb"<(?:\w+:)?f[\s>/]")
_MERGED = re.compile(
    rb"<(?:\w+:)?mergeCell\s[^>]*?ref\s*=\s*[\"']([A-Z]{1,3}\d{1,7}:[A-Z]{1,3}\d{1,7})", re.IGNORECASE
)
_NAMED_BY_PROGRAM = re.compile(r"(?:foglio|sheet|hoja|planilha|folha|tabelle|feuil)\s*\d*", re.IGNORECASE)
_MAX_CAPTION = 60

Cells = dict[int, dict[int, str]]  # texts by row and column, both counted from 1


def read_workbook(data: bytes, name: str) -> Document:
    """Raises DocumentTooBig and DocumentDamaged."""
    try:
        has_formulas = _look_through(data)
        book = load_workbook(io.BytesIO(data), data_only=True)
        formulas = _formulas(data) if has_formulas else Formulas({})
        return _read(book, formulas, name)
    except UnreadableDocument:
        raise
    except InvalidFileException as error:
        raise DocumentDamaged("it is no plain workbook: save it as .xlsx") from error
    except Exception as error:  # openpyxl raises whatever a damaged part makes it trip over
        raise DocumentDamaged(DocumentDamaged.__doc__) from error


def _look_through(data: bytes) -> bool:
    """Whether there are formulas. Counts rows, cells and merged areas, which openpyxl would all build.

    Raises DocumentTooBig.
    """
    cells, merged, has_formulas = 0, 0, False
    with ZipFile(io.BytesIO(data)) as package:
        for info in package.infolist():
            if not info.filename.lower().endswith(".xml"):
                continue
            rest = b""
            for piece in member_pieces(package, info):
                text = rest + piece
                cut = text.rfind(b"<") if len(piece) > 1000 else len(text)
                text, rest = text[:cut], text[cut:][:10_000]
                cells += len(_CELL.findall(text))
                merged += sum(_area(found.decode()) for found in _MERGED.findall(text))
                has_formulas = has_formulas or bool(_FORMULA.search(text))
                if cells > MAX_CELLS or merged > MAX_CELLS:
                    raise DocumentTooBig(f"it has more than {MAX_CELLS} cells: split it into several files")
            cells += len(_CELL.findall(rest))
    return has_formulas


def _area(reference: str) -> int:
    left, top, right, bottom = range_boundaries(reference)
    return (int(right or 0) - int(left or 0) + 1) * (int(bottom or 0) - int(top or 0) + 1)


def _formulas(data: bytes) -> Formulas:
    """The workbook's cells with their formulas, which openpyxl gives only in the place of their values."""
    book = load_workbook(io.BytesIO(data))
    held: dict[Place, object] = {}
    for sheet in book.worksheets:
        for (row, column), cell in _stored(sheet).items():
            held[sheet.title, row, column] = cell.value
    return Formulas(held)


def _stored(sheet: Worksheet) -> Mapping[tuple[int, int], Any]:
    """The cells there are; openpyxl's own iteration would build all those that are not."""
    cells: Mapping[tuple[int, int], Any] = sheet._cells
    return cells


def _read(book: Workbook, formulas: Formulas, name: str) -> Document:
    properties = book.properties
    language = marked_language(properties.language)
    into = SectionBuilder()
    for sheet in book.worksheets:
        if sheet.sheet_state != "visible":
            continue
        texts = _texts(sheet, formulas, language)
        if texts and not _NAMED_BY_PROGRAM.fullmatch(sheet.title):
            into.heading(1, sheet.title)
        for part in _parts(texts):
            _write(into, part, _bold_rows(sheet))
        into.leave(1)
    metadata = Metadata(title=squeeze(str(properties.title or "")) or None, language=language)
    return into.document(metadata, name)


def _texts(sheet: Worksheet, formulas: Formulas, language: str | None) -> Cells:
    """What the visible cells show; a cell merged over several rows speaks in each of them."""
    hidden = _hidden_columns(sheet)
    texts: Cells = {}
    for (row, column), cell in sorted(_stored(sheet).items()):
        if column in hidden or sheet.row_dimensions[row].hidden or cell.data_type == "e":
            continue
        value = cell.value if cell.value is not None else formulas.value((sheet.title, row, column))
        text = written(value, cell.number_format or "General", language)
        if text and not text.startswith("="):
            texts.setdefault(row, {})[column] = text
    for merged in sheet.merged_cells.ranges:
        text = texts.get(merged.min_row, {}).get(merged.min_col, "")
        for row in range(merged.min_row + 1, merged.max_row + 1):
            if text and row in texts:
                texts[row][merged.min_col] = text
    return texts


def _hidden_columns(sheet: Worksheet) -> set[int]:
    return {
        column
        for dimension in sheet.column_dimensions.values()
        if dimension.hidden
        for column in range(dimension.min or 0, min(dimension.max or 0, _MAX_COLUMN) + 1)
    }


def _bold_rows(sheet: Worksheet) -> set[int]:
    """Rows whose filled cells are all bold."""
    bold: dict[int, bool] = {}
    for (row, _), cell in _stored(sheet).items():
        if cell.value is not None:
            bold[row] = bold.get(row, True) and bool(cell.font and cell.font.b)
    return {row for row, is_bold in bold.items() if is_bold}


def _parts(texts: Cells) -> Iterator[Cells]:
    """The sheet cut at blank rows, and each piece at blank columns between two tables."""
    part: Cells = {}
    last = 0
    for row in sorted(texts):
        if part and row > last + 1:
            yield from _beside(part)
            part = {}
        part[row] = texts[row]
        last = row
    if part:
        yield from _beside(part)


def _beside(part: Cells) -> Iterator[Cells]:
    """Tables side by side; a lone column beside a table is a part of it."""
    columns = sorted({column for cells in part.values() for column in cells})
    groups: list[list[int]] = []
    for column in columns:
        if groups and column == groups[-1][-1] + 1:
            groups[-1].append(column)
        else:
            groups.append([column])
    if len(groups) < 2 or any(len(group) < 2 for group in groups):
        yield part
        return
    for group in groups:
        held = {row: {c: t for c, t in cells.items() if c in group} for row, cells in part.items()}
        yield {row: cells for row, cells in held.items() if cells}


def _write(into: SectionBuilder, part: Cells, bold: set[int]) -> None:
    """Caption rows, then the table under them."""
    columns = sorted({column for cells in part.values() for column in cells})
    numbers = sorted(part)
    rows: list[Row] = [[part[number].get(column, "") for column in columns] for number in numbers]
    captions = 0
    while captions < len(rows) and sum(map(bool, rows[captions])) == 1 and not _leads_group(rows, captions):
        captions += 1
    _write_captions(into, [next(filter(None, row)) for row in rows[:captions]], is_above=captions < len(rows))
    if captions < len(rows):
        is_bold = [number in bold for number in numbers[captions:]]
        add_grid(into, rows[captions:], bold=is_bold, group_level=3)


def _leads_group(rows: Sequence[Row], at: int) -> bool:
    """A lone first cell right over a row of data, not over column names, is a group of the table."""
    return at + 1 < len(rows) and any(looks_like_data(cell) for cell in rows[at + 1]) and bool(rows[at][0])


def _write_captions(into: SectionBuilder, captions: Sequence[str], *, is_above: bool) -> None:
    """A short caption over a table is its heading; longer ones, and notes, are text."""
    into.leave(2)
    for caption in captions:
        if (
            is_above
            and caption == captions[0]
            and len(caption) <= _MAX_CAPTION
            and caption[-1] not in ".:;!?"
        ):
            into.heading(2, caption)
        else:
            into.block("text", caption)
