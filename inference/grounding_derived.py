"""Values that no source writes but that follow from what sources write: sums, rates, ages, other days.

Each rule asks for its operands: a sum's terms stand in the sources, a product's factor in the answer, an age
or a weight is the customer's own when it is said of them, a day or month that is closed is one not listed.
"""

import re
from collections.abc import Iterator, Sequence
from itertools import pairwise

from inference.claims import Fact
from inference.grounding_hours import moved
from inference.grounding_lengths import minutes
from inference.grounding_measures import in_line, of_age, share, worded
from inference.grounding_rows import Parsed, Row
from inference.grounding_words import NEGATORS, words

_ADDED = re.compile(
    r"\b(?:total\w*|in tutto|tutto|insieme|juntos?|juntas?|both|together|with|con|com|plus|mais|mas|piu|"
    r"altr[ie]|"
    r"another|come[s]? to|extra|add\w*|aggiung\w*|sum\w*|anche|also|tambien|tambem|and|e|y|dei quali|"
    r"of which|"
    r"less|meno|menos|more)\b"
)
# Half of something measured, not half of a price.
_HALVES = re.compile(
    r"\b(?:(?:mezz['’ oa]+|half an? |half-|medi[oa] |mei[oa] )(?:or[ae]|hour|hora|kilo|chil|quilo|day|"
    r"giornat|jornada|"
    r"di[ae]|dozen|dozzina|docena|duzia|litr)|late|and a half|half again)"
)
_QUARTER = re.compile(r"\b(?:un quarto|quarter|cuarta parte|un cuarto|um quarto|quarta parte)\b")
_IMPLIED = (
    (re.compile(r"\b(?:settiman\w*|weeks?|semanas?)\b"), 7),
    (re.compile(r"\b(?:trimest\w+|quarterly)\b"), 3),
    (re.compile(r"\b(?:ann[oi]|years?|yearly|anos?|annual\w*|anual\w*)\b"), 12),
    (re.compile(r"\b(?:entramb\w+|both|ambos|ambas|coppia|couple|pareja|casal)\b"), 2),
)
_BOUND = re.compile(
    r"\b(?:max\w*|massim\w*|maxim\w*|minim\w*|fino|up to|hasta|ate|oltre|over|under|sotto|almeno|"
    r"at least|least|"
    r"al menos|pelo menos|mas de|mais de|piu di|more than|from|desde|dai|dagli|partir|limit\w*|acima|abaixo|"
    r"menores|minori|maiores|mayores|older|above|below|sopra|cumplid\w*|complet\w*)\b[^.,;]{0,14}$"
)
_THEIRS = re.compile(
    r"\b(?:su[oa]?s?|tu[oa]?s?|vostr\w+|your|your?s|seu|sua|seus|he|she|it|his|her|il|la|un[ao]?|el|o|a|"
    r"um|uma|"
    r"figli\w+|bimb\w+|bambin\w+|ragazz\w+|son|daughter|kid|child|boy|girl|hij\w+|nin[oa]s?|peque\w*|filh\w+|"
    r"crianca\w*|menin\w+|mid\w+|miud\w+|can[ei]|dog|puppy|perr\w+|cachorr\w+|cao|gatt\w+|cat|gat\w+|"
    r"pesa|weighs?|ha|tiene|tem|has|is|at|con|com|a|in|siendo|sendo|para|per|for|de|di|da)\b"
)
_PEOPLE = re.compile(
    r"^\s*(?:person\w*|pessoas?|people|guests?|ospiti|convidad\w+|invitad\w+|adult\w*|of us|of you|siete)"
)
_WEIGHT = re.compile(
    r"^\s*(?:kg|kilos?|chil[io]|quilos?|m2|m²|metr\w+|mq|metros|square|km|quilometros|kilometr\w+|miles?)\b"
)
_AGE = re.compile(r"^\s*-?(?:ann[oi]|years?|year-olds?|anos|an[oi]t[oi]s|aninhos)\b")
_RATE = re.compile(
    r"\b(?:al giorno|a giornata|giornalier\w+|al di|per day|a day|daily|each day|por dia|al dia|dia|"
    r"diari[ao]s?|"
    r"diaria|por jornada|night|notte|noche|noite)\b|/ ?(?:dia|giorno|day|g)\b"
)
_UNIT_SAID = {
    1440: re.compile(r"\b(?:giorn\w+|days?|daily|dias?|diari\w+|jornada\w*|quotidian\w+|24)\b"),
    10080: re.compile(r"\b(?:settiman\w+|weeks?|weekly|semana\w*|seman\w+|7)\b"),
    60: re.compile(r"\b(?:or[ae]|hours?|hr|hourly|horas?|h|60)\b"),
    1: re.compile(r"\b(?:mes[ei]?|mensil\w+|months?|monthly|meses|mensual\w*|mensal\w*|mensalidade\w*)\b"),
    12: re.compile(r"\b(?:ann\w+|years?|yearly|ano|anos|anual\w*)\b"),
}
_ABOUT = re.compile(
    r"\b(?:circa|quasi|meno di|su per giu|un[ao]s|about|around|roughly|less than|under|almost|just over|"
    r"a bit|casi|"
    r"menos de|mas o menos|unos|unas|cerca de|quase|mais ou menos|por volta|aproximad\w+|approx\w*|"
    r"una decina)\b"
    r"[^.,;]{0,10}$"
)
_SHUT = re.compile(
    r"\b(?:chius\w+|ripos\w+|closed?|shut|off|rest|days? off|cerrad\w*|cerram\w+|descans\w+|fechad\w+|"
    r"fecham\w+|fecha|"
    r"encerr\w+|folga\w*|tranne|except|excepto|exceto|salvo|menos|aside|but|apart|fuera|fuori|nessun\w*|"
    r"sospes\w+|"
    r"feri[ea]\w*|ferias|vacacion\w+|holiday\w*|no)\b"
)
_ALL_IN_ALL = re.compile(r"\b(?:total\w*|in tutto|in all|all together|complessiv\w+|en todo|ao todo)\b")
_AGE_CUE = re.compile(
    r"\b(?:ann[oi]|years?|age\w*|anos|edad\w*|idade\w*|eta|under-?\w*|over-?\w*|minor\w*|menor\w*|\d+\+|"
    r"children|kids?|teen\w*|bambin\w+|ragazz\w+|bimb\w+|nin[oa]s?|crianc\w+|jove\w+|adult\w*|"
    r"maggiorenn\w*)\b"
)


