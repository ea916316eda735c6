"""Days: which date "il primo sabato di marzo", "next Friday", "20/11" or "tra due settimane" names."""

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from functools import cache

from inference.when_calendar import (
    Anchor,
    add_months,
    coming,
    day_of_month,
    in_week,
    last_day,
    later,
    next_date,
    nth_weekday,
)
from inference.when_holidays import find_national, holiday_date
from inference.when_lexer import Line, Token, fold


@dataclass(frozen=True, slots=True)
class DayMention:
    """One day, as said by the tokens [start, end).

    `moment` is set when an exact time follows from the words ("in two hours"). `last` is the end of a
    range of days. `options` holds the dates of words that name several ("weekend"), `also` the less
    likely readings. `problem` is set when the date cannot be.
    """

    day: date | None = None
    part: str | None = None
    moment: datetime | None = None
    last: date | None = None
    options: tuple[date, ...] = ()
    also: tuple[date, ...] = ()
    problem: str | None = None
    start: int = 0
    end: int = 0


Reader = Callable[[list[Token], Anchor], DayMention | None]


def find_days(line: Line, anchor: Anchor) -> tuple[list[DayMention], Line]:
    """Every day the line names, in order, and the line without them."""
    found: list[DayMention] = []
    for pattern, reader in _rules():
        for match in pattern.finditer(line.kinds):
            start, end = match.span()
            try:
                mention = reader(list(line.tokens[start:end]), anchor)
            except (ValueError, OverflowError):  # ImpossibleDate, or a year outside 1 to 9999
                mention = DayMention(problem="impossible_date")
            if mention is not None:
                found.append(replace(mention, start=start, end=end))
                line = line.consume(start, end)
    if not found and anchor.country:
        found, line = _national(line, anchor, anchor.country)
    return sorted(found, key=lambda mention: mention.start), line


@cache
def _rules() -> tuple[tuple[re.Pattern[str], Reader], ...]:
    month_ref = "[GfI]?[LK]?[TX]*(?:M(?:,?[Gf]?y)?|UX?)"
    rules: tuple[tuple[str, Reader], ...] = (
        ("W,?[IF][iN]U|[IF][iN]U,?[LfG]*W", _weekday_of_week),
        ("[IF](?:[iN]?H[iN]?h|[iN]h(?:J[iN]?Hh?|J[iN]?Rh?|JNh)?|[iN][Uj]|C)", _duration),
        ("[IF][iN]?RG?[iN]?h", _quarter_of_an_hour),
        ("[iN]?H[iN]?hz|[iN](?:h|[Uj])z", _duration),
        ("[fGLB]*[NO][KALsJr-]+j?[NO][Gf]{0,2}M(?:[Gf]?y)?", _day_pair),
        ("U[GfL]{1,2}j?[NO][Gf]{0,2}M(?:[Gf]?y)?", _week_of),
        ("(?:W,?)?[LfGK]*j?[NO][Gf]{0,2}M(?:,?[Gf]?y)?", _day_and_month),
        ("(?:W,?)?[LfG]*M,?[LG]*[NO](?![xhak$]|UN)(?:,?y)?", _day_and_month),
        ("(?:W,?)?[LfK]*Y", _numeric),
        (f"O[Wj]{month_ref}", _nth),
        ("[LK]*j?[NO](?:[Gf]L?[TX]?UX?|UX)", _day_of_named_month),
        ("W[GfL]*[TX]*U(?:(?<=XU)|(?<=TU)|X)", _weekday_of_week),
        ("(?:[TX]U|UX),?[GfLA]*W", _weekday_of_week),
        ("[iN]U[fLG]*[WD]", _week_from),
        ("[WD]U", _week_from),
        ("G?D[KI]Nj?U?", _week_from),
        ("[iN]?[Uj][cb][GfL]*Z", _near_holiday),
        ("T?X?Z(?:[Gf]?y)?", _holiday),
        ("[TX]*W,?L*j?[NO](?![xhak$]|J[HRN]|J[iN]R|S|[-Ks]l?[NC])", _weekday_and_day),
        ("[TX]*WX?", _weekday),
        ("[DQ]", _relative),
        ("(?:[LKf]+j?|j)[NO](?![xhUM$%]|J[HR])|O", _day_alone),
        ("[TX]*EX?", _weekend),
        ("[TX]+U|UX", _vague_week),
    )
    return tuple((re.compile(pattern), reader) for pattern, reader in rules)


