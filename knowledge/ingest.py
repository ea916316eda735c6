"""Files into passages: incremental, whole documents or nothing, one bad file never stops the others."""

import asyncio
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from db.tenancy import tenant
from knowledge.chunks import Chunk, cut
from knowledge.errors import KnowledgeUnavailable, UnknownBusiness, UnreadableDocument
from knowledge.files import DIGEST_BYTES, Failure, File, Plan, fingerprint, load, plan
from knowledge.readers.document import Document, Section
from knowledge.readers.reading import read
from knowledge.store import UNREACHABLE, KnowledgeStore
from knowledge.validity import Validity, validity_of, validity_of_sections
from knowledge.vectors import embed, embedded_text, fill, known_vectors, put

_CHUNK_SPACE = uuid.UUID("5a9d4e2c-3b7e-4d5f-9a61-0c8b7a7f1e20")
# A section of fewer letters is too short to tell its language from; it is the document's then.
_LEAST_LETTERS = 60

Progress = Callable[[int, int, str], None]
# Tells a text's language; the second argument is what it is when the text leaves doubt.
Detect = Callable[[str, str | None], str | None]

_LANGUAGE = text("SELECT languages[1] FROM business WHERE business_id = :business_id")
_KNOWN = """
    SELECT d.path, d.document_id, d.content_hash,
           NOT EXISTS (SELECT FROM chunk c WHERE c.document_id = d.document_id
                       AND NOT EXISTS (SELECT FROM {vectors} v WHERE v.id = c.id)) AS embedded
    FROM document d WHERE d.business_id = :business_id"""

# Waits for another ingestion of the same document and then writes nothing if that one wrote the same. Days
# that somebody gave it by hand stay.
_PUT_DOCUMENT = text("""
    INSERT INTO document AS d (business_id, path, title, language, content_hash, valid_from, valid_until)
    VALUES (:business_id, :path, :title, :language, :content_hash, :valid_from, :valid_until)
    ON CONFLICT (business_id, path) DO UPDATE
    SET title = excluded.title, language = excluded.language, content_hash = excluded.content_hash,
        valid_from = CASE WHEN d.dated_by_hand THEN d.valid_from ELSE excluded.valid_from END,
        valid_until = CASE WHEN d.dated_by_hand THEN d.valid_until ELSE excluded.valid_until END,
        ingested_at = now()
    WHERE d.content_hash <> excluded.content_hash
    RETURNING document_id, valid_from, valid_until, xmax = 0 AS is_new""")
_DROP_CHUNKS = text("DELETE FROM chunk WHERE document_id = :document_id")
_PUT_CHUNK = text("""
    INSERT INTO chunk (id, business_id, document_id, ordinal, source, section, language,
                       valid_from, valid_until, own_from, own_until, content)
    VALUES (:id, :business_id, :document_id, :ordinal, :source, :section, :language,
            coalesce(:valid_from, CAST('-infinity' AS date)),
            coalesce(:valid_until, CAST('infinity' AS date)),
            :own_from, :own_until, :content)""")
_MOVE_DOCUMENT = text("""
    UPDATE document SET content_hash = :content_hash
    WHERE business_id = :business_id AND path = :path AND content_hash <> :content_hash""")
# Only what came from that folder: documents given one by one or from elsewhere stay.
_DROP_GONE = text("""
    DELETE FROM document
    WHERE business_id = :business_id AND substring(content_hash FROM :digest_bytes + 1) = :folder
      AND NOT path = ANY(:present) RETURNING path""")


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
class _Known:
    """A document as it stands in the knowledge base; `embedded` under the store's model."""

    document_id: int
    fingerprint: bytes
    embedded: bool


@dataclass(frozen=True)
class _Passage:
    """A chunk with its section's language and own days, and its vector."""

    chunk: Chunk
    language: str
    own: Validity
    vector: str


@dataclass(frozen=True)
class _Ready:
    """A document read, cut and embedded, so that writing it is one short transaction."""

    file: File
    fingerprint: bytes
    document: Document
    language: str
    valid: Validity
    passages: tuple[_Passage, ...]


