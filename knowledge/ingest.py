"""Files into passages: incremental, whole documents or nothing, one bad file never stops the others."""

import asyncio
import hashlib
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from db.tenancy import tenant
from knowledge.chunks import Chunk, cut
from knowledge.errors import (
    DocumentMissing,
    DocumentNameTaken,
    DocumentTooBig,
    KnowledgeUnavailable,
    UnknownBusiness,
    UnreadableDocument,
)
from knowledge.readers.document import Document
from knowledge.readers.reading import MAX_BYTES, read
from knowledge.store import UNREACHABLE, KnowledgeStore, vector_literal

# Part of every document's fingerprint: raise it when reading or cutting changes, and all are ingested anew.
_LAYOUT = b"1"
_DIGEST_BYTES = 32
_BATCH = 32  # passages embedded per call
_CHUNK_SPACE = uuid.UUID("5a9d4e2c-3b7e-4d5f-9a61-0c8b7a7f1e20")

Progress = Callable[[int, int, str], None]
Detect = Callable[[str], str | None]

_LANGUAGE = text("SELECT languages[1] FROM business WHERE business_id = :business_id")
_KNOWN = text("SELECT path, content_hash, embedding_model FROM document WHERE business_id = :business_id")

# Waits for another ingestion of the same document and then writes nothing if that one wrote the same.
_PUT_DOCUMENT = text("""
    INSERT INTO document AS d (business_id, path, title, language, content_hash, embedding_model,
                               valid_from, valid_until)
    VALUES (:business_id, :path, :title, :language, :content_hash, :embedding_model,
            :valid_from, :valid_until)
    ON CONFLICT (business_id, path) DO UPDATE
    SET title = excluded.title, language = excluded.language, content_hash = excluded.content_hash,
        embedding_model = excluded.embedding_model, valid_from = excluded.valid_from,
        valid_until = excluded.valid_until, ingested_at = now()
    WHERE d.content_hash <> excluded.content_hash OR d.embedding_model <> excluded.embedding_model
    RETURNING document_id, xmax = 0 AS is_new""")
_DROP_CHUNKS = text("DELETE FROM chunk WHERE document_id = :document_id")
_PUT_CHUNK = text("""
    INSERT INTO chunk (id, business_id, document_id, ordinal, source, section, language,
                       valid_from, valid_until, content, embedding)
    VALUES (:id, :business_id, :document_id, :ordinal, :source, :section, :language,
            coalesce(:valid_from, CAST('-infinity' AS date)),
            coalesce(:valid_until, CAST('infinity' AS date)),
            :content, CAST(:embedding AS vector))""")
_MOVE_DOCUMENT = text("""
    UPDATE document SET content_hash = :content_hash
    WHERE business_id = :business_id AND path = :path AND content_hash <> :content_hash""")
# Only what came from that folder: documents given one by one or from elsewhere stay.
_DROP_GONE = text("""
    DELETE FROM document
    WHERE business_id = :business_id AND substring(content_hash FROM :digest_bytes + 1) = :folder
      AND NOT path = ANY(:present) RETURNING path""")


@dataclass(frozen=True)
class Failure:
    """One file that was not ingested, and why and what to do."""

    path: str
    error: str


@dataclass(frozen=True)
class IngestReport:
    """Documents by what became of them, and the number of passages written."""

    added: int = 0
    updated: int = 0
    unchanged: int = 0
    deleted: int = 0
    failed: tuple[Failure, ...] = ()
    chunks: int = 0


@dataclass(frozen=True)
class _File:
    """A file to ingest: `name` is what a citation shows, `folder` the digest of where it was found."""

    path: Path
    name: str
    folder: bytes


@dataclass(frozen=True)
class _Plan:
    """The files to read, the ones that cannot be, and for each folder given the names it holds now."""

    files: tuple[_File, ...]
    failed: tuple[Failure, ...]
    folders: dict[bytes, tuple[str, ...]]


@dataclass(frozen=True)
class _Ready:
    """A document read, cut and embedded, so that writing it is one short transaction."""

    file: _File
    fingerprint: bytes
    document: Document
    language: str
    chunks: tuple[Chunk, ...]
    vectors: tuple[str, ...]