def _one(tokens: list[Token], kinds: str) -> Token | None:
    return next((token for token in tokens if token.kind in kinds), None)


def _has(tokens: list[Token], kind: str) -> bool:
    return any(token.kind == kind for token in tokens)


def _duration(tokens: list[Token], anchor: Anchor) -> DayMention | None:
    clock = _one(tokens, "C")
    if clock is not None:
        if clock.name != "h":
            return None
        return _moment(anchor, timedelta(hours=clock.n, minutes=clock.m))
    unit = _one(tokens, "Ujh")
    number = _one(tokens, "Ni")
    half_first = re.match("[IF]?[iN]?H", "".join(token.kind for token in tokens)) is not None
    amount = number.n if number and not half_first else 1
    if unit is None or amount > 1000:
        return None
    if unit.kind == "h":
        minutes = 60 if unit.name == "hour" else 1
        if half_first:
            return _moment(anchor, timedelta(minutes=minutes * 0.5))
        return _moment(anchor, timedelta(minutes=amount * minutes + _more_minutes(tokens)))
    return DayMention(day=_shift(anchor.today, amount, unit))


def _quarter_of_an_hour(_tokens: list[Token], anchor: Anchor) -> DayMention:
    return _moment(anchor, timedelta(minutes=15))


def _more_minutes(tokens: list[Token]) -> int:
    """The 30 of "un'ora e mezza", the 20 of "un'ora e 20"."""
    at = next((i for i, token in enumerate(tokens) if token.kind == "J"), None)
    if at is None:
        return 0
    tail = tokens[at:]
    if _has(tail, "H"):
        return 30
    if _has(tail, "R"):
        return 15
    number = _one(tail, "N")
    return number.n if number else 0


def _moment(anchor: Anchor, delta: timedelta) -> DayMention:
    moment = later(anchor.now, delta)
    return DayMention(day=moment.date(), moment=moment)


def _shift(day: date, amount: int, unit: Token) -> date:
    if unit.name == "month":
        return add_months(day, amount)
    if unit.name == "year":
        return add_months(day, 12 * amount)
    days = {"week": 7, "fortnight": 14}.get(unit.name, 1)
    return day + timedelta(days=amount * days)


def _day_pair(tokens: list[Token], anchor: Anchor) -> DayMention | None:
    first, second = (token for token in tokens if token.kind in "NO")
    month, year = _one(tokens, "M"), _one(tokens, "y")
    if month is None or (first.n > 31 and second.n > 31) or first.n < 1:
        return None
    last = next_date(anchor.today, second.n, month.n, year.n if year else 0)
    day = next_date(last, first.n, month.n, last.year)
    if last < anchor.today:
        return DayMention(day=day, problem="past")
    if _has(tokens, "r") or _has(tokens, "J"):
        return DayMention(options=(day, last))
    return DayMention(day=max(day, anchor.today) if day < last else last, last=last)


def _day_and_month(tokens: list[Token], anchor: Anchor) -> DayMention | None:
    number, month, year = _one(tokens, "NO"), _one(tokens, "M"), _one(tokens, "y")
    if number is None or month is None or number.n > 99 or number.n == -1:
        return None
    return _dated(tokens, anchor, next_date(anchor.today, number.n, month.n, year.n if year else 0))


def _week_of(tokens: list[Token], anchor: Anchor) -> DayMention | None:
    """ "La settimana del 7 dicembre": the days from that one to Saturday."""
    dated = _day_and_month(tokens, anchor)
    if tokens[0].name != "week" or dated is None or dated.day is None or dated.problem:
        return None
    left = max(1, 6 - dated.day.weekday())
    return DayMention(options=tuple(dated.day + timedelta(days=ahead) for ahead in range(left)))


def _dated(tokens: list[Token], anchor: Anchor, day: date) -> DayMention:
    """A calendar date, checked against the weekday said with it and against today."""
    weekday = _one(tokens, "W")
    if day < anchor.today:
        return DayMention(day=day, problem="past")
    if weekday is not None and day.weekday() != weekday.n:
        return DayMention(options=(day, coming(anchor.today, weekday.n)))
    return DayMention(day=day)


