"""The grounding suite measures what it says, and its gold set is whole."""

import json
from collections import Counter, defaultdict
from pathlib import Path

import pytest

from evals.suites import grounding

GOLD = grounding.every()


def _row(answer: str, supported: bool, language: str = "it") -> dict[str, object]:
    passages = ["Il massaggio rilassante costa 65 €."]
    kind = "paraphrase" if supported else "altered_price"
    return {
        "answer": answer,
        "passages": passages,
        "supported": supported,
        "language": language,
        "kind": kind,
    }


def test_the_figures() -> None:
    result = grounding.judge(
        grounding.ask(
            [
                _row("Il massaggio rilassante costa 65 €.", True),
                _row("Il massaggio rilassante costa 70 €.", True),  # refused, and said to be right
                _row("Il massaggio rilassante costa 80 €.", False),
                _row("Il massaggio rilassante costa 65 euro.", False),  # passes, and said to be wrong
            ]
        )
    )
    assert result.figures["recall"] == result.figures["false_block"] == pytest.approx(1 / 2)
    assert result.figures["recall_it"] == pytest.approx(1 / 2)
    assert [failure["verdict"] for failure in result.failures] == ["refused for money: 70 €", "passed"]
    assert "median_ms" in result.about
    assert "median_ms" not in result.figures


def test_a_row_may_hold_passages_with_names_and_no_language() -> None:
    row = {"answer": "Costa 65 €.", "passages": [{"id": "a", "text": "Costa 65 €."}], "supported": True}
    assert grounding.judge(grounding.ask([row])).failures == ()


@pytest.mark.parametrize(
    ("wrong", "why"),
    [
        ({"passages": [{"content": "Costa 65 €."}]}, "neither a text nor an object with a text"),
        ({"passages": ["Costa 65 €.", None]}, "passages: None is neither"),
        ({"passages": [{"text": "Costa 65 €.", "trusted": "yes"}]}, "trusted must be true or false"),
        ({"question": 5}, "question must be str"),
        ({"language": ["it"]}, "language must be str"),
    ],
)
def test_a_row_that_would_be_judged_beside_nothing_is_broken(
    tmp_path: Path, wrong: dict[str, object], why: str
) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_text(json.dumps({**_row("Costa 65 €.", True), **wrong}))
    found = grounding.load(path)
    assert found.rows == ()
    [line] = found.broken
    assert line.startswith("rows.jsonl:1: ")
    assert why in line


def test_what_a_row_does_not_tell_may_be_null(tmp_path: Path) -> None:
    row = {**_row("Costa 65 €.", True), "passages": [{"text": "Costa 65 €.", "trusted": None}]}
    path = tmp_path / "rows.jsonl"
    path.write_text(json.dumps({**row, "question": None, "language": None, "kind": None}))
    assert grounding.judge(grounding.ask(grounding.load(path).rows)).failures == ()


def test_the_gold_set_is_whole() -> None:
    assert GOLD.broken == ()
    assert max(Counter(row["id"] for row in GOLD.rows).values()) == 1
    assert {row["language"] for row in GOLD.rows} == {"it", "en", "es", "pt"}


def test_no_template_is_in_two_splits() -> None:
    splits = defaultdict(set)
    for row in GOLD.rows:
        splits[row["template"]].add(row["split"])
    assert all(len(where) == 1 for where in splits.values())


def test_both_sides_are_large_enough() -> None:
    tested = [row["supported"] for row in grounding.rows(GOLD, "test")]
    assert min(tested.count(True), tested.count(False)) >= 100


def test_figures_are_told_apart_by_set() -> None:
    rows = [{**_row("Costa 65 €.", True), "set": name} for name in ("one", "other")]
    (table,) = [t for t in grounding.judge(grounding.ask(rows)).tables if t.title == "by set"]
    assert [line[0] for line in table.rows] == ["one", "other"]