class _Outcome(Enum):
    ADDED = "added"
    UPDATED = "updated"
    UNCHANGED = "unchanged"


async def ingest(
    paths: Sequence[Path],
    *,
    business_id: int,
    store: KnowledgeStore,
    detect: Detect | None = None,
    progress: Progress | None = None,
) -> IngestReport:
    """Brings the business's knowledge in line with `paths`, which are files and folders (read to any depth).

    A document is named by its path inside the folder given, or by its file name. Unchanged content under
    the same embedding model is not read again. A document whose file has gone from a given folder is
    deleted; a file that cannot be read any more keeps its last good version and is listed in `failed`.
    A document's language is what it says itself, else what `detect` tells from its text, else the
    business's first. `progress` hears (documents done, documents in all, name).

    Raises UnknownBusiness, KnowledgeUnavailable and what the embedder raises; what was finished before
    stays, and running again goes on.
    """
    try:
        with tenant(business_id):
            run = _Run(business_id, store, detect, await _default_language(store, business_id))
            return await run.ingest(await asyncio.to_thread(_plan, paths), progress)
    except UNREACHABLE as error:
        raise KnowledgeUnavailable(KnowledgeUnavailable.__doc__) from error


class _Run:
    """One ingestion of one business."""

    def __init__(self, business_id: int, store: KnowledgeStore, detect: Detect | None, language: str) -> None:
        self._business_id = business_id
        self._store = store
        self._detect = detect
        self._language = language

    async def ingest(self, plan: _Plan, progress: Progress | None) -> IngestReport:
        known = await self._known()
        counts = dict.fromkeys(_Outcome, 0)
        failed, chunks = list(plan.failed), 0
        for done, file in enumerate(plan.files, start=1):
            try:
                outcome, written = await self._one(file, known.get(file.name))
                counts[outcome] += 1
                chunks += written
            except UnreadableDocument as error:
                failed.append(Failure(file.name, str(error)))
            if progress:
                progress(done, len(plan.files), file.name)
        deleted = await self._drop_gone(plan)
        return IngestReport(
            added=counts[_Outcome.ADDED],
            updated=counts[_Outcome.UPDATED],
            unchanged=counts[_Outcome.UNCHANGED],
            deleted=deleted,
            failed=tuple(failed),
            chunks=chunks,
        )

    async def _known(self) -> dict[str, tuple[bytes, str]]:
        """Fingerprint and embedding model of each document there is, by name."""
        async with self._store.engine.connect() as connection:
            rows = await connection.execute(_KNOWN, {"business_id": self._business_id})
            return {path: (bytes(fingerprint), model) for path, fingerprint, model in rows}

    async def _one(self, file: _File, known: tuple[bytes, str] | None) -> tuple[_Outcome, int]:
        """What became of the file, and the passages written for it."""
        data = await asyncio.to_thread(_load, file.path)
        fingerprint = _fingerprint(data, file.folder)
        same_model = known is not None and known[1] == self._store.embedder.name
        if known and same_model and known[0][:_DIGEST_BYTES] == fingerprint[:_DIGEST_BYTES]:
            if known[0] != fingerprint:
                await self._adopt(file, fingerprint)
            return _Outcome.UNCHANGED, 0
        ready = await self._prepare(file, fingerprint, data)
        async with self._store.engine.begin() as connection:
            outcome = await self._write(connection, ready)
        return outcome, len(ready.chunks) if outcome is not _Outcome.UNCHANGED else 0

    async def _adopt(self, file: _File, fingerprint: bytes) -> None:
        """The same document found in another folder than last time: that folder now answers for it."""
        values = {"business_id": self._business_id, "path": file.name, "content_hash": fingerprint}
        async with self._store.engine.begin() as connection:
            await connection.execute(_MOVE_DOCUMENT, values)

    async def _prepare(self, file: _File, fingerprint: bytes, data: bytes) -> _Ready:
        document = await asyncio.to_thread(read, data, file.path.name)
        language = document.metadata.language
        if language is None and self._detect:
            language = await asyncio.to_thread(self._detect, document.text)
        chunks = tuple(cut(document))
        vectors: list[str] = []
        for start in range(0, len(chunks), _BATCH):
            batch = [chunk.embedded for chunk in chunks[start : start + _BATCH]]
            vectors.extend(vector_literal(vector) for vector in await self._store.embedder.passages(batch))
        return _Ready(file, fingerprint, document, language or self._language, chunks, tuple(vectors))

    async def _write(self, connection: AsyncConnection, ready: _Ready) -> _Outcome:
        metadata = ready.document.metadata
        common = {
            "business_id": self._business_id,
            "language": ready.language,
            "valid_from": metadata.valid_from,
            "valid_until": metadata.valid_until,
        }
        described = {
            "path": ready.file.name,
            "title": ready.document.title,
            "content_hash": ready.fingerprint,
            "embedding_model": self._store.embedder.name,
        }
        row = (await connection.execute(_PUT_DOCUMENT, common | described)).one_or_none()
        if row is None:
            return _Outcome.UNCHANGED
        await connection.execute(_DROP_CHUNKS, {"document_id": row.document_id})
        common |= {"document_id": row.document_id, "source": ready.file.name}
        await connection.execute(
            _PUT_CHUNK, [common | chunk for chunk in _chunk_rows(ready, row.document_id)]
        )
        return _Outcome.ADDED if row.is_new else _Outcome.UPDATED

    async def _drop_gone(self, plan: _Plan) -> int:
        deleted = 0
        for folder, present in plan.folders.items():
            values = {
                "business_id": self._business_id,
                "digest_bytes": _DIGEST_BYTES,
                "folder": folder,
                "present": list(present),
            }
            async with self._store.engine.begin() as connection:
                deleted += len((await connection.execute(_DROP_GONE, values)).all())
        return deleted


