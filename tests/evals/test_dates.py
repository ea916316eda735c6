"""The dates suite tells right from missed and wrong, and its rows are what they claim to be."""

import json
import math
from collections import Counter
from datetime import date, datetime
from pathlib import Path

import pytest

from evals.suites import dates
from evals.suites.dates import Read, judge
from inference.language import LANGUAGES

GOLD = dates.load()


def _read(found: str | None, value: str | None, *accepted: str, language: str = "it") -> Read:
    row = {"text": "?", "language": language, "value": value, "accepted": list(accepted)}
    return Read(row, found, (), None)


def test_the_figures() -> None:
    answered = [
        _read("2026-11-20~day", "2026-11-20~day"),
        _read("2026-11-27~day", "2026-11-20~day", "2026-11-27~day"),
        _read(None, "2026-11-20~day"),
        _read("2026-11-21~day", "2026-11-20~day"),
        _read("2026-11-20~day", None, language="en"),
    ]
    result = judge(answered)
    assert result.figures["right"] == pytest.approx(2 / 5)
    assert result.figures["wrong"] == pytest.approx(2 / 5)  # a null is a question, not a wrong answer
    assert (result.figures["right_it"], result.figures["right_en"]) == (pytest.approx(2 / 4), 0)
    assert len(result.failures) == 3


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_worst_language_is_one_that_has_rows(language: str) -> None:
    figures = judge([_read("2026-11-20~day", "2026-11-20~day", language=language)]).figures
    assert figures["right_worst_language"] == 1
    assert math.isnan(judge([]).figures["right_worst_language"])


def test_broken_rows_are_named(tmp_path: Path) -> None:
    good = {"text": "domani", "language": "it", "now": "2026-11-16T09:00:00", "time_zone": "Europe/Rome"}
    lines = [{**good, "value": "2026-11-17~day"}, good, {**good, "value": None, "now": "soon"}]
    path = tmp_path / "rows.jsonl"
    path.write_text("\n".join(json.dumps(line) for line in lines))
    found = dates.load(path)
    assert (len(found.rows), len(found.broken)) == (1, 2)
    assert dates.answer(found.rows[0]).right


@pytest.mark.parametrize(
    ("wrong", "why"),
    [
        ({"accepted": 5}, "accepted must be"),
        ({"accepted": [5]}, "accepted must be"),
        ({"time_zone": "Europe/Atlantis"}, "no time zone 'Europe/Atlantis'"),
        ({"time_zone": "Europe"}, "no time zone 'Europe'"),
        ({"time_zone": ""}, "no time zone ''"),
        ({"now": "0001-01-01T00:00:00+10:00"}, "no ISO time"),
    ],
)
def test_a_row_that_would_end_the_run_is_broken(tmp_path: Path, wrong: dict[str, object], why: str) -> None:
    row = {"text": "domani", "language": "it", "now": "2026-11-16T09:00:00", "time_zone": "Europe/Rome"}
    path = tmp_path / "rows.jsonl"
    path.write_text(json.dumps({**row, "value": None, **wrong}))
    found = dates.load(path)
    assert found.rows == ()
    [line] = found.broken
    assert line.startswith("rows.jsonl:1: ")
    assert why in line


def test_null_accepts_nothing_else(tmp_path: Path) -> None:
    row = {"text": "domani", "language": "it", "now": "2026-11-16T09:00:00", "time_zone": "Europe/Rome"}
    path = tmp_path / "rows.jsonl"
    path.write_text(json.dumps({**row, "value": "2026-11-17~day", "accepted": None}))
    [loaded] = dates.load(path).rows
    assert judge([dates.answer(loaded)]).figures["right"] == 1


def test_the_rows_are_as_many_as_they_must_be() -> None:
    assert GOLD.broken == ()
    assert min(Counter(row["language"] for row in GOLD.rows).values()) >= 60
    assert set(Counter(row["language"] for row in GOLD.rows)) == set(LANGUAGES)
    texts = Counter((row["text"].casefold(), row["now"]) for row in GOLD.rows)
    assert max(texts.values()) == 1
    assert {row["split"] for row in GOLD.rows} == {"dev", "test"}


def test_every_value_is_a_time_there_is() -> None:
    for row in GOLD.rows:
        for value in (row["value"], *row.get("accepted", [])):
            if value is not None:
                day, _, part = value.partition("~")
                assert datetime.fromisoformat(value) if not part else date.fromisoformat(day)
                assert part in ("", "day", "morning", "lunch", "afternoon", "evening", "night")


def test_no_row_is_in_the_tests_the_grammar_was_written_with() -> None:
    tests = (Path(__file__).parents[1] / "inference" / "test_when.py").read_text(encoding="utf-8")
    known = sum(f'"{row["text"]}"' in tests for row in GOLD.rows)
    assert known < len(GOLD.rows) / 20
