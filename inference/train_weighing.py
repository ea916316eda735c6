"""How the two judges of an answer are weighed: on businesses neither has learnt from.

A logistic regression of "is it a lie" on their logits; the bias is then moved to where misses, weighing more,
and false refusals together are fewest. What models write in a turn counts as much as the other sets together.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression

from inference.grounding_judge import judge
from inference.grounding_lexis import lexis
from inference.grounding_reader import UNSURE
from inference.train_grounding import LIE, TURNS, all_rows, out_of_fold, seen

Floats = NDArray[np.float32]


def first_judge(asked: Sequence[dict[str, Any]]) -> tuple[Floats, NDArray[np.bool_]]:
    """The first judge's logit of each row, by networks that saw none of its business, and whether rules alone
    refuse the row."""
    table, packaged = lexis(), judge()
    learnt = all_rows()
    told = [seen(row, table)[0] for row in learnt]
    lies = np.array([0.0 if row["supported"] else 1.0 for row in learnt], np.float32)
    scores = out_of_fold(learnt, told, lies, table)
    known = {row["id"]: float(score) for row, score in zip(learnt, scores, strict=True)}
    judged, refused = [], []
    for row in asked:
        features, hard = seen(row, table)
        judged.append(known.get(row["id"], packaged.judge(features).score))
        refused.append(hard)
    return np.array(judged, np.float32), np.array(refused)


def weighed(
    asked: Sequence[dict[str, Any]],
    of: NDArray[np.str_],
    judged: Floats,
    refused: NDArray[np.bool_],
    doubts: Floats,
) -> dict[str, Any]:
    """The sidecar's `weighing` and, for each set of rows (`of` names a row's), what both judges and the first
    alone achieve: the weights of one half of the businesses tried on the other half."""
    lies = np.array([0.0 if row["supported"] else 1.0 for row in asked], np.float32)
    sizes = {name: int((of == name).sum()) for name in dict.fromkeys(of.tolist())}
    counts = {name: len(sizes) - 1 if name == TURNS.stem else 1 for name in sizes}
    share = np.array([counts[name] / sizes[name] for name in of.tolist()])
    names = sorted({str(row["template"]) for row in asked})
    half = np.array([names.index(str(row["template"])) % 2 for row in asked])
    stopped = np.zeros(len(asked), bool)
    for part in (0, 1):
        mine = half == part
        weights = _fit(judged[~mine], doubts[~mine], lies[~mine], refused[~mine], share[~mine])
        stopped[mine] = _decided(_combined(weights, judged[mine], doubts[mine]), judged[mine])
    stopped |= refused
    alone = (judged > judge().threshold) | refused
    held = {
        name: {
            "rows": int(rows.sum()),
            "recall": round(float(stopped[rows & (lies == 1)].mean()), 4),
            "false_block": round(float(stopped[rows & (lies == 0)].mean()), 4),
            "recall_first_alone": round(float(alone[rows & (lies == 1)].mean()), 4),
            "false_block_first_alone": round(float(alone[rows & (lies == 0)].mean()), 4),
        }
        for name, rows in ((name, of == name) for name in sizes)
    }
    weights = _fit(judged, doubts, lies, refused, share)
    return {"weighing": {name: round(value, 4) for name, value in weights.items()}, "held_out": held}


def _fit(
    judged: Floats, doubts: Floats, lies: Floats, refused: NDArray[np.bool_], share: Floats
) -> dict[str, float]:
    both = np.column_stack([judged, doubts])
    fitted = LogisticRegression(C=100.0).fit(both, lies, sample_weight=share * len(lies) / share.sum())
    weights = {"judge": float(fitted.coef_[0][0]), "reader": float(fitted.coef_[0][1]), "bias": 0.0}
    weights["bias"] = -_least_wrong(_combined(weights, judged, doubts), judged, lies, refused, share)
    return weights


def _least_wrong(
    scores: Floats, judged: Floats, lies: Floats, refused: NDArray[np.bool_], share: NDArray[Any]
) -> float:
    """As `train_grounding.threshold`, with rows that count differently."""
    steps = np.quantile(scores, np.linspace(0.02, 0.98, 193))

    def cost(at: float) -> float:
        stopped = _decided(scores - np.float32(at), judged) | refused
        true, lie = share * (lies == 0), share * (lies == 1)
        return float(true @ stopped / true.sum() + LIE * (1 - lie @ stopped / lie.sum()))

    return float(np.mean(sorted(steps, key=cost)[:10]))


def _decided(combined: Floats, judged: Floats) -> NDArray[np.bool_]:
    """Whether answers are refused: where the first judge is sure it decides alone, as in a turn."""
    at = judge().threshold
    return np.asarray(np.where(np.abs(judged - at) > UNSURE, judged > at, combined > 0))


def _combined(weights: dict[str, float], judged: Floats, doubts: Floats) -> Floats:
    return np.asarray(
        weights["judge"] * judged + weights["reader"] * doubts + weights["bias"], dtype=np.float32
    )
