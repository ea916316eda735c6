"""Train the intent and sensitivity heads: `python -m inference.train` rewrites data/weights.

Every figure and threshold comes from out-of-fold predictions, with folds split by `group`: a row and its
translations or near-duplicates are always on the same side. The run is deterministic.
"""

import hashlib
import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GroupKFold

from inference.classify import INTENTS, WEIGHTS, LinearHead, exact_intent
from inference.embed import E5Embedder
from inference.sensitivity import DEFAULT, LABELS, Words, WordSpotter

DATA = Path(__file__).parent / "data"
FOLDS = 5
SEED = 20
REGULARISATION = 0.3
FALSE_ESCALATION = 0.05
# The intent head abstains (other) below the confidence at which this share of its guesses is right.
PRECISION_KEPT = 0.5

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Row:
    """A training row; `group` ties translations and near-duplicates together."""

    text: str
    language: str
    label: str
    group: int
    hard_negative: bool


def read_rows(path: Path, key: str, labels: Sequence[str]) -> list[Row]:
    """Rows of a data file, whose label is under `key`. Raises ValueError naming the line that is not one."""
    rows = []
    for number, line in enumerate(path.read_text("utf-8").splitlines(), 1):
        raw = json.loads(line)
        if raw.get(key) not in labels or not raw.get("text") or raw.get("language") not in LANGUAGES:
            raise ValueError(
                f"{path.name}:{number}: needs text, language and {key} one of {', '.join(labels)}"
            )
        hard = bool(raw.get("hard_negative", False))
        rows.append(Row(raw["text"], raw["language"], raw[key], int(raw["group"]), hard))
    return rows


LANGUAGES = ("it", "en", "es", "pt")


def rows_hash(*paths: Path) -> str:
    """sha256 over the bytes of the data files a head depends on, in order."""
    digest = hashlib.sha256()
    for path in paths:
        digest.update(path.read_bytes())
    return digest.hexdigest()


@dataclass(frozen=True)
class Fit:
    """A head trained on all rows, and each row's logits by a head that never saw its group, shape (n, k)."""

    head: LinearHead
    out_of_fold: Floats


def _head(vectors: NDArray[np.float32], labels: NDArray[np.str_], scale: float) -> LinearHead:
    """Fit one head. Vectors are centred and scaled for the optimiser; both are folded into the weights."""
    mean = vectors.mean(axis=0)
    model = LogisticRegression(C=REGULARISATION, max_iter=3000).fit((vectors - mean) * scale, labels)
    coef = model.coef_ * scale
    bias = model.intercept_ - coef @ mean
    return LinearHead(tuple(model.classes_), coef.astype(np.float32), bias.astype(np.float32), 1.0)


def _temperature(logits: Floats, truth: NDArray[np.int_]) -> float:
    """The temperature of least out-of-fold log loss, on a grid fine enough for two decimals."""

    def loss(t: float) -> float:
        z = logits / t
        z = z - z.max(axis=1, keepdims=True)
        return float(np.mean(np.log(np.exp(z).sum(axis=1)) - z[np.arange(len(truth)), truth]))

    return float(min(np.arange(0.4, 2.5, 0.02), key=loss))


def fit(vectors: NDArray[np.float32], rows: Sequence[Row]) -> Fit:
    """Cross-validate by group, calibrate on the held-out logits, then train on everything."""
    labels = np.array([r.label for r in rows])
    groups = np.array([r.group for r in rows])
    scale = 4.0 / float(vectors.std(axis=0).mean() * np.sqrt(vectors.shape[1]))
    whole = _head(vectors, labels, scale)
    held = np.zeros((len(rows), len(whole.classes)))
    for train, test in GroupKFold(FOLDS, shuffle=True, random_state=SEED).split(vectors, labels, groups):
        part = _head(vectors[train], labels[train], scale)
        held[test] = vectors[test] @ part.coef.T + part.bias
    truth = np.array([whole.classes.index(label) for label in labels])
    temperature = round(_temperature(held, truth), 2)
    return Fit(LinearHead(whole.classes, whole.coef, whole.bias, temperature), held / temperature)


