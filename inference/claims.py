"""What a sentence states that can be checked: amounts, dates, hours, links, as comparable values."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from inference.grounding_clock import spoken_clock
from inference.grounding_dates import date_facts, nth_days
from inference.grounding_lengths import duration_facts
from inference.grounding_numbers import NUMBER, canonical, spell_out
from inference.grounding_times import hour_facts, weekday_facts, weekday_groups
from inference.grounding_words import fold

KINDS = (
    "money",
    "number",
    "percent",
    "date",
    "weekday",
    "hour",
    "duration",
    "phone",
    "url",
    "email",
    "name",
    "polarity",
    "content",
    "promise",
)


@dataclass(frozen=True)
class Claim:
    """Something an answer says: its wording, the value to compare, and its kind, one of KINDS."""

    kind: str
    text: str
    value: str


@dataclass(frozen=True)
class Fact:
    """A checkable value at text[start:end]. `values` are its possible readings ("alle 3": 03:00, 15:00)."""

    kind: str
    values: frozenset[str]
    start: int
    end: int
    # The bare numbers in it: 25 for "25 years", 11 for "11 December".
    raw: frozenset[str] = frozenset()

    @property
    def value(self) -> str:
        """The readings in one string."""
        return "|".join(sorted(self.values))


_EMAIL = re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+")
_URL = re.compile(
    r"(?:https?://|www\.)[^\s<>()\"']+"
    # A bare domain; two letters on each side of the dot keep "a.m." and "p.es." out.
    r"|\b[a-z0-9][a-z0-9-]+(?:\.[a-z0-9-]+)*\.[a-z]{2,24}\b(?:/[^\s<>()\"']*)?"
)
_PHONE = re.compile(r"(?<![\w.,/:])(?:\+|00|\(?0)?\(?\d[\d ()./-]{6,18}\d(?![\w:]|[.,]\d)")
_NOT_PHONE = re.compile(
    r"^\d{1,2}[./-]\d{1,2}(?:[./-]\d{2,4})?|^\d{4}-\d\d|^\d{4} ?- ?\d{4}$|^\d{1,3}(?:\.\d{3})+$"
)
_CURRENCIES = {
    "EUR": r"€|eur(?:o|os)?\b",
    "BRL": r"r\$|reais\b|reales\b|brl\b",
    "USD": r"us\$|\$|usd\b|dollar[is]?\b|dolar(?:es)?\b|pesos?\b|mxn\b|bucks?\b",
    "GBP": r"£|gbp\b|pounds?\b|quid\b|sterlin[ae]\b|libras?\b",
    "CHF": r"chf\b|fr\.|franchi\b|francs?\b|francos?\b",
    "PEN": r"s/|soles\b|pen\b",
}
_ANY_CURRENCY = "|".join(_CURRENCIES.values())
_MONEY_AFTER = re.compile(
    rf"(?<![\w.,])(?:({NUMBER})\s*(?:-|–|/|a|o|or|to|e|y|and)\s*)?({NUMBER})\s*({_ANY_CURRENCY})(?!\w)"
)
_MONEY_BEFORE = re.compile(rf"({_ANY_CURRENCY})\s*({NUMBER})(?:\s*[-–]\s*({NUMBER})(?![:\w]))?(?!\w)")
_PERCENT = re.compile(rf"(?<![\w.,])({NUMBER})\s*(?:%|per cento|per cent|percent|por ciento|por cento)")
# Cents are of whatever the sources' money is.
_CENTS = re.compile(r"(?<![\w.,:])(\d{1,2})\s*(?:centesim[oi]|centimos?|centavos?|cents?|pence|p)\b(?!\.)")
_NUMBER = re.compile(rf"(?<![\d.,:])({NUMBER})")
_ORDINALS = (
    "primo first primer primero primera primeiro",
    "secondo second segundo segunda",
    "terzo third tercer tercero tercera terceiro",
    "quarto fourth cuarto cuarta",
    "quinto fifth quinta",
    "sesto sixth sexto sexta",
)
_FLOOR = re.compile(
    rf"\b({'|'.join(' '.join(_ORDINALS).split())}|\d{{1,2}}\s?(?:st|nd|rd|th|\.?[º°ªoa]))\s+(?:piano|"
    rf"floor|piso|andar|planta)\b"
)
_ENUMERATOR = re.compile(r"(?m)^\s*\d{1,2}[.)](?=\s)")


def _currency(sign: str) -> str:
    return next(code for code, pattern in _CURRENCIES.items() if re.fullmatch(pattern, sign))


def _money(text: str) -> Iterator[Fact]:
    for match in _MONEY_BEFORE.finditer(text):
        values = [g for g in match.group(2, 3) if g]
        yield from (_amount(v, match[1], match.span()) for v in values)
    for match in _MONEY_AFTER.finditer(text):
        values = [g for g in match.group(1, 2) if g]
        yield from (_amount(v, match[3], match.span()) for v in values)
    for match in _CENTS.finditer(text):
        cents = canonical(f"0.{int(match[1]):02d}")
        yield Fact("money", frozenset(f"{cents} {code}" for code in _CURRENCIES), *match.span())


def _amount(number: str, sign: str, span: tuple[int, int]) -> Fact:
    return Fact("money", frozenset({f"{canonical(number)} {_currency(sign)}"}), *span)


def _simple(kind: str, pattern: re.Pattern[str], text: str) -> Iterator[Fact]:
    for match in pattern.finditer(text):
        number = canonical(match[1])
        if kind == "number" and text[: match.start()].rstrip().endswith("minus"):
            number = f"-{number}"
        yield Fact(kind, frozenset({number}), *match.span())


def _urls(text: str) -> Iterator[Fact]:
    for match in _URL.finditer(text):
        found = match.group().rstrip(".,;:!?)")
        value = re.sub(r"^(?:https?://)?(?:www\.)?", "", found).rstrip("/")
        yield Fact("url", frozenset({value}), match.start(), match.start() + len(found))


def _phones(text: str) -> Iterator[Fact]:
    for match in _PHONE.finditer(text):
        found = match.group().strip()
        digits = re.sub(r"\D", "", found)
        if 8 <= len(digits) <= 15 and not _NOT_PHONE.match(found):
            # National and international spellings share their last eight digits.
            yield Fact("phone", frozenset({digits[-8:]}), *match.span())


def _floors(text: str) -> Iterator[Fact]:
    for match in _FLOOR.finditer(text):
        ordinal = match[1]
        floor = next((n for n, names in enumerate(_ORDINALS, 1) if ordinal in names.split()), 0)
        yield Fact("number", frozenset({f"{floor or re.sub(r'[^0-9]', '', ordinal)}º"}), *match.span())


@lru_cache(maxsize=256)  # the same passages answer many questions
def facts(text: str, language: str | None = None) -> tuple[Fact, ...]:
    """Every checkable value of `text`, in order of position, each character used once.

    `language` decides doubtful number words ("due" in Italian and in English).
    """
    spelt = line = _ENUMERATOR.sub(
        lambda m: " " * len(m.group()), spoken_clock(spell_out(fold(text), language))
    )
    found: list[Fact] = []

    def take(batch: Iterator[Fact]) -> None:
        nonlocal line
        taken = list(batch)
        for fact in taken:
            line = line[: fact.start] + "¦" * (fact.end - fact.start) + line[fact.end :]
        found.extend(taken)

    take(Fact("email", frozenset({m.group()}), *m.span()) for m in _EMAIL.finditer(line))
    take(_urls(line))
    take(_phones(line))
    take(_money(line))
    take(_simple("percent", _PERCENT, line))
    take(_floors(line))
    for reader in (nth_days, weekday_groups, date_facts, duration_facts, hour_facts, weekday_facts):
        take(Fact(kind, values, *span) for kind, values, span in reader(line, language))
    take(_simple("number", _NUMBER, line))
    return tuple(sorted((_whole(f, spelt, fold(text)) for f in found), key=lambda f: (f.start, f.end)))


def _whole(fact: Fact, spelt: str, folded: str) -> Fact:
    """The fact with its bare numbers, ending where its number word does."""
    end = fact.end
    padded = len(spelt[end:]) - len(spelt[end:].lstrip(" "))
    end += len(folded[end : end + padded].rstrip(" "))
    raw = frozenset(canonical(n) for n in re.findall(NUMBER, spelt[fact.start : fact.end]))
    return Fact(fact.kind, fact.values, fact.start, end, raw)
