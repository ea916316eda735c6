"""Amounts that follow from a source's own rule: a share of a package, a half, a surcharge, what is saved.

Each sum needs its operation named, in the sentence ("each", "you save") or in the source ("half price",
"+ 3 €", "each further one"): that two amounts happen to add up to a third says nothing.
"""

import re
from collections.abc import Iterator, Sequence
from functools import lru_cache
from itertools import combinations

from inference.claims import Fact
from inference.grounding_numbers import NUMBER, canonical, spell_out
from inference.grounding_rows import Parsed, Row

_EACH = re.compile(
    r"\b(?:each|apiece|a head|per|every|ogni|ognun\w+|ciascun\w+|cadaun\w+|a testa|l['’]un[oa]|cada|"
    r"por cabeza|"
    r"al mes|a month|al mese|por mes|a (?:session|class|lesson|go)|(?:a|la) seduta|singol\w+|payments?|"
    r"instal\w+|"
    r"rat[ae]|cuotas?|plazos?|parcelas?|vezes|prestac\w+|mensalidad\w+|mensualidad\w+|pagament\w+|pagos?|by|"
    r"works out|por (?:sessao|sesion|clase|aula|pessoa|persona|noche|noite|bloco))\b"
)
_HALF = re.compile(r"\b(?:meta|half|mitad|metade|dimezz\w+|halved|medio precio|meia(?:-| )entrada|50 ?%)")
_DOUBLE = re.compile(r"\b(?:doppi\w+|double\w*|doble\w*|dobr\w+|twice)\b")
_TOGETHER = re.compile(
    r"\b(?:together|in tutto|in totale|insieme|complessiv\w+|altogether|in all|all in|en total|ao todo|"
    r"no total|juntos|"
    r"juntas|em conjunto)\b"
)
_THERE_AND_BACK = re.compile(
    r"\b(?:andata e ritorno|round trip|both ways|there and back|ida (?:y vuelta|e volta))\b"
)
_A_MONTH = re.compile(
    r"\b(?:al mese|a month|per month|al mes|por mes|monthly|mensil\w+|mensual\w*|mensa(?:l|is))\b"
)
_SAVES = re.compile(
    r"\b(?:risparmi\w*|sav(?:e|es|ing)\w*|ahorr\w+|poup\w+|econom\w+|in meno|di meno|a menos|menos|meno|less|"
    r"cheaper|off|in piu|di piu|more|mas|a mais|mais|difference|differenza|diferenc\w+)\b"
)
# "+ 2 €", "15 € a mais", "supplemento di 12 €", "35 € cada persona más".
_EXTRA = (
    r"(?:\+|plus|extra|piu|mais|mas|more|supplement\w*|suplement\w*|sovrapprezz\w+|recargo\w*|surcharge|"
    r"acresc\w+|adicional\w*|additional|aggiunt\w*|further|ulterior\w+|altr[oaie]|anad\w+|acrescent\w+|"
    r"sum\w+|on top|less|menos|meno|off|fee)"
)
_SURCHARGE = re.compile(
    rf"{_EXTRA}[^.;|€£$\d]{{0,18}}(?:[€£$]|r\$)?\s?({NUMBER})"
    rf"|(?:[€£$]|r\$)?\s?({NUMBER})\s?(?:€|£|eur\w*|pounds?|reais)?[^.;|\d€£$]{{0,30}}\b{_EXTRA}"
)


def sums(fact: Fact, folded: str, found: Sequence[Fact], parsed: Parsed, factors: Sequence[float]) -> bool:
    """Whether an amount follows from one source's amounts and what the sentence tells of."""
    said = {_number(value) for value in fact.values}
    about = list(_results(fact, folded, found, parsed, factors))
    close = bool(_ROUGHLY.search(folded[: fact.start]))
    return any(abs(v - n) < (0.02 * n if close else 0.006) for v in said for n in about)


_ROUGHLY = re.compile(
    r"\b(?:circa|about|around|roughly|just (?:over|under)|quasi|poco (?:piu|meno)|unos|cerca|almost|casi|"
    r"pouco|algo)\b[^,;]{0,16}$"
)


def _results(
    fact: Fact, folded: str, found: Sequence[Fact], parsed: Parsed, factors: Sequence[float]
) -> Iterator[float]:
    rows = [(n, row) for row in parsed.rows for n in _money(row)]
    told = [_number(f.value) for f in found if f.kind == "money" and f is not fact]
    amounts = [n for n, _ in rows]
    percents = [_number(f.value) for row in parsed.rows for f in row.facts if f.kind == "percent"]
    if _EACH.search(folded):
        for n, row in rows:
            yield from (n / k for k in (*factors, *_counts(row)) if k > 1)
        yield from ((a - b) / k for a in amounts for b in told for k in factors if a > b and k > 1)
    if _HALF.search(parsed.folded):
        yield from (n / 2 for n in (*amounts, *told))
    stated = [_number(f.value) for f in found if f.kind == "percent"]
    yield from (n * (1 + s * p / 100) for n in amounts for p in stated if p in percents for s in (1, -1))
    if _TOGETHER.search(folded):
        yield from (a + b for a, b in combinations(amounts, 2))
    if _THERE_AND_BACK.search(folded):
        yield from (n * 2 for n in amounts)
    if _A_MONTH.search(folded):
        yield from (n / 12 for n, row in rows if any(f.value == "12 month" for f in row.facts))
    if _DOUBLE.search(parsed.folded):
        yield from (n * 2 for n in amounts)
    yield from (t * p / 100 for t in told for p in percents)
    yield from (t * (1 + s * p / 100) for t in told for p in percents for s in (1, -1))
    yield from (n * k * (1 - p / 100) for n in amounts for k in factors for p in percents)
    yield from _extras(folded, parsed, amounts + told, factors, found)
    if _SAVES.search(folded):
        yield from (abs(k * a - b) for a, row in rows for k in {1.0, *factors, *_counts(row)} for b in told)


def _extras(
    folded: str, parsed: Parsed, amounts: Sequence[float], factors: Sequence[float], found: Sequence[Fact]
) -> Iterator[float]:
    """A price with a surcharge, once or for each one beyond what the price holds."""
    extras = _surcharges(parsed.folded, parsed.language)
    held = {_number(n) for row in parsed.rows for f in row.facts if f.kind == "number" for n in f.values}
    beyond = {n - h for n in factors for h in held if 0 < n - h <= 20}
    for extra in extras:
        yield from (n + extra * k for n in amounts for k in {1.0, *beyond, *factors})
        yield from (n - extra for n in amounts)
        yield from (extra * k for k in beyond)


@lru_cache(maxsize=512)
def _surcharges(folded: str, language: str | None) -> tuple[float, ...]:
    """The amounts a source adds to others, or takes off."""
    spelt = spell_out(folded, language)
    found = (float(canonical(m[1] or m[2])) for m in _SURCHARGE.finditer(spelt))
    return tuple({n for n in found if n > 0})


def _money(row: Row) -> list[float]:
    return [_number(f.value) for f in row.facts if f.kind == "money"]


def _counts(row: Row) -> list[float]:
    """The counts beside an amount: "8 lessons, 160 €"."""
    counted = [f for f in row.facts if f.kind in ("number", "duration")]
    return [n for f in counted for n in map(_number, f.raw or f.values) if 1 < n <= 60]


def _number(value: str) -> float:
    try:
        return float(re.split(r"[\s|]", value, maxsplit=1)[0])
    except (ValueError, IndexError):
        return float("nan")
