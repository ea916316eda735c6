"""What the team has to do, and how appointments ended, from the terminal."""

import json
import re
from pathlib import Path

import pytest

from tests.sara.conftest import Cli

AURORA = Path(__file__).parents[2] / "knowledge/businesses/aurora.yaml"


@pytest.mark.timeout(600)
def test_follow_ups_and_attendance(bare: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SARA_DATA_DIR", str(tmp_path))
    assert bare("business", "add", AURORA).code == 0
    assert bare("follow-up", "list", "--business", "aurora").out == ""
    asked = "Vorrei un preventivo per quattro massaggi rilassanti e un regalo su misura"
    for words in (asked, "Sì"):
        assert bare("chat", "--business", "aurora", "--from", "+393331112233", "--text", words).code == 0
    listed = bare("follow-up", "list", "--business", "aurora", "--json", "--days", "30")
    rows = [json.loads(line) for line in listed.out.splitlines()]
    assert rows, listed.out
    assert rows[0]["wa_id"] == "393331112233"
    number = str(rows[0]["follow_up_id"])
    assert re.search(rf"^ *{number} ", bare("follow-up", "list", "--business", "aurora", "--days", "30").out)
    assert bare("follow-up", "done", number, "--business", "aurora").code == 0
    again = bare("follow-up", "done", number, "--business", "aurora")
    assert again.code == 1
    assert again.err.startswith("sara: No such open follow-up")
    for verb in ("complete", "no-show"):
        ended = bare("appointment", verb, "99", "--business", "aurora")
        assert ended.code == 1
        assert ended.err.startswith("sara: No such appointment")
    assert bare("handoff", "corrections", "--business", "aurora").code == 0
