"""Dates of four languages as comparable values: "MM-DD" or "YYYY-MM-DD", months "MM".

Works on folded text whose number words are digits already; `inference.grounding_times` reads the clock.
"""

import re
from collections.abc import Callable, Iterator

from inference.grounding_lengths import Reading

_MONTHS = (
    "gennaio|january|enero|janeiro",
    "febbraio|february|febrero|fevereiro",
    "marzo|march|marco",
    "aprile|april|abril",
    "maggio|may|mayo|maio",
    "giugno|june|junio|junho",
    "luglio|july|julio|julho",
    "agosto|august",
    "settembre|september|septiembre|setiembre|setembro",
    "ottobre|october|octubre|outubro",
    "novembre|november|noviembre|novembro",
    "dicembre|december|diciembre|dezembro",
)
MONTH_OF = {name: i + 1 for i, names in enumerate(_MONTHS) for name in names.split("|")}
_MONTH = "(" + "|".join(MONTH_OF) + ")"
_YEAR = r"(?:,?\s*(?:del?\s+)?((?:19|20)\d\d)\b)?"
_ISO = re.compile(r"\b(20\d\d)-(\d\d)-(\d\d)\b")
_SLASHED = re.compile(r"(?<![\d.,/])(\d{1,2})[/](\d{1,2})(?:[/](\d{4}|\d\d))?(?![\d/])")
_DOTTED = re.compile(r"(?<![\d.,/])(\d{1,2})[.-](\d{1,2})[.-](\d{4})(?!\d)")
_DAY_MONTH = re.compile(rf"\b(\d{{1,2}})(?:st|nd|rd|th|°|º)?\s*(?:de|di|of|d')?\s*{_MONTH}\b{_YEAR}")
_DAY_RANGE = re.compile(
    rf"\b(\d{{1,2}})(?:st|nd|rd|th|°|º)?\s*(?:-|–|—|/|to|until|and|al|alla?|a|e|y|ao?|ate|"
    rf"hasta)\s*(?:el |o |the |il )?"
    rf"(?=(\d{{1,2}})(?:st|nd|rd|th|°|º)?\s*(?:de|di|of)?\s*{_MONTH}\b{_YEAR})"
)
_MONTH_DAY = re.compile(rf"\b{_MONTH}\s+(\d{{1,2}})(?:st|nd|rd|th)?\b(?![:.,]?\d){_YEAR}")
# "December 24-26".
_MONTH_DAYS = re.compile(
    rf"\b{_MONTH}\s+(\d{{1,2}})(?:st|nd|rd|th)?\s*(?:-|–|—|to|and|through)\s*"
    rf"(\d{{1,2}})(?:st|nd|rd|th)?\b(?![:.]\d){_YEAR}"
)
_MONTH_RANGE = re.compile(
    rf"\b{_MONTH}\s*(?:-|–|—|to|through(?: to)?|until|till|al?|ad|ate|hasta|fino ad?|"
    rf"e si va avanti fino ad?)\s*{_MONTH}\b|\b(?:between|tra|fra|entre)\s+{_MONTH}\s+(?:e|y|"
    rf"and)\s+{_MONTH}\b"
)
# "Dal 20 maggio al 20 settembre" holds the whole of June.
_SEASON = re.compile(
    rf"\b{_MONTH}\s*(?:-|–|—|to|through|until|till|al?|ad|ate|hasta|fino al?)\s*(?:el |o |the |il )?"
    rf"\d{{1,2}}(?:st|nd|rd|th|°|º)?\s*(?:de|di|of)?\s*{_MONTH}\b"
)
_SHORT_MONTH_OF = {name[:3]: number for name, number in MONTH_OF.items()} | {"sept": 9, "sett": 9}
_SHORT_MONTHS = re.compile(
    "\\b(" + "|".join(_SHORT_MONTH_OF) + r")\.?\s?[-–—]\s?(" + "|".join(_SHORT_MONTH_OF) + r")\b(?!\w)"
)
# "19 Dec - 3 Jan", "Feb 15-19", not "5 out of ten" and not "gio 9-13 mar 15-19".
_SHORT_NAMES = "|".join(sorted({*_SHORT_MONTH_OF} - {"out", "mar", "may", "set"}, key=len, reverse=True))
_DAYS_OF_MONTHS = (
    (_DAY_MONTH, (1, 2), MONTH_OF),
    (_MONTH_DAY, (2, 1), MONTH_OF),
    (
        re.compile(
            rf"(?<![\d:.,])(\d{{1,2}})(?:st|nd|rd|th|°|º)?\s*(?:-|–|—|to|al?|ao?|y|e|and)\s*(?=\d{{1,2}}"
            rf"(?:st|nd|rd|th|°|º)?\s?(?:de |of )?({_SHORT_NAMES})\b{_YEAR})"
        ),
        (1, 2),
        _SHORT_MONTH_OF,
    ),
    (
        re.compile(
            rf"(?<![\d:.,])(\d{{1,2}})(?:st|nd|rd|th|°|º)?[ -]?(?:de |of )?({_SHORT_NAMES})\b\.?{_YEAR}"
        ),
        (1, 2),
        _SHORT_MONTH_OF,
    ),
    (
        re.compile(r"(?<![\d:.,])(\d{1,2})(?:st|nd|rd|th)? (mar|may|set|out),? ((?:19|20)\d\d)\b"),
        (1, 2),
        _SHORT_MONTH_OF,
    ),
    (
        re.compile(rf"\b({_SHORT_NAMES})\.? (\d{{1,2}})(?:st|nd|rd|th)?\b(?![:.,]?\d){_YEAR}"),
        (2, 1),
        _SHORT_MONTH_OF,
    ),
)
# Days known by a name everywhere in Europe.
_FEASTS = tuple(
    (value, re.compile(rf"\b(?:{names})\b"))
    for value, names in (
        ("01-01", r"new year['’]?s day|capodanno|ano nuevo|ano novo|primo dell['’]anno"),
        ("01-06", r"epifania|epiphany|dia de reyes|dia de reis|befana"),
        ("02-14", r"(?:san|saint|st\.?|sao) valent[ií]n[eo]?(?:['’]?s)?(?: day)?|valentine['’]?s(?: day)?"),
        ("12-24", r"christmas eve|vigilia di natale|nochebuena|vespera de natal|noite de natal"),
        ("12-25", r"christmas day|(?:il )?giorno di natale|dia de natal|dia de navidad"),
        ("12-26", r"boxing day|santo stefano"),
        ("12-31", r"new year['’]?s eve|nochevieja|san silvestro|vespera de ano novo"),
    )
)
# "The first Saturday of the month": which one, "1/5", "last/5" for the last; the day is a value of its own.
_WHICH = {
    "1": "primo|prima|first|primer|primero|primera|primeiro|primeira|1st|1º|1o",
    "2": "secondo|seconda|second|segundo|segunda|2nd|2º|2o",
    "3": "terzo|terza|third|tercer|tercero|tercera|terceiro|terceira|3rd|3º|3o",
    "4": "quarto|quarta|fourth|cuarto|cuarta|4th|4º|4o",
    "last": "ultimo|ultima|last",
}
_WHICH_OF = {name: which for which, names in _WHICH.items() for name in names.split("|")}
_OF_WEEK = (
    "lunedi|monday|lunes|segunda-feira",
    "martedi|tuesday|martes|terca-feira",
    "mercoledi|wednesday|miercoles|quarta-feira",
    "giovedi|thursday|jueves|quinta-feira",
    "venerdi|friday|viernes|sexta-feira",
    "sabato|saturday|sabado",
    "domenica|sunday|domingo",
)
_DAY_OF = {name: day for day, names in enumerate(_OF_WEEK) for name in names.split("|")}
_NTH_DAY = re.compile(rf"\b({'|'.join(_WHICH_OF)})\s+({'|'.join(_DAY_OF)})\b")
_DIGIT = re.compile(r"\d")
_MONTH_ALONE = re.compile(rf"\b{_MONTH}\b")


