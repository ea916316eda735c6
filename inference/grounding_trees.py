"""Boosted trees over the whole of an answer: beside the networks, which look at one word or clause at a time.

What they see is how the instances of `inference.grounding_features` are spread over an answer: the most, the
least, mean and deviation of each column, and the word and the clause that are furthest from the sources.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from inference.grounding_features import ANSWER, CLAUSE, FORTH, HELD, VALUE, WORD_SCALARS, Instances

SPREADS = 4
WIDTH = ANSWER + SPREADS * (WORD_SCALARS + CLAUSE + VALUE) + WORD_SCALARS + CLAUSE

Floats = NDArray[np.float32]


def overview(seen: Instances) -> Floats:
    """An answer as the trees see it, shape (WIDTH,); not a number where it has no instance of a kind."""
    words = seen.words[:, :WORD_SCALARS]
    parts = [seen.answer, *(_spread(rows) for rows in (words, seen.clauses, seen.values))]
    parts += [_furthest(words, HELD), _furthest(seen.clauses, FORTH)]
    return np.concatenate(parts).astype(np.float32)


def _spread(rows: Floats) -> Floats:
    if not len(rows):
        return np.full(SPREADS * rows.shape[1], np.nan, np.float32)
    return np.concatenate([rows.max(axis=0), rows.min(axis=0), rows.mean(axis=0), rows.std(axis=0)])


def _furthest(rows: Floats, column: int) -> Floats:
    if not len(rows):
        return np.full(rows.shape[1], np.nan, np.float32)
    return np.asarray(rows[int(rows[:, column].argmin())], dtype=np.float32)


@dataclass(frozen=True)
class Trees:
    """The nodes of all trees, one after the other; `roots` are the trees' first. A node goes `left` where its
    `column` is at most `least` or, with `lost_left`, where it is not a number; a leaf leads to itself and
    adds its `value`. `base` is the score without any."""

    roots: NDArray[np.int32]
    column: NDArray[np.int16]
    least: NDArray[np.float64]
    lost_left: NDArray[np.bool_]
    left: NDArray[np.int32]
    right: NDArray[np.int32]
    value: Floats
    base: float

    def whole(self) -> bool:
        """Whether every node leads on to itself or to later ones, and asks for a column that there is."""
        places = np.arange(len(self.column))
        return (
            len(self.roots) > 0
            and all(len(one) == len(places) for one in (self.least, self.lost_left, self.left, self.right))
            and len(self.value) == len(places)
            and bool(((self.left >= places) & (self.right >= places)).all())
            and max(map(int, (self.left.max(), self.right.max(), self.roots.max()))) < len(places)
            and min(map(int, (self.roots.min(), self.column.min()))) >= 0
            and int(self.column.max()) < WIDTH
        )

    def score(self, row: Floats) -> float:
        """The logit that the answer is more than its sources say."""
        at, lost = self.roots, np.isnan(row)
        while True:
            column = self.column[at]
            goes_left = np.where(lost[column], self.lost_left[at], row[column] <= self.least[at])
            further = np.where(goes_left, self.left[at], self.right[at])
            if (further == at).all():
                return float(self.value[at].sum()) + self.base
            at = further
