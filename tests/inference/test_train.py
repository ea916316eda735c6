"""Training: the weights in the tree belong to the rows in the tree, and training is deterministic."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from evals.suites import sensitivity
from inference.classify import INTENTS, WEIGHTS, LinearHead
from inference.lexicon import tokens
from inference.sensitivity import LABELS
from inference.train import DATA, LANGUAGES, read_rows, rows_hash, train

SOURCES = {
    "intents": [DATA / "intents.jsonl"],
    "sensitivity": [
        DATA / "sensitivity.jsonl",
        *sorted((DATA / "lexicon").glob("*.txt")),
    ],
}


@pytest.mark.parametrize("name", ["intents", "sensitivity"])
def test_weights_were_trained_on_these_rows(name: str) -> None:
    sidecar = json.loads((WEIGHTS / f"{name}.json").read_text("utf-8"))
    head = LinearHead.load(WEIGHTS / f"{name}.npz")
    assert sidecar["rows_sha256"] == rows_hash(*SOURCES[name]), "run `python -m inference.train`"
    assert list(head.classes) == sidecar["classes"]
    assert head.coef.shape == (len(head.classes), sidecar["dimensions"])


def test_figures_keep_their_promise() -> None:
    """Of rows the head never saw; they are written to be harder than the evaluation rows."""
    sidecar = json.loads((WEIGHTS / "sensitivity.json").read_text("utf-8"))
    assert all(share <= 0.09 for share in sidecar["false_escalation_by_language"].values())
    assert all(recall >= 0.80 for recall in sidecar["recall_by_language"].values())
    assert sidecar["recall_by_label"]["emergency"] >= 0.88
    # Six in ten of the rows are of wishes that are easily taken for one another: see `sara eval intents`.
    assert json.loads((WEIGHTS / "intents.json").read_text("utf-8"))["accuracy"] >= 0.70


def test_weights_are_small() -> None:
    assert (WEIGHTS / "sensitivity.npz").stat().st_size < 3 * 2**20


def test_no_evaluation_row_is_trained_on() -> None:
    judged = {" ".join(tokens(str(row["text"]))) for row in sensitivity.load().rows}
    rows = read_rows(DATA / "sensitivity.jsonl", "label", LABELS)
    assert [row.text for row in rows if " ".join(tokens(row.text)) in judged] == []


@pytest.mark.parametrize(
    ("name", "key", "labels", "least"),
    [("intents", "intent", INTENTS, 20), ("sensitivity", "label", LABELS, 40)],
)
def test_every_class_has_rows_in_every_language(
    name: str, key: str, labels: tuple[str, ...], least: int
) -> None:
    rows = read_rows(DATA / f"{name}.jsonl", key, labels)
    for language in LANGUAGES:
        for label in labels:
            assert sum(r.language == language and r.label == label for r in rows) >= least, (language, label)
    texts = [(r.language, r.text.casefold()) for r in rows]
    assert len(texts) == len(set(texts))


def test_a_bad_row_is_named(tmp_path: Path) -> None:
    path = tmp_path / "intents.jsonl"
    path.write_text('{"text": "ciao", "language": "it", "intent": "sing", "group": 1}\n')
    with pytest.raises(ValueError, match=r"intents\.jsonl:1"):
        read_rows(path, "intent", INTENTS)


def _sample(source: Path, target: Path, key: str) -> None:
    """Every 8th row of each class: enough groups for five folds, few enough to be quick."""
    by_class: dict[str, list[str]] = {}
    for line in source.read_text("utf-8").splitlines():
        by_class.setdefault(json.loads(line)[key], []).append(line)
    target.write_text("\n".join(line for lines in by_class.values() for line in lines[::8]) + "\n", "utf-8")


def test_training_is_reproducible(tmp_path: Path) -> None:
    data = tmp_path / "data"
    shutil.copytree(DATA / "lexicon", data / "lexicon")
    _sample(DATA / "intents.jsonl", data / "intents.jsonl", "intent")
    _sample(DATA / "sensitivity.jsonl", data / "sensitivity.jsonl", "label")
    first, second = (train(data, tmp_path / run) for run in ("a", "b"))
    assert first == second
    for name in ("intents", "sensitivity"):
        one, two = (LinearHead.load(tmp_path / run / f"{name}.npz") for run in ("a", "b"))
        assert np.array_equal(one.coef, two.coef)
        assert one.temperature == two.temperature > 0
