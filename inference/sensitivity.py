"""Does this message need a person: legal, medical or financial advice, or an emergency.

A linear head on the message's embedding, moved by a lexicon of advice-seeking phrases, and overruled by the
emergency lexicon. Thresholds are per language: those of one language do not hold in another.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from inference.classify import WEIGHTS, LinearHead, read_sidecar, softmax
from inference.errors import WeightsCorrupt
from inference.lexicon import Lexicon

LEXICONS = Path(__file__).parent / "data" / "lexicon"
ADVICE = ("legal", "medical", "financial")
LABELS = ("none", *ADVICE, "emergency")
DEFAULT = "default"
# How much of the earlier messages' score a new message inherits.
DECAY = 0.5
# The score of a message that the emergency lexicon matches: over any threshold an operator may set below it.
EMERGENCY_SCORE = 0.99


@dataclass(frozen=True)
class Sensitivity:
    """A message's sensitivity. `score` 0..1 says how far it is from `none`; `words` are lexicon matches.

    `label` is the likeliest kind when `escalate`, otherwise none.
    """

    label: str
    score: float
    escalate: bool
    words: tuple[str, ...]
    scores: Mapping[str, float]


@dataclass(frozen=True)
class Words:
    """What the lexicons found; `excused` when the message holds a figure of speech ("dying to try it")."""

    emergency: tuple[str, ...]
    advice: Mapping[str, tuple[str, ...]]
    excused: bool = False

    def push(self, label: str) -> float:
        """How a class's logit moves, in units of the lexicon weight: up for advice words, down if excused."""
        if label == "emergency":
            return -2.0 if self.excused and not self.emergency else 0.0
        return 1.0 if self.advice.get(label) else 0.0

    @property
    def all(self) -> tuple[str, ...]:
        """Every matched wording, emergency first, without repeats."""
        return tuple(dict.fromkeys([*self.emergency, *(w for found in self.advice.values() for w in found)]))


@dataclass(frozen=True)
class WordSpotter:
    """The four lexicons."""

    emergency: Lexicon
    advice: Mapping[str, Lexicon]

    @classmethod
    def load(cls, folder: Path = LEXICONS) -> "WordSpotter":
        """Read all lexicon files. Raises ModelMissing or WeightsCorrupt."""
        return cls(
            Lexicon.load(folder, "emergency"), {label: Lexicon.load(folder, label) for label in ADVICE}
        )

    def find(self, text: str) -> Words:
        """Matches of every lexicon in `text`."""
        advice = {label: lexicon.matches(text) for label, lexicon in self.advice.items()}
        return Words(self.emergency.matches(text), advice, self.emergency.excuses(text))


def adjusted(head: LinearHead, vector: NDArray[np.float32], words: Words, weight: float) -> dict[str, float]:
    """Class probabilities after the words found have moved the logits by `weight` (see Words.push)."""
    logits = head.logits(vector).copy()
    for i, label in enumerate(head.classes):
        logits[i] += weight * words.push(label)
    return softmax(head.classes, logits)


@dataclass(frozen=True)
class SensitivityScorer:
    """The head, the lexicons, and the thresholds chosen at training time."""

    head: LinearHead
    spotter: WordSpotter
    thresholds: Mapping[str, float]
    lexicon_weight: float

    @classmethod
    def load(cls, folder: Path = WEIGHTS, lexicons: Path = LEXICONS) -> "SensitivityScorer":
        """Read `sensitivity.*` and the lexicons. Raises ModelMissing or WeightsCorrupt."""
        sidecar = read_sidecar(folder / "sensitivity.json")
        try:
            thresholds = {str(k): float(v) for k, v in sidecar["thresholds"].items()}
            weight = float(sidecar["lexicon_weight"])
            fallback = DEFAULT in thresholds
        except (KeyError, TypeError, AttributeError, ValueError) as failure:
            raise WeightsCorrupt(
                "sensitivity.json is incomplete: run `python -m inference.train`"
            ) from failure
        if not fallback:
            raise WeightsCorrupt("sensitivity.json has no default threshold: run `python -m inference.train`")
        return cls(
            LinearHead.load(folder / "sensitivity.npz"), WordSpotter.load(lexicons), thresholds, weight
        )

    def threshold(
        self, language: str | None, override: Mapping[str, float] | None = None, label: str | None = None
    ) -> float:
        """The score from which a message in `language` that is about `label` goes to a person.

        `override` may name a label, a language or "default", in that order of precedence.
        """
        for table in (override or {}, self.thresholds):
            for key in (label, language, DEFAULT):
                if key is not None and key in table:
                    return table[key]
        return self.thresholds[DEFAULT]

    def score(
        self,
        text: str,
        vector: NDArray[np.float32],
        language: str | None,
        thresholds: Mapping[str, float] | None = None,
    ) -> Sensitivity:
        """Judge one message by its text and its query embedding (d,).

        `thresholds` replaces the trained ones: by label, by language code, or by "default" for all.
        Raises BadModelOutput when the vector comes from another embedder.
        """
        words = self.spotter.find(text)
        scores = adjusted(self.head, vector, words, self.lexicon_weight)
        score = 1.0 - scores["none"]
        kind = max((label for label in scores if label != "none"), key=lambda label: scores[label])
        if words.emergency:
            return Sensitivity("emergency", max(score, EMERGENCY_SCORE), True, words.all, scores)
        escalate = score >= self.threshold(language, thresholds, kind)
        return Sensitivity(kind if escalate else "none", score, escalate, words.all, scores)


def combine(previous: float, current: float) -> float:
    """The conversation's score after a message scored `current`; both and the result are 0..1.

    Hints add up (two halves make more than a half) and fade by half with each harmless message. It is never
    below `current`, so one clear message is enough.
    """
    previous, current = (min(max(x, 0.0), 1.0) for x in (previous, current))
    return 1.0 - (1.0 - DECAY * previous) * (1.0 - current)