def _seasons(text: str) -> Iterator[tuple[tuple[int, int], int]]:
    """The months of each stretch of the year: "from March to May", "oct-mar", "20 maggio - 20 settembre"."""
    for pattern, months in ((_MONTH_RANGE, MONTH_OF), (_SEASON, MONTH_OF), (_SHORT_MONTHS, _SHORT_MONTH_OF)):
        for m in pattern.finditer(text):
            first, last = (months[name] for name in m.groups() if name)
            last += 12 if last < first else 0
            inside = range(first, last + 1) if pattern is not _SEASON else range(first + 1, last)
            yield from ((m.span(), (month - 1) % 12 + 1) for month in inside)


def nth_days(text: str, language: str | None) -> Iterator[Reading]:
    """Which of a month's weekdays: "2/6" is the second Sunday, "last/6" the last."""
    for m in _NTH_DAY.finditer(text):
        yield "date", frozenset({f"{_WHICH_OF[m[1]]}/{_DAY_OF[m[2]]}"}), m.span(1)


def _numbered(text: str, date: Callable[..., Iterator[Reading]]) -> Iterator[Reading]:
    """Days of months, written in whatever order."""
    for m in _ISO.finditer(text):
        yield from date(m.span(), m[3], int(m[2]), m[1])
    for pattern in (_SLASHED, _DOTTED):
        for m in pattern.finditer(text):
            yield from date(m.span(), m[1], int(m[2]), m[3])
    for m in _DAY_RANGE.finditer(text):
        yield from date(m.span(1), m[1], MONTH_OF[m[3]], m[4])
    for m in _MONTH_DAYS.finditer(text):
        yield from date((m.start(), m.start(3)), m[2], MONTH_OF[m[1]], m[4])
        yield from date((m.start(3), m.end()), m[3], MONTH_OF[m[1]], m[4])
    for pattern, (day, month), months in _DAYS_OF_MONTHS:
        for m in pattern.finditer(text):
            yield from date(m.span(), m[day], months[m[month]], m[3])


