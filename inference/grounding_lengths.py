"""Lengths of time in four languages as comparable values: "<n> min" or "<n> month".

Works on folded text whose number words are digits already; `inference.grounding_times` reads the clock.
"""

import re
from collections.abc import Iterator

from inference.grounding_numbers import NUMBER, canonical

_MONTH = 43800  # minutes, of a twelfth of a year
Reading = tuple[str, frozenset[str], tuple[int, int]]

_UNITS = (
    (r"minut[oaei]s?|minutes?|mins?|min\.?", 1, "min"),
    (r"or[ae]|hours?|hrs?|horas?|h", 60, "min"),
    (r"giorn[oi]|giornat[ae]|days?|dias?", 1440, "min"),
    (r"settiman[ae]|weeks?|semanas?", 10080, "min"),
    (r"fortnights?", 20160, "min"),
    (r"mes[ei]|months?|mes(?:es)?", 1, "month"),
    (r"ann[oi]|years?|anos?", 12, "month"),
)
_UNIT = "(" + "|".join(pattern for pattern, _, _ in _UNITS) + ")"
_QUARTER = re.compile(
    r"\b(?:(?:un|uno?|an?|one|um)\s+|un['’]\s*)?(?:quarto d['’ ]ora|quarter(?: of an)?[- ]hour|"
    r"cuarto de hora|quarto de hora)\b"
)
_THREE_QUARTERS = re.compile(
    r"\b(?:3|tre|three|tres)\s+(?:quarti d['’ ]ora|quarters of an hour|cuartos de hora|quartos de hora)\b"
)
_ROUND_THE_CLOCK = re.compile(
    r"\b(?:24 (?:ore|horas?) (?:su|al|sobre|por) (?:24|dia)|h ?24|24/7|24 hours a day|24 horas por dia|"
    r"round the clock)\b"
)
# "Horas: 60": the unit is the label.
_LABELLED = re.compile(r"\b(ore|hours|horas|minuti|minutes|minutos)\s*:\s*(\d{1,4})(?![\d:.,h–-])")
_KIND_OF_DAY = r"(?:(?:working|business|calendar|full|whole|consecutive)\s+)?"
_ONE = r"(?:\b(?:un|una|uno|an|a|one|um|uma)\s+|\bun['’]\s*)"
_AND_HALF = r"(\s*(?:e mezz[aoe]|and a half|y medi[ao]|e mei[ao]))?"
_COUNTED = re.compile(
    rf"(?<![\w.,:])(?:({NUMBER})\s*(?:-|–|/|a|o|or|to|e|ou|u|y|"
    rf"and)\s*)?({NUMBER})\s*-?{_KIND_OF_DAY}{_UNIT}(?!\w){_AND_HALF}"
)
# "Un giorno lavorativo" is a kind of day, not a length.
_KIND_AFTER = r"(?!\s+(?:lavorativ|ferial|festiv|laborabl|util|habil|qualsiasi|cualquier|qualquer))"
_SINGLE = re.compile(rf"{_ONE}{_UNIT}(?!\w){_KIND_AFTER}{_AND_HALF}")
_HOUR_AND_HALF = re.compile(
    r"\b(?:(?:un['’]?|una|uma|an)\s*)?(?:ora|hour|hora)\s+(?:e mezza|and a half|y media|e meia)\b"
)
# "An hour and a quarter", "due ore e tre quarti".
_HOURS_AND_QUARTERS = re.compile(
    r"(?<![\w.,:])(?:(\d)\s+|un['’ ]\s*|(?:una|uma|an)\s+)?(?:or[ae]|hours?|horas?)\s+(?:e|y|and)\s+"
    r"(?:(?:an?|un|um|1)\s+)?((?:3|three|tre|tres)\s+)?(?:quart[oi]s?|cuartos?|quarters?)\b"
    r"(?!\s+(?:of|de|di|d['’]))"
)
_HALF_HOUR = re.compile(r"\b(?:mezz['’ ]?\s*ora|half an hour|half hour|media hora|meia hora)\b")
_HALF_YEAR = re.compile(r"\b(?:half an?|mezzo|medio|meio)[ -](?:year|anno|ano)\b")
_SPOKEN_LENGTHS = (
    (_ROUND_THE_CLOCK, "1440 min"),
    (_THREE_QUARTERS, "45 min"),
    (_QUARTER, "15 min"),
    (_HALF_HOUR, "30 min"),
    (_HALF_YEAR, "6 month"),
)
_COMPOUND = re.compile(
    r"(?<![\w:.,])([0-5]|un['’ ]?|una|uma|an)\s*(?:h|or[ae]|hours?|horas?)\s*(?:e|y|and|"
    r"con)?\s*([1-5][05]|[0-5]\d)(?!\w)"
    r"(?!\s*(?:eur|€|pound|£|reais|person|%|pesos|dol))"
)
# "15 h/week", "completa (6 h)": how long, not at what time.
_SURELY_LONG = re.compile(r"\s*\)|\s*/\s*(?:w(?:ee)?k|s(?:em|ett)\w*|d(?:ay|ia)|giorno|mes|month)")
# "15 € a day", "twice a week": how often, not how long.
_RATE = re.compile(r"(?:¦|\b(?:once|twice|times|classes|days|hours|price|volt[ae]|ve[zc]e?s?))\s*$")
_PRIME = re.compile(r"(?<![\w.,:])(\d{1,3})\s*['’′](?!\w)")