class _Outcome(Enum):
    ADDED = "added"
    UPDATED = "updated"
    UNCHANGED = "unchanged"
    FAILED = "failed"


async def ingest(
    paths: Sequence[Path],
    *,
    business_id: int,
    store: KnowledgeStore,
    detect: Detect | None = None,
    progress: Progress | None = None,
    at_once: int = 1,
) -> IngestReport:
    """Brings the business's knowledge in line with `paths`, which are files and folders (read to any depth).

    A document is named by its path inside the folder given, or by its file name. Unchanged content is not
    read again; passages that lack a vector of the store's model get one. A document whose file has gone from
    a given folder is deleted, unless a part of that folder cannot be looked into; a file that cannot be read
    any more keeps its last good version. Both are listed in `failed`. A section's language is what `detect`
    tells from its words, else what it says itself, else the document's, else the business's first. `progress`
    hears (documents done, documents in all, name). `at_once` documents are read and embedded side by side: 1
    leaves a serving process room for customers.

    Raises UnknownBusiness, KnowledgeUnavailable and what the embedder raises; what was finished before
    stays, and running again goes on.
    """
    try:
        with tenant(business_id):
            run = _Run(business_id, store, detect, await _default_language(store, business_id))
            return await run.ingest(await asyncio.to_thread(plan, paths), progress, at_once)
    except UNREACHABLE as error:
        raise KnowledgeUnavailable(KnowledgeUnavailable.__doc__) from error
    except ExceptionGroup as failures:
        first = failures.exceptions[0]
        if isinstance(first, UNREACHABLE):
            raise KnowledgeUnavailable(KnowledgeUnavailable.__doc__) from first
        raise first from None


