"""`sara eval` as a shell would use it: figures, a report, a comparison."""

import json
from pathlib import Path

import pytest

ROWS = [
    {"text": "Vorrei prenotare un massaggio", "language": "it", "intent": "book_appointment"},
    {"text": "Hello", "language": "en", "intent": "greeting"},
    {"text": "Baja", "language": "es", "intent": "opt_out"},
    {"text": "Bom dia", "language": "pt", "intent": "greeting"},
]


@pytest.fixture
def rows(tmp_path: Path) -> Path:
    path = tmp_path / "rows.jsonl"
    broken = '{"text": "x"}'
    path.write_text("\n".join([*(json.dumps(row) for row in ROWS), broken]))
    return path


def test_a_run_leaves_figures_and_a_report_and_is_compared(bare, rows: Path, tmp_path: Path) -> None:
    first, second, page = (tmp_path / name for name in ("a.json", "b.json", "b.html"))
    ran = bare("eval", "intents", "--dataset", rows, "--json", first)
    assert ran.code == 0, ran.err
    (suite,) = json.loads(first.read_text())
    assert suite["figures"]["right"] == 1.0
    assert suite["about"]["model"] == "extractive"
    assert len(suite["about"]["prompt"]) == len(suite["about"]["weights sha256"]) == 12
    assert suite["samples"]["right"]["en: Hello"] == 1.0

    # The same words, another truth: everything that is right now was wrong then.
    wrong = [{**row, "intent": "qualify_lead"} for row in ROWS]
    rows.write_text("\n".join(json.dumps(row) for row in wrong))
    ran = bare(*("eval", "intents", "--dataset", rows, "--json", second, "--html", page, "--compare", first))
    assert "gates that do not hold" in ran.one_line
    assert "compared with the other run" in ran.out
    assert "intents right" in ran.out
    html = page.read_text()
    assert "4 failures" in html
    assert "Vorrei prenotare un massaggio" in html
    assert "Compared with the other run" in html
    (suite,) = json.loads(second.read_text())
    assert [gate["holds"] for gate in suite["gates"] if gate["figure"] == "right"] == [False]


def test_rows_of_other_splits_are_counted(bare, tmp_path: Path) -> None:
    row = {"text": "domani", "language": "it", "now": "2026-11-16T09:00:00", "value": "2026-11-17~day"}
    path, splits = tmp_path / "rows.jsonl", (None, "test", "dev", "validation")
    path.write_text("\n".join(json.dumps({**row, "time_zone": "Europe/Rome", "split": s}) for s in splits))
    ran = bare("eval", "dates", "--dataset", path)
    assert "expressions 2" in ran.out
    assert "2 rows of other splits left out" in ran.out
    assert "left out" not in bare("eval", "dates", "--dataset", path, "--split", "all").out
    ran = bare("eval", "dates", "--dataset", path, "--split", "validation")
    assert ran.code == 2
    assert "'test', 'dev', 'all'" in ran.err


def test_half_an_emoji_in_a_miss_is_shown_and_written(bare, tmp_path: Path) -> None:
    row = {"text": "domani \ud83d", "language": "it", "now": "2026-11-16T09:00:00", "value": None}
    path, first, page = tmp_path / "rows.jsonl", tmp_path / "a.json", tmp_path / "a.html"
    path.write_text(json.dumps({**row, "time_zone": "Europe/Rome"}))
    ran = bare("eval", "dates", "--dataset", path, "--json", first, "--html", page)
    assert "gates that do not hold" in ran.one_line
    assert "domani \\ud83d" in ran.out
    assert "domani \\ud83d" in page.read_text()
    (suite,) = json.loads(first.read_text(), parse_constant=pytest.fail)  # NaN is no JSON
    assert suite["failures"][0]["text"] == row["text"]
    assert suite["figures"]["right_en"] is None
    assert "== compared" in bare("eval", "dates", "--dataset", path, "--compare", first).out


def test_what_is_no_run_and_what_cannot_be_written_is_one_line(bare, rows: Path, tmp_path: Path) -> None:
    assert "rows.jsonl" in bare("eval", "intents", "--dataset", rows, "--compare", rows).one_line
    gone = tmp_path / "no" / "folder.html"
    assert "folder.html" in bare("eval", "intents", "--dataset", rows, "--html", gone).one_line
