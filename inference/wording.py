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
        self._known: dict[str, Vector] = {}
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
        place = {word: n for n, word in enumerate(vocabulary)}
        said = np.stack(
            [
                near[:, [place[word] for word in words]].max(axis=1)
                if words
                else np.zeros(len(asked), dtype=np.float32)
                for words in told
            ]
        )
        present = said.sum(axis=0)
        rarity = np.log1p((len(texts) - present + 0.5) / (present + 0.5))
        return np.asarray((said * rarity).sum(axis=1) / (rarity.sum() + _FLAT), dtype=np.float32)

    def _vectors(self, words: Sequence[str]) -> Vector:
        with self._lock:
            missing = [word for word in words if word not in self._known]
        if missing:
            centred = self._encoder.encode(missing) - self._centre
            centred /= np.maximum(np.linalg.norm(centred, axis=1, keepdims=True), 1e-9)
            with self._lock:
                if len(self._known) + len(missing) > _MOST_KEPT:
                    self._known.clear()
                self._known.update(zip(missing, centred.astype(np.float16), strict=True))
        with self._lock:
            kept = [self._known.get(word) for word in words]
        if any(vector is None for vector in kept):  # another thread has just cleared them
            return self._vectors(words)
        return np.stack([v for v in kept if v is not None]).astype(np.float32)
