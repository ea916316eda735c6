"""Voice notes on the command line: one line a file, in order, whatever the files hold."""

import asyncio
import json
from collections import deque
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Annotated

import typer

from inference.language import LANGUAGES
from inference.speech import Transcript, WhisperTranscriber, transcript_row
from sara import services
from sara.commands.loop import run
from sara.settings import Settings, load


def transcribe(
    files: Annotated[list[Path], typer.Argument(help="voice notes, or folders of them")],
    as_json: Annotated[bool, typer.Option("--json", help="one JSON line a file")] = False,
    language: Annotated[list[str] | None, typer.Option(help="languages to expect; repeatable")] = None,
) -> None:
    """Voice notes to text, each with its verdict: ok, unclear or rejected."""
    missing = [str(file) for file in files if not file.exists()]
    if missing:
        raise typer.BadParameter(f"no such file: {', '.join(missing)}")
    found = [file for path in files for file in (_inside(path) if path.is_dir() else [path])]
    run(_transcribe(load(), found, language or list(LANGUAGES), as_json=as_json))


def _inside(folder: Path) -> Iterator[Path]:
    """The files of a folder and of those within it; hidden ones are nobody's voice."""
    for path in sorted(folder.rglob("*")):
        hidden = any(part.startswith(".") for part in path.relative_to(folder).parts)
        if path.is_file() and not hidden:
            yield path


async def _transcribe(settings: Settings, files: list[Path], languages: list[str], *, as_json: bool) -> None:
    model = services.transcriber(settings)
    try:
        async for file, heard in _in_order(settings, model, files, languages):
            if as_json:
                print(json.dumps(transcript_row(str(file), heard), ensure_ascii=False), flush=True)
            else:
                print(f"{file.name}: [{heard.status}] {heard.text or heard.reason}", flush=True)
    finally:
        model.close()


async def _in_order(
    settings: Settings, model: WhisperTranscriber, files: list[Path], languages: list[str]
) -> AsyncIterator[tuple[Path, Transcript]]:
    """As many at once as there are workers, given back in the order of the files."""
    running: deque[tuple[Path, asyncio.Task[Transcript]]] = deque()
    for file in files:
        if len(running) >= settings.whisper_workers:
            done, task = running.popleft()
            yield done, await task
        running.append((file, asyncio.create_task(_heard(settings, model, file, languages))))
    while running:
        done, task = running.popleft()
        yield done, await task


async def _heard(
    settings: Settings, model: WhisperTranscriber, file: Path, languages: list[str]
) -> Transcript:
    try:
        audio = await asyncio.to_thread(_read, file, settings.media_most_bytes + 1)
    except OSError:
        return Transcript("rejected", reason="unreadable")
    return await model.transcribe(audio, languages=languages)


def _read(file: Path, most: int) -> bytes:
    """No more than `most` bytes: a file over the limit is refused by its size, not loaded first."""
    with file.open("rb") as stream:
        return stream.read(most)