class _Run:
    """One ingestion of one business."""

    def __init__(self, business_id: int, store: KnowledgeStore, detect: Detect | None, language: str) -> None:
        self._business_id = business_id
        self._store = store
        self._detect = detect
        self._language = language
        self._counts = dict.fromkeys(_Outcome, 0)
        self._failed: list[Failure] = []
        self._chunks = 0

    async def ingest(self, planned: Plan, progress: Progress | None, at_once: int) -> IngestReport:
        known = await self._known()
        room = asyncio.Semaphore(at_once)

        async def take(file: File) -> None:
            async with room:
                self._counts[await self._one(file, known.get(file.name))] += 1
                if progress:
                    progress(sum(self._counts.values()), len(planned.files), file.name)

        async with asyncio.TaskGroup() as group:
            for file in planned.files:
                group.create_task(take(file))
        return IngestReport(
            added=self._counts[_Outcome.ADDED],
            updated=self._counts[_Outcome.UPDATED],
            unchanged=self._counts[_Outcome.UNCHANGED],
            deleted=await self._drop_gone(planned),
            failed=(*planned.failed, *sorted(self._failed, key=lambda failure: failure.path)),
            chunks=self._chunks,
        )

    async def _known(self) -> dict[str, _Known]:
        """The documents there are, by name."""
        statement = text(_KNOWN.format(vectors=self._store.space.vectors))
        async with self._store.engine.connect() as connection:
            rows = await connection.execute(statement, {"business_id": self._business_id})
            return {row.path: _Known(row.document_id, bytes(row.content_hash), row.embedded) for row in rows}

    async def _one(self, file: File, known: _Known | None) -> _Outcome:
        try:
            data = await asyncio.to_thread(load, file.path)
            print_ = fingerprint(data, file.folder)
            if known and known.fingerprint[:DIGEST_BYTES] == print_[:DIGEST_BYTES]:
                return await self._same(file, known, print_)
            ready = await self._prepare(file, print_, data, is_new=known is None)
        except UnreadableDocument as error:
            self._failed.append(Failure(file.name, str(error)))
            return _Outcome.FAILED
        async with self._store.engine.begin() as connection:
            outcome = await self._write(connection, ready)
        if outcome is not _Outcome.UNCHANGED:
            self._chunks += len(ready.passages)
        return outcome

    async def _same(self, file: File, known: _Known, print_: bytes) -> _Outcome:
        """Known content: perhaps found in another folder, which now answers for it, or not embedded yet."""
        if known.fingerprint != print_:
            values = {"business_id": self._business_id, "path": file.name, "content_hash": print_}
            async with self._store.engine.begin() as connection:
                await connection.execute(_MOVE_DOCUMENT, values)
        if known.embedded:
            return _Outcome.UNCHANGED
        while done := await fill(self._store, self._business_id, known.document_id):
            self._chunks += done
        return _Outcome.UPDATED

    async def _prepare(self, file: File, print_: bytes, data: bytes, *, is_new: bool) -> _Ready:
        document = await asyncio.to_thread(read, data, file.path.name)
        language = await self._told(document.text, None) if document.metadata.language is None else None
        language = document.metadata.language or language or self._language
        valid = validity_of(document)
        known = {} if is_new else await known_vectors(self._store, self._business_id, file.name)
        chunks = cut(document)
        vectors = await embed(self._store, [embedded_text(c.section, c.content) for c in chunks], known)
        days = zip(document.sections, validity_of_sections(document), strict=True)
        sections = {id(s): (await self._language_of(s, language), own.beside(valid)) for s, own in days}
        passages = tuple(
            _Passage(chunk, *sections[id(chunk.of)], vector)
            for chunk, vector in zip(chunks, vectors, strict=True)
        )
        return _Ready(file, print_, document, language, valid, passages)

    async def _language_of(self, section: Section, document_language: str) -> str:
        said = section.language or document_language
        words = " ".join(block.text for block in section.blocks)
        if sum(map(str.isalpha, words)) < _LEAST_LETTERS:
            return said
        return await self._told(words, said) or said

    async def _told(self, words: str, otherwise: str | None) -> str | None:
        return await asyncio.to_thread(self._detect, words, otherwise) if self._detect else None

    async def _write(self, connection: AsyncConnection, ready: _Ready) -> _Outcome:
        common: dict[str, Any] = {"business_id": self._business_id}
        described = {
            "path": ready.file.name,
            "title": ready.document.title,
            "language": ready.language,
            "content_hash": ready.fingerprint,
            "valid_from": ready.valid.starts,
            "valid_until": ready.valid.ends,
        }
        row = (await connection.execute(_PUT_DOCUMENT, common | described)).one_or_none()
        if row is None:
            return _Outcome.UNCHANGED
        await connection.execute(_DROP_CHUNKS, {"document_id": row.document_id})
        common |= {"document_id": row.document_id, "source": ready.file.name}
        holds = Validity(row.valid_from, row.valid_until)
        rows = [_chunk_row(ready, row.document_id, holds, passage) for passage in ready.passages]
        await connection.execute(_PUT_CHUNK, [common | values for values in rows])
        ids = [values["id"] for values in rows]
        await put(self._store, connection, ids, [passage.vector for passage in ready.passages])
        return _Outcome.ADDED if row.is_new else _Outcome.UPDATED

    async def _drop_gone(self, planned: Plan) -> int:
        deleted = 0
        for folder, present in planned.folders.items():
            values = {
                "business_id": self._business_id,
                "digest_bytes": DIGEST_BYTES,
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


def _chunk_row(ready: _Ready, document_id: int, holds: Validity, passage: _Passage) -> dict[str, Any]:
    chunk, valid = passage.chunk, holds.within(passage.own)
    return {
        "id": uuid.uuid5(_CHUNK_SPACE, f"{document_id}:{chunk.ordinal}:{ready.fingerprint.hex()}"),
        "ordinal": chunk.ordinal,
        "section": chunk.section,
        "language": passage.language,
        "valid_from": valid.starts,
        "valid_until": valid.ends,
        "own_from": passage.own.starts,
        "own_until": passage.own.ends,
        "content": chunk.content,
    }
