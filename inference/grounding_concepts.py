"""Words by their meaning: what "parcheggio", "parking" and "estacionamiento" have in common.

A small dictionary of a small business's words (data/grounding_concepts.txt) gives words of four languages one
key. A word outside it is its own stem, spelt so that cognates meet ("fotografia", "photography"). Words that
state nothing (data/grounding_plain.txt) have no key.
"""

import re
from collections.abc import Iterable
from functools import lru_cache
from pathlib import Path

from inference.grounding_words import ALL_STOP, NEGATORS, words

_DATA = Path(__file__).parent / "data"
_STEM = 5  # letters of a cognate that must agree
_SPELLINGS = (
    (re.compile(r"ph"), "f"),
    (re.compile(r"th"), "t"),
    (re.compile(r"ch(?=[aorl])|qu(?=[ei])|ck|k"), "c"),
    (re.compile(r"y"), "i"),
    (re.compile(r"^es(?=[pct])"), "s"),
    (re.compile(r"x|z"), "s"),
    (re.compile(r"nh|gn"), "n"),
    (re.compile(r"lh|gl(?=i)"), "l"),
    (re.compile(r"(.)\1"), r"\1"),
)


class _Lexicon:
    """Whole words and prefixes, each with the lines it stands in."""

    def __init__(self, lines: Iterable[str]) -> None:
        self.whole: dict[str, set[int]] = {}
        self.prefixes: dict[str, set[int]] = {}
        self.open: set[int] = set()
        self.proper: set[int] = set()
        for number, line in enumerate(lines):
            if line.startswith("!"):
                self.open.add(number)
            if line.startswith("="):
                self.proper.add(number)
            for entry in line.lstrip("!=").split():
                table = self.prefixes if entry.endswith("*") else self.whole
                table.setdefault(entry.rstrip("*"), set()).add(number)

    def find(self, word: str) -> set[int]:
        """The lines of a word: its own, and those of the prefixes it begins with."""
        found = set(self.whole.get(word, ()))
        for length in range(len(word), 2, -1):
            if length >= 4 or not found:
                found |= self.prefixes.get(word[:length], set())
        return found


def _lines(name: str) -> list[str]:
    text = (_DATA / name).read_text(encoding="utf-8")
    return [line for line in text.splitlines() if line.strip() and not line.startswith("#")]


@lru_cache(maxsize=1)
def _concepts() -> _Lexicon:
    return _Lexicon(_lines("grounding_concepts.txt"))


@lru_cache(maxsize=1)
def _plain() -> _Lexicon:
    return _Lexicon(_lines("grounding_plain.txt"))


@lru_cache(maxsize=16384)
def keys(word: str) -> frozenset[str]:
    """What a folded word means: concepts ("@12"), a cognate stem, or nothing when plain."""
    short = len(word) < 3 and word not in _concepts().whole
    if short or word in ALL_STOP or word in NEGATORS:
        return frozenset()
    concepts = _concepts().find(word)
    if concepts:
        return frozenset(f"@{number}" for number in concepts)
    return frozenset() if _plain().find(word) else frozenset({cognate(word)})


@lru_cache(maxsize=16384)
def states_nothing(word: str) -> bool:
    """Whether a word may be said whatever the sources hold: "open", "price", "customer", "please"."""
    return bool(_plain().find(word) or _concepts().find(word) & _concepts().open) or not keys(word)


@lru_cache(maxsize=16384)
def known_concept(word: str) -> bool:
    """Whether the dictionary of a small business's words has a word."""
    return bool(_concepts().find(word))


@lru_cache(maxsize=16384)
def plain(word: str) -> bool:
    """Whether a word is one of those that state nothing."""
    return bool(_plain().find(word))


@lru_cache(maxsize=16384)
def common_noun(word: str) -> bool:
    """Whether the dictionary knows a word, and not as the name of a place."""
    found = _concepts().find(word)
    return bool(found - _concepts().proper) or bool(_plain().find(word))


@lru_cache(maxsize=16384)
def cognate(word: str) -> str:
    """The stem of a word in a spelling its cognates share, at most five letters."""
    for pattern, spelling in _SPELLINGS:
        word = pattern.sub(spelling, word)
    base = word.rstrip("aeios")
    return (base if len(base) >= 3 else word)[:_STEM]


def meanings(folded: str) -> frozenset[str]:
    """The keys of every word of a folded text."""
    return frozenset().union(*(keys(word) for word in words(folded)))
