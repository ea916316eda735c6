"""The voice suite measures what it says, its corpus is whole, and real Whisper passes a part of it."""

import json
from collections import Counter
from pathlib import Path

import pytest

from evals.suites import voice
from evals.suites.voice import Heard, judge
from evals.suites.voice_made import MADE
from evals.wer import errors, pooled, words
from inference.audio import AudioRejected, decode
from inference.speech import Transcript
from sara import evaluation_voice
from sara.settings import Settings

GOLD = voice.load()


@pytest.mark.parametrize(
    ("language", "said", "heard"),
    [
        ("it", "alle quindici e trenta, mille duecento euro", "Alle 15:30, 1.200 €"),
        ("it", "tre quattro sette, due otto uno", "347281"),
        ("it", "la spa apre alle dieci", "La S.P.A. apre alle 10:00."),
        ("en", "I am late, it is twelve hundred pounds, the third", "I'm late, it's £1,200, the 3rd"),
        ("en", "half past ten p.m.", "Half past 10 PM"),
        ("es", "el veintitrés de marzo, ochocientos euros", "El 23 de marzo, 800€."),
        ("pt-BR", "às quinze e trinta, dois mil e quinhentos reais", "às 15h30, R$ 2.500,00"),
    ],
)
def test_another_spelling_is_no_error(language: str, said: str, heard: str) -> None:
    assert words(said, language) == words(heard, language)


def test_errors_are_counted() -> None:
    assert errors("alle quindici", "alle 16", "it").wrong == 1
    assert errors("domani alle dieci", "", "it").rate == 1
    found = errors("vorrei un massaggio domani", "vorrei massaggio per domani sera", "it")
    assert (found.wrong, found.said) == (3, 4)
    assert errors("è qui", "e qui", "it").wrong == 1  # an accent is a word of its own
    assert pooled([errors("uno", "due", "it"), errors("alle tre di oggi", "alle tre di oggi", "it")]) == 1 / 5


def _heard(text: str, heard: str, status: str = "ok", language: str = "it", **row: object) -> Heard:
    found = Transcript(status, heard, language, confidence=0.8)  # type: ignore[arg-type]
    return Heard({"file": "a.ogg", "text": text, "language": "it", **row}, found)


def test_the_figures() -> None:
    result = judge(
        [
            _heard("vorrei un massaggio", "Vorrei un massaggio."),
            _heard("vorrei una stanza", "vorrei una danza", noise="street"),
            _heard("a domani", "amanhã", "unclear", language="pt"),
            _heard("", "", "rejected", kind="silence"),
            _heard("", "grazie", kind="music"),
            _heard("bonjour", "bon giorno", language="it", kind="foreign"),
        ]
    )
    figures = result.figures
    assert figures["wer_clean_it"] == figures["wer_clean_worst_language"] == 2 / 5
    assert figures["wer_noisy"] == 1 / 3
    assert figures["wer_ok"] == 1 / 6
    assert figures["wer_unclear"] == 1
    assert figures["language_it"] == figures["language_worst"] == 2 / 3
    assert figures["junk_ok"] == 2
    assert figures["junk_rejected"] == 1 / 3
    assert [failure["verdict"] for failure in result.failures] == ["ok", "ok", "unclear", "ok"]
    gates = {gate.figure: gate for gate in result.gates()}
    assert not gates["junk_ok"].holds
    assert not gates["wer_clean_worst_language"].holds
    assert not gates["language_worst"].holds


def test_null_noise_is_none_and_a_note_may_be_in_capitals() -> None:
    heard = [_heard("a domani", "a domani", noise=None, kind=None), _heard("sì", "sì", kind="Note")]
    assert [one.clean for one in heard] == [True, True]
    assert [one.junk for one in heard] == [False, False]


def test_rows_of_others(tmp_path: Path) -> None:
    (tmp_path / "a.ogg").write_bytes(b"")
    rows = [
        {"file": "a.ogg", "text": "bom dia", "language": "pt-BR"},
        {"file": str(tmp_path / "a.ogg"), "text": "guten Tag", "language": "de"},
        {"file": "a.ogg"},
        {"file": "gone.ogg", "text": "bom dia", "language": "pt"},
        {"file": "a.ogg", "text": "", "language": "pt", "kind": "note"},
        {"text": "no file"},
        {"file": "a.ogg", "make": ["twenty_minutes"]},
        {"file": "a" * 300, "kind": "silence"},
    ]
    (tmp_path / "rows.jsonl").write_text("\n".join(json.dumps(row) for row in rows))
    dataset = voice.load(tmp_path / "rows.jsonl")
    assert [voice.is_junk(row) for row in dataset.rows] == [False, True, True]
    assert [line.split(":")[1] for line in dataset.broken] == ["4", "5", "6", "7", "8"]
    assert voice.rows(dataset, "test") == list(dataset.rows)  # without a split they are in every one


def test_the_corpus_is_whole() -> None:
    assert GOLD.broken == ()
    notes = [row for row in voice.rows(GOLD, "test") if not voice.is_junk(row)]
    clean = Counter(row["language"] for row in notes if row["noise"] == "none")
    noisy = Counter(row["language"] for row in notes if row["noise"] != "none")
    assert min(clean.values()) >= 14
    assert min(noisy.values()) >= 6
    assert set(clean) == set(noisy) == {"it", "en", "es", "pt"}
    for language in clean:
        assert len({row["voice"] for row in notes if row["language"] == language}) >= 6
    junk = [row for row in voice.rows(GOLD, "test") if voice.is_junk(row)]
    assert len(junk) >= 34
    assert len({voice.audio(GOLD, row) for row in junk}) == len(junk)


def test_no_sentence_is_in_two_splits() -> None:
    splits = {
        split: {row["text"] for row in voice.rows(GOLD, split) if row["text"]} for split in ("dev", "test")
    }
    assert not splits["dev"] & splits["test"]


@pytest.mark.parametrize("make", MADE)
def test_made_notes_lie_and_are_too_long(make: str) -> None:
    row = {"file": "voice/it_test_00_clean.ogg", "make": make}
    with pytest.raises(AudioRejected) as refusal:
        decode(voice.audio(GOLD, row), max_seconds=300, max_bytes=16 * 2**20)
    assert refusal.value.reason == "too_long"


async def test_whisper_on_a_part(tmp_path: Path) -> None:
    """Two notes of each language and three junk files, on real Whisper."""
    picked = [f"{code}_test_{n:02d}_clean.ogg" for code in ("it", "en", "es", "pt") for n in (0, 6)]
    picked += ["junk_test_piano.ogg", "junk_test_foreign_de.ogg", "junk_test_truncated.m4a"]
    rows = [
        {**row, "file": str(GOLD.path.parent / row["file"])}
        for row in GOLD.rows
        if Path(row["file"]).name in picked and "make" not in row
    ]
    assert len(rows) == len(picked)
    (tmp_path / "rows.jsonl").write_text("\n".join(json.dumps(row) for row in rows), encoding="utf-8")
    result = await evaluation_voice.voice(Settings(data_dir=tmp_path), tmp_path / "rows.jsonl", None)
    assert result.figures["language"] == 1
    assert result.figures["wer_clean"] <= 0.08
    assert result.figures["junk_ok"] == 0
    assert result.broken == ()
