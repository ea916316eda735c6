"""A base of many businesses, made for measuring search at a size no demo has."""

import json
from collections.abc import Iterator
from typing import Any

import numpy as np
import psycopg
from psycopg import AsyncConnection, sql

from knowledge.spaces import Space
from knowledge.store import vector_literal

_NOISE = 0.35  # the length of what is added to a real vector, so that none is the same as another
_BATCH = 1000
_PASSAGES_OF_A_DOCUMENT = 8
_SEED = 7

_REAL = sql.SQL("SELECT section, content, language, embedding::text FROM {passages}")
_BUSINESSES = """
    INSERT INTO business (slug, name, vertical, country, time_zone, currency, languages)
    SELECT 'crowd-' || n, 'Crowd', 'wellness', 'IT', 'Europe/Rome', 'EUR', '{it}'
    FROM generate_series(1, %s) AS n RETURNING business_id"""
_DOCUMENTS = """
    INSERT INTO document (business_id, path, title, language, content_hash)
    SELECT owner, n || '.md', 'Crowd', 'it', ''
    FROM unnest(%s::bigint[]) AS owner, generate_series(1, %s::int) AS n
    RETURNING business_id, document_id"""
_PASSAGE = sql.SQL("""
    WITH made AS (
        INSERT INTO chunk (id, business_id, document_id, ordinal, source, section, content, language)
        VALUES (gen_random_uuid(), %s, %s, %s, 'all.md', %s, %s, %s) RETURNING id, business_id)
    INSERT INTO {vectors} (id, business_id, embedding) SELECT id, business_id, %s::vector FROM made""")


async def crowd(dsn: str, space: Space, *, businesses: int, passages_each: int) -> list[int]:
    """Adds businesses whose passages are those already there, their vectors shaken; returns their ids.

    Works as the owner, above row-level security. The passages there must be embedded in `space`.
    """
    async with await AsyncConnection.connect(dsn, autocommit=True) as owner:
        cursor = await owner.execute(_REAL.format(passages=sql.Identifier(space.passages)))
        real = await cursor.fetchall()
        ids = [row[0] for row in await (await owner.execute(_BUSINESSES, (businesses,))).fetchall()]
        documents = await (
            await owner.execute(_DOCUMENTS, (ids, max(1, passages_each // _PASSAGES_OF_A_DOCUMENT)))
        ).fetchall()
        statement = _PASSAGE.format(vectors=sql.Identifier(space.vectors))
        for rows in _batches(real, documents, len(ids) * passages_each):
            async with owner.transaction(), owner.cursor() as writing:
                await writing.executemany(statement, rows)
        await owner.execute("ANALYZE")
    return ids


async def passages_in_all(dsn: str) -> int:
    """How many passages the base holds, of all businesses together. Works as the owner."""
    async with await psycopg.AsyncConnection.connect(dsn) as owner:
        row = await (await owner.execute("SELECT count(*) FROM chunk")).fetchone()
        return int(row[0]) if row else 0


def _batches(
    real: list[tuple[Any, ...]], documents: list[tuple[Any, ...]], passages: int
) -> Iterator[list[tuple[Any, ...]]]:
    """Rows of `passages` passages, dealt out to the documents in turn."""
    known = np.array([json.loads(row[3]) for row in real], dtype=np.float32)
    random = np.random.default_rng(_SEED)
    for start in range(0, passages, _BATCH):
        numbers = range(start, min(start + _BATCH, passages))
        picked = random.integers(0, len(real), len(numbers))
        noise = random.normal(0, _NOISE / np.sqrt(known.shape[1]), (len(numbers), known.shape[1]))
        shaken = known[picked] + noise
        shaken /= np.linalg.norm(shaken, axis=1, keepdims=True)
        yield [
            (
                *documents[number % len(documents)],
                number // len(documents),
                *real[index][:3],
                vector_literal(vector),
            )
            for number, index, vector in zip(numbers, picked, shaken, strict=True)
        ]
