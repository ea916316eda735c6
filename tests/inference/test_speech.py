"""Real Whisper on the committed notes: the words, the language, and the verdict on what is no speech."""

import asyncio
import json
import re
import shutil
import time
from collections.abc import AsyncIterator
from dataclasses import FrozenInstanceError
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import pytest_asyncio

from inference.audio import SAMPLE_RATE
from inference.errors import ModelMissing, WeightsCorrupt
from inference.speech import (
    PRIOR_WEIGHT,
    Transcript,
    Vocabulary,
    WhisperTranscriber,
    _weights,
    transcript_row,
)
from inference.weights import resolve_whisper
from tests.voice.make_fixtures import opus

NOTES = Path(__file__).parents[1] / "voice"
ROWS: list[dict[str, Any]] = [
    json.loads(line) for line in (NOTES / "manifest.jsonl").read_text(encoding="utf-8").splitlines()
]
SPOKEN = [row for row in ROWS if row["kind"] == "note"]
JUNK = [row for row in ROWS if row["kind"] == "junk"]
FOUR = ("it", "en", "es", "pt")


@pytest.fixture(scope="module")
def model_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return resolve_whisper("base", tmp_path_factory.mktemp("whisper"))


@pytest_asyncio.fixture(scope="module")
async def whisper(model_dir: Path) -> AsyncIterator[WhisperTranscriber]:
    transcriber = WhisperTranscriber(model_dir, num_workers=2)
    await transcriber.warm_up()
    yield transcriber
    transcriber.close()


def note(name: str) -> bytes:
    return (NOTES / name).read_bytes()


def words(text: str) -> str:
    return " ".join(re.findall(r"\w+", text.lower()))


def samples(name: str) -> np.ndarray[Any, np.dtype[np.int16]]:
    from inference.audio import decode

    clip = decode(note(name), max_seconds=60, max_bytes=2**20)
    return (clip.samples * 32767).astype(np.int16)


@pytest.mark.parametrize("row", SPOKEN, ids=lambda row: row["file"])
async def test_notes_are_understood(whisper: WhisperTranscriber, row: dict[str, Any]) -> None:
    heard = await whisper.transcribe(note(row["file"]), languages=FOUR)
    assert (heard.status, heard.reason) == ("ok", None)
    assert heard.language == row["language"]
    assert all(keyword in words(heard.text) for keyword in row["keywords"]), heard.text
    assert 0.5 < heard.confidence <= 1.0
    assert 3.0 < heard.duration_s < 10.0
    assert heard.seconds > 0


@pytest.mark.parametrize("vocabulary", [(), ("massaggio rilassante", "Aurora", "sauna")])
@pytest.mark.parametrize("row", JUNK, ids=lambda row: row["file"])
async def test_junk_is_rejected_with_its_reason(
    whisper: WhisperTranscriber, row: dict[str, Any], vocabulary: tuple[str, ...]
) -> None:
    heard = await whisper.transcribe(note(row["file"]), languages=FOUR, prior="it", vocabulary=vocabulary)
    assert (heard.status, heard.reason) == (row["status"], row["reason"])
    assert heard.text == ""
    assert heard.confidence == 0.0


async def test_click_in_silence_is_no_speech(whisper: WhisperTranscriber) -> None:
    click = np.zeros(2 * SAMPLE_RATE, dtype=np.int16)
    click[SAMPLE_RATE : SAMPLE_RATE + 400] = 20_000
    heard = await whisper.transcribe(opus(click), languages=FOUR)
    assert (heard.status, heard.reason) == ("rejected", "no_speech")


async def test_two_notes_at_once_do_not_mix(whisper: WhisperTranscriber) -> None:
    names = ("it_price_man.ogg", "en_price_man.ogg")
    first, second = await asyncio.gather(*(whisper.transcribe(note(name), languages=FOUR) for name in names))
    assert (first.language, second.language) == ("it", "en")
    assert "quanto costa" in words(first.text)
    assert "how much" in words(second.text)


async def test_event_loop_stays_free_while_a_note_is_worked_on(whisper: WhisperTranscriber) -> None:
    working = asyncio.create_task(whisper.transcribe(note("es_price_man.ogg"), languages=FOUR))
    ticks = 0
    while not working.done():
        await asyncio.sleep(0.01)
        ticks += 1
    assert working.result().status == "ok"
    assert ticks > 10


