"""`sara transcribe`: one line a file, in order, whatever the files hold."""

import json
import shutil
from pathlib import Path

import pytest


@pytest.fixture(autouse=True)
def _weights(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SARA_DATA_DIR", str(tmp_path_factory.getbasetemp() / "weights"))


def test_a_folder_gives_a_line_for_each_file_in_order(bare, notes: Path, tmp_path: Path) -> None:
    inner = tmp_path / "b" / "c"
    inner.mkdir(parents=True)
    shutil.copy(notes / "it_price_man.ogg", tmp_path / "d.ogg")
    shutil.copy(notes / "en_price_man.ogg", inner / "e.ogg")
    shutil.copy(notes / "zero.ogg", tmp_path / "a.ogg")
    (tmp_path / ".hidden.ogg").write_bytes(b"OggS")
    ran = bare("transcribe", tmp_path, notes / "silence.ogg", "--json")
    assert ran.code == 0
    rows = [json.loads(line) for line in ran.out.splitlines()]
    assert [Path(row["file"]).name for row in rows] == ["a.ogg", "e.ogg", "d.ogg", "silence.ogg"]
    assert [row["status"] for row in rows] == ["rejected", "ok", "ok", "rejected"]
    assert [row["language"] for row in rows] == [None, "en", "it", None]
    assert [row["reason"] for row in rows] == ["empty", None, None, "no_speech"]
    assert [list(row) for row in rows] == [
        ["file", "status", "text", "language", "confidence", "duration_s", "seconds", "reason"]
    ] * 4


def test_a_file_over_the_limit_is_refused_without_being_read(bare, tmp_path: Path) -> None:
    huge = tmp_path / "huge.ogg"
    with huge.open("wb") as out:
        out.write(b"OggS")
        out.truncate(60 * 2**30)  # sparse: more than any memory holds
    [row] = [json.loads(line) for line in bare("transcribe", huge, "--json").out.splitlines()]
    assert (row["status"], row["reason"]) == ("rejected", "too_big")


def test_the_limits_are_settings(bare, notes: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SARA_VOICE_MOST_SECONDS", "2")
    [row] = [
        json.loads(line) for line in bare("transcribe", notes / "it_price_man.ogg", "--json").out.splitlines()
    ]
    assert (row["status"], row["reason"]) == ("rejected", "too_long")
    assert row["duration_s"] == pytest.approx(5.0, abs=0.2)


def test_a_file_that_is_not_there_is_bad_usage(bare, tmp_path: Path) -> None:
    ran = bare("transcribe", tmp_path / "none.ogg")
    assert ran.code == 2
    assert "none.ogg" in ran.err
