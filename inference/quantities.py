"""How many of something are asked for: "3 massaggi", "cinque sedute", "4 deep tissue massages".

Pure: the present comes in as an argument, because a number may also be a day.
"""

import re
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from inference.extract import party_size
from inference.extract_words import people_words
from inference.when_calendar import Anchor
from inference.when_clock import find_times
from inference.when_days import find_days
from inference.when_lexer import Line, Token, read_line

# Of these one pays for each, whatever is sold by them. "Volte" and the like are left out: three times a week
# is no three.
_UNITS = re.compile(
    r"sedute|sessioni|pezzi|copie|unita|sessions|pieces|items|units|copies|sesiones|piezas|unidades|copias"
    r"|sessoes|pecas"
)
_MONEY = re.compile(r"eur|euros?|pounds?|dollars?|dolares|reais|pesos|quid|bucks")
_BETWEEN = frozenset(("x", "di", "de", "of"))  # "5 x massaggio"
_NO_COUNT_BEFORE = "AWcbflKj"  # an hour, a weekday, "the 20": the number says when
_LEAST_COMMON = 3  # letters


@dataclass(frozen=True, slots=True)
class Quantity:
    """`number` counts what is named; `unclear` where a number stands there whose sense is not known."""

    number: int | None = None
    unclear: bool = False


def quantity(
    text: str,
    *,
    language: str,
    heads: Collection[str],
    named: Collection[str],
    now: datetime,
    country: str | None = None,
) -> Quantity:
    """How many of what is named a text asks for; `named` are the words of its names, `heads` those which a
    number stands before ("massaggio" of "massaggio rilassante"), both folded.

    Numbers of people, of a name ("modello 730"), of days, hours, money and minutes count nothing. `now` is
    aware and in the zone of the business.
    """
    line = read_line(text, language)
    counting = {at for at in range(len(line.tokens)) if _counts(line, at, heads, named)}
    numbers = {line.tokens[at].n for at in counting} - {1}
    people = party_size(text, language)
    _, rest = find_days(line, Anchor(now, line.language, country))
    _, rest = find_times(rest, dated=False)
    strange = any(
        rest.kinds[at] == "N" and at not in counting and _is_strange(line, at, named, people)
        for at in range(len(line.tokens))
    )
    number = numbers.pop() if len(numbers) == 1 else None
    return Quantity(number, strange or bool(numbers))


def _after(line: Line, at: int) -> Token | None:
    """The token behind a number, over a word between the two."""
    rest = line.tokens[at + 1 : at + 3]
    if len(rest) > 1 and rest[0].text in _BETWEEN:
        return rest[1]
    return rest[0] if rest else None


def _counts(line: Line, at: int, heads: Collection[str], named: Collection[str]) -> bool:
    token, after = line.tokens[at], _after(line, at)
    if token.kind != "N" or after is None or token.n < 1 or token.text in named:
        return False
    if _article(token):
        return False
    if _UNITS.fullmatch(after.text):
        return True
    before = line.kinds[at - 1] if at else ""
    said_when = before in _NO_COUNT_BEFORE or (before == "L" and line.tokens[at - 1].name != "weak")
    return not (before and said_when) and any(_same(after.text, word) for word in heads)


def _article(token: Token) -> bool:
    return token.n == 1 and not token.text[:1].isdigit()


def _same(said: str, word: str) -> bool:
    """Whether a word is that of a name, in the singular or the plural."""
    least = min(len(said), len(word))
    common = max(_LEAST_COMMON, least - 1)
    return least >= _LEAST_COMMON and abs(len(said) - len(word)) <= 1 and said[:common] == word[:common]


def _is_strange(line: Line, at: int, named: Collection[str], people: int | None) -> bool:
    """Whether a number that is no day and no hour may say how many, or how long, and is not understood."""
    token, after = line.tokens[at], _after(line, at)
    if _article(token) or token.n == people:
        return False
    if token.text in named:  # "10 sedute" may be ten of them, or the package of that name
        return after is not None and _UNITS.fullmatch(after.text) is not None
    if after is None:
        return True
    if after.kind in ("U", "h"):
        return after.name not in ("year", "minute")
    if after.kind in "MakRC$" or _MONEY.fullmatch(after.text):
        return False
    return re.fullmatch(people_words(), after.text) is None
