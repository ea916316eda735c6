"""What a message is made of, as numbers: its pieces of words and its runs of words, in hashed buckets.

An encoder reads the sense of a message and blurs its wording; a typing error or a rare word ("eliquis",
"burofax") is in the wording. The hash is CRC-32, so that buckets are the same on every machine.
"""

import zlib
from collections.abc import Iterable, Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from inference.lexicon import tokens

BUCKETS = 2**15
_PIECES = (2, 3, 4, 5)
_RUNS = (1, 2, 3)
_MOST_WORDS = 200


def pieces(words: Iterable[str]) -> Iterator[str]:
    """Runs of two to five letters of each word, its two ends marked by a space."""
    for word in words:
        marked = f" {word} "
        for length in _PIECES:
            for at in range(max(len(marked) - length + 1, 0)):
                yield marked[at : at + length]


def runs(words: Sequence[str]) -> Iterator[str]:
    """Runs of one to three words."""
    for length in _RUNS:
        for at in range(len(words) - length + 1):
            yield " ".join(words[at : at + length])


def _buckets(grams: Iterable[str]) -> NDArray[np.int64]:
    return np.array(sorted({zlib.crc32(gram.encode()) % BUCKETS for gram in grams}), dtype=np.int64)


def hashed(text: str) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The buckets of a message's pieces and of its runs, ascending; accents, case and signs drop out."""
    words = tokens(text)[:_MOST_WORDS]
    return _buckets(pieces(words)), _buckets(runs(words))
