"""How far a question's words are said in a text, in its own language or another.

A sentence's vector says what it is about and loses the one word that matters ("umbrella", "slippers"). Single
words have vectors too: a word of the question counts for as much as the nearest word of the text is near, and
rare ones count more (BM25's idf, over the texts given).
"""

import hashlib
import re
import threading
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from inference.compass_sentences import MESSAGES, PASSAGES
from inference.duet import SentenceEncoder
from inference.embed import Vector
from inference.grounding_words import ALL_STOP, fold

# Under this cosine, centred, two words have nothing to do with each other.
_LEAST = 0.4
_FLAT = 3.0  # beside the words' weights: a question of one word is not all told by one word
_MOST_WORDS = 40  # of a question: beyond, it is a story
_MOST_KEPT = 40_000  # words in memory, 1 KB each
_MOST_TEXTS = 4_000  # whose words are known, half a KB each

Places = NDArray[np.intp]

_WORD = re.compile(r"[^\W\d_]+(?:[-’'][^\W\d_]+)*")  # "wi-fi" is one word


def content_words(text: str) -> list[str]:
    """Its words of three letters or more that mean something in themselves, in order, each once."""
    found = dict.fromkeys(_WORD.findall(text.casefold().replace("’", "'")))
    return [word for word in found if len(word) >= 3 and fold(word) not in ALL_STOP]


class Wording:
    """Word vectors of the sentence encoder, remembered. Safe to call from several threads."""

    def __init__(self, encoder: SentenceEncoder) -> None:
        self._encoder = encoder
        self._lock = threading.Lock()
        self._place: dict[str, int] = {}
        self._matrix = np.zeros((0, encoder.dimensions), dtype=np.float16)
        self._told: dict[bytes, Places] = {}
        ordinary = content_words(" ".join([*MESSAGES, *(t for texts in PASSAGES.values() for t in texts)]))
        self._centre = encoder.encode(ordinary).mean(axis=0)

    def shares(self, question: str, texts: Sequence[str]) -> Vector:
        """For each text, how much of the question's words it says, 0..1; shape (len(texts),)."""
        asked = content_words(question)[:_MOST_WORDS]
        if not asked or not texts:
            return np.zeros(len(texts), dtype=np.float32)
        with self._lock:
            told = self._placed(asked, texts)
            places, where = np.unique(np.concatenate(told), return_inverse=True)
            vocabulary = self._matrix[places].astype(np.float32)
            wanted = self._matrix[[self._place[word] for word in asked]].astype(np.float32)
        near = np.maximum(wanted @ vocabulary.T - _LEAST, 0) / (1 - _LEAST)
        said = self._nearest(near, where, [len(one) for one in told])
        present = said.sum(axis=0)
        rarity = np.log1p((len(texts) - present + 0.5) / (present + 0.5))
        return np.asarray((said * rarity).sum(axis=1) / (rarity.sum() + _FLAT), dtype=np.float32)

    @staticmethod
    def _nearest(near: Vector, where: Places, lengths: Sequence[int]) -> Vector:
        """How near each text comes to each word asked: (asked, vocabulary) → (texts, asked). `where` is the
        vocabulary's column of each word of the texts, which follow one another."""
        said = np.zeros((len(lengths), len(near)), dtype=np.float32)
        some = np.flatnonzero(lengths)
        if len(some):
            starts = np.cumsum([0, *lengths[:-1]])[some]
            said[some] = np.maximum.reduceat(near[:, where], starts, axis=1).T
        return said

    def _placed(self, asked: list[str], texts: Sequence[str]) -> list[Places]:
        """The matrix's rows of each text's words; after it, the words asked have theirs too.

        Passages are found again day after day, and to take their words apart took longer than all the rest.
        """
        keys = [hashlib.blake2b(text.encode("utf-8", "replace"), digest_size=16).digest() for text in texts]
        if len(self._told) + len(texts) > _MOST_TEXTS or len(self._place) > _MOST_KEPT:
            self._place, self._told, self._matrix = {}, {}, self._matrix[:0]
        unread = {
            key: content_words(text) for key, text in zip(keys, texts, strict=True) if key not in self._told
        }
        words = dict.fromkeys(word for several in (asked, *unread.values()) for word in several)
        if missing := [word for word in words if word not in self._place]:
            self._learn(missing)
        for key, several in unread.items():
            self._told[key] = np.array([self._place[word] for word in several], dtype=np.intp)
        return [self._told[key] for key in keys]

    def _learn(self, missing: list[str]) -> None:
        centred = self._encoder.encode(missing) - self._centre
        centred /= np.maximum(np.linalg.norm(centred, axis=1, keepdims=True), 1e-9)
        self._place.update((word, len(self._matrix) + n) for n, word in enumerate(missing))
        self._matrix = np.concatenate([self._matrix, centred.astype(np.float16)])
