"""Which files an ingestion reads, what each is called, and whether it is the same as last time."""

import hashlib
import os
import stat
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from knowledge.errors import DocumentMissing, DocumentNameTaken, DocumentTooBig, UnreadableDocument
from knowledge.readers.reading import MAX_BYTES

# Part of every document's fingerprint: raise it when reading or cutting changes, and all are ingested anew.
_LAYOUT = b"4"
DIGEST_BYTES = 32


@dataclass(frozen=True)
class Failure:
    """One file that was not ingested, and why and what to do."""

    path: str
    error: str


@dataclass(frozen=True)
class File:
    """A file to ingest: `name` is what a citation shows, `folder` the digest of where it was found."""

    path: Path
    name: str
    folder: bytes


@dataclass(frozen=True)
class Plan:
    """The files to read, what cannot be, and for each given folder that was seen whole the names it holds."""

    files: tuple[File, ...]
    failed: tuple[Failure, ...]
    folders: dict[bytes, tuple[str, ...]]


def plan(paths: Sequence[Path]) -> Plan:
    """What there is to ingest, in order of name. Touches the disk."""
    files: dict[str, File] = {}
    failed: list[Failure] = []
    folders: dict[bytes, tuple[str, ...]] = {}
    for path in paths:
        try:
            is_folder = path.is_dir()
            found, shut = _files_of(path)
        except OSError as error:
            failed.append(_shut(error, path))
            continue
        failed += shut
        if not found and not is_folder:
            failed.append(Failure(str(path), str(DocumentMissing.__doc__)))
        if is_folder and not shut:  # of what cannot be seen nothing counts as gone
            folders[_folder_digest(path)] = tuple(file.name for file in found)
        for file in found:
            other = files.setdefault(file.name, file)
            if other.path.resolve() != file.path.resolve():
                failed.append(Failure(str(file.path), str(DocumentNameTaken.__doc__)))
    return Plan(tuple(files.values()), tuple(failed), folders)


def load(path: Path) -> bytes:
    """The file's bytes; the size is checked before they are read. Raises UnreadableDocument."""
    try:
        size = path.stat().st_size
        if size > MAX_BYTES:
            raise DocumentTooBig(
                f"{size / 1e6:.0f} MB are more than the {MAX_BYTES / 1e6:.0f} MB a document may have: "
                "split it into several files"
            )
        return path.read_bytes()
    except OSError as error:
        raise UnreadableDocument(f"the file cannot be opened ({error.strerror}): check its rights") from error


def fingerprint(data: bytes, folder: bytes) -> bytes:
    """SHA-256 of layout and content, then the digest of the folder that answers for the document."""
    return hashlib.sha256(_LAYOUT + data).digest() + folder


def _files_of(path: Path) -> tuple[list[File], list[Failure]]:
    """The files there, in order, and what could not be looked into. Raises OSError."""
    if path.is_file():
        return [File(path, path.name, _folder_digest(path.parent))], []
    if not path.is_dir():
        return [], []
    found: list[Path] = []
    shut: list[Failure] = []
    for folder, folders, names in os.walk(path, onerror=lambda error: shut.append(_shut(error, path))):
        folders[:] = [name for name in folders if not _is_litter(name)]
        for file in (Path(folder, name) for name in names if not _is_litter(name)):
            try:
                # Not `is_file`, which from Python 3.14 on says no where it may not look.
                if stat.S_ISREG(file.stat().st_mode):
                    found.append(file)
            except FileNotFoundError:  # it went away meanwhile, or leads nowhere
                continue
            except OSError as error:
                shut.append(_shut(error, file))
    digest = _folder_digest(path)
    return [File(file, file.relative_to(path).as_posix(), digest) for file in sorted(found)], shut


def _shut(error: OSError, path: Path) -> Failure:
    reason = f"it cannot be looked into ({error.strerror}): check its rights"
    return Failure(str(error.filename or path), reason)


def _is_litter(name: str) -> bool:
    """Hidden files and folders, and the lock files of office programs."""
    return name.startswith((".", "~$"))


def _folder_digest(folder: Path) -> bytes:
    return hashlib.sha256(str(folder.resolve()).encode("utf-8", "surrogateescape")).digest()[:16]
