"""Passages' vectors: made where they are missing, taken over where the same words had one already."""

import uuid
from collections.abc import Sequence

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from knowledge.store import KnowledgeStore, vector_literal

BATCH = 32  # passages embedded and written at a time

# A passage that was deleted meanwhile is passed over, one that somebody else embedded stays.
_PUT = """
    INSERT INTO {vectors} (id, business_id, embedding)
    SELECT id, business_id, CAST(:embedding AS vector) FROM chunk WHERE id = :id
    ON CONFLICT (id) DO NOTHING"""
_MISSING = """
    SELECT c.id, c.section, c.content FROM chunk c
    WHERE c.business_id = :business_id
      AND (CAST(:document_id AS bigint) IS NULL OR c.document_id = :document_id)
      AND NOT EXISTS (SELECT FROM {vectors} v WHERE v.id = c.id)
    ORDER BY c.id LIMIT :most"""
_COUNT = """
    SELECT count(*) AS passages, count(v.id) AS embedded
    FROM chunk c LEFT JOIN {vectors} v USING (id) WHERE c.business_id = :business_id"""
_KNOWN = """
    SELECT section, content, CAST(embedding AS text) FROM {passages}
    WHERE business_id = :business_id AND source = :source"""


def embedded_text(section: str, content: str) -> str:
    """What a passage's vector is made of: the headings say what a row or an item is about."""
    return f"{section}\n{content}"[:_EMBEDDED_CHARS]


_EMBEDDED_CHARS = 2_000


async def embed(
    store: KnowledgeStore, texts: Sequence[str], known: dict[str, str] | None = None
) -> list[str]:
    """A vector in pgvector's text form for each text; those in `known` are not made again."""
    known = dict(known or {})
    wanted = [text for text in dict.fromkeys(texts) if text not in known]
    for start in range(0, len(wanted), BATCH):
        batch = wanted[start : start + BATCH]
        made = await store.embedder.passages(batch)
        known.update(zip(batch, (vector_literal(vector) for vector in made), strict=True))
    return [known[text] for text in texts]


async def known_vectors(store: KnowledgeStore, business_id: int, source: str) -> dict[str, str]:
    """The vectors of a document's present passages by the text they were made of."""
    values = {"business_id": business_id, "source": source}
    async with store.engine.connect() as connection:
        rows = await connection.execute(text(_KNOWN.format(passages=store.space.passages)), values)
        return {embedded_text(section, content): vector for section, content, vector in rows}


async def put(
    store: KnowledgeStore, connection: AsyncConnection, ids: Sequence[uuid.UUID], vectors: Sequence[str]
) -> None:
    """Writes vectors of passages that are in the same transaction or before it."""
    rows = [{"id": id_, "embedding": vector} for id_, vector in zip(ids, vectors, strict=True)]
    if rows:
        await connection.execute(text(_PUT.format(vectors=store.space.vectors)), rows)


async def fill(store: KnowledgeStore, business_id: int, document_id: int | None = None) -> int:
    """Embeds one batch of the passages that have no vector of this store's model; returns how many.

    Call it until it returns 0. Must stand inside `tenant(business_id)`. Each batch is committed, so that an
    interrupted run goes on where it stopped, and any number of them may run at once.
    """
    values = {"business_id": business_id, "document_id": document_id, "most": BATCH}
    async with store.engine.connect() as connection:
        missing = (await connection.execute(text(_MISSING.format(vectors=store.space.vectors)), values)).all()
    vectors = await embed(store, [embedded_text(section, content) for _, section, content in missing])
    async with store.engine.begin() as connection:
        await put(store, connection, [row[0] for row in missing], vectors)
    return len(missing)


async def coverage(store: KnowledgeStore, business_id: int) -> tuple[int, int]:
    """How many passages a business has, and how many of them are embedded with this store's model."""
    async with store.engine.connect() as connection:
        statement = text(_COUNT.format(vectors=store.space.vectors))
        row = (await connection.execute(statement, {"business_id": business_id})).one()
    return int(row[0]), int(row[1])
