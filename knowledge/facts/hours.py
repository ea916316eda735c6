"""Tables of opening hours: which tables are one, and when each day is open."""

import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from knowledge.facts.fact import HoursFact, Unclear, Unread
from knowledge.facts.table import Row, Table
from knowledge.facts.week import names_weekdays, spans_of, split_line, weekdays_of
from knowledge.facts.words import fold

_DAY_COLUMN = re.compile(r"^(?:giorn[oi]|days?|dias?|dia da semana|weekdays?|)$")
_OPENING = re.compile(
    r"\b(?:apertura|apre|chiusura|chiude|opens?|opening|closes?|closing|abre|abertura|cierre|cierra"
    r"|fecho|fecha|encerramento|fechamento|funcionamento)\b"
)
_HOURS_COLUMN = re.compile(
    r"^(?:orari[oi]?|hours?|times?|horarios?|dalle(?: ore)?|alle(?: ore)?|from|to|until|desde|hasta|das|as"
    r"|ate|de|a|mattin[ao]|pomeriggio|sera|morning|afternoon|evening|manana|manha|tarde|noche|noite|)$"
)
_PLACE_COLUMN = re.compile(
    r"^(?:sed[ei]|negozi[oi]o?|luogo|locations?|office|branch|store|shop|oficina|tienda|local|escritorio|loja"
    r"|centro|studio|filiale)$"
)
_HOURS_HEADING = re.compile(
    r"\borari[oi]?\b|\bhours\b|\bhorarios?\b|\bopening times\b|\baperture?\b|\bquando siamo\b"
)
_SOMETHING_ELSE = re.compile(
    r"\b(?:lezion[ei]|cors[oi]|class(?:es)?|lessons?|courses?|clases?|cursos?|aulas?|palinsesto|timetable"
    r"|telefon\w+|phone|assistenza|consegn\w+|deliver\w+|entregas?|visite|turn[oi]|shifts?|turnos?)\b"
)
_HOLIDAYS = re.compile(r"\b(?:festiv[oi]|holidays?|feriados?|bank holidays?|prefestivi|vigilia)\b")


@dataclass(frozen=True)
class _Day:
    """What the rows of a table say of one day at one place."""

    cells: list[str]
    rows: list[str]


def is_week(table: Table) -> bool:
    """Whether a table goes by days of the week."""
    first = [_split(row)[0] for row in table.rows]
    return any(map(names_weekdays, first)) and all(names_weekdays(c) or _is_holiday(c) for c in first)


def hours_of(table: Table, title: str) -> Iterator[HoursFact | Unread]:
    """The days a table of opening hours states; one note for a week of something else."""
    headings = (*table.headings, title)
    if reason := _why_not(table, headings):
        yield Unread(table.rows[0].text, reason)
        return
    days: dict[tuple[int, str], _Day] = defaultdict(lambda: _Day([], []))
    for row in table.rows:
        first, rest, place = _split(row)
        if _is_holiday(first):
            yield Unread(row.text, "holidays: enter them as closures")
            continue
        for weekday in weekdays_of(first):
            days[weekday, place].cells.extend(rest)
            days[weekday, place].rows.append(row.text)
    for (weekday, place), day in sorted(days.items()):
        try:
            spans = spans_of(day.cells)
        except Unclear as error:
            yield Unread(" · ".join(day.rows), str(error))
            continue
        context = tuple(words for words in (place, *reversed(table.headings), title) if words)
        yield HoursFact(weekday, spans, context, table.language, " · ".join(day.rows))


def _why_not(table: Table, headings: Sequence[str]) -> str:
    """Why a week is not read as opening hours; "" when it is."""
    columns = [fold(column) for column in table.columns]
    for column in columns:
        known = (_DAY_COLUMN, _OPENING, _HOURS_COLUMN, _PLACE_COLUMN)
        if not any(pattern.search(column) for pattern in known):
            return f"a week with «{column}»: not read as opening hours"
    for heading in headings[:-1]:
        if _SOMETHING_ELSE.search(fold(heading)):
            return f"under «{heading}»: hours of something else than the place"
    told = any(_OPENING.search(column) for column in columns)
    told = told or any(_HOURS_HEADING.search(fold(heading)) for heading in headings)
    return "" if told else "nothing says that these are opening hours: put it in the heading"


def _split(row: Row) -> tuple[str, list[str], str]:
    """A row as day, hours and place."""
    if len(row.cells) == 1:
        line = split_line(row.cells[0][1])
        return (line[0], [line[1]], "") if line else (row.cells[0][1], [], "")
    place = next((value for column, value in row.cells if _PLACE_COLUMN.search(fold(column))), "")
    cells = [value for column, value in row.cells if not _PLACE_COLUMN.search(fold(column))]
    return cells[0], cells[1:], place


def _is_holiday(cell: str) -> bool:
    return _HOLIDAYS.search(fold(cell)) is not None
