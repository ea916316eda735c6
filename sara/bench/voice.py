"""Voice notes: how long one takes alone, beside another and beside a busy language model; load and memory."""

import asyncio
import os
import statistics
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

import numpy as np

from evals.dataset import DATASETS
from evals.voice_corpus.sounds import RATE, note
from inference.audio import decode
from inference.language import LANGUAGES
from inference.speech import WhisperTranscriber
from sara import services
from sara.bench.figures import row, rss_mb, spread
from sara.settings import Settings

NOTE_S = 10.0
SPOKEN = ("it", "en", "es", "pt")
# Ends by itself should this process be killed before it can end it.
_SPINNER = "import time\nend = time.monotonic() + 300\nwhile time.monotonic() < end: pass"


async def measure(settings: Settings, rounds: int) -> dict[str, Any]:
    """Seconds of `rounds` notes of ten seconds, in all four languages in turn, by the settings' own model.

    The busy language model is a process for every core that does nothing but count.
    """
    notes = [await asyncio.to_thread(_ten_seconds, language) for language in SPOKEN]
    before = rss_mb()
    started = time.perf_counter()
    model = await asyncio.to_thread(services.transcriber, settings)
    try:
        await model.warm_up()
        load_s = time.perf_counter() - started
        loaded = rss_mb()
        started = time.perf_counter()
        await _hear(model, notes[0])
        first_s = time.perf_counter() - started
        worked = time.process_time()
        alone = [await _seconds(model, notes, number, at_once=1) for number in range(rounds)]
        worked = (time.process_time() - worked) / rounds
        two = [await _seconds(model, notes, number, at_once=2) for number in range(rounds)]
        async with _busy():
            beside = [await _seconds(model, notes, number, at_once=1) for number in range(rounds)]
    finally:
        model.close()
    return {
        "model": settings.whisper_model,
        "compute_type": settings.whisper_compute_type,
        "cores": os.cpu_count() or 1,
        "rounds": rounds,
        "note_s": NOTE_S,
        "load_s": round(load_s, 2),
        "first_note_s": round(first_s, 2),
        "rss_loaded_mb": round(loaded - before),
        "rss_after_mb": round(rss_mb() - before),
        "alone_s": spread(alone),
        "alone_processor_s": round(worked, 2),
        "two_at_once_s": spread(two),
        "busy_s": spread(beside),
        "real_time_factor": round(statistics.median(alone) / NOTE_S, 3),
        "real_time_factor_two": round(statistics.median(two) / NOTE_S, 3),
        "real_time_factor_busy": round(statistics.median(beside) / NOTE_S, 3),
        "notes_per_minute": round(60 * 2 / statistics.median(two), 1),
    }


def _ten_seconds(language: str) -> bytes:
    """Notes of the voice corpus one after the other, cut at ten seconds."""
    files = sorted((DATASETS / "voice").glob(f"{language}_test_*_clean.ogg"))[:4]
    clips = [decode(file.read_bytes(), max_seconds=60, max_bytes=2**20).samples for file in files]
    return note(np.concatenate(clips)[: int(NOTE_S * RATE)])


async def _seconds(model: WhisperTranscriber, notes: list[bytes], number: int, *, at_once: int) -> float:
    """Until the last of `at_once` notes sent together is heard."""
    started = time.perf_counter()
    await asyncio.gather(*(_hear(model, notes[(number + n) % len(notes)]) for n in range(at_once)))
    return time.perf_counter() - started


async def _hear(model: WhisperTranscriber, content: bytes) -> None:
    await model.transcribe(content, languages=LANGUAGES)


@asynccontextmanager
async def _busy() -> AsyncIterator[None]:
    """Every core kept busy by a process of its own."""
    spinners = [
        await asyncio.create_subprocess_exec(sys.executable, "-c", _SPINNER, stdin=subprocess.DEVNULL)
        for _ in range(os.cpu_count() or 1)
    ]
    try:
        yield
    finally:
        for spinner in spinners:
            spinner.kill()
            await spinner.wait()


def table(figures: Mapping[str, Any]) -> str:
    """The figures for a person."""
    lines = [
        row("load, cold", f"{figures['load_s']} s"),
        row("first note after it", f"{figures['first_note_s']} s"),
        row("memory added: loaded, after all notes", figures["rss_loaded_mb"], figures["rss_after_mb"], "MB"),
        row("a note of 10 s", "median s", "p95 s", "real time"),
    ]
    for title, name, factor in (
        ("alone", "alone_s", "real_time_factor"),
        ("two at once, until both are heard", "two_at_once_s", "real_time_factor_two"),
        (f"beside {figures['cores']} busy processes", "busy_s", "real_time_factor_busy"),
    ):
        lines.append(row(f"  {title}", figures[name]["median"], figures[name]["p95"], figures[factor]))
    lines.append(row("processor time of one, alone", f"{figures['alone_processor_s']} s"))
    lines.append(row("notes a minute, two at once", figures["notes_per_minute"]))
    return "\n".join(lines)