def _duration(number: float, unit: str) -> str:
    for pattern, factor, base in _UNITS:
        if re.fullmatch(pattern, unit):
            total = number * factor
            return f"{total:g} {base}"
    return f"{number:g} {unit}"


def duration_facts(text: str, language: str | None) -> Iterator[Reading]:
    """Lengths of time; "un anno" is 12 months, "un'ora e mezza" 90 minutes, "24 ore" one day."""
    used: list[tuple[int, int]] = []

    def take(span: tuple[int, int], value: str) -> Iterator[Reading]:
        if not any(s < span[1] and span[0] < e for s, e in used):
            yield "duration", frozenset({value}), span

    for pattern, value in _SPOKEN_LENGTHS:
        for m in pattern.finditer(text):
            yield from take(m.span(), value)
            used.append(m.span())
    for m in _HOURS_AND_QUARTERS.finditer(text):
        yield from take(m.span(), f"{int(m[1] or 1) * 60 + (45 if m[2] else 15)} min")
        used.append(m.span())
    for m in _LABELLED.finditer(text):
        yield from take(m.span(), _duration(float(m[2]), m[1]))
        used.append(m.span())
    for m in _COMPOUND.finditer(text):
        hours = int(m[1]) if m[1].isdigit() else 1
        yield from take(m.span(), f"{hours * 60 + int(m[2])} min")
        used.append(m.span())
    for m in _COUNTED.finditer(text):
        if m[3] == "h" and 5 < float(canonical(m[2])) < 24 and not _SURELY_LONG.match(text[m.end() :]):
            continue
        for number in (g for g in m.group(1, 2) if g):
            extra = 0.5 if m[4] and number == m[2] else 0.0
            yield from take(m.span(), _duration(float(canonical(number)) + extra, m[3]))
        used.append(m.span())
    for m in _HOUR_AND_HALF.finditer(text):
        yield from take(m.span(), "90 min")
        used.append(m.span())
    for m in _SINGLE.finditer(text):
        if _RATE.search(text[: m.start()]) or m.group().startswith("a hora"):
            continue  # Portuguese "à hora": at the time
        yield from take(m.span(), _duration(1.5 if m[2] else 1.0, m[1]))
        used.append(m.span())
    for m in _PRIME.finditer(text):
        yield from take(m.span(), f"{int(m[1])} min")


def minutes(value: str) -> float:
    """The minutes of a duration's value, "90 min" or "3 month"; 0 where it is none."""
    number, _, unit = value.partition(" ")
    try:
        return float(number) * (_MONTH if unit == "month" else 1)
    except ValueError:
        return 0.0
