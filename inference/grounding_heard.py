"""Sources as the grounding judge reads them: clauses, words and rows side by side, each with its vectors."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import accumulate

import numpy as np
from numpy.typing import NDArray

from inference.claims import Fact, facts
from inference.grounding_concepts import cognate, keys
from inference.grounding_lexis import Lexis
from inference.grounding_marks import marks
from inference.grounding_rows import CELLS, Parsed, Row, sentences, shifted, telling, without_facts
from inference.grounding_words import denials, fold, guess_language, stem

STEM = 5  # letters of two words that must agree for one to be the other's inflection
MOST_CLAUSES = 400  # of the sources; and of the answer
_CLAUSE_END = re.compile(
    r"[,;:()—–]\s+|\s[-–—|]\s|\s(?:and|but|ed?|ma|y|pero|mas|while|mentre|mientras|enquanto|however)\s"
)

Floats = NDArray[np.float32]


@dataclass(frozen=True)
class Told:
    """A clause: its telling words, how often it denies, and its marks."""

    words: tuple[str, ...]
    denied: int
    marks: Floats


@dataclass(frozen=True)
class Heard:
    """A source: its clauses, its words and its rows with values."""

    language: str | None
    clauses: tuple[Told, ...]
    words: tuple[str, ...]


@dataclass(frozen=True)
class SideBySide:
    """All sources of an answer side by side: unique words, clauses and rows as blocks of columns."""

    language: frozenset[str | None]
    unique: list[str]
    vectors: Floats
    clauses: list[Told]
    starts: list[int]
    columns: list[int]  # of `unique`, clause by clause
    rows: list[Row]
    row_starts: list[int]
    row_columns: list[int]
    by_key: dict[str, list[int]]
    meanings: frozenset[str]
    stems: frozenset[str]


def cut(text: str) -> list[tuple[int, int]]:
    """A sentence in clauses: at commas, brackets, dashes and before "and" or "but"."""
    found, start = [], 0
    for match in _CLAUSE_END.finditer(text):
        if match.start() > start:
            found.append((start, match.start()))
            start = match.end()
    found.append((start, len(text)))
    return [(a, b) for a, b in found if text[a:b].strip()]


def _cells(line: str) -> list[tuple[int, int]]:
    return [m.span() for m in re.finditer(r"[^|]+", line)]


def told_in(folded: str, language: str | None, spent: Sequence[Fact]) -> Told:
    words = tuple(word for _, word in telling(without_facts(folded, spent)))
    return Told(words, denials(folded, language), marks(folded))


@lru_cache(maxsize=512)
def _heard(text: str) -> Heard:
    folded = fold(text)
    language = guess_language(folded)
    found: list[Told] = []
    for _, sentence in sentences(text):
        inside, line = facts(sentence, language), fold(sentence)
        pieces = _cells(sentence) if CELLS in sentence else cut(sentence)
        for a, b in pieces:
            here = [f for f in inside if a <= f.start < b]
            found.append(told_in(line[a:b], language, shifted(here, a, b)))
        if len(pieces) > 1 and CELLS not in sentence:
            found.append(told_in(line, language, inside))
    words = tuple(dict.fromkeys(word for _, word in telling(folded)))
    return Heard(language, tuple(told for told in found if told.words)[:MOST_CLAUSES], words)


def side_by_side(texts: Sequence[str], parsed: Sequence[Parsed], lexis: Lexis) -> SideBySide:
    heard = [_heard(text) for text in texts]
    rows = [row for one in parsed for row in one.rows if row.facts]
    clauses = [told for one in heard for told in one.clauses]
    unique = list(
        dict.fromkeys(
            [word for one in heard for word in one.words]
            + [word for told in clauses for word in told.words]
            + [word for row in rows for word in row.words]
        )
    )
    place = {word: n for n, word in enumerate(unique)}
    by_key: dict[str, list[int]] = {}
    for word, n in place.items():
        for key in keys(word):
            by_key.setdefault(key, []).append(n)
    return SideBySide(
        frozenset(one.language for one in heard),
        unique,
        lexis.matrix(unique),
        clauses,
        [0, *accumulate(len(told.words) for told in clauses)],
        [place[word] for told in clauses for word in told.words],
        rows,
        [0, *accumulate(len(row.words) for row in rows)],
        [place[word] for row in rows for word in row.words],
        by_key,
        frozenset().union(*(one.meanings for one in parsed)),
        frozenset(s for word in unique for s in (stem(word, STEM), cognate(word))),
    )
