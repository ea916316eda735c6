"""The sensitivity suite counts misses and false escalations apart, and its rows are what they claim to be."""

from collections import Counter, defaultdict
from pathlib import Path
from typing import Any

import pytest

from evals.result import shown
from evals.suites import sensitivity
from evals.suites.sensitivity import Judged, judge
from inference.language import LANGUAGES
from inference.sensitivity import Sensitivity

GOLD = sensitivity.load()


def _judged(label: str, found: str, score: float, language: str = "it", *, hard: bool = False) -> Judged:
    row: dict[str, Any] = {"text": "?", "language": language, "label": label, "hard_negative": hard}
    return Judged(row, Sensitivity(found, score, found != "none", (), {}))


SOME = [
    _judged("emergency", "emergency", 0.99),
    _judged("emergency", "none", 0.3, "en"),
    _judged("legal", "financial", 0.8, "es"),
    _judged("medical", "medical", 0.9, "pt"),
    _judged("none", "none", 0.1),
    _judged("none", "none", 0.02, "en"),
    _judged("none", "medical", 0.7, "es", hard=True),
    _judged("none", "none", 0.2, "pt", hard=True),
]


def test_the_figures() -> None:
    figures = judge(SOME).figures
    assert figures["recall"] == pytest.approx(3 / 4)
    assert (figures["recall_emergency"], figures["recall_legal"]) == (0.5, 1)
    assert (figures["recall_it"], figures["recall_en"], figures["recall_worst_language"]) == (1, 0, 0)
    assert figures["false_escalation"] == pytest.approx(1 / 4)
    assert (figures["false_escalation_hard"], figures["false_escalation_ordinary"]) == (0.5, 0)
    assert figures["false_escalation_worst_language"] == 1
    assert figures["right_kind"] == pytest.approx(2 / 3)
    assert figures["auc"] == pytest.approx(15 / 16)


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_worst_language_is_one_that_has_rows(language: str) -> None:
    """A dataset of one language, with a miss and a false escalation: gates must fall in each."""
    rows = [("legal", "legal"), ("legal", "none"), ("none", "none"), ("none", "legal")]
    figures = judge([_judged(label, found, 0.5, language) for label, found in rows]).figures
    assert figures["recall_worst_language"] == 0.5
    assert figures["false_escalation_worst_language"] == 0.5


def test_every_row_on_the_wrong_side_is_listed_misses_first() -> None:
    failures = judge(SOME).failures
    assert [(one["wrong"], one["label"]) for one in failures] == [
        ("missed", "emergency"),
        ("escalated (hard negative)", "none"),
    ]


def test_cells_that_fall_short_are_named() -> None:
    table = next(table for table in judge(SOME).tables if table.title == "cells that fall short")
    assert [row[0] for row in table.rows] == [
        "en emergency recall",
        "es harmless escalated",
        "es hard escalated",
    ]


def test_calibration_is_a_table_of_bins() -> None:
    even = [_judged("legal" if n % 4 else "none", "none", 0.75) for n in range(40)]
    result = judge(even)
    table = next(table for table in result.tables if table.title.startswith("calibration"))
    assert next(row[1:4] for row in table.rows if row[0] == "0.70-0.80") == (40, 0.75, 0.75)
    assert sum(int(row[1]) for row in table.rows) == 40
    assert result.figures["calibration_error"] == pytest.approx(0)
    assert judge([_judged("none", "none", 1.0)]).figures["calibration_error"] == pytest.approx(1)


def test_the_result_is_shown() -> None:
    text = shown(judge(SOME), [])
    assert "recall by kind" in text
    assert "2 misses" in text


def test_a_row_of_no_known_label_is_named(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_text('{"text": "a", "language": "it", "label": "odd"}\n{"text": "b", "language": "it"}\n')
    dataset = sensitivity.load(path)
    assert dataset.rows == ()
    assert len(dataset.broken) == 2


def test_the_gold_set_is_whole() -> None:
    assert GOLD.broken == ()
    assert len(GOLD.rows) >= 1400
    texts = Counter((row["language"], row["text"].casefold()) for row in GOLD.rows)
    assert max(texts.values()) == 1
    assert [row["text"] for row in GOLD.rows if row["hard_negative"] and row["label"] != "none"] == []
    cells = Counter((row["language"], row["label"]) for row in GOLD.rows)
    assert len(cells) == 20
    assert min(cells.values()) >= 40


def test_rows_of_one_template_are_in_one_split() -> None:
    splits = defaultdict(set)
    for row in GOLD.rows:
        splits[row["template"]].add(row["split"])
    assert [template for template, found in splits.items() if len(found) > 1] == []
    assert len(sensitivity.rows(GOLD, "dev")) + len(sensitivity.rows(GOLD, "test")) == len(GOLD.rows)
