"""Train the grounding judge: `python -m inference.train_grounding` rewrites data/weights/grounding*.

Rows are answers about invented businesses with their passages; an unsupported one holds one lie, and which
of its words it is nobody says. Those of data/grounding_turns.jsonl are what a model writes in a turn: three
passages as search brings them below their headings, a question, an answer of some sentences. The threshold
comes from rows of businesses the networks did not learn from. The table of words (made anew with the argument
`words`) comes from the texts of the other training sets, so that words of these rows are as often unknown as
those of any other answer. Three minutes.
"""

import hashlib
import json
import re
import sys
from collections import Counter
from collections.abc import Sequence
from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from inference.classify import WEIGHTS
from inference.duet import SentenceEncoder
from inference.grounding import Source, ruled
from inference.grounding_features import WORD_SCALARS, Instances, instances
from inference.grounding_judge import CLIP, FIELDS, FLOOR, NAME, PARTS, WIDTHS, Judge, Layer
from inference.grounding_lexis import DIMENSIONS, TABLE, Lexis, lexis
from inference.grounding_rows import telling
from inference.grounding_words import fold
from inference.train import rows_hash
from inference.train_trees import grown

DATA = Path(__file__).parent / "data" / "grounding.jsonl"
TURNS = DATA.with_name("grounding_turns.jsonl")
TEXTS = ("search_pairs.jsonl", "sensitivity.jsonl", "intents.jsonl")
FORMAT = 1
FOLDS = 5
LIE = 2.0
COUNT = 3
HIDDEN = 24
_DECAY = 1e-2
_STEPS = 60
_STEP = 0.02
_DROPPED = 0.3
_SPREAD_OF_VECTORS = 0.08
_ONE_WORD = re.compile(r"[^\W\d_]+")

Floats = NDArray[np.float32]
Weights = dict[str, Floats]


def read_rows(path: Path = DATA) -> list[dict[str, Any]]:
    """The rows. Raises ValueError naming the line that is none."""
    rows = []
    for number, line in enumerate(path.read_text("utf-8").splitlines(), 1):
        row = json.loads(line)
        if not {"answer", "passages", "supported", "template", "language"} <= row.keys():
            raise ValueError(
                f"{path.name}:{number}: needs answer, passages, supported, template and language"
            )
        rows.append(row)
    return rows


def read_pairs(path: Path = TURNS) -> list[dict[str, Any]]:
    """Rows that are written once for all answers beside the same passages, in the form of `read_rows`, with
    the question where there is one. Raises ValueError naming the line that is none."""
    rows = []
    for number, line in enumerate(path.read_text("utf-8").splitlines(), 1):
        one = json.loads(line)
        if not {"business", "passages", "answers"} <= one.keys():
            raise ValueError(f"{path.name}:{number}: needs business, passages and answers")
        of_all = {
            "passages": one["passages"],
            "template": one["business"],
            "question": one.get("question", ""),
        }
        rows += [{**answer, **of_all} for answer in one["answers"]]
    return rows


def all_rows() -> list[dict[str, Any]]:
    """What the judge learns from. Raises as `read_rows` and `read_pairs`."""
    return [*read_rows(), *read_pairs()]


def make_words(folder: Path = WEIGHTS) -> None:
    """Write the table of words: those of the other training sets, in the encoder's main directions."""
    spelt: dict[str, Counter[str]] = {}
    counts: Counter[str] = Counter()
    for text in _texts():
        folded = fold(text)
        counts.update({word for _, word in telling(folded)})
        for found in _ONE_WORD.finditer(text.casefold()):
            spelt.setdefault(fold(found.group()), Counter())[found.group()] += 1
    words = sorted(word for word in counts if re.fullmatch(r"[a-z']+", word))
    surface = [spelt[word].most_common(1)[0][0] if word in spelt else word for word in words]
    encoder = SentenceEncoder()
    raw = np.concatenate([encoder.encode(surface[n : n + 256]) for n in range(0, len(words), 256)])
    centred = raw - raw.mean(axis=0)
    _, _, axes = np.linalg.svd(centred, full_matrices=False)
    turned = centred @ axes[:DIMENSIONS].T
    turned /= np.maximum(np.linalg.norm(turned, axis=1, keepdims=True), 1e-9)
    np.savez_compressed(
        folder / TABLE,
        words=np.frombuffer("\n".join(words).encode(), dtype=np.uint8),
        vectors=np.rint(turned * 127).astype(np.int8),
        counts=np.array([counts[word] for word in words], dtype=np.int32),
    )


def _texts() -> list[str]:
    texts: list[str] = []
    for name in TEXTS:
        for line in (DATA.parent / name).read_text("utf-8").splitlines():
            row = json.loads(line)
            texts += [row[key] for key in ("text", "passage") if row.get(key)]
            texts += [question["text"] for question in row.get("questions", ())]
    return texts