def _probabilities(logits: Floats) -> Floats:
    weights = np.exp(logits - logits.max(axis=1, keepdims=True))
    return np.asarray(weights / weights.sum(axis=1, keepdims=True))


def _share(hits: NDArray[np.bool_]) -> float:
    return round(float(hits.mean()), 4) if hits.size else 0.0


def intent_figures(fitted: Fit, rows: Sequence[Row]) -> dict[str, Any]:
    """Accuracy overall, by language and by intent, confident share, and the reject threshold."""
    classes = np.array(fitted.head.classes)
    probabilities = _probabilities(fitted.out_of_fold)
    truth = np.array([r.label for r in rows])
    languages = np.array([r.language for r in rows])
    best, confidence = classes[probabilities.argmax(axis=1)], probabilities.max(axis=1)
    right = best == truth
    ruled = np.array([exact_intent(r.text) or "" for r in rows])
    with_rules = np.where(ruled != "", ruled == truth, right)
    sure = confidence >= 0.7
    levels = np.arange(0.15, 0.6, 0.01)
    reject = next((t for t in levels if _share(right[np.abs(confidence - t) < 0.05]) >= PRECISION_KEPT), 0.3)
    return {
        "accuracy": _share(right),
        "accuracy_with_rules": _share(with_rules),
        "accuracy_by_language": {code: _share(right[languages == code]) for code in LANGUAGES},
        "recall_by_intent": {c: _share(right[truth == c]) for c in classes.tolist()},
        "confident_share": _share(sure),
        "confident_accuracy": _share(right[sure]),
        "reject": round(float(reject), 2),
    }


def _escalation_scores(fitted: Fit, found: Sequence[Words], weight: float) -> Floats:
    """Out-of-fold probability that a row is not `none`, with the advice lexicons' weight, shape (n,)."""
    logits = fitted.out_of_fold.copy()
    for i, label in enumerate(fitted.head.classes):
        logits[:, i] += [weight * words.push(label) for words in found]
    return 1.0 - _probabilities(logits)[:, fitted.head.classes.index("none")]


def _threshold(scores: Floats, harmless: NDArray[np.bool_], urgent: NDArray[np.bool_]) -> float:
    """The lowest threshold at which at most FALSE_ESCALATION of the harmless rows are escalated."""
    allowed = int(FALSE_ESCALATION * harmless.sum()) - int((harmless & urgent).sum())
    ranked = np.sort(scores[harmless & ~urgent])[::-1]
    edge = float(ranked[max(allowed, 0)])
    above = scores[scores > edge]
    return round((edge + float(above.min())) / 2, 4) if above.size else 1.0


def sensitivity_figures(fitted: Fit, rows: Sequence[Row], found: Sequence[Words]) -> dict[str, Any]:
    """Lexicon weight, thresholds per language, and recall and false escalation at those thresholds."""
    truth = np.array([r.label for r in rows])
    languages = np.array([r.language for r in rows])
    harmless = truth == "none"
    hard = np.array([r.hard_negative for r in rows])
    urgent = np.array([bool(words.emergency) for words in found])

    def judge(weight: float, lexicon: NDArray[np.bool_]) -> tuple[dict[str, float], NDArray[np.bool_]]:
        scores = _escalation_scores(fitted, found, weight)
        per = {c: _threshold(scores[m], harmless[m], lexicon[m]) for c in LANGUAGES for m in [languages == c]}
        limit = np.array([per[code] for code in languages])
        return {**per, DEFAULT: _threshold(scores, harmless, lexicon)}, (scores >= limit) | lexicon

    weight = max((0.0, 0.5, 1.0, 1.5), key=lambda w: _share(judge(w, urgent)[1][~harmless]))
    thresholds, escalated = judge(weight, urgent)
    head_alone = judge(0.0, np.zeros_like(urgent))[1]
    return {
        "lexicon_weight": weight,
        "thresholds": thresholds,
        "recall": _share(escalated[~harmless]),
        "recall_head_alone": _share(head_alone[~harmless]),
        "recall_by_label": {c: _share(escalated[truth == c]) for c in LABELS if c != "none"},
        "recall_by_language": {c: _share(escalated[~harmless & (languages == c)]) for c in LANGUAGES},
        "false_escalation_by_language": {
            c: _share(escalated[harmless & (languages == c)]) for c in LANGUAGES
        },
        "false_escalation_hard": _share(escalated[hard]),
        "false_escalation_ordinary": _share(escalated[harmless & ~hard]),
        "emergency_lexicon": {
            "recall": _share(urgent[truth == "emergency"]),
            "false": _share(urgent[harmless]),
        },
    }


