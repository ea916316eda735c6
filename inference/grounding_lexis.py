"""Words as vectors, for the grounding judge: what "parcheggio" has to do with "estacionamiento" and "car".

The table (data/weights/grounding_words.npz, made by `python -m inference.train_grounding words`) holds the
sentence encoder's vectors of the words that customers and documents use, turned to their 64 main directions.
"""

import zipfile
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from inference.classify import WEIGHTS
from inference.errors import ModelMissing, WeightsCorrupt

DIMENSIONS = 64
TABLE = "grounding_words.npz"
_HEAD = 6  # letters: words outside the table are taken for those that begin alike
_LEAST = 5
_NONE = np.zeros(DIMENSIONS, dtype=np.float32)

Floats = NDArray[np.float32]


@dataclass(frozen=True)
class Lexis:
    """Unit vectors (n, 64) of folded words, and how often each is used."""

    place: dict[str, int]
    alike: dict[str, list[int]]
    vectors: Floats
    counts: NDArray[np.int32]

    @classmethod
    def load(cls, folder: Path = WEIGHTS) -> "Lexis":
        """Read the table. Raises ModelMissing or WeightsCorrupt."""
        try:
            with np.load(folder / TABLE, allow_pickle=False) as file:
                words = bytes(file["words"]).decode().split()
                vectors = file["vectors"].astype(np.float32)
                counts = file["counts"].astype(np.int32)
        except FileNotFoundError as failure:
            raise ModelMissing(f"no {TABLE} in {folder}: reinstall the package") from failure
        except (OSError, KeyError, ValueError, EOFError, TypeError, zipfile.BadZipFile) as failure:
            raise WeightsCorrupt(
                f"{TABLE} is damaged: run `python -m inference.train_grounding`"
            ) from failure
        if vectors.shape != (len(words), DIMENSIONS) or counts.shape != (len(words),):
            raise WeightsCorrupt(
                f"{TABLE} has inconsistent shapes: run `python -m inference.train_grounding`"
            )
        return cls.of(words, vectors, counts)

    @classmethod
    def of(cls, words: list[str], vectors: Floats, counts: NDArray[np.int32]) -> "Lexis":
        """The table of these words."""
        alike: dict[str, list[int]] = {}
        for n, word in enumerate(words):
            if len(word) >= _LEAST:
                alike.setdefault(word[:_HEAD], []).append(n)
        unit = vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-9)
        return cls({word: n for n, word in enumerate(words)}, alike, unit.astype(np.float32), counts)

    def matrix(self, words: list[str]) -> Floats:
        """Vectors of the words, shape (len(words), 64); zeros for one like none in the table."""
        found = np.zeros((len(words), DIMENSIONS), dtype=np.float32)
        for row, word in zip(found, words, strict=True):
            row[:] = self._vector(word)
        return found

    def rarity(self, word: str) -> float:
        """How common a word is, from 0 for one never seen: the logarithm of its count."""
        at = self.place.get(word)
        return float(np.log1p(self.counts[at])) if at is not None else 0.0

    def _vector(self, word: str) -> Floats:
        at = self.place.get(word)
        if at is not None:
            return np.asarray(self.vectors[at])
        near = self.alike.get(word[:_HEAD]) if len(word) >= _LEAST else None
        if not near:
            return _NONE
        mean = self.vectors[near].mean(axis=0)
        return np.asarray(mean / max(float(np.linalg.norm(mean)), 1e-9), dtype=np.float32)


@lru_cache(maxsize=1)
def lexis() -> Lexis:
    """The packaged table, read once."""
    return Lexis.load()
