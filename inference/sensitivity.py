"""Does this message need a person: legal, medical or financial advice, or an emergency.

A linear head on the message's embedding and wording (see inference/features.py) and networks on the embedding
vote together, overruled by the emergency lexicon. Thresholds are per language: those of one do not hold in
another.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from inference.classify import WEIGHTS, LinearHead, read_sidecar, softmax
from inference.codes import language_code
from inference.errors import WeightsCorrupt
from inference.features import Features
from inference.lexicon import ADVICE, LEXICONS
from inference.networks import Networks

LABELS = ("none", *ADVICE, "emergency")
DEFAULT = "default"
# How much of the earlier messages' score a new message inherits.
DECAY = 0.5
# How much lower the trained threshold is for a message that looks like an emergency: a miss costs most there.
EMERGENCY_LEAD = 0.2
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


_HARMFUL = frozenset(
    {"medicine", "dose", "condition", "pregnancy", "symptom", "serious", "selfharm", "poison"}
    | {"law", "court", "family_law", "invest", "loan"}
)


@dataclass(frozen=True)
class SensitivityScorer:
    """Who votes, what they read, and the thresholds chosen at training time; `version` names the weights."""

    head: LinearHead
    networks: Networks
    features: Features
    thresholds: Mapping[str, float]
    version: str

    @classmethod
    def load(cls, folder: Path = WEIGHTS, lexicons: Path = LEXICONS) -> "SensitivityScorer":
        """Read `sensitivity.*` and the word lists. Raises ModelMissing or WeightsCorrupt."""
        sidecar = read_sidecar(folder / "sensitivity.json")
        try:
            thresholds = {str(k): float(v) for k, v in sidecar["thresholds"].items()}
            version = str(sidecar["version"])
            fallback = DEFAULT in thresholds
        except (KeyError, TypeError, AttributeError, ValueError) as failure:
            raise WeightsCorrupt(
                "sensitivity.json is incomplete: run `python -m inference.train`"
            ) from failure
        if not fallback:
            raise WeightsCorrupt("sensitivity.json has no default threshold: run `python -m inference.train`")
        head, features = LinearHead.load(folder / "sensitivity.npz"), Features.load(lexicons)
        networks = Networks.load(folder / "sensitivity_networks.npz")
        if head.coef.shape[1] != features.size or networks.bias.shape[1] != len(head.classes):
            raise WeightsCorrupt(
                "sensitivity.npz was trained on other word lists: run `python -m inference.train`"
            )
        return cls(head, networks, features, thresholds, version)

    def near_harm(self, *texts: str) -> bool:
        """Whether one of the texts names what people come to harm by: an illness, a medicine, a pregnancy, a
        lawsuit, an investment. Far more than what is sensitive: "is there a lift for my bad back?" does."""
        return any(not _HARMFUL.isdisjoint(self.features.concepts.find(text)) for text in texts)

    def threshold(
        self, language: str | None, override: Mapping[str, float] | None = None, label: str | None = None
    ) -> float:
        """The score from which a message in `language` that is about `label` goes to a person.

        `override` may name a label, a language or "default", in that order of precedence.
        """
        for key in (label, language_code(language), DEFAULT):
            if override and key is not None and key in override:
                return override[key]
        trained = self.thresholds.get(language_code(language) or DEFAULT, self.thresholds[DEFAULT])
        return trained - EMERGENCY_LEAD if label == "emergency" else trained

    def unread(self, text: str) -> Sensitivity:
        """The judgment of a message that could not be embedded: the word lists alone see an emergency, and
        whatever else it may be, it is not for a machine."""
        words = self.features.spotter.find(text)
        label, score = ("emergency", EMERGENCY_SCORE) if words.emergency else ("none", 0.0)
        return Sensitivity(label, score, True, words.all, {})

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
        words = self.features.spotter.find(text)
        linear = self.head.logits(self.features.vector(text, vector, words))
        votes = linear + self.networks.logits(vector) / self.head.temperature
        scores = softmax(self.head.classes, votes)
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
