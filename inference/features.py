"""A message as one vector: its embedding, what the word lists find in it, and its hashed wording."""

from dataclasses import dataclass
from itertools import combinations
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from inference.concepts import Concepts
from inference.duet import DuetEmbedder
from inference.errors import BadModelOutput
from inference.lexicon import LEXICONS, Words, WordSpotter
from inference.ngrams import BUCKETS, hashed

EMBEDDING = DuetEmbedder.dimensions
# How far each kind of feature reaches. Regularisation is one for all of them, so the longer ones weigh more;
# chosen for recall on the dev rows of evals/datasets/sensitivity.jsonl.
_FLAG, _CONCEPT, _PAIR, _GRAMS = 2.0, 2.0, 1.5, 8.0


@dataclass(frozen=True)
class Features:
    """Columns: embedding, lexicon flags, concepts, pairs of concepts, pieces of words, runs of words."""

    spotter: WordSpotter
    concepts: Concepts

    @classmethod
    def load(cls, lexicons: Path = LEXICONS) -> "Features":
        """Read the word lists. Raises ModelMissing or WeightsCorrupt."""
        return cls(WordSpotter.load(lexicons), Concepts.load(lexicons / "concepts.txt"))

    @property
    def size(self) -> int:
        """Length of a vector."""
        count = len(self.concepts.names)
        return EMBEDDING + Words.FLAGS + count + count * count + 2 * BUCKETS

    def vector(self, text: str, embedding: NDArray[np.float32], words: Words) -> NDArray[np.float32]:
        """The whole vector, shape (size,). Raises BadModelOutput for another embedder's embedding."""
        if embedding.shape != (EMBEDDING,):
            raise BadModelOutput(
                f"the heads were trained on vectors of shape ({EMBEDDING},), got {embedding.shape}: "
                "embed the message with DuetEmbedder.query"
            )
        whole = np.zeros(self.size, dtype=np.float32)
        whole[:EMBEDDING] = embedding
        columns, values = self.sparse(text, words)
        whole[EMBEDDING + columns] = values
        return whole

    def sparse(self, text: str, words: Words) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
        """Columns, counted from the end of the embedding, that are not 0, and their values."""
        found = [self.concepts.names.index(name) for name in self.concepts.find(text)]
        count = len(self.concepts.names)
        pieces, runs = hashed(text)
        after = Words.FLAGS + count + count * count
        parts = (
            (np.flatnonzero(words.flags), _FLAG),
            (Words.FLAGS + np.array(found, dtype=np.int64), _CONCEPT),
            (Words.FLAGS + count + _pairs(found, count), _PAIR),
            (after + pieces, _GRAMS / max(len(pieces), 1) ** 0.5),
            (after + BUCKETS + runs, _GRAMS / max(len(runs), 1) ** 0.5),
        )
        values = [np.full(len(columns), value, dtype=np.float32) for columns, value in parts]
        return np.concatenate([columns for columns, _ in parts]), np.concatenate(values)


def _pairs(found: list[int], count: int) -> NDArray[np.int64]:
    return np.array([a * count + b for a, b in combinations(found, 2)], dtype=np.int64)
