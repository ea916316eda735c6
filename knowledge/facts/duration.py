"""Lengths of time as people write them in a list, in four languages."""

import re

from knowledge.facts.fact import Unclear
from knowledge.facts.words import fold

MOST_MINUTES = 1440
_MOST_CHARS = 60
_MINUTE = r"(?:minut[eio]s?|mins?\.?|m|')"
_HOUR = r"(?:or[ae]|hours?|horas?|hrs?\.?|h)"
_AND = r"(?:\s?(?:e|ed|and|y)\s?|\s?,\s?|\s?)"
_COUNTED: dict[str, int] = {
    word: number
    for number, words in enumerate(
        (
            "un un' una uno an a one um uma",
            "due two dos dois duas",
            "tre three tres",
            "quattro four cuatro quatro",
        ),
        start=1,
    )
    for word in words.split()
}  # fmt: skip
_NUMBER_WORD = "|".join(sorted(map(re.escape, _COUNTED), key=len, reverse=True))
_HOURS = re.compile(
    rf"(?P<hours>\d{{1,2}}(?:[.,]\d{{1,2}})?|{_NUMBER_WORD})?\s?{_HOUR}"
    rf"(?:{_AND}(?:(?P<minutes>\d{{1,2}})\s?{_MINUTE}?|(?P<half>(?:a )?half|mezz[ao]|medi[ao]|mei[ao])"
    r"|(?P<quarter>(?:un |a |um )?(?:quarto|quarter|cuarto))))?"
)
_HALF_HOUR = re.compile(rf"(?:mezz'? ?|half (?:an )?|media |meia )(?:{_HOUR})")
_MINUTES = re.compile(rf"(?P<minutes>\d{{1,4}})\s?{_MINUTE}")
_CLOCK = re.compile(r"(?P<hours>\d{1,2}):(?P<minutes>[0-5]\d)(?::00)?(?:\s?h)?")
_BARE = re.compile(r"\d{1,4}")
_HEADED_MINUTES = re.compile(r"(?<![a-z])(?:min|minut[eio]s?)(?![a-z])|'")


def minutes_of(cell: str, column: str = "") -> int:
    """The minutes a cell says; `column` may say what a bare number counts: "Durata (min)". Raises Unclear."""
    minutes = _read(fold(cell).strip(" ."), fold(column)) if len(cell) <= _MOST_CHARS else None
    if minutes is None:
        raise Unclear("no length can be read with certainty")
    if not 0 < minutes <= MOST_MINUTES:
        raise Unclear(f"a length of {minutes} minutes")
    return minutes


def is_length(text: str) -> bool:
    """Whether a text is nothing but a length: "80'", "1 h 30"."""
    try:
        minutes_of(text)
    except Unclear:
        return False
    return True


def _read(text: str, column: str) -> int | None:
    if found := _MINUTES.fullmatch(text):
        return int(found["minutes"])
    if found := _CLOCK.fullmatch(text):
        return int(found["hours"]) * 60 + int(found["minutes"])
    if _HALF_HOUR.fullmatch(text):
        return 30
    if found := _HOURS.fullmatch(text):
        return _hours(found)
    if _BARE.fullmatch(text) and _HEADED_MINUTES.search(column):
        return int(text)
    return None


def _hours(found: re.Match[str]) -> int | None:
    said = found["hours"]
    if said is None and not found["half"]:  # "hora y media" is said, "hora" alone is not
        return None
    whole = _sixtieths(said or "1")
    if whole is None or (whole % 60 and (found["minutes"] or found["half"] or found["quarter"])):
        return None
    more = int(found["minutes"] or 0) + (30 if found["half"] else 0) + (15 if found["quarter"] else 0)
    return whole + more if more < 60 else None


def _sixtieths(said: str) -> int | None:
    """Hours in minutes: "1", "1,5", "due"; None where that is no whole number of minutes."""
    if said in _COUNTED:
        return _COUNTED[said] * 60
    whole, _, part = said.replace(",", ".").partition(".")
    sixtieths = int(part or 0) * 60
    scale = 10 ** len(part)
    return None if sixtieths % scale else int(whole) * 60 + sixtieths // scale
