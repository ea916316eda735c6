"""On which day something happened: the same words as of a day to come, read backwards.

"Il 10 novembre" is the last 10 November there was, "lunedì" the last Monday. Pure: the present comes in as
an argument.
"""

import calendar
import re
import unicodedata
from datetime import date, datetime, timedelta

from inference.when_calendar import Anchor, add_months
from inference.when_days import DayMention, find_days
from inference.when_lexer import Line, Token, fold, read_line

# Said of a day, these only say that it is past; "last night" is a day of its own.
_PAST = re.compile(
    r"\b(?:scors[oa]|passat[oa]|ultim[oa]|last(?! night)|past|pasad[oa](?! manana)|passad[oa])\b"
)
_AGO = frozenset(("fa", "ago", "atras"))
_SINCE = frozenset(("hace", "ha", "faz"))
_MOST_MONTHS = 12


def past_day(
    text: str, *, language: str, now: datetime, country: str | None = None, plainly: bool = False
) -> date | None:
    """The one day, today or before, that a text names; None for none, several, a span or one to come.

    `now` is aware and in the zone of the business. `plainly`: only what cannot be a day to come ("ieri",
    "lunedì scorso", a date with its year), where nobody asked for a day that is past.
    """
    folded = fold(unicodedata.normalize("NFC", text))
    told = _PAST.search(folded) is not None
    line = read_line(_PAST.sub(lambda found: " " * len(found.group()), folded), language)
    if (back := _days_ago(line)) is not None:
        return _back(now.date(), back)
    anchor = Anchor(now, line.language, country)
    found, _ = find_days(line, anchor)
    if len(found) != 1 or (told and "U" in line.kinds):  # "martedì della settimana scorsa"
        return None
    tokens = line.tokens[found[0].start : found[0].end]
    day = _backwards(found[0], tokens, line, anchor, told=told)
    if day is None or day > anchor.today:
        return None
    return day if not plainly or told or _is_past(tokens, anchor) else None


def _is_past(tokens: tuple[Token, ...], anchor: Anchor) -> bool:
    """Whether the words name a day that is over, whenever they are said."""
    return any(t.kind == "y" or (t.kind == "Y" and t.y) or (t.kind in "DQ" and t.n < 0) for t in tokens)


def _days_ago(line: Line) -> int | None:
    """The 3 of "tre giorni fa", "3 days ago", "hace tres días"; weeks and months name no day."""
    for found in re.finditer("[iN][Uj]", line.kinds):
        number, unit = line.tokens[found.start() : found.end()]
        before = line.tokens[found.start() - 1].text if found.start() else ""
        after = line.tokens[found.end()].text if found.end() < len(line.tokens) else ""
        if unit.name == "day" and (after in _AGO or before in _SINCE):
            return number.n
    return None


def _back(today: date, days: int) -> date | None:
    return today - timedelta(days=days) if days < today.toordinal() else None


def _backwards(
    mention: DayMention, tokens: tuple[Token, ...], line: Line, anchor: Anchor, *, told: bool
) -> date | None:
    kinds = "".join(token.kind for token in tokens)
    if set(kinds) & set("UXhFC"):  # of a week or month, and spans of time
        return None
    if set(kinds) & set("MYZ"):
        return _of_a_year(line, anchor)
    if kinds in ("D", "Q"):
        return mention.day
    weekday = next((token.n for token in tokens if token.kind == "W"), None)
    number = next((token.n for token in tokens if token.kind in "NO"), None)
    if number is not None:
        return _day_of_month(anchor.today, number, weekday)
    return _weekday(anchor.today, weekday, told=told) if weekday is not None else None


def _of_a_year(line: Line, anchor: Anchor) -> date | None:
    """A date with its month or a feast: the one of the year that ends today, or of the year it names."""
    since = add_months(anchor.today, -12) + timedelta(days=1)
    then = datetime.combine(since, anchor.now.time(), anchor.now.tzinfo)
    found, _ = find_days(line, Anchor(then, anchor.language, anchor.country))
    past = [one.day for one in found if one.day is not None and one.last is None and not one.options]
    return past[0] if len(found) == 1 and past else None


def _day_of_month(today: date, number: int, weekday: int | None) -> date | None:
    """The last day of that number, and of that weekday where one is said."""
    for months in range(_MOST_MONTHS):
        first = add_months(today.replace(day=1), -months)
        if not 1 <= number <= calendar.monthrange(first.year, first.month)[1]:
            continue
        day = first.replace(day=number)
        if day <= today and weekday in (None, day.weekday()):
            return day
    return None


def _weekday(today: date, weekday: int, *, told: bool) -> date | None:
    """The last such day; today's own name means a week ago only where it says so."""
    days = (today.weekday() - weekday) % 7
    if not days and not told:
        return None
    return today - timedelta(days=days or 7)
