"""Days of the week and spans of a day as people write them on a door, in four languages."""

import re
from collections.abc import Iterable
from datetime import time
from itertools import pairwise

from knowledge.facts.fact import Span, Unclear
from knowledge.facts.words import fold, says_nothing

_MOST_CHARS = 150
_NAMES = (
    "lunedi lun monday mon lunes segunda segunda-feira seg 2a 2a-feira",
    "martedi mar martes tuesday tue tues terca terca-feira ter 3a 3a-feira",
    "mercoledi mer merc wednesday wed miercoles mie mier quarta quarta-feira qua 4a 4a-feira",
    "giovedi gio giov thursday thu thur thurs jueves jue quinta quinta-feira qui 5a 5a-feira",
    "venerdi ven friday fri viernes vie sexta sexta-feira sex 6a 6a-feira",
    "sabato sab saturday sat sabado",
    "domenica dom sunday sun domingo",
)
_DAYS = {name: number for number, names in enumerate(_NAMES) for name in names.split()}
_SEVERAL: dict[str, tuple[int, ...]] = {
    **dict.fromkeys(
        (
            "tutti i giorni",
            "ogni giorno",
            "every day",
            "daily",
            "todos los dias",
            "cada dia",
            "todos os dias",
        ),
        tuple(range(7)),
    ),
    **dict.fromkeys(("weekdays", "dias uteis"), tuple(range(5))),
    **dict.fromkeys(("weekend", "weekends", "fine settimana", "fin de semana", "fim de semana"), (5, 6)),
}
_ONE_DAY = "|".join(sorted(map(re.escape, _DAYS), key=len, reverse=True))
_ARTICLE = r"(?:il |dal |al |la |el |los |a |as |aos |on )?"
_DAY_RANGE = re.compile(
    rf"(?:da|dal|from|de|del|das?)?\s?{_ARTICLE}(?P<first>{_ONE_DAY})\.?"
    rf"\s?(?:-|a|al|to|through|till|until|hasta|ate)\s?{_ARTICLE}(?P<last>{_ONE_DAY})\.?"
)
_DAY_JOINT = re.compile(r"\s?[,;/+&]\s?|\s(?:e|and|y)\s")
_DAY = re.compile(rf"{_ARTICLE}(?P<day>{_ONE_DAY})s?\.?")

_CLOSED = re.compile(
    r"chius[oaie]|closed|cerrad[oa]s?|fechad[oa]s?|encerrad[oa]s?|riposo|day off|descanso|folga"
)
_TIME = r"(?:[01]?\d|2[0-3])(?:\s?[:.h]\s?[0-5]\d(?::00)?|\s?h)?\s?(?:[ap]\.?m\.?)?"
_CLOCK = re.compile(
    r"(?P<hour>[01]?\d|2[0-3])(?:\s?[:.h]\s?(?P<minute>[0-5]\d)(?::00)?|\s?h)?\s?(?P<half>[ap])?(?:\.?m\.?)?"
)
_OPENS_WITH = r"(?:dalle (?:ore )?|dall'|ore |from |de las? |de |das |desde las? |as |a las? )?"
_SPAN = re.compile(
    rf"{_OPENS_WITH}(?P<opens>{_TIME})"
    r"\s?(?:-|alle (?:ore )?|all'|a las? |a |as |ate (?:as )?|to |until |till |hasta las? )\s?"
    rf"(?P<closes>{_TIME})"
)
_SPAN_JOINT = re.compile(r"\s?[,;/|+&]\s?|\s(?:e|and|y)\s")
_LINE = re.compile(rf"(?P<days>[^\d:]+?)\s?:?\s(?P<hours>\d.*|{_CLOSED.pattern}|{_OPENS_WITH[3:-2]}\d.*)")


def weekdays_of(cell: str) -> tuple[int, ...]:
    """The days a cell names: "Lunedì", "lun–ven", "sabato e domenica", "dias úteis". Raises Unclear."""
    if len(cell) > _MOST_CHARS:
        raise Unclear("a text, not days of the week")
    text = fold(cell).strip(" .:")
    if text in _SEVERAL:
        return _SEVERAL[text]
    days: list[int] = []
    for part in _DAY_JOINT.split(text.replace(" feira", "-feira")):
        days += _days_of_part(part)
    if len(set(days)) != len(days):
        raise Unclear("a day is named twice")
    return tuple(sorted(days))


def names_weekdays(cell: str) -> bool:
    """Whether a cell is days of the week and nothing else."""
    try:
        return bool(weekdays_of(cell))
    except Unclear:
        return False


def split_line(text: str) -> tuple[str, str] | None:
    """ "lunedì–venerdì 10:00–21:00" as days and hours; None for anything else."""
    found = _LINE.fullmatch(fold(text)) if len(text) <= _MOST_CHARS else None
    return (found["days"], found["hours"]) if found and names_weekdays(found["days"]) else None


def spans_of(cells: Iterable[str]) -> tuple[Span, ...]:
    """The spans of a day from the cells beside its name: "10:00–21:00", or opening and closing time in turn.

    Nothing but "closed" or dashes gives no span. Raises Unclear.
    """
    spans: list[Span] = []
    waiting: time | None = None
    for cell in cells:
        for part in _parts(cell):
            whole = _SPAN.fullmatch(part)
            if whole and waiting is None:
                spans.append((_clock(whole["opens"]), _clock(whole["closes"])))
            elif whole:
                raise Unclear("an opening time without a closing time")
            elif waiting is None:
                waiting = _clock(part)
            else:
                spans.append((waiting, _clock(part)))
                waiting = None
    if waiting is not None:
        raise Unclear("an opening time without a closing time")
    return in_order(spans)


def in_order(spans: Iterable[Span]) -> tuple[Span, ...]:
    """Spans of one day from morning to evening. Raises Unclear where they overlap or pass midnight."""
    ordered = sorted(spans)
    for opens, closes in ordered:
        if closes <= opens:
            raise Unclear(
                f"{opens:%H:%M}–{closes:%H:%M}: hours past midnight, or in 12-hour time: write 18:00"
            )
    for (_, closes), (opens, _) in pairwise(ordered):
        if opens < closes:
            raise Unclear("hours that overlap")
    return tuple(ordered)


def _days_of_part(part: str) -> list[int]:
    if found := _DAY_RANGE.fullmatch(part):
        first, last = _DAYS[found["first"]], _DAYS[found["last"]]
        if last <= first:
            raise Unclear(f"«{part}»: days that end before they begin")
        return list(range(first, last + 1))
    if found := _DAY.fullmatch(part):
        return [_DAYS[found["day"]]]
    if part in _SEVERAL:
        return list(_SEVERAL[part])
    raise Unclear(f"«{part}» is no day of the week")


def _parts(cell: str) -> list[str]:
    """The times and spans in a cell; none where it says closed or nothing."""
    if len(cell) > _MOST_CHARS:
        raise Unclear("a text, not hours")
    text = fold(cell).strip(" .")
    if says_nothing(text) or _CLOSED.fullmatch(text):
        return []
    return [part for part in _SPAN_JOINT.split(text) if part]


def _clock(written: str) -> time:
    found = _CLOCK.fullmatch(written.strip())
    if found is None:
        raise Unclear(f"«{written}» is no time of day that can be read with certainty")
    hour = int(found["hour"])
    if found["half"]:
        if not 1 <= hour <= 12:
            raise Unclear(f"«{written}» is no time of day")
        hour = hour % 12 + (12 if found["half"] == "p" else 0)
    return time(hour, int(found["minute"] or 0))
