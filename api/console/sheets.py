"""Tables as CSV files that a spreadsheet opens without carrying anything out."""

import csv
import io
import re
from collections.abc import Sequence

from fastapi import Response

from api.console.pages import HEADERS

Cell = str | int | float | None
# What makes a spreadsheet take a text for a formula (OWASP, CSV injection), also behind blanks.
_FORMULA = re.compile(r"[\s\x00]*[=+\-@＝＋－＠]|[\t\r\n]")


def sheet(name: str, head: Sequence[str], rows: Sequence[Sequence[Cell]]) -> Response:
    """A CSV file (RFC 4180, UTF-8 with its mark, decimal points) to be downloaded as `name`.csv."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(head)
    writer.writerows([[cell(value) for value in row] for row in rows])
    headers = {**HEADERS, "Content-Disposition": f'attachment; filename="{name}.csv"'}
    content = text.getvalue().encode("utf-8-sig")
    return Response(content, media_type="text/csv; charset=utf-8", headers=headers)


def cell(value: Cell) -> Cell:
    """A value as it may stand in a sheet: numbers as they are, texts never as formulas, None empty."""
    if isinstance(value, float):
        return int(value) if value.is_integer() else round(value, 6)
    if isinstance(value, str) and _FORMULA.match(value):
        return f"'{value}"
    return value