async def _default_language(store: KnowledgeStore, business_id: int) -> str:
    async with store.engine.connect() as connection:
        language = (await connection.execute(_LANGUAGE, {"business_id": business_id})).scalar()
    if language is None:
        raise UnknownBusiness(UnknownBusiness.__doc__)
    return str(language)


def _chunk_rows(ready: _Ready, document_id: int) -> list[dict[str, object]]:
    return [
        {
            "id": uuid.uuid5(_CHUNK_SPACE, f"{document_id}:{chunk.ordinal}:{ready.fingerprint.hex()}"),
            "ordinal": chunk.ordinal,
            "section": chunk.section,
            "content": chunk.content,
            "embedding": vector,
        }
        for chunk, vector in zip(ready.chunks, ready.vectors, strict=True)
    ]


def _plan(paths: Sequence[Path]) -> _Plan:
    """What there is to ingest, in order of name. Touches the disk."""
    files: dict[str, _File] = {}
    failed: list[Failure] = []
    folders: dict[bytes, tuple[str, ...]] = {}
    for path in paths:
        found = _files_of(path)
        if not found and not path.is_dir():
            failed.append(Failure(str(path), str(DocumentMissing.__doc__)))
        if path.is_dir():
            folders[_folder_digest(path)] = tuple(file.name for file in found)
        for file in found:
            other = files.setdefault(file.name, file)
            if other.path.resolve() != file.path.resolve():
                failed.append(Failure(str(file.path), str(DocumentNameTaken.__doc__)))
    return _Plan(tuple(files.values()), tuple(failed), folders)


def _files_of(path: Path) -> list[_File]:
    if path.is_file():
        return [_File(path, path.name, _folder_digest(path.parent))]
    folder = _folder_digest(path)
    return [
        _File(file, file.relative_to(path).as_posix(), folder)
        for file in sorted(path.rglob("*"))
        if file.is_file() and not _is_litter(file.relative_to(path))
    ]


def _is_litter(path: Path) -> bool:
    """Hidden files, and the lock files of office programs."""
    return any(part.startswith((".", "~$")) for part in path.parts)


def _folder_digest(folder: Path) -> bytes:
    return hashlib.sha256(str(folder.resolve()).encode("utf-8", "surrogateescape")).digest()[:16]


def _fingerprint(data: bytes, folder: bytes) -> bytes:
    """SHA-256 of layout and content, then the digest of the folder that answers for the document."""
    return hashlib.sha256(_LAYOUT + data).digest() + folder


def _load(path: Path) -> bytes:
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
