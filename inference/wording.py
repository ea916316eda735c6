"""How far a question's words are said in a text, in its own language or another.

A sentence's vector says what it is about and loses the one word that matters ("umbrella", "slippers"). Single
words have vectors too: a word of the question counts for as much as the nearest word of the text is near, and
rare ones count more (BM25's idf, over the texts given).
"""

import re
import threading
from collections.abc import Sequence

import numpy as np

from inference.compass_sentences import MESSAGES, PASSAGES
from inference.duet import SentenceEncoder
from inference.embed import Vector
from inference.grounding_words import ALL_STOP, fold

# Under this cosine, centred, two words have nothing to do with each other.
_LEAST = 0.4
_FLAT = 3.0  # beside the words' weights: a question of one word is not all told by one word
_MOST_WORDS = 40  # of a question: beyond, it is a story
_MOST_KEPT = 40_000  # words in memory, 1 KB each
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
        ordinary = content_words(" ".join([*MESSAGES, *(t for texts in PASSAGES.values() for t in texts)]))
        self._centre = encoder.encode(ordinary).mean(axis=0)

    def shares(self, question: str, texts: Sequence[str]) -> Vector:
        """For each text, how much of the question's words it says, 0..1; shape (len(texts),)."""
        asked = content_words(question)[:_MOST_WORDS]
        told = [content_words(text) for text in texts]
        vocabulary = list(dict.fromkeys(word for words in told for word in words))
        if not asked or not vocabulary:
            return np.zeros(len(texts), dtype=np.float32)
        near = self._vectors(asked) @ self._vectors(vocabulary).T
        near = np.maximum(near - _LEAST, 0) / (1 - _LEAST)
        said = self._nearest(near, vocabulary, told)
        present = said.sum(axis=0)
        rarity = np.log1p((len(texts) - present + 0.5) / (present + 0.5))
        return np.asarray((said * rarity).sum(axis=1) / (rarity.sum() + _FLAT), dtype=np.float32)

    @staticmethod
    def _nearest(near: Vector, vocabulary: list[str], told: list[list[str]]) -> Vector:
        """How near each text comes to each word asked: (asked, vocabulary) → (texts, asked)."""
        place = {word: n for n, word in enumerate(vocabulary)}
        said = np.zeros((len(told), len(near)), dtype=np.float32)
        for row, words in zip(said, told, strict=True):
            if words:
                near[:, [place[word] for word in words]].max(axis=1, out=row)
        return said

    def _vectors(self, words: list[str]) -> Vector:
        """Centred unit vectors, shape (len(words), 512)."""
        with self._lock:
            missing = [word for word in words if word not in self._place]
            if missing:
                self._learn(missing, words)
            return self._matrix[[self._place[word] for word in words]].astype(np.float32)

    def _learn(self, missing: list[str], needed: list[str]) -> None:
        if len(self._place) + len(missing) > _MOST_KEPT:
            self._place, self._matrix = {}, self._matrix[:0]
            missing = list(dict.fromkeys(needed))
        centred = self._encoder.encode(missing) - self._centre
        centred /= np.maximum(np.linalg.norm(centred, axis=1, keepdims=True), 1e-9)
        self._place.update((word, len(self._matrix) + n) for n, word in enumerate(missing))
        self._matrix = np.concatenate([self._matrix, centred.astype(np.float16)])
