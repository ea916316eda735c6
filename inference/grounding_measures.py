"""What one text says in figures and another in words: half of it, the minors, above ten, a kilo and a half;
and the days of a list.

Works on folded text.
"""

import re
from itertools import pairwise

from inference.grounding_rows import Row

_SHARES = {
    "50": re.compile(r"\b(?:half|meta|mitad|metade|dimezzat\w+)\b"),
    "25": re.compile(r"\b(?:un quarto|a quarter|cuarta parte|un cuarto|um quarto|quarta parte)\b"),
    "100": re.compile(r"\b(?:full|whole|all|inter[oa]|complet[oa]|integral\w*|total\w*|tutt[oa]|tod[oa])\b"),
}
_OF_AGE = re.compile(
    r"\b(?:minorenn\w+|maggiorenn\w+|maggiore eta|minors?|underage|(?:menor|mayor)(?:es)? de edad|"
    r"(?:menor|maior)(?:es)? de idade|mayoria de edad|maioridade)\b"
)
_FROM = re.compile(
    r"\b(?:from|at least|da[il]?|dagli|almeno|minimo|a partire da|desde|a partir de|al menos|minimo de|"
    r"pelo menos)\s+$"
)
_ABOVE = re.compile(
    r"\b(?:over|above|more than|oltre|(?:superior\w*) a[il]?|piu di|sopra i|mas de|mais de|acima de)\s+"
    r"(?:le |gli |i )?(\d+)\b"
)
_GRAMS = re.compile(r"^\s*(?:gr?|gramm?[io]s?|gram[oa]s|grams?)\b")
_KILOS = re.compile(r"(\d+(?:[.,]\d+)?)\s*(?:kg|kilos?|chil[io]|quilos?)\b")


def share(percent: str, folded: str) -> bool:
    """Whether a text says a share of so many per cent in words: half is 50, a quarter 25, all of it 100."""
    wording = _SHARES.get(percent)
    return bool(wording and wording.search(folded))


def of_age(folded: str) -> bool:
    """Whether a text speaks of those under or over age: eighteen in every country whose language is spoken
    here."""
    return bool(_OF_AGE.search(folded))


def worded(value: float, before: str, after: str, folded: str) -> bool:
    """Whether a text says a number that stands between `before` and `after` in other words: minors are under
    18, above ten is from eleven on, a kilo and a half are 1500 grams."""
    if value == 18 and of_age(folded):
        return True
    if _FROM.search(before[-18:]) and any(value == int(m[1]) + 1 for m in _ABOVE.finditer(folded)):
        return True
    kilos = (float(m[1].replace(",", ".")) for m in _KILOS.finditer(folded))
    return bool(_GRAMS.match(after)) and any(abs(value - 1000 * one) < 1 for one in kilos)


def in_line(value: str, row: Row) -> bool:
    """Whether a date ("MM", "MM-DD" or "YYYY-MM-DD") is among those of a line: "in August from the 10th to
    the 24th" and "12, 13 and 19 September" hold 10 August and 13 September, "from 23/05 to 27/09" the whole
    of June."""
    if "/" in value:
        return False
    dates = [v[-5:] for f in row.facts if f.kind == "date" for v in f.values]
    if len(value) == 2:
        whole = [v for v in dates if len(v) == 5]
        return any(first[:2] < value < last[:2] for first, last in pairwise(whole))
    month, day = value[-5:].split("-")
    days = {n for f in row.facts if f.kind == "number" for n in f.values}
    return str(int(day)) in days and any(date[:2] == month for date in dates)
