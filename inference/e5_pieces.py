"""Cuts a text into the pieces E5 was trained on: SentencePiece's unigram model, the most probable cut.

Kudo, "Subword Regularization" (ACL 2018), section 3.2: the cut whose pieces' log probabilities sum highest,
by Viterbi. No piece of this vocabulary reaches over a space, so a text is cut word by word, and a word met
before is remembered. The pieces are held in a MARISA trie: a third of a megabyte instead of twenty.
"""

import json
import re
from array import array
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path

import marisa_trie
import numpy as np

SPACE = "▁"  # how the vocabulary writes the space before a word
_SPACES = re.compile(" {2,}")
_REMEMBERED = 20_000
_A_WORD = 40  # characters; what is longer is seldom met again
_NEVER = float("-inf")
_TRIE, _NUMBERS, _NORMAL = "pieces.marisa", "pieces.npz", "normal.json"


class Pieces:
    """`ids` gives a text's pieces by their numbers, or None where a character has no piece."""

    def __init__(self, folder: Path) -> None:
        """Opens what `write_pieces` has written. Raises OSError, RuntimeError, ValueError or KeyError."""
        self._trie = marisa_trie.Trie()
        self._trie.load(str(folder / _TRIE))
        with np.load(folder / _NUMBERS, allow_pickle=False) as kept:
            self._numbers = array("i", kept["numbers"].astype(np.intc).tobytes())
            self._scores = array("f", kept["scores"].astype(np.float32).tobytes())
        normal = json.loads((folder / _NORMAL).read_text("utf-8"))
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
            for piece, at in self._trie.iter_prefixes_with_ids(word[start:]):
                end, score = start + len(piece), so_far + self._scores[at]
                if score > best[end]:
                    best[end], came[end] = score, (start, at)
        if best[size] == _NEVER:
            return None  # a character no piece holds
        cut, here = [], size
        while here:
            here, at = came[here]
            cut.append(self._numbers[at])
        return tuple(reversed(cut))


def write_pieces(folder: Path, numbered: Mapping[str, tuple[int, float]], normal: Mapping[str, str]) -> None:
    """Writes pieces, each with its number and its score, and what characters are normalised to."""
    trie = marisa_trie.Trie(numbered)
    trie.save(str(folder / _TRIE))
    order = sorted(numbered, key=trie.key_id)
    np.savez(
        folder / _NUMBERS,
        numbers=np.array([numbered[piece][0] for piece in order], dtype=np.int32),
        scores=np.array([numbered[piece][1] for piece in order], dtype=np.float32),
    )
    (folder / _NORMAL).write_text(json.dumps(dict(normal), ensure_ascii=False), "utf-8")
