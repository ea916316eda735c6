"""How the two judges of an answer are weighed: on businesses neither has learnt from.

A logistic regression of "is it a lie" on their logits and the answer's length; the bias is then moved to
where misses, weighing more, and false refusals together are fewest. What models write in a turn counts as
much as the other sets together.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression

from inference.grounding_judge import judge
from inference.grounding_lexis import lexis
from inference.grounding_reader import UNSURE, length_of
from inference.train_grounding import LIE, TURNS, all_rows, out_of_fold, seen

Floats = NDArray[np.float32]

_COLUMNS = ("judge", "reader", "length")
_AS_GOOD = 0.01


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
    told = np.column_stack([judged, doubts, [length_of(row["answer"]) for row in asked]]).astype(np.float32)
    names = sorted({str(row["template"]) for row in asked})
    half = np.array([names.index(str(row["template"])) % 2 for row in asked])
    stopped = np.zeros(len(asked), bool)
    for part in (0, 1):
        mine = half == part
        weights = _fit(told[~mine], lies[~mine], refused[~mine], share[~mine])
        stopped[mine] = _decided(_combined(weights, told[mine]), judged[mine])
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
    weights = _fit(told, lies, refused, share)
    return {"weighing": {name: round(value, 4) for name, value in weights.items()}, "held_out": held}


def _fit(told: Floats, lies: Floats, refused: NDArray[np.bool_], share: Floats) -> dict[str, float]:
    """`told` has a column for each of the weights but the bias."""
    fitted = LogisticRegression(C=100.0).fit(told, lies, sample_weight=share * len(lies) / share.sum())
    weights = {name: float(weight) for name, weight in zip(_COLUMNS, fitted.coef_[0], strict=True)}
    at = _least_wrong(_combined({**weights, "bias": 0.0}, told), told[:, 0], lies, refused, share)
    return {**weights, "bias": -at}


def _least_wrong(
    scores: Floats, judged: Floats, lies: Floats, refused: NDArray[np.bool_], share: NDArray[Any]
) -> float:
    """As `train_grounding.threshold`, with rows that count differently; the middle of what is as good."""
    steps = np.quantile(scores, np.linspace(0.02, 0.98, 193))

    def cost(at: float) -> float:
        stopped = _decided(scores - np.float32(at), judged) | refused
        true, lie = share * (lies == 0), share * (lies == 1)
        return float(true @ stopped / true.sum() + LIE * (1 - lie @ stopped / lie.sum()))

    costs = np.array([cost(at) for at in steps])
    return float(steps[costs <= costs.min() + _AS_GOOD].mean())


def _decided(combined: Floats, judged: Floats) -> NDArray[np.bool_]:
    """Whether answers are refused: where the first judge is sure it decides alone, as in a turn."""
    at = judge().threshold
    return np.asarray(np.where(np.abs(judged - at) > UNSURE, judged > at, combined > 0))


def _combined(weights: dict[str, float], told: Floats) -> Floats:
    weighed_by = np.array([weights[name] for name in _COLUMNS])
    return np.asarray(told @ weighed_by + weights["bias"], dtype=np.float32)
