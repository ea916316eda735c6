"""Is an answer more than its sources say? Small networks over its words, clauses and values, and trees.

Each instance (`inference.grounding_features`) gets a score; the networks' for an answer is the soft maximum
of its instances' plus what the rules found. Boosted trees (`inference.grounding_trees`) look at the whole;
both logits are added. Weights are made by `python -m inference.train_grounding`.
"""

import zipfile
from dataclasses import dataclass, fields
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from inference.classify import WEIGHTS, read_sidecar
from inference.errors import ModelMissing, WeightsCorrupt
from inference.grounding_features import ANSWER, CLAUSE, VALUE, WORD, Instances
from inference.grounding_lexis import Lexis, lexis
from inference.grounding_trees import Trees, overview

NAME = "grounding"
PARTS = ("words", "clauses", "values")
WIDTHS = {"words": WORD, "clauses": CLAUSE, "values": VALUE}
FLOOR = -6.0  # the score of an answer that has no instance
CLIP = 6.0  # standard deviations
_MISSING = "run `python -m inference.train_grounding`"

Floats = NDArray[np.float32]


@dataclass(frozen=True)
class Layer:
    """`n` networks over one kind of instance: `mean`, `spread` (d,), `into` (n, d, h), `hidden` (n, h), `out`
    (n, h), `straight` (n, d), `bias` (n,)."""

    mean: Floats
    spread: Floats
    into: Floats
    hidden: Floats
    out: Floats
    straight: Floats
    bias: Floats

    def scores(self, rows: Floats) -> Floats:
        """Scores (n, rows)."""
        scaled = np.clip((rows - self.mean) / self.spread, -CLIP, CLIP)
        inner = np.maximum(scaled @ self.into + self.hidden[:, None, :], 0)
        bent = np.einsum("nrh,nh->nr", inner, self.out)
        return np.asarray(bent + self.straight @ scaled.T + self.bias[:, None], dtype=np.float32)


@dataclass(frozen=True)
class Verdict:
    """`score` is a logit, `fails` whether it is over the threshold, `where` the sentence most to blame."""

    score: float
    fails: bool
    where: str


@dataclass(frozen=True)
class Judge:
    """The networks of each part, what the rules' finds weigh (n, ANSWER), the trees and the threshold."""

    layers: dict[str, Layer]
    answer: Floats
    bias: Floats
    trees: Trees
    threshold: float
    lexis: Lexis
    version: str

    @classmethod
    def load(cls, folder: Path = WEIGHTS) -> "Judge":
        """Read grounding.npz and .json. Raises ModelMissing or WeightsCorrupt."""
        sidecar = read_sidecar(folder / f"{NAME}.json")
        try:
            with np.load(folder / f"{NAME}.npz", allow_pickle=False) as file:
                layers = {
                    part: Layer(*(file[f"{part}_{field}"].astype(np.float32) for field in FIELDS))
                    for part in PARTS
                }
                answer, bias = file["answer"].astype(np.float32), file["bias"].astype(np.float32)
                nodes = {field.name: file[f"trees_{field.name}"] for field in fields(Trees)}
                trees = Trees(**(nodes | {"base": float(nodes["base"])}))
            threshold, version = float(sidecar["threshold"]), str(sidecar["version"])
        except FileNotFoundError as failure:
            raise ModelMissing(f"no {NAME}.npz in {folder}: {_MISSING}") from failure
        except (OSError, KeyError, ValueError, EOFError, TypeError, zipfile.BadZipFile) as failure:
            raise WeightsCorrupt(f"{NAME}.* is damaged: {_MISSING}") from failure
        wide = all(layers[part].into.shape[1] == WIDTHS[part] for part in PARTS)
        if not wide or answer.shape != (len(bias), ANSWER) or not trees.whole():
            raise WeightsCorrupt(f"{NAME}.npz was trained on other features: {_MISSING}")
        return cls(layers, answer, bias, trees, threshold, lexis(), version)

    def judge(self, seen: Instances) -> Verdict:
        """The verdict on an answer."""
        told = {"words": seen.words, "clauses": seen.clauses, "values": seen.values}
        each = [self.layers[part].scores(told[part]) for part in PARTS if len(told[part])]
        rules = float((self.answer @ seen.answer + self.bias).mean()) + self.trees.score(overview(seen))
        if not each:
            return Verdict(FLOOR + rules, FLOOR + rules > self.threshold, "")
        scores = np.concatenate(each, axis=1)
        top = np.maximum(scores.max(axis=1), FLOOR)
        whole = top + np.log(np.exp(scores - top[:, None]).sum(axis=1) + np.exp(FLOOR - top))
        score = float(whole.mean()) + rules
        return Verdict(score, score > self.threshold, seen.spans[int(scores.mean(axis=0).argmax())])


FIELDS = ("mean", "spread", "into", "hidden", "out", "straight", "bias")


@lru_cache(maxsize=1)
def judge() -> Judge:
    """The packaged judge, read once."""
    return Judge.load()