def derives(
    fact: Fact,
    folded: str,
    found: Sequence[Fact],
    sources: Sequence[tuple[str, Parsed]],
    about: frozenset[str],
) -> str | None:
    """The source from which a value of a sentence follows, or None."""
    rule = _RULES.get(fact.kind)
    if rule is None:
        return None
    return next((name for name, parsed in sources if rule(fact, folded, found, parsed, about)), None) or (
        _across(fact, folded, found, sources, about) if fact.kind == "money" else None
    )


def _number(value: str) -> float:
    try:
        return float(value.split(maxsplit=1)[0].rstrip("º"))
    except ValueError:
        return float("nan")


def _same(a: float, b: float) -> bool:
    return abs(a - b) < 0.006 * max(1.0, abs(b) / 10)


def _amounts(parsed: Parsed) -> list[tuple[float, Row]]:
    """Amounts of money of a source; in a price list bare numbers are prices."""
    kinds = ("money", "number") if parsed.priced else ("money",)
    return [(_number(v), row) for row in parsed.rows for f in row.facts if f.kind in kinds for v in f.values]


def _factors(fact: Fact, folded: str, found: Sequence[Fact]) -> set[float]:
    """What an amount may be multiplied by: the counts the sentence gives."""
    factors = {
        float(n)
        for f in found
        if f is not fact and f.kind in ("number", "duration", "percent")
        for n in f.raw
    }
    factors |= {
        float(v) for f in found if f.kind == "number" for v in f.values if v.replace(".", "").isdigit()
    }
    factors |= {float(n) for pattern, n in _IMPLIED if pattern.search(folded)}
    if _HALVES.search(folded):
        factors |= {0.5, 1.5, 2.5}
    if _QUARTER.search(folded):
        factors |= {0.25}
    return {n for n in factors if n > 0 and n != 1}


