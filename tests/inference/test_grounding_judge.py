"""The grounding judge: weights that belong to the rows and the features, read without running anything."""

import hashlib
import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from inference.classify import WEIGHTS
from inference.errors import ModelMissing, WeightsCorrupt
from inference.grounding import Source, check, ruled
from inference.grounding_features import CLAUSE, VALUE, WORD, instances
from inference.grounding_judge import Judge, judge
from inference.grounding_lexis import DIMENSIONS, TABLE, Lexis, lexis
from inference.train import rows_hash
from inference.train_grounding import (
    DATA,
    TURNS,
    all_rows,
    fit,
    out_of_fold,
    read_rows,
    seen,
    threshold,
)


def test_the_weights_are_those_of_the_rows() -> None:
    sidecar = json.loads((WEIGHTS / "grounding.json").read_text("utf-8"))
    assert sidecar["rows_sha256"] == rows_hash(DATA, TURNS), "run `python -m inference.train_grounding`"
    version = hashlib.sha256((WEIGHTS / "grounding.npz").read_bytes()).hexdigest()[:8]
    assert judge().version == sidecar["version"] == version
    assert sidecar["rows"] == len(all_rows())


def test_no_row_is_an_evaluation_row() -> None:
    from evals.suites import grounding

    judged = {row["answer"] for row in grounding.every().rows}
    assert not judged & {row["answer"] for row in all_rows() if len(row["answer"]) > 40}


def test_missing_and_damaged_weights_say_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(ModelMissing, match="run"):
        Judge.load(tmp_path)
    shutil.copy(WEIGHTS / "grounding.json", tmp_path)
    with pytest.raises(ModelMissing, match="train_grounding"):
        Judge.load(tmp_path)
    (tmp_path / "grounding.npz").write_bytes(b"no weights")
    with pytest.raises(WeightsCorrupt, match="train_grounding"):
        Judge.load(tmp_path)
    (tmp_path / TABLE).write_bytes(b"no words")
    with pytest.raises(WeightsCorrupt, match="train_grounding"):
        Lexis.load(tmp_path)


def test_what_is_seen_has_the_widths_the_weights_have() -> None:
    source = "Parking is free. Massage: 60 min, £65."
    told = instances("Parking is free and a massage is £65.", "en", [source], [], lexis())
    assert told.words.shape[1] == WORD
    assert told.clauses.shape == (2, CLAUSE)
    assert told.values.shape == (1, VALUE)
    assert len(told.spans) == len(told.words) + 2 + 1
    empty = instances("", "en", [], [], lexis())
    assert not len(empty.words)
    assert not judge().judge(empty).fails


def test_words_of_two_languages_with_one_meaning_are_near() -> None:
    table = lexis()
    dog, cane, invoice = table.matrix(["dog", "cane", "invoice"])
    assert float(dog @ cane) > float(dog @ invoice) + 0.2
    assert not table.matrix(["xqzwv"]).any()
    assert table.rarity("xqzwv") == 0 < table.rarity("massaggio")
    assert table.vectors.shape[1] == DIMENSIONS


def test_an_invention_is_blamed_on_its_sentence() -> None:
    source = Source("s", "Relaxing massage: 60 minutes, £65. We are open from Monday to Friday.")
    report = check("The relaxing massage is £65. Upstairs we run a scuba diving school.", [source], "en")
    assert not report.supported
    assert any("scuba" in claim.text for claim in report.unsupported)


def test_training_is_the_same_each_time_and_learns(tmp_path: Path) -> None:
    rows = read_rows()[:240]
    table = lexis()
    each = [seen(row, table) for row in rows]
    told = [one for one, _ in each]
    labels = np.array([0.0 if row["supported"] else 1.0 for row in rows], dtype=np.float32)
    first, second = fit(told, labels, table), fit(told, labels, table)
    assert np.array_equal(first.answer, second.answer)
    scores = np.array([first.judge(one).score for one in told])
    assert scores[labels == 1].mean() > scores[labels == 0].mean() + 1
    unseen = out_of_fold(rows, told, labels, table)
    assert unseen[labels == 1].mean() > unseen[labels == 0].mean()
    at = threshold(unseen, labels, np.array([hard for _, hard in each]))
    assert unseen.min() < at < unseen.max()


def test_a_row_that_is_none_is_named(tmp_path: Path) -> None:
    (tmp_path / "rows.jsonl").write_text('{"answer": "x"}\n', "utf-8")
    with pytest.raises(ValueError, match=r"rows\.jsonl:1: needs answer, passages"):
        read_rows(tmp_path / "rows.jsonl")


@pytest.mark.parametrize(
    "greeting", ["Welcome back, Giulia! What can I do for you today?", "Ciao Giulia! 😊"]
)
def test_a_greeting_tells_nothing(greeting: str) -> None:
    names = Source("names", "Benessere Giulia SARA")
    assert check(greeting, [Source("s", "Massaggio: 65 €."), names]).supported


PRICES = Source("p", "Massage: 60 min, £65.\nFacial: 45 min, £80.\nManicure: 30 min, £25.")


def test_a_value_of_another_row_is_weighed_and_one_of_none_is_refused() -> None:
    """Whether a value is of its subject a rule cannot tell for sure; that nobody states it, it can."""
    elsewhere, nowhere = "The manicure is £80.", "The manicure is £90."
    _, kinds, refused = ruled(elsewhere, [PRICES], "en")
    assert (kinds, refused) == (["money"], False)
    assert not check(elsewhere, [PRICES], "en").supported
    assert ruled(nowhere, [PRICES], "en")[2]


@pytest.mark.parametrize(
    ("language", "answer"),
    [
        ("it", "Mi dispiace, non ho informazioni sul traghetto per Ibiza."),
        ("en", "I'm sorry, I don't have any information about the ferry to Ibiza."),
        ("es", "Lo siento, no tengo información sobre el ferry a Ibiza."),
        ("pt", "Lamento, não tenho informação sobre o ferry para Ibiza."),
    ],
)
def test_who_knows_nothing_of_a_place_may_name_it(language: str, answer: str) -> None:
    assert "name" not in ruled(answer, [PRICES], language)[1]


def test_a_name_in_what_is_told_needs_a_source() -> None:
    assert "name" in ruled("The ferry to Ibiza leaves beside the shop.", [PRICES], "en")[1]


@pytest.mark.parametrize(
    ("language", "answer"),
    [
        ("it", "Come ti meriti: stai zitto, pagliaccio."),
        ("en", "As you deserve: shut up, moron."),
        ("es", "¡Cállate ya!"),
        ("pt", "Cala-te, palhaço."),
    ],
)
def test_nobody_abuses_a_customer(language: str, answer: str) -> None:
    assert ruled(answer, [PRICES], language)[2]


def test_what_a_source_speaks_of_is_no_abuse() -> None:
    parties = Source("p", "Per le feste dei bambini c'è un pagliaccio: 80 € l'ora. Panini al burro.")
    assert check("Il pagliaccio costa 80 € l'ora.", [parties], "it").supported
    assert ruled("Il pagliaccio costa 80 € l'ora, idiota.", [parties], "it")[2]
