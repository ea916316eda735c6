"""Commands on JSON Lines: what they add, what they refuse, and that nothing is half-written."""

import json
from pathlib import Path
from typing import Any

import pytest

WHEN = ["--now", "2026-11-16T09:00:00", "--timezone", "Europe/Rome"]


@pytest.fixture
def files(tmp_path: Path) -> tuple[Path, Path]:
    return tmp_path / "in.jsonl", tmp_path / "out.jsonl"


def written(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text("utf-8").split("\n") if line]


def on(command: str, files: tuple[Path, Path]) -> list[object]:
    name, *more = command.split()
    return [name, "--input", files[0], "--output", files[1], *more, *(WHEN if name == "when" else [])]


def test_score_tells_who_needs_a_human(bare, files) -> None:
    texts = ["Ho un forte dolore al petto e non respiro", "How much is a massage? 💆", "riga\u2028spezzata"]
    files[0].write_text(
        "\ufeff"
        + "\n\n".join(json.dumps({"text": t, "id": i}, ensure_ascii=False) for i, t in enumerate(texts)),
        encoding="utf-8",
    )
    assert bare(*on("score", files)).code == 0
    rows = written(files[1])
    assert [row["text"] for row in rows] == texts
    assert [row["id"] for row in rows] == [0, 1, 2]
    assert [(row["label"], row["escalate"]) for row in rows[:2]] == [("emergency", True), ("none", False)]
    assert all(0 <= row["score"] <= 1 for row in rows)


def test_score_uses_the_thresholds_of_a_business(sara, files) -> None:
    files[0].write_text('{"text": "How much is a massage?", "language": "en"}\n')
    assert sara(*on("score --business conti", files)).code == 0
    assert written(files[1])[0]["escalate"] is False
    assert "no business is called 'nowhere'" in sara(*on("score --business nowhere", files)).one_line


def test_classify_names_intents(bare, files) -> None:
    files[0].write_text(
        '{"text": "Vorrei prenotare un massaggio per sabato"}\n{"text": ""}\n{"text": "STOP"}'
    )
    assert bare(*on("classify", files)).code == 0
    booking, empty, stop = written(files[1])
    assert booking["intent"] == "book_appointment"
    assert stop["intent"] == "opt_out"
    assert 0 <= empty["confidence"] <= 1


def test_half_an_emoji_is_kept_as_it_came(bare, files) -> None:
    files[0].write_text('{"text": "ciao \\ud83d"}\n')
    for command in ("classify", "score", "when"):
        files[0].write_text('{"text": "ciao \\ud83d", "language": "it"}\n')
        assert bare(*on(command, files)).code == 0
        assert written(files[1])[0]["text"] == "ciao \ud83d"


def test_ground_finds_what_nothing_supports(bare, files) -> None:
    passages = ["Il massaggio rilassante dura 50 minuti e costa 65,00 €."]
    answers = ["Il massaggio rilassante costa 65,00 €.", "Il massaggio rilassante costa 55,00 €."]
    files[0].write_text("\n".join(json.dumps({"answer": a, "passages": passages}) for a in answers))
    assert bare(*on("ground", files)).code == 0
    good, bad = written(files[1])
    assert good["supported"] is True
    assert good["unsupported"] == []
    assert bad["supported"] is False
    assert any("55" in claim["text"] for claim in bad["unsupported"])


def test_when_reads_dates(bare, files) -> None:
    rows = [
        {"text": "giovedì mattina", "language": "it"},
        {"text": "domani alle 10", "language": "it"},
        {"text": "tomorrow at 10", "language": "en", "now": "2026-12-24T18:00:00"},
        {"text": "le vostre tariffe", "language": "it", "now": None},
    ]
    files[0].write_text("\n".join(json.dumps(row) for row in rows))
    assert bare(*on("when", files)).code == 0
    values = [row["value"] for row in written(files[1])]
    assert values == ["2026-11-19~morning", "2026-11-17T10:00:00", "2026-12-25T10:00:00", None]


