"""What agents say instead of SARA: kept once, beside the draft, and judged as rows of an evaluation."""

import json
from pathlib import Path

from evals.suites import corrections as suite
from evals.suites.corrections import Judged

ROW = {"question": "Avete un parcheggio?", "draft": "Sì, il parcheggio è gratuito per i clienti.", "sent": ""}


def test_drafts_are_judged_by_what_was_kept_of_them() -> None:
    rows = [
        {**ROW, "sent": ROW["draft"]},
        {**ROW, "sent": "Sì, il parcheggio è gratuito per tutti i clienti."},
        {**ROW, "sent": "Ci pensa Marta: la chiama lei domani mattina."},
        {**ROW, "draft": "", "sent": "Chiuso per ferie.", "kind": None},
        {**ROW, "kind": "note", "sent": "Richiamata."},
    ]
    result = suite.judge([Judged(row, "" if row["draft"] else None) for row in rows])
    figures = result.figures
    assert figures["rows"] == 5
    assert figures["drafted"] == 0.75
    assert figures["sent_as_it_stood"] == 1 / 3
    assert figures["rewritten"] == 1 / 3
    assert 0.5 < figures["kept"] < 0.9
    assert figures["answered_now"] == 0
    assert len(result.failures) == 3


def test_rows_of_a_file_that_lack_something_are_left_out(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_text(json.dumps({**ROW, "sent": "Sì."}) + "\n" + json.dumps({"question": "?"}) + "\n")
    gold = suite.load(path)
    assert len(gold.rows) == 1
    assert len(gold.broken) == 1