async def test_note_longer_than_one_window_keeps_its_beginning_and_end(whisper: WhisperTranscriber) -> None:
    pause = np.zeros(SAMPLE_RATE // 2, dtype=np.int16)
    booking, price = samples("en_booking_man.ogg"), samples("en_price_man.ogg")
    heard = await whisper.transcribe(
        opus(np.concatenate([booking, *[pause, price] * 6, pause, booking])), languages=FOUR
    )
    assert heard.duration_s > 35
    assert heard.language == "en"
    assert words(heard.text).count("friday") == 2
    assert words(heard.text).count("how much") >= 4
    assert heard.reason in {None, "repetitive"}, "the same question six times may look like a loop, no worse"


async def test_language_the_business_does_not_serve_is_not_translated(whisper: WhisperTranscriber) -> None:
    heard = await whisper.transcribe(note("en_booking_man.ogg"), languages=("it",))
    assert heard.status != "ok"
    assert heard.reason in {"unsupported_language", "language_uncertain"}
    assert heard.text == ""


async def test_regional_codes_count_as_their_language(whisper: WhisperTranscriber) -> None:
    heard = await whisper.transcribe(note("pt_price_man.ogg"), languages=("pt-BR",), prior="pt_BR")
    assert (heard.status, heard.language) == ("ok", "pt")


async def test_no_languages_means_any(whisper: WhisperTranscriber) -> None:
    heard = await whisper.transcribe(note("es_price_man.ogg"), languages=())
    assert (heard.status, heard.language) == ("ok", "es")


async def test_vocabulary_of_any_length_is_accepted(whisper: WhisperTranscriber) -> None:
    vocabulary = [f"servizio straordinario numero {n}" for n in range(500)]
    heard = await whisper.transcribe(note("it_booking_man.ogg"), languages=("it",), vocabulary=vocabulary)
    assert heard.language == "it"
    assert "massaggio" in words(heard.text)


async def test_words_of_the_spoken_language_are_expected(whisper: WhisperTranscriber) -> None:
    audio = note("it_price_woman.ogg")
    told = ["Massaggio Rilassante", "Via Orti"]

    async def heard(vocabulary: Vocabulary) -> tuple[str, float]:
        found = await whisper.transcribe(audio, languages=FOUR, vocabulary=vocabulary)
        return found.text, found.confidence

    helped = await heard(told)
    assert helped != await heard(())
    assert await heard({"it": told, "en": ["Relaxing Massage"]}) == helped
    assert await heard({"en": told}) == await heard(())


async def test_a_prior_may_weigh_several_languages_and_does_not_drown_the_voice(
    whisper: WhisperTranscriber,
) -> None:
    assert _weights({"pt_BR": 2.0, "es": 1.5}) == {"pt": 2.0, "es": 1.5}
    assert _weights("pt-BR") == {"pt": PRIOR_WEIGHT}
    assert _weights(None) == {}
    heard = await whisper.transcribe(note("pt_price_man.ogg"), languages=FOUR, prior={"it": 1.5, "es": 2.0})
    assert (heard.status, heard.language) == ("ok", "pt")


async def test_a_melody_is_named_for_what_it_is(whisper: WhisperTranscriber) -> None:
    notes = np.repeat([262.0, 330.0, 392.0, 523.0, 392.0, 330.0], SAMPLE_RATE // 2)
    tune = np.sin(2 * np.pi * np.cumsum(notes) / SAMPLE_RATE) * 8000
    heard = await whisper.transcribe(opus(tune.astype(np.int16)), languages=FOUR)
    assert (heard.status, heard.reason, heard.text) == ("rejected", "music", "")


async def test_limits_are_applied(model_dir: Path) -> None:
    small = WhisperTranscriber(model_dir, num_workers=1, max_seconds=2.0, max_bytes=2**20)
    long = await small.transcribe(note("it_booking_man.ogg"), languages=FOUR)
    big = await small.transcribe(b"OggS" + bytes(2**20), languages=FOUR)
    small.close()
    assert (long.status, long.reason) == ("rejected", "too_long")
    assert long.duration_s > 3
    assert (big.status, big.reason) == ("rejected", "too_big")


async def test_model_is_loaded_once_however_many_ask(model_dir: Path) -> None:
    transcriber = WhisperTranscriber(model_dir, num_workers=4, compute_type="auto")
    started = time.perf_counter()
    await asyncio.gather(*(transcriber.warm_up() for _ in range(8)))
    together = time.perf_counter() - started
    started = time.perf_counter()
    await transcriber.warm_up()
    again = time.perf_counter() - started
    transcriber.close()
    assert again < together / 5


async def test_absent_model_says_so(tmp_path: Path) -> None:
    transcriber = WhisperTranscriber(tmp_path, num_workers=1)
    with pytest.raises(ModelMissing, match=r"model\.bin"):
        await transcriber.warm_up()
    with pytest.raises(ModelMissing):
        await transcriber.transcribe(note("it_price_man.ogg"), languages=FOUR)
    heard = await transcriber.transcribe(b"", languages=FOUR)
    transcriber.close()
    assert heard.reason == "empty", "bad audio needs no model to be rejected"


async def test_damaged_model_is_refused(model_dir: Path, tmp_path: Path) -> None:
    shutil.copytree(model_dir, tmp_path, dirs_exist_ok=True)
    (tmp_path / "model.bin").write_bytes((model_dir / "model.bin").read_bytes()[:1_000_000])
    transcriber = WhisperTranscriber(tmp_path, num_workers=1)
    with pytest.raises(WeightsCorrupt, match="install"):
        await transcriber.warm_up()
    transcriber.close()


def test_row_for_the_command_line() -> None:
    heard = Transcript("ok", "Ciao.", "it", confidence=0.81234, duration_s=1.23456, seconds=0.5, low=True)
    assert transcript_row("a.ogg", heard) == {
        "file": "a.ogg",
        "status": "ok",
        "text": "Ciao.",
        "language": "it",
        "confidence": 0.812,
        "duration_s": 1.235,
        "seconds": 0.5,
        "reason": None,
    }


def test_transcripts_are_values() -> None:
    heard = Transcript("rejected", reason="empty")
    with pytest.raises(FrozenInstanceError):
        heard.text = "words"  # type: ignore[misc]
