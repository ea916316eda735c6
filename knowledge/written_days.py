"""Days and spans of days as people write them in a sentence, in four languages."""

import re
import unicodedata
from collections.abc import Iterator
from datetime import date

from babel import Locale

_LANGUAGES = ("it", "en", "es", "pt")


def days_in(sentence: str) -> tuple[date | None, date | None] | None:
    """The first and last day of the first phrase in a folded sentence that limits something on a date."""
    between = _BETWEEN.search(sentence)
    if between:
        ends = _day(between["until"], None)
        starts = _day(between["since"], ends)
        if ends and starts and starts <= ends:
            return starts, ends
    until = _UNTIL.search(sentence)
    if until and (ends := _day(until["until"], None)):
        return None, ends
    since = _SINCE.search(sentence)
    if since and (starts := _day(since["since"], None)):
        return starts, None
    return None


def _day(written: str, before: date | None) -> date | None:
    """A written day; one without a year takes that of `before`, or the year earlier if it would be later."""
    iso = re.fullmatch(r"(\d{4})-(\d{2})-(\d{2})", written)
    figures = re.fullmatch(r"(\d{1,2})[./-](\d{1,2})(?:[./-](\d{2}|\d{4}))?", written)
    if iso:
        return _date(int(iso[1]), int(iso[2]), int(iso[3]))
    if figures:
        year = int(figures[3]) if figures[3] else None
        year = 2000 + year if year is not None and year < 100 else year
        return _in_year(int(figures[1]), int(figures[2]), year, before)
    if before and re.fullmatch(r"\d{1,2}(?:st|nd|rd|th)?", written):  # "from 3 to 23 August"
        return _date(before.year, before.month, int(written.rstrip("stndrh")))
    number = re.search(r"(?<!\d)(\d{1,2})(?!\d)", written)
    name = next((word for word in re.findall(r"[a-z]+", written) if word in _MONTHS), None)
    year_written = re.search(r"\b(\d{4})\b", written)
    if not (number and name):
        return None
    return _in_year(int(number[1]), _MONTHS[name], int(year_written[1]) if year_written else None, before)


def _in_year(day: int, month: int, year: int | None, before: date | None) -> date | None:
    if year is not None:
        return _date(year, month, day)
    if before is None:
        return None
    found = _date(before.year, month, day)
    return found if found is None or found <= before else _date(before.year - 1, month, day)


def _date(year: int, month: int, day: int) -> date | None:
    try:
        return date(year, month, day)
    except ValueError:
        return None


def folded(text: str) -> str:
    """Small letters without accents and ordinal signs, on one line."""
    decomposed = unicodedata.normalize("NFKD", text.casefold())
    plain = "".join(char for char in decomposed if not unicodedata.combining(char))
    return " ".join(plain.replace("º", "").replace("°", "").split())


def _month_names() -> Iterator[tuple[str, int]]:
    for language in _LANGUAGES:
        for width in ("wide", "abbreviated"):
            for context in ("format", "stand-alone"):
                for number, name in Locale.parse(language).months[context][width].items():
                    yield folded(name).rstrip("."), number
    yield "sept", 9


_MONTHS = dict(_month_names())
_MONTH = "(?:" + "|".join(sorted(_MONTHS, key=len, reverse=True)) + r")\b\.?"
_ARTICLE = r"(?:(?:il|lo|l'|el|o|the|dia|giorno)\s?)?"
_WEEKDAY = r"(?:[a-z]+(?:-feira)?,? )?"
_DATE = (
    rf"(?:\d{{4}}-\d{{2}}-\d{{2}}|\d{{1,2}}[./-]\d{{1,2}}(?:[./-]\d{{2,4}})?"
    rf"|\d{{1,2}}(?:st|nd|rd|th|o)?(?: de| of)? {_MONTH}(?:,? (?:de |del )?\d{{4}})?"
    rf"|{_MONTH} \d{{1,2}}(?:st|nd|rd|th)?(?:,? \d{{4}})?)"
)
# "Dal 1 settembre al 31 agosto", "from … to", "del … al", "de … a", "between … and …".
_BETWEEN = re.compile(
    rf"\b(?:dal(?:l')?|da|from|desde|del|de|do|entre|between|tra|fra)\s?{_ARTICLE}{_WEEKDAY}"
    rf"(?P<since>{_DATE}|\d{{1,2}}(?:st|nd|rd|th)?)"
    rf",? (?:(?:fino |sino )?al(?:l')?|(?:up )?to|until|till|through|hasta|al?|ate(?: a| ao)?|e|y|and)"
    rf"\s?{_ARTICLE}{_WEEKDAY}(?P<until>{_DATE})"
)
_UNTIL = re.compile(
    rf"\b(?:(?:fino|sino) (?:al(?:l')?|a)|entro|until|till|through|hasta|ate(?: a| ao)?"
    rf"|(?:scad\w+|termin\w+|finisc\w+|ends?|expir\w+|caduc\w+|finaliza\w*|acab\w+|venc\w+)"
    rf"(?: (?:il|on|el|a|em|o|no|dia))*)\s?{_ARTICLE}{_WEEKDAY}(?P<until>{_DATE})"
)
_SINCE = re.compile(
    rf"\b(?:a partire dal(?:l')?|in vigore dal(?:l')?|valid\w* dal(?:l')?|(?:valid|effective|in force) from"
    rf"|(?:en vigor|vigentes?|validos?|validas?) (?:desde|a partir de)|a partir de"
    rf"|(?:em vigor|validos?|validas?) (?:desde|a partir de))\s?{_ARTICLE}{_WEEKDAY}(?P<since>{_DATE})"
)
