"""What E5 is taught with: the pairs of data/search_pairs.jsonl as pieces, the loss of a wrong order, and how
well passages are found. Without jax: others read it too.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from inference.e5 import PASSAGE, QUERY
from inference.e5_int8 import Int8E5, kept_pieces
from inference.e5_packed import PackedE5
from inference.embed import MAX_PASSAGE_CHARS, MAX_QUERY_CHARS, Vector, clean
from inference.train import LANGUAGES

# Pieces of a text that are read, with the two at its ends.
QUERY_PIECES, PASSAGE_PIECES = 64, 160
_PLACES = (1, 3)
_ONE_IN = 6


@dataclass(frozen=True)
class Recipe:
    """The training's settings. `temperature` divides cosines, `hold` weighs 1 - cosine to the vector of
    before, `foreign` what a passage of another business counts: some of them answer the question too."""

    layers: int = 6
    rank: int = 16
    epochs: int = 3
    temperature: float = 0.03
    hold: float = 1.0
    foreign: float = 0.1
    step: float = 1e-3
    seed: int = 0


@dataclass(frozen=True)
class Business:
    """One invented business. Passages and questions are indices of the texts; `answers` are of `passages`."""

    name: str
    passages: NDArray[np.int_]
    questions: NDArray[np.int_]
    answers: NDArray[np.int_]
    asked: NDArray[np.str_]
    told: NDArray[np.str_]


def held_out(business: str) -> bool:
    """Whether a business is one of the sixth that E5 never learns from, told by its name alone."""
    return int.from_bytes(hashlib.sha256(business.encode()).digest()[:4], "big") % _ONE_IN == 0


class Texts:
    """The rows' texts as pieces, each once."""

    def __init__(self, model: PackedE5) -> None:
        self.pieces: list[list[int]] = []
        self._cut = Int8E5()
        self._model, self._numbers = model, kept_pieces(model)

    def add(self, text: str, most: int) -> int | None:
        """The text's index, or None where it has letters of another script."""
        read = self._cut.reads(text)
        if read is None:
            return None
        inner = [self._numbers[at] for at in read[: most - 2]]
        self.pieces.append([self._model.bos, *inner, self._model.eos])
        return len(self.pieces) - 1


def businesses(rows: Sequence[dict[str, Any]], texts: Texts) -> list[Business]:
    """The rows that have a passage, business by business, in the order of their names."""
    told = [row for row in rows if row.get("passage")]
    made = []
    for name in sorted({row["business"] for row in told}):
        passages: list[tuple[int, str]] = []
        questions: list[tuple[int, int, str]] = []
        for row in (row for row in told if row["business"] == name):
            passage = clean(f"{row['title']}\n{row['passage']}", MAX_PASSAGE_CHARS)
            if (at := texts.add(PASSAGE + passage, PASSAGE_PIECES)) is None:
                continue
            for question in row["questions"]:
                asked = texts.add(QUERY + clean(question["text"], MAX_QUERY_CHARS), QUERY_PIECES)
                if asked is not None:
                    questions.append((asked, len(passages), question["language"]))
            passages.append((at, row["language"]))
        if questions:
            asks, answers, languages = map(np.array, zip(*questions, strict=True))
            places, told_in = map(np.array, zip(*passages, strict=True))
            made.append(Business(name, places, asks, answers, languages, told_in))
    return made


def weights_of(rows: Sequence[Business]) -> dict[str, float]:
    """What a question of each language counts, so that the languages count the same in all."""
    asked = np.concatenate([row.asked for row in rows])
    counts = {code: int((asked == code).sum()) for code in LANGUAGES}
    return {code: len(asked) / len(LANGUAGES) / max(1, count) for code, count in counts.items()}


class Lesson:
    """The loss of a business's vectors, and its gradient. `others` are passages of another business as they
    are now, which learn nothing here; `before` has the vectors all texts had."""

    def __init__(
        self, row: Business, others: Vector, before: Vector, recipe: Recipe, weights: dict[str, float]
    ) -> None:
        self.texts = np.concatenate([row.passages, row.questions])
        self._before, self._recipe, self._others, self._right = (
            before[self.texts],
            recipe,
            others,
            row.answers,
        )
        self._own = len(row.passages)
        counted = np.array([weights[code] for code in row.asked])
        self._share = counted / counted.sum()

    def loss(self, vectors: Vector) -> tuple[float, Vector]:
        """InfoNCE of picking the passage, and how far the vectors have gone; the vectors are of `texts`."""
        recipe, count, own = self._recipe, len(vectors), self._own
        asks, tells = vectors[own:], np.concatenate([vectors[:own], self._others])
        lines = np.arange(len(asks))
        scores = asks @ tells.T / recipe.temperature
        chance = np.exp(scores - scores.max(axis=1, keepdims=True))
        chance[:, own:] *= recipe.foreign
        chance /= chance.sum(axis=1, keepdims=True)
        loss = float(-(self._share * np.log(chance[lines, self._right] + 1e-9)).sum())
        loss += recipe.hold * float(1 - (vectors * self._before).sum() / count)
        chance[lines, self._right] -= 1
        chance *= self._share[:, None] / recipe.temperature
        slope = -recipe.hold * self._before / count
        slope[own:] += chance @ tells
        slope[:own] += chance[:, :own].T @ asks
        return loss, slope.astype(np.float32)


def found(rows: Sequence[Business], vectors: Vector) -> dict[str, Any]:
    """How often a question's passage is among the nearest of its business: of all questions, of those in
    another language than the passage, and by the question's language."""
    ranks = np.concatenate([_ranks(row, vectors) for row in rows])
    asked = np.concatenate([row.asked for row in rows])
    told = np.concatenate([row.told[row.answers] for row in rows])
    kinds = {"all": np.ones(len(asked), bool), "cross_lingual": asked != told}
    kinds |= {code: asked == code for code in LANGUAGES}
    return {
        f"recall_at_{most}": {name: round(float((ranks[of] < most).mean()), 4) for name, of in kinds.items()}
        for most in _PLACES
    }


def kept_close(rows: Sequence[Business], before: Vector, after: Vector) -> float:
    """The mean cosine of the businesses' vectors to those of before."""
    at = np.concatenate([np.concatenate([row.passages, row.questions]) for row in rows])
    return round(float((before[at] * after[at]).sum(axis=1).mean()), 4)


def _ranks(row: Business, vectors: Vector) -> NDArray[np.int_]:
    scores = vectors[row.questions] @ vectors[row.passages].T
    right = scores[np.arange(len(scores)), row.answers]
    return np.asarray((scores > right[:, None]).sum(axis=1))