def test_search_answers_with_documents(sara, files) -> None:
    files[0].write_text('{"question": "C\'è il parcheggio?"}\n{"question": "parking?", "language": "en"}')
    assert sara(*on("search --business aurora --k 2", files)).code == 0
    for row in written(files[1]):
        assert len(row["hits"]) == 2
        assert all(set(hit) == {"document", "text", "score"} for hit in row["hits"])
        assert 1 >= row["hits"][0]["score"] >= row["hits"][1]["score"] >= 0
        assert row["hits"][0]["document"] == "come-arrivare-e-parcheggio.html"
    assert any("Caldara" in hit["text"] for hit in written(files[1])[0]["hits"])  # the garage next door


@pytest.mark.parametrize("command", ["score", "classify", "ground", "when", "search --business aurora"])
def test_an_empty_file_gives_an_empty_file(sara, files, command: str) -> None:
    files[0].write_text("")
    assert sara(*on(command, files)).code == 0
    assert files[1].read_text() == ""


@pytest.mark.parametrize(
    ("command", "row", "said"),
    [
        ("score", "{not json", "in.jsonl:3: not JSON"),
        ("score", '["text"]', "in.jsonl:3: not an object"),
        ("score", '{"txt": "x"}', "in.jsonl:3: text missing"),
        ("classify", '{"text": null}', "in.jsonl:3: text must be text"),
        ("classify", '{"text": 5}', "in.jsonl:3: text must be text"),
        ("score", '{"text": "x", "language": 5}', "in.jsonl:3: language must be text"),
        ("ground", '{"answer": "x"}', "in.jsonl:3: passages missing"),
        ("ground", '{"answer": "x", "passages": "y"}', "in.jsonl:3: passages must be a list"),
        ("ground", '{"answer": "x", "passages": [5]}', "in.jsonl:3: "),
        ("when", '{"text": "x"}', "in.jsonl:3: language missing"),
        ("when", '{"text": "x", "language": "it", "now": "then"}', "in.jsonl:3: "),
        ("when", '{"text": "x", "language": "it", "now": "0001-01-01T00:00:00+10:00"}', "in.jsonl:3: "),
        ("search --business aurora", '{"text": "x"}', "in.jsonl:3: question missing"),
    ],
)
def test_a_broken_row_is_named_and_nothing_written(sara, files, command: str, row: str, said: str) -> None:
    good = {"text": "ciao", "language": "it", "answer": "a", "passages": ["a"], "question": "q"}
    files[0].write_text(f"{json.dumps(good)}\n\n{row}\n")
    assert said in sara(*on(command, files)).one_line
    assert not files[1].exists()


def test_files_that_cannot_be_read_or_written(bare, files, tmp_path: Path) -> None:
    assert "in.jsonl cannot be read" in bare(*on("classify", files)).one_line
    files[0].write_bytes(b'{"text": "\xff"}')
    assert "in.jsonl cannot be read" in bare(*on("classify", files)).one_line
    files[0].write_text("")
    assert "cannot be written" in bare(*on("classify", (files[0], tmp_path / "no" / "out"))).one_line


@pytest.mark.parametrize("command", ["score", "classify", "ground", "when", "search --business aurora"])
def test_what_cannot_be_written_is_said_before_the_work(bare, files, tmp_path: Path, command: str) -> None:
    """Before anything is read: the input is not even there."""
    (tmp_path / "file").write_text("kept")
    for target in (tmp_path, tmp_path / "no" / "out", tmp_path / "file" / "out", tmp_path / ("x" * 300)):
        assert "cannot be written" in bare(*on(command, (files[0], target))).one_line
    assert "cannot be read" in bare(*on(command, files)).one_line
    assert sorted(path.name for path in tmp_path.iterdir()) == ["file"]


def test_an_output_that_is_there_stays_until_there_is_another(bare, files) -> None:
    files[0].write_text('{"text": 5}\n')
    files[1].write_text("as it was")
    assert "text must be text" in bare(*on("classify", files)).one_line
    assert files[1].read_text() == "as it was"


def test_transcribe_gives_each_file_its_verdict(bare, notes: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    heard = bare(
        "transcribe", notes / "zero.ogg", notes / "error_page.ogg", notes / "it_price_man.ogg", "--json"
    )
    assert heard.code == 0
    rows = [json.loads(line) for line in heard.out.splitlines()]
    keys = {"file", "status", "text", "language", "confidence", "duration_s", "seconds", "reason"}
    assert all(keys <= set(row) for row in rows)
    assert [row["status"] for row in rows] == ["rejected", "rejected", "ok"]
    assert rows[2]["language"] == "it"
    assert rows[2]["text"]