def _numeric(tokens: list[Token], anchor: Anchor) -> DayMention | None:
    token = tokens[-1]
    day, month = token.n, token.m
    if (day, month) in ((24, 7), (50, 50)) and not token.y and len(tokens) == 1:
        return None
    if token.name == "iso":
        return _dated(tokens, anchor, next_date(anchor.today, day, month, token.y))
    month_first = anchor.country == "US" or (anchor.language == "en" and month > 12)
    if month_first and day <= 12:
        day, month = month, day
    if not token.y and (day > 39 or (day > 12 and month > 12)):
        return None
    mention = _dated(tokens, anchor, next_date(anchor.today, day, month, token.y))
    if anchor.language == "en" and anchor.country is None and day != month and max(day, month) <= 12:
        swapped = next_date(anchor.today, month, day, token.y)
        return DayMention(options=tuple(d for d in (mention.day, swapped) if d and d >= anchor.today))
    return mention


def _month_named(tokens: list[Token], anchor: Anchor) -> tuple[int, int] | None:
    """(year, month) of "di marzo 2027", "del mese prossimo", "of this month"; None if no month is named."""
    month, unit, year = _one(tokens, "M"), _one(tokens, "U"), _one(tokens, "y")
    if month is not None:
        if year is not None:
            return year.n, month.n
        return anchor.today.year + (month.n < anchor.today.month), month.n
    if unit is None or unit.name != "month":
        return None
    first = add_months(anchor.today.replace(day=1), 1 if _has(tokens, "X") else 0)
    return first.year, first.month


def _nth(tokens: list[Token], anchor: Anchor) -> DayMention | None:
    named = _month_named(tokens, anchor)
    if named is None:
        return None
    year, month = named
    nth, weekday = tokens[0].n, _one(tokens, "W")

    def in_year(year: int) -> date:
        if weekday is not None:
            return nth_weekday(year, month, weekday.n, nth)
        return last_day(year, month) if nth == -1 else next_date(anchor.today, nth, month, year)

    day = in_year(year)
    if day < anchor.today and _has(tokens, "M") and not _has(tokens, "y"):
        day = in_year(year + 1)
    return DayMention(day=day, problem="past" if day < anchor.today else None)


def _day_of_named_month(tokens: list[Token], anchor: Anchor) -> DayMention | None:
    named, number = _month_named(tokens, anchor), _one(tokens, "NO")
    if named is None or number is None or number.n < 1:
        return None
    return _dated(tokens, anchor, next_date(anchor.today, number.n, named[1], named[0]))


def _weekday_of_week(tokens: list[Token], anchor: Anchor) -> DayMention | None:
    unit, weekday, number = _one(tokens, "U"), _one(tokens, "W"), _one(tokens, "Ni")
    if unit is None or weekday is None or unit.name != "week":
        return None
    weeks = number.n if number else int(_has(tokens, "X"))
    day = in_week(anchor.today, weekday.n, weeks)
    return DayMention(day=day, problem="past" if day < anchor.today else None)


def _week_from(tokens: list[Token], anchor: Anchor) -> DayMention | None:
    """ "A week on Monday", "Friday week", "oggi a otto", "de hoy en ocho"."""
    base, unit, number = _one(tokens, "WD"), _one(tokens, "U"), _one(tokens, "Ni")
    if base is None:
        return None
    start = coming(anchor.today, base.n) if base.kind == "W" else anchor.today + timedelta(days=base.n)
    if unit is None or unit.name == "day":
        if number is None or number.n not in (8, 15):
            return None
        return DayMention(day=start + timedelta(days=number.n - 1))
    if number is None and (anchor.language != "en" or unit.name != "week"):
        return None
    return DayMention(day=_shift(start, number.n if number else 1, unit))


def _near_holiday(tokens: list[Token], anchor: Anchor) -> DayMention | None:
    feast = _feast(tokens[-1], anchor, 0)
    unit, number, side = _one(tokens, "Uj"), _one(tokens, "Ni"), _one(tokens, "cb")
    if feast is None or unit is None or side is None:
        return None
    amount = (number.n if number else 1) * (1 if side.kind == "c" else -1)
    return DayMention(day=_shift(feast, amount, unit))


