"""Sources as workbooks: a sheet per heading, amounts as numbers with a currency format."""

import io
import re
from datetime import date, time
from decimal import Decimal
from typing import cast

from openpyxl import Workbook
from openpyxl.styles import Alignment, Font
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.worksheet import Worksheet

from knowledge.readers.formulas import Formulas, Place
from knowledge.sources.archive import repacked
from knowledge.sources.printed import WRITTEN
from knowledge.sources.source import BadSource, Source, Table

_AMOUNT = re.compile(
    r"(?P<before>€ ?)?(?P<number>-?\d{1,3}(?:[.,]\d{3})*(?:[.,]\d{1,2})?|\d+)(?P<after> ?€)?"
)
_NUMBER = re.compile(r"-?(?:0|[1-9]\d*)(?:[.,]\d{1,4})?")
_PERCENT = re.compile(r"(?P<number>-?\d+(?:[.,]\d+)?) ?%")
_TIME = re.compile(r"(?P<hour>[01]?\d|2[0-3]):(?P<minute>[0-5]\d)")
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")
_FORMULA_XML = re.compile(rb'(?P<cell><c r="(?P<at>[A-Z]+\d+)"[^>]*><f>[^<]*</f>)<v\s*/?>(?:</v>)?')
_LCIDS = {"it": "410", "es": "40A", "pt": "816", "en": "809"}
_WIDEST = 46

Value = int | float | str | time | date
Typed = tuple[Value, str | None]


def render_xlsx(source: Source) -> bytes:
    """The source as a workbook with the values of its formulas; the same source gives the same bytes.

    Raises BadSource for a formula that cannot be computed.
    """
    book = Workbook()
    book.remove(book.worksheets[0])
    properties = book.properties
    properties.title, properties.creator = source.title, source.author
    properties.language = source.language
    properties.created = WRITTEN.replace(tzinfo=None)
    _write_sheets(book, source)
    out = io.BytesIO()
    book.save(out)
    values = _computed(book, source)
    return repacked(out.getvalue(), lambda name, content: _with_values(content, values.get(name, {})))


def _write_sheets(book: Workbook, source: Source) -> None:
    sheet: Worksheet | None = None
    row = 1
    for part in source.body:
        if part.kind == "heading" or sheet is None:
            sheet = cast(Worksheet, book.create_sheet(_sheet_name(part.text if part.level else source.title)))
            row = 1
        if part.kind == "table":
            row = _write_table(sheet, part.table, row, source.language) + 1
        elif part.kind != "heading":
            for line in part.text.split("\n"):
                sheet.cell(row, 1, line)
                row += 1


def _sheet_name(text: str) -> str:
    return re.sub(r"[\\/*?:\[\]]", "-", text)[:31]


def _write_table(sheet: Worksheet, table: Table, row: int, language: str) -> int:
    """Writes the table from `row` on and returns the row under it."""
    for column, name in enumerate(table.header, start=1):
        sheet.cell(row, column, name).font = Font(bold=True)
    for number, cells in enumerate(table.rows, start=row + 1):
        last_format: str | None = None
        for column, text in enumerate(cells, start=1):
            if text:
                value, number_format = typed(text, language)
                cell = sheet.cell(number, column, value)
                if text.startswith("="):  # looks like the amounts before it, as in a spreadsheet program
                    number_format = number_format or last_format
                if number_format:
                    cell.number_format = last_format = number_format
                cell.alignment = Alignment(wrap_text=len(text) > _WIDEST, vertical="top")
    for column, name in enumerate(table.header):
        longest = max(len(name), *(len(cells[column]) for cells in table.rows), 8)
        letter = get_column_letter(column + 1)
        width = max(sheet.column_dimensions[letter].width or 0, min(longest, _WIDEST) + 2)
        sheet.column_dimensions[letter].width = width
    return row + 1 + len(table.rows)


def typed(text: str, language: str) -> Typed:
    """What a person would have typed for `text`, and the cell's number format."""
    amount = _AMOUNT.fullmatch(text)
    if amount and (amount["before"] or amount["after"]):
        places = "0.00" if re.search(r"[.,]\d{1,2}$", amount["number"]) else "0"
        number = f"#,##{places}"
        symbol = f"[$€-{_LCIDS[language]}]"
        return _decimal(amount["number"], language), f"{number} {symbol}" if amount[
            "after"
        ] else symbol + number
    if percent := _PERCENT.fullmatch(text):
        share = Decimal(percent["number"].replace(",", ".")) / 100
        return float(share), "0.##%" if "," in text or "." in text else "0%"
    if clock := _TIME.fullmatch(text):
        return time(int(clock["hour"]), int(clock["minute"])), "hh:mm"
    if _DAY.fullmatch(text):
        return date.fromisoformat(text), "dd/mm/yyyy"
    if _NUMBER.fullmatch(text):
        return _decimal(text, language), None
    return text, None


def _decimal(text: str, language: str) -> int | float:
    thousands, sign = (",", ".") if language == "en" else (".", ",")
    number = Decimal(text.replace(thousands, "").replace(sign, "."))
    return int(number) if number == number.to_integral_value() else float(number)


def _computed(book: Workbook, source: Source) -> dict[str, dict[str, object]]:
    """The values of the formulas by sheet file and cell name."""
    cells: dict[Place, object] = {}
    for sheet in book.worksheets:
        for row, values in enumerate(sheet.iter_rows(values_only=True), start=1):
            cells.update({(sheet.title, row, column): value for column, value in enumerate(values, start=1)})
    formulas = Formulas(cells)
    computed: dict[str, dict[str, object]] = {}
    for place, held in cells.items():
        if isinstance(held, str) and held.startswith("="):
            value = formulas.value(place)
            if not isinstance(value, int | float | Decimal):
                raise BadSource(f"{source.path}: {held} in row {place[1]} of {place[0]!r} gives no number")
            member = f"xl/worksheets/sheet{book.sheetnames.index(place[0]) + 1}.xml"
            computed.setdefault(member, {})[f"{get_column_letter(place[2])}{place[1]}"] = value
    return computed


def _with_values(content: bytes, values: dict[str, object]) -> bytes:
    """The sheet with each formula's value beside it, as spreadsheet programs save them."""
    if not values:
        return content
    return _FORMULA_XML.sub(
        lambda found: found["cell"] + f"<v>{values[found['at'].decode()]}</v>".encode(), content
    )