def date_facts(text: str, language: str | None) -> Iterator[Reading]:
    """Calendar dates, and months named alone."""
    used: list[tuple[int, int]] = []

    def date(span: tuple[int, int], day: str, month: int, year: str | None) -> Iterator[Reading]:
        if 1 <= int(day) <= 31 and 1 <= month <= 12 and not any(s < span[1] and span[0] < e for s, e in used):
            used.append(span)
            short = f"{month:02d}-{int(day):02d}"
            full = f"{'20' if year and len(year) == 2 else ''}{year}-{short}" if year else short
            yield "date", frozenset({full}), span

    yield from _numbered(text, date) if _DIGIT.search(text) else ()
    for span, month in _seasons(text):
        if _MONTH_RANGE.fullmatch(text, *span):
            used.append(span)
        yield "date", frozenset({f"{month:02d}"}), span
    feasts = [(m.span(), value) for value, pattern in _FEASTS for m in pattern.finditer(text)]
    yield from (
        ("date", frozenset({value}), (start, end))
        for (start, end), value in feasts
        if not any(s < end and start < e for s, e in used)
    )
    for m in _MONTH_ALONE.finditer(text):
        # English "may" and "march" are verbs more often than months.
        verb = m[1] in ("may", "march") and not re.search(
            r"\b(?:in|of|until|from|during|and|to|till|through)\s$", text[: m.start()]
        )
        if not verb and not any(s <= m.start() < e for s, e in used):
            yield "date", frozenset({f"{MONTH_OF[m[1]]:02d}"}), m.span()