def seen(row: dict[str, Any], table: Lexis) -> tuple[Instances, bool]:
    """What the judge sees of a row, and whether a rule alone refuses it."""
    sources = [Source(str(n), passage) for n, passage in enumerate(row["passages"])]
    answer, kinds, refused = ruled(row["answer"], sources, row["language"], row.get("question", ""))
    told = instances(answer, row["language"], row["passages"], kinds, table, row.get("question", ""))
    return told, refused


def _packed(rows: Sequence[Instances]) -> dict[str, tuple[Floats, NDArray[np.int_]]]:
    packed = {}
    for part in PARTS:
        each = [getattr(one, part) for one in rows]
        packed[part] = (
            np.concatenate(each).reshape(-1, WIDTHS[part]),
            np.repeat(np.arange(len(rows)), [len(one) for one in each]),
        )
    return packed


def fit(rows: Sequence[Instances], labels: Floats, table: Lexis) -> Judge:
    """Networks that differ in their seed alone, and trees; deterministic. The threshold is not set yet."""
    packed = _packed(rows)
    scale = {}
    for part, (values, _) in packed.items():
        mean, spread = values.mean(axis=0), values.std(axis=0) + 1e-3
        if part == "words":  # vectors keep their zero
            mean[WORD_SCALARS:], spread[WORD_SCALARS:] = 0, _SPREAD_OF_VECTORS
        scale[part] = (mean.astype(np.float32), spread.astype(np.float32))
    scaled = {
        part: (np.clip((values - scale[part][0]) / scale[part][1], -CLIP, CLIP), owner)
        for part, (values, owner) in packed.items()
    }
    answers = np.stack([one.answer for one in rows])
    fitted = [_fit_one(scaled, answers, labels, seed) for seed in range(COUNT)]
    layers = {
        part: Layer(
            *scale[part],
            *(np.stack([one[f"{part}_{field}"] for one in fitted]) for field in FIELDS[2:]),
        )
        for part in PARTS
    }
    stacked = np.stack([one["answer"] for one in fitted]), np.stack([one["bias"] for one in fitted])
    return Judge(layers, *stacked, grown(rows, labels), 0.0, table, "")


def _fit_one(
    scaled: dict[str, tuple[Floats, NDArray[np.int_]]], answers: Floats, labels: Floats, seed: int
) -> Weights:
    """One network by Adam over all rows at once, hidden units dropped at random."""
    random = np.random.default_rng(seed)
    weights: Weights = {"answer": np.zeros(answers.shape[1], np.float32), "bias": np.zeros((), np.float32)}
    for part in PARTS:
        d = WIDTHS[part]
        weights |= {
            f"{part}_into": random.normal(0, d**-0.5, (d, HIDDEN)).astype(np.float32),
            f"{part}_hidden": np.zeros(HIDDEN, np.float32),
            f"{part}_out": random.normal(0, 0.3 * HIDDEN**-0.5, HIDDEN).astype(np.float32),
            f"{part}_straight": np.zeros(d, np.float32),
            f"{part}_bias": np.array(-2.5, np.float32),
        }
    first: Weights = {key: np.zeros_like(value) for key, value in weights.items()}
    second: Weights = {key: np.zeros_like(value) for key, value in weights.items()}
    for step in range(1, _STEPS + 1):
        slope = _slopes(weights, scaled, answers, labels, random)
        for key, value in weights.items():
            held = key.endswith(("_into", "_out", "_straight"))
            turn = slope[key] + (_DECAY * value if held else 0)
            first[key] = np.asarray(0.9 * first[key] + 0.1 * turn, dtype=np.float32)
            second[key] = np.asarray(0.99 * second[key] + 0.01 * turn * turn, dtype=np.float32)
            move = (first[key] / (1 - 0.9**step)) / (np.sqrt(second[key] / (1 - 0.99**step)) + 1e-8)
            weights[key] = np.asarray(value - _STEP * move, dtype=np.float32)
    return weights


