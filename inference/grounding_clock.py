"""Hours as they are spoken: "le due e mezza", "half past two", "cinco menos um quarto" become 2:30 and 4:45.

Works on folded text whose number words are digits already, and keeps every position.
"""

import re
from collections.abc import Callable

from inference.grounding_dates import MONTH_OF

_NAMED = {
    "mezzogiorno": 12,
    "noon": 12,
    "midday": 12,
    "mediodia": 12,
    "meio-dia": 12,
    "meio dia": 12,
    "mezzanotte": 0,
    "midnight": 0,
    "medianoche": 0,
    "meia-noite": 0,
    "meia noite": 0,
}
_HOUR = r"(?<![\d.,:])\b(\d{1,2}|" + "|".join(_NAMED) + r")"
_DAYPART_NEXT = r"(?=\s*(?:$|[.,;:!?)¦]|da\b|de la\b|del\b|e\b|y\b|in the\b|menos?\b|al?\b|ate\b|hasta\b))"
# "All'una", "a la una", "até à uma": one o'clock, and no article.
_ONE = (
    re.compile(r"(?<=ll['’])una\b"),
    re.compile(r"(?<=\b[ae] l['’])una\b"),
    re.compile(r"(?<=\bla )una\b" + _DAYPART_NEXT),
    re.compile(r"(?<=\ba )uma?\b(?=\s*(?:$|[.,;)]|da (?:tarde|manha|madrugada)|e meia|e um quarto))"),
    re.compile(r"(?<=\ba )una\b(?=\s*(?:$|[.,;)]|y media|y cuarto|de la (?:tarde|manana)))"),
    re.compile(r"(?<=\bde )una\b(?=\s*(?:y media|y cuarto|a \d|de la (?:tarde|manana)))"),
    re.compile(r"(?<=\bat )one\b" + _DAYPART_NEXT),
    re.compile(r"(?<=\bto )one\b" + _DAYPART_NEXT),
    re.compile(r"\bone\b(?=\s*o['’]?clock|\s+in the (?:morning|afternoon)|\s*[ap]\.?m\b)"),
)
_RANGE_TO_ONE = re.compile(r"(?<=\d)(\s+a )una\b" + _DAYPART_NEXT)


def _past(minutes: int) -> Callable[[int], tuple[int, int]]:
    return lambda hour: (hour, minutes)


def _quarter_to(hour: int) -> tuple[int, int]:
    return (hour - 1) % 24, 45