def _holiday(tokens: list[Token], anchor: Anchor) -> DayMention | None:
    token, year = _one(tokens, "Z"), _one(tokens, "y")
    day = _feast(token, anchor, year.n if year else 0) if token else None
    if day is None:
        return None
    return DayMention(day=day, problem="past" if day < anchor.today else None)


def _feast(token: Token, anchor: Anchor, year: int) -> date | None:
    if year:
        return holiday_date(token.name, year, anchor.country)
    day = holiday_date(token.name, anchor.today.year, anchor.country)
    if day is not None and day < anchor.today:
        return holiday_date(token.name, anchor.today.year + 1, anchor.country)
    return day


def _weekday_and_day(tokens: list[Token], anchor: Anchor) -> DayMention | None:
    """ "Venerdì 20": the day of the month; when that is no Friday, perhaps the hour ("lunedì 15")."""
    weekday, number = _one(tokens, "W"), tokens[-1]
    if weekday is None or not 1 <= number.n <= 31 or number.text.startswith("un"):
        return None
    marked = number.kind == "O" or any(token.kind in "Lj" and token.name != "weak" for token in tokens)
    day = day_of_month(anchor.today, number.n)
    if day.weekday() == weekday.n:
        return DayMention(day=day)
    following = day_of_month(day + timedelta(days=1), number.n)
    if following.weekday() == weekday.n:
        return DayMention(day=following)
    return DayMention(options=(day, coming(anchor.today, weekday.n))) if marked else None


def _weekday(tokens: list[Token], anchor: Anchor) -> DayMention:
    weekday = _one(tokens, "W")
    number = weekday.n if weekday else 0
    first = coming(anchor.today, number, today_counts=_has(tokens, "T"))
    if not _has(tokens, "X") or _has(tokens, "T"):
        return DayMention(day=first)
    next_week = in_week(anchor.today, number, 1)
    # English "next Friday" skips the one of this week; the other languages mean the first that comes.
    day = next_week if anchor.language == "en" else first
    return DayMention(day=day, also=tuple(sorted({first, next_week} - {day})))


def _relative(tokens: list[Token], anchor: Anchor) -> DayMention:
    token = tokens[0]
    day = anchor.today + timedelta(days=token.n)
    return DayMention(day=day, part=token.name or None, problem="past" if token.n < 0 else None)


def _day_alone(tokens: list[Token], anchor: Anchor) -> DayMention | None:
    number = tokens[-1]
    if not 1 <= number.n <= 31 or number.text.startswith("un"):
        return None
    if len(tokens) == 1 and not (anchor.language == "en" and number.text[:1].isdigit()):
        return None
    spelled_ordinal = number.kind == "O" and not number.text[:1].isdigit()
    if spelled_ordinal and (anchor.language != "en" or number.n < 4):
        return None  # "il primo", "the second" are rarely dates
    if number.kind == "N" and all(token.kind in "Kf" or token.name == "weak" for token in tokens[:-1]):
        return None
    return DayMention(day=day_of_month(anchor.today, number.n))


def _weekend(tokens: list[Token], anchor: Anchor) -> DayMention:
    saturday = coming(anchor.today, 5, today_counts=True)
    if _has(tokens, "X") and anchor.language == "en":
        saturday = in_week(anchor.today, 5, 1)
    return DayMention(options=(saturday, saturday + timedelta(days=1)))


def _vague_week(tokens: list[Token], anchor: Anchor) -> DayMention | None:
    unit = _one(tokens, "U")
    if unit is None or unit.name != "week":
        return None
    weeks = 1 if _has(tokens, "X") else 0
    days = (in_week(anchor.today, weekday, weeks) for weekday in range(6))
    return DayMention(options=tuple(day for day in days if day >= anchor.today))


def _national(line: Line, anchor: Anchor, country: str) -> tuple[list[DayMention], Line]:
    folded = fold(line.text)
    for year in range(anchor.today.year, min(anchor.today.year + 2, 10_000)):
        named = find_national(folded, country, year)
        if named is not None and named.date >= anchor.today:
            inside = [i for i, t in enumerate(line.tokens) if t.start < named.end and t.end > named.start]
            if inside:
                start, end = inside[0], inside[-1] + 1
                return [DayMention(day=named.date, start=start, end=end)], line.consume(start, end)
    return [], line
