import json
import re
from collections import Counter
from dataclasses import asdict, replace
from pathlib import Path

import pytest

from evals.compare import differences
from evals.suites import intents as suite
from evals.suites.intents import Judged
from inference.classify import INTENTS, IntentClassifier, IntentGuess
from inference.duet import DuetEmbedder
from inference.language import LANGUAGES

TRAINED_ON = Path(__file__).parents[2] / "inference" / "data" / "intents.jsonl"


def judged(intent: str, guessed: str, confidence: float = 0.9, language: str = "it") -> Judged:
    row = {"text": f"{intent} {guessed} {confidence}", "language": language, "intent": intent}
    return Judged(row, IntentGuess(guessed, confidence, {guessed: confidence}))


def letters(text: str) -> str:
    return re.sub(r"\W+", " ", text.casefold()).strip()


def test_there_are_sixty_rows_a_language_and_every_intent_in_each() -> None:
    gold = suite.load()
    assert gold.broken == ()
    counted = Counter((row["language"], row["intent"]) for row in gold.rows)
    assert set(counted) == {(language, intent) for language in LANGUAGES for intent in INTENTS}
    for language in LANGUAGES:
        assert sum(n for (spoken, _), n in counted.items() if spoken == language) >= 60


def test_no_row_is_one_the_classifier_was_trained_on() -> None:
    trained = {letters(json.loads(line)["text"]) for line in TRAINED_ON.read_text("utf-8").splitlines()}
    assert [row["text"] for row in suite.load().rows if letters(row["text"]) in trained] == []


def test_a_wrong_tool_is_counted_apart_from_a_wrong_answer() -> None:
    result = suite.judge(
        [
            judged("answer", "answer"),
            judged("answer", "book_appointment"),
            judged("book_appointment", "other"),
            judged("greeting", "answer"),
        ]
    )
    assert result.figures["right"] == 0.25
    assert result.figures["wrong_tool"] == 0.25
    assert result.figures["recall_answer"] == 0.5
    assert len(result.failures) == 3
    assert result.failures[0]["guessed"] == "book_appointment"


def test_the_worst_language_is_not_hidden_in_an_average() -> None:
    result = suite.judge([judged("answer", "answer"), judged("answer", "other", language="pt")])
    assert result.figures["right_worst_language"] == 0.0
    assert result.figures["right_it"] == 1.0


def test_being_sure_and_wrong_is_a_calibration_error() -> None:
    good = suite.judge([judged("answer", "answer", 1.0)] * 4)
    bad = suite.judge([judged("answer", "other", 1.0)] * 4)
    assert good.figures["calibration_error"] == pytest.approx(0.0)
    assert bad.figures["calibration_error"] == pytest.approx(1.0)


def test_unknown_intents_and_languages_are_broken(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    rows = [
        {"text": "a", "language": "it", "intent": "dance"},
        {"text": "b", "language": "fr", "intent": "answer"},
        {"text": "c", "language": "it", "intent": "answer"},
    ]
    path.write_text("\n".join(json.dumps(row) for row in rows))
    gold = suite.load(path)
    assert [row["text"] for row in gold.rows] == ["c"]
    assert len(gold.broken) == 2
    assert "dance" in gold.broken[0]


async def test_a_threshold_made_worse_is_caught_by_a_gate_and_by_a_comparison() -> None:
    embedder, classifier = DuetEmbedder(), IntentClassifier.load()
    rows = suite.load().rows
    vectors = [await embedder.query(row["text"]) for row in rows]
    embedder.close()

    def run(made: IntentClassifier) -> suite.Result:
        pairs = zip(rows, vectors, strict=True)
        return suite.judge([Judged(row, made.classify(row["text"], vector)) for row, vector in pairs])

    good, worse = run(classifier), run(replace(classifier, reject=0.95))
    assert [gate.figure for gate in good.gates() if not gate.holds] == []
    assert "right" in [gate.figure for gate in worse.gates() if not gate.holds]
    found = {one.figure: one for one in differences([asdict(good)], [asdict(worse)])}
    assert found["right"].beyond_chance
    assert found["right"].high < 0