def _slopes(
    weights: Weights,
    scaled: dict[str, tuple[Floats, NDArray[np.int_]]],
    answers: Floats,
    labels: Floats,
    random: np.random.Generator,
) -> Weights:
    """The gradient of the mean cross entropy of answers; an instance answers for its share of the maximum."""
    n = len(labels)
    inner, kept, scores, owners = {}, {}, [], []
    for part in PARTS:
        rows, owner = scaled[part]
        kept[part] = (random.random(HIDDEN) > _DROPPED).astype(np.float32) / (1 - _DROPPED)
        inner[part] = np.maximum(rows @ weights[f"{part}_into"] + weights[f"{part}_hidden"], 0)
        score = (inner[part] * kept[part]) @ weights[f"{part}_out"] + rows @ weights[f"{part}_straight"]
        scores.append(score + weights[f"{part}_bias"])
        owners.append(owner)
    every, owner = np.concatenate(scores), np.concatenate(owners)
    top = np.full(n, FLOOR, np.float32)
    np.maximum.at(top, owner, every)
    mass = np.exp(every - top[owner])
    total = np.bincount(owner, mass, n) + np.exp(FLOOR - top)
    logits = top + np.log(total) + answers @ weights["answer"] + weights["bias"]
    error = (1 / (1 + np.exp(-logits)) - labels) / n
    share = (error[owner] * mass / total[owner]).astype(np.float32)
    slope: Weights = {"answer": answers.T @ error.astype(np.float32), "bias": error.sum()}
    at = 0
    for part in PARTS:
        rows = scaled[part][0]
        mine = share[at : at + len(rows)]
        at += len(rows)
        back = mine[:, None] * weights[f"{part}_out"] * kept[part] * (inner[part] > 0)
        slope[f"{part}_out"] = (inner[part] * kept[part]).T @ mine
        slope[f"{part}_into"], slope[f"{part}_hidden"] = rows.T @ back, back.sum(axis=0)
        slope[f"{part}_straight"], slope[f"{part}_bias"] = rows.T @ mine, mine.sum()
    return slope


def out_of_fold(
    rows: Sequence[dict[str, Any]], told: Sequence[Instances], labels: Floats, table: Lexis
) -> Floats:
    """Each row's score by networks that saw none of its business."""
    templates = sorted({str(row["template"]) for row in rows})
    order = np.random.default_rng(0).permutation(len(templates))
    fold_of = {templates[t]: n % FOLDS for n, t in enumerate(order)}
    folds = np.array([fold_of[str(row["template"])] for row in rows])
    scores = np.zeros(len(rows), dtype=np.float32)
    for fold_ in range(FOLDS):
        learnt = [one for one, f in zip(told, folds, strict=True) if f != fold_]
        judge = fit(learnt, labels[folds != fold_], table)
        for at in np.flatnonzero(folds == fold_).tolist():
            scores[at] = judge.judge(told[at]).score
    return scores


def threshold(scores: Floats, labels: Floats, refused: NDArray[np.bool_]) -> float:
    """The threshold at which judge and rules together are wrong least, a miss weighing LIE wrong refusals.

    A lie reaches a customer; a true answer that is refused is quoted instead of worded.
    """
    steps = np.quantile(scores, np.linspace(0.02, 0.98, 193))

    def cost(at: float) -> float:
        stopped = (scores > at) | refused
        return float(stopped[labels == 0].mean() + LIE * (1 - stopped[labels == 1].mean()))

    # The mean of the ten best: the best of all is luck.
    return float(np.mean(sorted(steps, key=cost)[:10]))


def train(folder: Path = WEIGHTS) -> dict[str, Any]:
    """Write grounding.npz and grounding.json; returns the sidecar."""
    rows, table = all_rows(), lexis()
    each = [seen(row, table) for row in rows]
    told, refused = [one for one, _ in each], np.array([hard for _, hard in each])
    labels = np.array([0.0 if row["supported"] else 1.0 for row in rows], dtype=np.float32)
    scores = out_of_fold(rows, told, labels, table)
    at = threshold(scores, labels, refused)
    stopped = (scores > at) | refused
    judge = fit(told, labels, table)
    arrays = {
        f"{part}_{field}": getattr(judge.layers[part], field).astype(
            np.float16 if field == "into" else np.float32
        )
        for part in PARTS
        for field in FIELDS
    }
    nodes = {f"trees_{field.name}": getattr(judge.trees, field.name) for field in fields(judge.trees)}
    np.savez_compressed(folder / f"{NAME}.npz", answer=judge.answer, bias=judge.bias, **arrays, **nodes)
    sidecar = {
        "version": hashlib.sha256((folder / f"{NAME}.npz").read_bytes()).hexdigest()[:8],
        "format": FORMAT,
        "threshold": round(at, 4),
        "rows": len(rows),
        "rows_sha256": rows_hash(DATA, TURNS),
        "recall": round(float(stopped[labels == 1].mean()), 4),
        "false_block": round(float(stopped[labels == 0].mean()), 4),
    }
    (folder / f"{NAME}.json").write_text(json.dumps(sidecar, indent=2) + "\n", "utf-8")
    return sidecar


def main() -> int:
    """The command. With the argument `words` the table of words is made anew first."""
    if "words" in sys.argv[1:]:
        make_words()
        lexis.cache_clear()
    json.dump(train(), sys.stdout, indent=2)
    sys.stdout.write("\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
