"""Whether a sentence is, word for word and value for value, in one line of its sources, or in one source.

Not a judgment: "adults pay what children pay" may be covered too. But of the training rows' answers that are,
one in fifteen is a lie; of the others, every second.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from inference.claims import Fact, facts
from inference.grounding_concepts import keys, meanings, states_nothing
from inference.grounding_rows import agree, parse, sentences, telling, without_facts
from inference.grounding_words import denials, fold


@dataclass(frozen=True)
class _Line:
    """A line of a source, or a whole one: its values, its words, what they mean, and how often it denies."""

    facts: tuple[Fact, ...]
    words: frozenset[str]
    meanings: frozenset[str]
    denied: int


def covered(
    folded: str, found: Sequence[Fact], language: str | None, texts: Sequence[str]
) -> tuple[int, int]:
    """(whether one line holds all that a sentence says and denies as often, whether one source does)."""
    said = [word for _, word in telling(without_facts(folded, found)) if not states_nothing(word)]
    if not said and not found:
        return 1, 1
    denied = denials(folded, language)
    line = any(one.denied == denied and _holds(one, said, found) for text in texts for one in _lines(text))
    return int(line), int(line or any(_holds(_whole(text), said, found) for text in texts))


def _holds(line: _Line, said: Sequence[str], found: Sequence[Fact]) -> bool:
    return all(any(agree(fact, own) for own in line.facts) for fact in found) and all(
        word in line.words or not line.meanings.isdisjoint(keys(word)) for word in said
    )


@lru_cache(maxsize=512)  # as sources are parsed: the same passages are checked turn after turn
def _lines(text: str) -> tuple[_Line, ...]:
    language = parse(text).language
    return tuple(_read(line, language) for _, line in sentences(text))


@lru_cache(maxsize=512)
def _whole(text: str) -> _Line:
    lines = _lines(text)
    return _Line(
        tuple(fact for line in lines for fact in line.facts),
        frozenset().union(*(line.words for line in lines)),
        frozenset().union(*(line.meanings for line in lines)),
        sum(line.denied for line in lines),
    )


def _read(line: str, language: str | None) -> _Line:
    folded = fold(line)
    words = frozenset(word for _, word in telling(folded))
    return _Line(facts(line, language), words, meanings(folded), denials(folded, language))