_SPOKEN: tuple[tuple[re.Pattern[str], Callable[[int], tuple[int, int]]], ...] = (
    (re.compile(_HOUR + r"\s+(?:e mezz[ao]|y media|e meia)\b"), _past(30)),
    (re.compile(_HOUR + r"\s+(?:e (?:un|um|1) +quarto|y cuarto|e quarto)\b"), _past(15)),
    (re.compile(_HOUR + r"\s+(?:e (?:tre|3) +quarti)\b"), _past(45)),
    (
        re.compile(_HOUR + r"\s+(?:meno (?:un|1) +quarto|menos cuarto|menos (?:um |1 )? *quarto)\b"),
        _quarter_to,
    ),
    (re.compile(r"\bhalf past\s+(\d{1,2}|noon|midday|midnight)\b"), _past(30)),
    (re.compile(r"\bhalf\s+(\d{1,2})\b(?!\s*(?:hours?|price|%|[:.]\d|x))"), _past(30)),
    (re.compile(r"\b(?:a )?quarter past\s+(\d{1,2}|noon|midday|midnight)\b"), _past(15)),
    (re.compile(r"\b(?:a )?quarter to\s+(\d{1,2}|noon|midday|midnight)\b"), _quarter_to),
    (re.compile(r"\b(?:um )?quarto para as\s+(\d{1,2})\b"), _quarter_to),
)
_PLAIN = r"(\d{1,2}|" + "|".join(_NAMED) + r")\b"
# "Alle 10 meno 20", "twenty to ten", "quinze para o meio-dia".
_SHORT_OF = re.compile(
    r"(?<![\d.,:])\b(\d{1,2})\s+(?:meno|menos)\s+(5|10|20|25)\b(?!\s*(?:eur|€|%|per|por|[.,:]\d))"
)
_TO = re.compile(
    r"(?<!from )(?<!between )(?<![\d.,:])\b(5|10|15|20|25)\s+(?:to|para\s+(?:as|o|a))\s+"
    + _PLAIN
    + r"(?![.:]\d|\s*[a-z€%])"
)
_TO_PART = re.compile(
    r"(?<!from )(?<!between )(?<![\d.,:])\b(5|10|15|20|25)\s+(?:to|para\s+(?:as|o|a))\s+"
    + _PLAIN
    + r"(?=\s*(?:da (?:manha|tarde|noite)|in the (?:morning|afternoon|evening)|at night|"
    r"de |e |ate |on |every ))"
)
# "June 5 to 8", "children aged 5 to 12": days and years.
_DAYS_OR_AGES = re.compile(
    r"\b(?:" + "|".join(MONTH_OF) + r"|age[sd]?|aged|children|kids|bambin[ei]|nin[oa]s|criancas)\s+$"
)
_PAST = re.compile(r"(?<![\d.,:])\b(5|10|20|25)\s+past\s+" + _PLAIN)
_MINUTES = re.compile(
    r"(?<=\b)((?:alle|dalle|le|a las|las|as|das|pelas|ore)\s+)(\d{1,2})\s+(?:e|y)\s+([1-5][05]|5)\b"
    r"(?!\s*(?:minut|euro|person|%|[:.h]\d))"
)


# What each of the patterns above has in it, whatever else.
_ONES = ("una", "uma", "one")
_PARTS = ("mezz", "medi", "meia", "quart", "cuarto", "half")


def spoken_clock(text: str) -> str:
    """The text with spoken hours written H:MM, padded with spaces to the length they had."""
    # Most texts have none of these words, and a pattern that begins with a number is tried at every place.
    if any(word in text for word in _ONES):
        for pattern in _ONE:
            text = pattern.sub(lambda m: "1".ljust(len(m.group())), text)
        text = _RANGE_TO_ONE.sub(lambda m: f"{m[1]}1  ", text)
    if any(word in text for word in _PARTS):
        for pattern, reading in _SPOKEN:
            text = pattern.sub(lambda m, reading=reading: _written(m, reading), text)  # type: ignore[misc]
    text = _MINUTES.sub(lambda m: f"{m[1]}{m[2]}:{int(m[3]):02d}".ljust(len(m.group())), text)
    text = _SHORT_OF.sub(lambda m: _short(m, m[1], m[2]), text)
    for pattern in (_TO, _TO_PART):
        text = pattern.sub(_less_than_to, text)
    return _PAST.sub(lambda m: _short(m, m[2], f"-{m[1]}"), text)


def _less_than_to(match: re.Match[str]) -> str:
    if _DAYS_OR_AGES.search(match.string[: match.start()][-16:]):
        return match.group()
    return _short(match, match[2], match[1])


def _short(match: re.Match[str], hour: str, minutes: str) -> str:
    """An hour less some minutes, written as a clock shows it, in the room the words had."""
    whole = _NAMED[hour] if hour in _NAMED else int(hour)
    if whole > 24:
        return match.group()
    total = (whole * 60 - int(minutes)) % 1440
    return f"{total // 60}:{total % 60:02d}".ljust(len(match.group()))


def _written(match: re.Match[str], reading: Callable[[int], tuple[int, int]]) -> str:
    word = match[1]
    said = _NAMED[word] if word in _NAMED else int(word)
    if said > 24:
        return match.group()
    hour, minute = reading(said)
    return f"{hour}:{minute:02d}".ljust(len(match.group()))