def _money(fact: Fact, folded: str, found: Sequence[Fact], parsed: Parsed, about: frozenset[str]) -> bool:
    said = {_number(v) for v in fact.values}
    factors = _factors(fact, folded, found)
    spans = {float(n) for pattern, n in _IMPLIED if n > 2 and pattern.search(folded)}
    percents = {_number(v) for row in parsed.rows for f in row.facts if f.kind == "percent" for v in f.values}
    told = {_number(v) for f in found if f.kind == "money" and f is not fact for v in f.values}
    for amount, row in _amounts(parsed):
        near = bool(about & row.stems) or amount in told
        results = [amount * n for n in factors] + [amount / n for n in spans]
        if near or told:
            results += [amount * (1 + s * p / 100) for p in percents for s in (1, -1)]
        results += list(_scaled(amount, row, found))
        if any(_same(value, result) for value in said for result in results):
            return True
    return False


def _scaled(amount: float, row: Row, found: Sequence[Fact]) -> Iterator[float]:
    """ "1 € for 7 minutes" makes 4 € for 28."""
    for own in row.facts:
        for said in found:
            if own.kind == said.kind == "duration":
                a, b = (minutes(f.value) for f in (own, said))
                if a and b:
                    yield amount * b / a
                    yield amount * -(-b // a)


def _across(
    fact: Fact,
    folded: str,
    found: Sequence[Fact],
    sources: Sequence[tuple[str, Parsed]],
    about: frozenset[str],
) -> str | None:
    """A sum or difference of two amounts, one of them about what the sentence speaks of."""
    said = {_number(v) for v in fact.values}
    told = {_number(v) for f in found if f.kind == "money" and f is not fact for v in f.values}
    if not (_ADDED.search(folded) or told):
        return None
    amounts = [(a, row, name) for name, parsed in sources for a, row in _amounts(parsed)]
    percents = {
        _number(v)
        for _, p in sources
        for row in p.rows
        for f in row.facts
        if f.kind == "percent"
        for v in f.values
    }
    for a, row, name in amounts:
        near = bool(about & row.stems)
        if near and any(_same(v, a * (1 + s * p / 100)) for v in said for p in percents for s in (1, -1)):
            return name
        for b, other, _ in amounts:
            if not ((near and about & other.stems) or (a in told and (b in told or about & other.stems))):
                continue
            if any(_same(v, a + b) or _same(v, a - b) for v in said):
                return name
    return None


def _count(fact: Fact, folded: str, found: Sequence[Fact], parsed: Parsed, about: frozenset[str]) -> bool:
    """A bare number: the factor of an amount, the customer's own age, weight or company, or a floor."""
    before, after = folded[: fact.start], folded[fact.end :]
    value = _number(fact.value)
    if fact.value.endswith("º"):
        return bool(_ORDINAL.get(fact.value) and _ORDINAL[fact.value].search(parsed.folded))
    if worded(value, before, after, parsed.folded):
        return True
    money = [f for f in found if f.kind == "money"]
    if money and not _BOUND.search(before):
        amounts = _amounts(parsed)
        if any(_same(_number(v), a * value) for f in money for v in f.values for a, _ in amounts):
            return True
    if _BOUND.search(before):
        return False
    if _PEOPLE.match(after) or _WEIGHT.match(after) or _AGE.match(after):
        return bool(_THEIRS.search(before[-30:])) and any(c.isdigit() for c in parsed.folded)
    return (
        bool(re.search(r"\b(?:he['’]?s|she['’]?s|they['’]?re|if you['’]?re|is|in) $", before[-12:]))
        and bool(re.match(r"\s*(?:[.,;!?]|$|siete|siamo|so\b|starete)", after))
        and bool(_AGE_CUE.search(parsed.folded) or _PEOPLE_SAID.search(parsed.folded))
    )


_PEOPLE_SAID = re.compile(r"\b(?:person\w*|pessoas?|people|grupp\w*|groups?|grupos?|tripla|triple|sleeps)\b")
_ORDINAL = {
    f"{n}º": re.compile(rf"\b(?:{names}|{n}(?:st|nd|rd|th|[º°ªoa])?)\b")
    for n, names in enumerate(
        (
            "primo|first|primer[oa]?|primeir[oa]|ground",
            "second[oa]?|segund[oa]",
            "terz[oa]|third|tercer[oa]?|terceir[oa]",
            "quart[oa]|fourth|cuart[oa]",
            "quint[oa]|fifth",
            "sest[oa]|sixth|sext[oa]",
        ),
        1,
    )
}


def _length(fact: Fact, folded: str, found: Sequence[Fact], parsed: Parsed, about: frozenset[str]) -> bool:
    before, after = folded[: fact.start], folded[fact.end :]
    said = folded[fact.start : fact.end]
    if re.search(r"(?:ann[oi]|year|anos?)\b", said) and fact.value.endswith("month"):
        adult = fact.value == "216 month" and of_age(parsed.folded)
        old = re.match(r"-?\s?olds?\b", after) or re.search(r"-year", said)
        if adult or old or (_THEIRS.search(before[-34:]) and not _BOUND.search(before)):
            return adult or bool(_AGE_CUE.search(parsed.folded))
    long = minutes(fact.value)
    near = bool(_ABOUT.search(before))
    lengths = [
        (minutes(v), row) for row in parsed.rows for f in row.facts if f.kind == "duration" for v in f.values
    ]
    for own, _ in lengths:
        if own and (_alike(long, own) or (near and 0.65 * own <= long <= 1.35 * own)):
            return True
    if not re.search(r"\d", said) and not re.match(
        r"(?:due|tre|two|three|dos|tres|dois|duas|mezz|half|media|meia)", said
    ):
        unit = int(_number(fact.value))
        pattern = _UNIT_SAID.get(unit)
        if pattern and pattern.search(parsed.folded):
            return True
    if _ALL_IN_ALL.search(folded) and any(
        own * float(n) == long for own, row in lengths for f in row.facts if f.kind == "number" for n in f.raw
    ):
        return True
    if any(f.kind == "hour" for f in found) and long in _ranges(parsed):
        return True
    return _scaled_back(fact, found, parsed) or any(gap == long for gap in _gaps(parsed, about))


def _ranges(parsed: Parsed) -> set[float]:
    """How long each stretch of hours lasts that a source writes as one ("15:30-17:00")."""
    spans: dict[tuple[int, int, int], list[str]] = {}
    for n, row in enumerate(parsed.rows):
        for fact in row.facts:
            if fact.kind == "hour":
                spans.setdefault((n, fact.start, fact.end), []).append(min(fact.values))
    clock = [[int(v[:2]) * 60 + int(v[3:]) for v in pair] for pair in spans.values() if len(pair) == 2]
    return {float((b - a) % 720) for a, b in clock}


def _alike(a: float, b: float) -> bool:
    """Equal, or as people convert: 30 days and a month, 60 and two months, 52 weeks and a year."""
    if a == b:
        return True
    return min(a, b) >= 20000 and 0.91 <= a / b <= 1.09


def _scaled_back(fact: Fact, found: Sequence[Fact], parsed: Parsed) -> bool:
    """The length that an amount of the same sentence buys at the sources' rate, or an amount's multiple."""
    money = {_number(v) for f in found if f.kind == "money" for v in f.values}
    if not money:
        return False
    for row in parsed.rows:
        if any(any(_same(m, r) for m in money) for a in _row_money(row) for r in _scaled(a, row, [fact])):
            return True
    amounts = {a for a, _ in _amounts(parsed)}
    return any(
        _same(m, a * float(n)) for m in money for a in amounts for n in (fact.raw or {"7", "0.5"})
    ) and bool(_RATE.search(parsed.folded) or _UNIT_SAID[60].search(parsed.folded))


def _row_money(row: Row) -> list[float]:
    return [_number(v) for f in row.facts if f.kind == "money" for v in f.values]


def _gaps(parsed: Parsed, about: frozenset[str]) -> Iterator[float]:
    """Minutes between two hours that stand side by side: from 10 to 11:30 is an hour and a half."""
    for row in parsed.rows:
        if not row.stems & about or any(f.kind == "duration" for f in row.facts):
            continue
        hours = [f for f in row.facts if f.kind == "hour"]
        for first, second in pairwise(hours):
            for a in first.values:
                for b in second.values:
                    gap = int(b[:2]) * 60 + int(b[3:]) - int(a[:2]) * 60 - int(a[3:])
                    if 0 < gap <= 720:
                        yield gap


def _denies(folded: str) -> bool:
    return bool(_SHUT.search(folded)) or any(word in NEGATORS for word in words(folded))


_EACH_DAY = re.compile(r"ogni giorno|every day|each day|cada dia|todos os dias|daily")


def _weekday(fact: Fact, folded: str, found: Sequence[Fact], parsed: Parsed, about: frozenset[str]) -> bool:
    said = folded[fact.start : fact.end]
    rate = _EACH_DAY.search(said) and _RATE.search(parsed.folded)
    if rate and any(f.kind == "money" for f in found):
        return True
    listed = {v for row in parsed.rows for f in row.facts if f.kind == "weekday" for v in f.values}
    return bool(listed) and fact.value not in listed and _denies(folded)


def _date(fact: Fact, folded: str, found: Sequence[Fact], parsed: Parsed, about: frozenset[str]) -> bool:
    """A month not listed is one in which what is listed is not; one between two dates of a line is within."""
    listed = {v for row in parsed.rows for f in row.facts if f.kind == "date" for v in f.values}
    if any(in_line(fact.value, row) for row in parsed.rows):
        return True
    return (
        len(fact.value) == 2
        and any(len(v) == 2 for v in listed)
        and fact.value not in listed
        and _denies(folded)
    )


def _percent(fact: Fact, folded: str, found: Sequence[Fact], parsed: Parsed, about: frozenset[str]) -> bool:
    return share(fact.value, parsed.folded)


def _hour(fact: Fact, folded: str, found: Sequence[Fact], parsed: Parsed, about: frozenset[str]) -> bool:
    """ "From eight" may be an age, "until sixteen" another: the number stands beside ages in the source. And
    what happens half an hour before eight happens at half past seven."""
    if any(value in moved(found, parsed) for value in fact.values):
        return True
    said = folded[fact.start : fact.end]
    if re.search(
        r"\d:|\d ?h|[ap]\.m|\d ?[ap]m|o.?clock|mattin|sera|morning|tarde|manha|noche|noite|mezz|medio|noon",
        said,
    ):
        return False
    whole = {str(int(v[:2])) for v in fact.values if v.endswith(":00")}
    ages = {n for row in parsed.rows for f in row.facts if f.kind in ("number", "duration") for n in f.raw}
    return bool(whole & ages) and bool(_AGE_CUE.search(parsed.folded))


_RULES = {
    "percent": _percent,
    "money": _money,
    "number": _count,
    "duration": _length,
    "weekday": _weekday,
    "date": _date,
    "hour": _hour,
}
