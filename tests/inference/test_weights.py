"""Weights are what was published or nothing: assembled once, remembered, refused when changed."""

import asyncio
import hashlib
import os
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import pytest

from inference import weights
from inference.errors import ModelMissing, WeightsCorrupt
from inference.weights import BASE_SHA256, Source, assemble, resolve_whisper

FILES = {"config.json": b"{}", "tokenizer.json": b"{}", "model.bin": b"left" * 70_000 + b"right" * 70_000}


@pytest.fixture
def sources(tmp_path: Path) -> tuple[Source, ...]:
    """A small model whose model.bin comes in two parts."""
    made = []
    for name, content in FILES.items():
        parts = (content[: len(content) // 2], content[len(content) // 2 :])
        paths = tuple(tmp_path / f"{name}.part{i}" for i in range(2))
        for path, part in zip(paths, parts, strict=True):
            path.write_bytes(part)
        made.append(Source(name, paths, hashlib.sha256(content).hexdigest()))
    return tuple(made)


def test_assembled_base_has_the_published_hash(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    directory = resolve_whisper("base", tmp_path)
    assert directory == tmp_path / "models" / "whisper-base"
    with (directory / "model.bin").open("rb") as stream:
        assert hashlib.file_digest(stream, "sha256").hexdigest() == BASE_SHA256["model.bin"]

    def unexpected(path: Path) -> str:
        raise AssertionError(f"a verified model is not read again: {path}")

    monkeypatch.setattr(weights, "_sha256", unexpected)
    assert resolve_whisper("base", tmp_path) == directory


def test_parts_are_joined_in_order_and_nothing_else_is_left(
    tmp_path: Path, sources: tuple[Source, ...]
) -> None:
    directory = assemble(sources, tmp_path / "model")
    assert {
        path.name: path.read_bytes() for path in directory.iterdir() if path.name != "verified.json"
    } == FILES


def test_corrupt_package_is_refused_and_leaves_no_model(tmp_path: Path, sources: tuple[Source, ...]) -> None:
    sources[2].parts[1].write_bytes(b"something else")
    with pytest.raises(WeightsCorrupt, match="reinstall"):
        assemble(sources, tmp_path / "model")
    assert sorted(path.name for path in (tmp_path / "model").iterdir()) == ["config.json", "tokenizer.json"]


@pytest.mark.parametrize("name", list(FILES))
def test_file_changed_after_verification_is_refused(
    tmp_path: Path, sources: tuple[Source, ...], name: str
) -> None:
    directory = assemble(sources, tmp_path / "model")
    content = bytearray((directory / name).read_bytes())
    content[0] ^= 1  # same size, so only the modification time tells
    (directory / name).write_bytes(bytes(content))
    with pytest.raises(WeightsCorrupt, match="delete"):
        assemble(sources, directory)


def test_touched_but_unchanged_file_is_accepted_again(tmp_path: Path, sources: tuple[Source, ...]) -> None:
    directory = assemble(sources, tmp_path / "model")
    os.utime(directory / "model.bin", (1, 1))
    before = (directory / "verified.json").read_text()
    assert assemble(sources, directory) == directory
    assert (directory / "verified.json").read_text() != before


@pytest.mark.parametrize("marker", ["", "[]", "{", '{"model.bin": "yes"}'])
def test_unreadable_marker_verifies_nothing(tmp_path: Path, sources: tuple[Source, ...], marker: str) -> None:
    directory = assemble(sources, tmp_path / "model")
    (directory / "verified.json").write_text(marker)
    (directory / "model.bin").write_bytes(b"x")
    with pytest.raises(WeightsCorrupt):
        assemble(sources, directory)


def test_missing_file_is_put_back(tmp_path: Path, sources: tuple[Source, ...]) -> None:
    directory = assemble(sources, tmp_path / "model")
    (directory / "model.bin").unlink()
    assert (assemble(sources, directory) / "model.bin").read_bytes() == FILES["model.bin"]


def test_leftovers_of_a_killed_process_are_removed_but_not_anothers_work(
    tmp_path: Path, sources: tuple[Source, ...]
) -> None:
    directory = tmp_path / "model"
    directory.mkdir()
    dead, alive = directory / ".assembling-dead", directory / ".assembling-alive"
    dead.write_bytes(b"half")
    alive.write_bytes(b"half")
    os.utime(dead, (1, 1))
    assemble(sources, directory)
    assert not dead.exists()
    assert alive.exists()


def test_processes_assembling_at_once_agree(tmp_path: Path, sources: tuple[Source, ...]) -> None:
    target = tmp_path / "model"
    with ProcessPoolExecutor(4, mp_context=get_context("spawn")) as pool:
        directories = [
            future.result() for future in [pool.submit(assemble, sources, target) for _ in range(8)]
        ]
    assert set(directories) == {target}
    assert (target / "model.bin").read_bytes() == FILES["model.bin"]
    assert not list(target.glob(".assembling-*"))


async def test_threads_assembling_at_once_agree(tmp_path: Path, sources: tuple[Source, ...]) -> None:
    target = tmp_path / "model"
    directories = await asyncio.gather(*(asyncio.to_thread(assemble, sources, target) for _ in range(8)))
    assert set(directories) == {target}
    assert {name: (target / name).read_bytes() for name in FILES} == FILES


def test_directory_that_cannot_be_written_says_so(tmp_path: Path, sources: tuple[Source, ...]) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(ModelMissing, match="writable"):
        assemble(sources, tmp_path / "file" / "model")


def test_local_directory_is_taken_as_it_is(tmp_path: Path) -> None:
    for name in ("config.json", "tokenizer.json", "vocabulary.json", "model.bin"):
        (tmp_path / name).write_text("x")
    assert resolve_whisper(str(tmp_path), tmp_path / "unused") == tmp_path
    assert not (tmp_path / "unused").exists()


@pytest.mark.parametrize(
    ("spec", "advice"),
    [
        (str, "model.bin"),
        (lambda tmp: str(tmp / "absent"), "No directory"),
        (lambda tmp: "enormous", "take one of"),
        (lambda tmp: "nobody/no-such-model", "`offline` dependency group"),
        (lambda tmp: "not a/hub id", "local directory"),
    ],
)
def test_what_is_not_there_says_what_to_do(tmp_path: Path, spec: Callable[[Path], str], advice: str) -> None:
    with pytest.raises(ModelMissing, match=advice):
        resolve_whisper(spec(tmp_path), tmp_path, offline=True)