def recentred(fitted: Fit, threshold: float) -> Fit:
    """Shift the logit of `none` so that the score which was `threshold` becomes 0.5.

    The rows hold far more sensitive messages than a real inbox; unshifted, harmless ones would score high and
    a conversation of them would add up to an escalation.
    """
    shift = float(np.log(threshold / (1.0 - threshold)))
    column = fitted.head.classes.index("none")
    bias, held = fitted.head.bias.copy(), fitted.out_of_fold.copy()
    bias[column] += shift * fitted.head.temperature
    held[:, column] += shift
    head = LinearHead(fitted.head.classes, fitted.head.coef, bias, fitted.head.temperature)
    return Fit(head, held)


def _save(folder: Path, name: str, fitted: Fit, sidecar: dict[str, Any]) -> None:
    head = fitted.head
    np.savez_compressed(
        folder / f"{name}.npz",
        coef=head.coef,
        bias=head.bias,
        classes=np.array(head.classes),
        temperature=np.float64(head.temperature),
    )
    (folder / f"{name}.json").write_text(json.dumps(sidecar, indent=1, sort_keys=True) + "\n", "utf-8")


def _base(name: str, rows: Sequence[Row], fitted: Fit, *sources: Path) -> dict[str, Any]:
    return {
        "head": name,
        "embedder": E5Embedder.name,
        "dimensions": int(fitted.head.coef.shape[1]),
        "rows": len(rows),
        "rows_sha256": rows_hash(*sources),
        "groups": len({r.group for r in rows}),
        "classes": list(fitted.head.classes),
        "folds": FOLDS,
        "temperature": fitted.head.temperature,
    }


def train(data: Path = DATA, weights: Path = WEIGHTS, *, threads: int = 1) -> dict[str, dict[str, Any]]:
    """Train both heads, write weights and sidecars, and return the sidecars by name."""
    embedder = E5Embedder(threads=threads)
    weights.mkdir(parents=True, exist_ok=True)
    intents, sensitive = data / "intents.jsonl", data / "sensitivity.jsonl"

    rows = read_rows(intents, "intent", INTENTS)
    fitted = fit(np.stack([embedder.query_now(r.text) for r in rows]), rows)
    report = {"intents": {**_base("intents", rows, fitted, intents), **intent_figures(fitted, rows)}}
    _save(weights, "intents", fitted, report["intents"])

    rows = read_rows(sensitive, "label", LABELS)
    spotter = WordSpotter.load(data / "lexicon")
    fitted = fit(np.stack([embedder.query_now(r.text) for r in rows]), rows)
    found = [spotter.find(r.text) for r in rows]
    fitted = recentred(fitted, sensitivity_figures(fitted, rows, found)["thresholds"][DEFAULT])
    figures = sensitivity_figures(fitted, rows, found)
    lexicons = sorted((data / "lexicon").glob("*.txt"))
    report["sensitivity"] = {**_base("sensitivity", rows, fitted, sensitive, *lexicons), **figures}
    _save(weights, "sensitivity", fitted, report["sensitivity"])
    return report


if __name__ == "__main__":
    json.dump(train(), sys.stdout, indent=1)
