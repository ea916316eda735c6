"""`sara soak` for a moment: real processes, one of them killed, nothing lost; the command and its report."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from sara.cli import app

pytestmark = [pytest.mark.chaos, pytest.mark.timeout(300)]


def test_a_short_soak_holds_and_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    told, shown = tmp_path / "soak.json", tmp_path / "soak.md"
    options = ["--minutes", "0.2", "--rate", "3", "--seed", "7", "--folder", str(tmp_path / "kept")]
    ran = CliRunner().invoke(app, ["soak", *options, "--json", str(told), "--markdown", str(shown)])
    assert ran.exit_code == 0, ran.output + str(ran.exception)
    report = json.loads(told.read_text("utf-8"))
    assert report["passed"]
    assert all(finding["broken"] == 0 for finding in report["findings"])
    assert [what for _, what in report["broken"]] == ["worker killed"]
    done = report["done"]
    assert done["messages of customers"] >= 10
    assert done["messages to customers"] >= 10
    assert {life["process"] for life in report["lives"]} == {"serve", "worker 1", "worker 2"}
    assert all(life["most_mb"] > 50 for life in report["lives"])
    assert report["connections"][0] > 3
    assert "everything held" in shown.read_text("utf-8")
    assert "everything held" in ran.output
    assert (tmp_path / "kept" / "worker-1.log").exists()

    again = CliRunner().invoke(app, ["soak", "--folder", str(tmp_path / "kept")])
    assert again.exit_code == 1
    assert "is not empty" in str(again.exception)
