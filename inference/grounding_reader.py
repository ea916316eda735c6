"""Reads an answer beside its sources, word against word: a second judge where replies are freely worded.

The bundled E5, its upper layers taught to read a pair (`python -m inference.train_reader`), on the engine
messages are embedded with. It weighs what the features of `inference.grounding_judge` do not see: who a rule
is for, what a "not" reaches to, what follows from what. Loaded when first asked: a process whose replies are
quotations never needs it.
"""

import math
import threading
from collections.abc import Sequence
from dataclasses import dataclass, fields
from functools import lru_cache
from pathlib import Path
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

from inference.classify import WEIGHTS, read_sidecar
from inference.e5_int8 import Int8E5
from inference.e5_turn import Turn, read_turn
from inference.errors import ModelMissing, WeightsCorrupt
from inference.grounding_rows import telling
from inference.grounding_words import fold, stem

NAME = "grounding_reader"
# Pieces that are read of an answer and of its sources.
ANSWER_PIECES, SOURCE_PIECES = 90, 260
FLOOR = -20.0
# It is asked where the first judge's logit is no further than this from its threshold.
UNSURE = 3.0
_SAME = 5  # letters of a stem that tell what a text is about
_MISSING = "run `python -m inference.train_reader`"

Floats = NDArray[np.float32]


@dataclass(frozen=True)
class Heads:
    """What is read off the states: `token` (384,) and `token_bias` of each piece of the answer, `mean` (384,)
    of their mean, `first` (384,) of the pair's first state, and `bias`."""

    token: Floats
    token_bias: float
    mean: Floats
    first: Floats
    bias: float

    def doubt(self, states: Floats, answer: int) -> float:
        """The logit that an answer of so many pieces says more than its sources; states (pieces, 384)."""
        own = states[1 : answer + 2]
        each = own @ self.token + self.token_bias
        top = float(np.logaddexp.reduce(each))
        return max(top, FLOOR) + float(own.mean(axis=0) @ self.mean + states[0] @ self.first) + self.bias


@dataclass(frozen=True)
class Weighing:
    """How the two judges' logits become one: judge x first + reader x second + length x `length_of` the
    answer + bias, refused above 0. The more there is to doubt, the more doubt there is in something true."""

    judge: float
    reader: float
    length: float
    bias: float

    def refuses(self, judged: float, doubted: float, answer: str) -> bool:
        """Whether both together refuse an answer."""
        both = self.judge * judged + self.reader * doubted
        return both + self.length * length_of(answer) + self.bias > 0


def length_of(answer: str) -> float:
    """How long an answer is, as it is weighed: the logarithm of its words."""
    return math.log1p(len(answer.split()))


class Reader:
    """`keep_in` is the folder for the converted weights (`Int8E5`), `threads` one reading's width."""

    def __init__(self, keep_in: Path | None = None, *, threads: int = 1, folder: Path = WEIGHTS) -> None:
        self._keep_in = keep_in
        self._threads = threads
        self._folder = folder
        self._loading = threading.Lock()
        self._loaded: tuple[Int8E5, Heads, Weighing] | None = None

    def warm_up(self) -> None:
        """Load the weights before a reply waits for them. Raises ModelMissing or WeightsCorrupt."""
        self._ready()

    def refuses(self, judged: float, answer: str, texts: Sequence[str]) -> bool | None:
        """Whether an answer is refused, given the first judge's logit; None where the reader cannot say."""
        doubted = self.doubt(answer, texts)
        return self._ready()[2].refuses(judged, doubted, answer) if doubted is not None else None

    def doubt(self, answer: str, texts: Sequence[str]) -> float | None:
        """The logit that an answer says more than the texts.

        None where every word of the answer, or every text, has letters of other scripts: E5's vocabulary here
        does not hold them. Such a word among others is left out: none lets an answer pass unread.
        """
        engine, heads, _ = self._ready()
        first = engine.reads(answer)
        if first is None:
            known = [word for word in answer.split() if engine.reads(word) is not None]
            first = engine.reads(" ".join(known)) if known else None
        second = chosen(engine, answer, texts)
        if first is None or second is None:
            return None
        first = first[:ANSWER_PIECES]
        return heads.doubt(engine.together(first, second), len(first))

    def _ready(self) -> tuple[Int8E5, Heads, Weighing]:
        with self._loading:
            if self._loaded is None:
                turn, heads, weighing = read_reader(self._folder)
                engine = Int8E5(self._keep_in, turn=turn, threads=self._threads, workers=1)
                self._loaded = engine, heads, weighing
            return self._loaded


def chosen(engine: Int8E5, answer: str, texts: Sequence[str]) -> list[int] | None:
    """The pieces of the texts in their order; of more than can be read those that share most words with the
    answer, a piece of a text where none fits whole. A text of another script is left out: a customer's name
    is among the sources. None where nothing is left."""
    read = [(text, engine.reads(text)) for text in texts]
    texts = [text for text, each in read if each is not None]
    pieces = [each for _, each in read if each is not None]
    if not pieces:
        return None
    if sum(map(len, pieces)) > SOURCE_PIECES:
        said = _stems(answer)
        nearest = sorted(range(len(texts)), key=lambda at: (-len(said & _stems(texts[at])), at))
        left, kept = SOURCE_PIECES, set[int]()
        for at in nearest:
            if len(pieces[at]) <= left or not kept:
                kept.add(at)
                left -= min(left, len(pieces[at]))
        pieces = [each for at, each in enumerate(pieces) if at in kept]
    return [piece for each in pieces for piece in each][:SOURCE_PIECES]


@lru_cache(maxsize=512)
def _stems(text: str) -> frozenset[str]:
    return frozenset(stem(word, _SAME) for _, word in telling(fold(text)))


def read_reader(folder: Path = WEIGHTS) -> tuple[Turn, Heads, Weighing]:
    """The reader's turn of E5, its heads and their weight. Raises ModelMissing or WeightsCorrupt."""
    turn = read_turn(folder / f"{NAME}_turn.npz")
    sidecar = read_sidecar(folder / f"{NAME}.json")
    try:
        with np.load(folder / f"{NAME}.npz", allow_pickle=False) as kept:
            token, mean, first = (kept[name].astype(np.float32) for name in ("token", "mean", "first"))
            heads = Heads(token, float(kept["token_bias"]), mean, first, float(kept["bias"]))
        parts = [float(sidecar["weighing"][part.name]) for part in fields(Weighing)]
        weighing = Weighing(*parts)
    except FileNotFoundError as failure:
        raise ModelMissing(f"no {NAME}.npz in {folder}: {_MISSING}") from failure
    except (OSError, KeyError, ValueError, EOFError, TypeError, BadZipFile) as failure:
        raise WeightsCorrupt(f"{NAME}.* is damaged: {_MISSING}") from failure
    if not token.shape == mean.shape == first.shape == (384,):
        raise WeightsCorrupt(f"{NAME}.npz is of another encoder: {_MISSING}")
    return turn, heads, weighing
