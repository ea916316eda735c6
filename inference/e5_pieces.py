"""Cuts a text into the pieces E5 was trained on: SentencePiece's unigram model, the most probable cut.

Kudo, "Subword Regularization" (ACL 2018), section 3.2: the cut whose pieces' log probabilities sum highest,
by Viterbi. No piece of this vocabulary reaches over a space, so a text is cut word by word, and a word met
before is remembered.
"""

import re
from array import array
from collections.abc import Mapping, Sequence
from functools import lru_cache

SPACE = "▁"  # how the vocabulary writes the space before a word
_SPACES = re.compile(" {2,}")
_REMEMBERED = 20_000
_A_WORD = 40  # characters; what is longer is seldom met again
_NEVER = float("-inf")


class Pieces:
    """`ids` gives a text's pieces as indices of the vocabulary, or None where a character has no piece."""

    def __init__(self, pieces: Sequence[str], scores: Sequence[float], normal: Mapping[str, str]) -> None:
        self._at = {piece: at for at, piece in enumerate(pieces)}
        self._scores = array("f", scores)
        self._longest = max(map(len, pieces), default=0)
        self._normal = {ord(character): to for character, to in normal.items()}
        self._word = lru_cache(_REMEMBERED)(self._cut)

    def ids(self, text: str) -> list[int] | None:
        """Normalises and cuts the text."""
        normal = _SPACES.sub(" ", text.translate(self._normal))
        words = (normal if normal.startswith(" ") else " " + normal).split(" ")[1:]
        found: list[int] = []
        for word in words:
            cut = (self._word if len(word) <= _A_WORD else self._cut)(SPACE + word)
            if cut is None:
                return None
            found += cut
        return found

    def _cut(self, word: str) -> tuple[int, ...] | None:
        size = len(word)
        best = [0.0] + [_NEVER] * size
        came = [(0, -1)] * (size + 1)
        for start, so_far in enumerate(best):
            if so_far == _NEVER:
                continue
            for end in range(start + 1, min(size, start + self._longest) + 1):
                at = self._at.get(word[start:end])
                if at is not None and (score := so_far + self._scores[at]) > best[end]:
                    best[end], came[end] = score, (start, at)
        if best[size] == _NEVER:
            return None  # a character no piece holds
        cut, here = [], size
        while here:
            here, at = came[here]
            cut.append(at)
        return tuple(reversed(cut))
