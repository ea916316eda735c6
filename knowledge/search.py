"""The passages that answer a question, for one business on one day.

The vector store brings the nearest chunks; they are then put in order by what tells them apart: the chunk's
nearness and its document's, without what every question and every passage of a language have in common, and
how far the question's words are said there (the compass). `sara eval retrieval` measures it.
"""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import date
from typing import Any, LiteralString, Protocol

import numpy as np
from psycopg.rows import DictRow
from psycopg.sql import SQL, Identifier

from knowledge.errors import KnowledgeUnavailable
from knowledge.readers.document import PATH_JOINT
from knowledge.store import ENTER, UNREACHABLE, KnowledgeStore, vector_literal

# Beyond this many characters a question is a story, and its words are everybody's.
_KEYWORD_CHARS = 300
# A passage found by its words must hold this share of the question's terms, rare ones counting more.
_LEAST_COVERAGE = 0.5
# Chunks put in order for each passage wanted.
_CANDIDATES = 11
# Characters up to which a hit is shown with what stands before and after it in its section.
_JOINED_CHARS = 1400

# Terms are weighted by rarity among the business's passages of that language (BM25's idf): `plainto_tsquery`
# would ask for all of them at once and find nothing for a question of eight words.
_COVERED = """
    term AS MATERIALIZED (
        SELECT lexeme, CAST(quote_literal(lexeme) AS tsquery) AS query
        FROM unnest(tsvector_to_array(
            to_tsvector(stemming_of(%(language)s), folded(%(question)s)))) AS lexeme),
    valid AS MATERIALIZED (
        SELECT id, words FROM chunk
        WHERE business_id = %(business_id)s AND language = %(language)s
          AND valid_from <= %(day)s AND valid_until >= %(day)s),
    said AS MATERIALIZED (SELECT id, lexeme FROM valid JOIN term ON words @@ query),
    weighted AS MATERIALIZED (
        SELECT lexeme, ln(1 + (total - present + 0.5) / (present + 0.5)) AS weight
        FROM (SELECT term.lexeme, count(said.id) AS present FROM term LEFT JOIN said USING (lexeme)
              GROUP BY term.lexeme) AS counted,
             (SELECT count(*) AS total FROM valid) AS whole),
    covered AS (
        SELECT id, sum(weight) / (SELECT sum(weight) FROM weighted) AS coverage
        FROM said JOIN weighted USING (lexeme) GROUP BY id)"""
_WORDED = """
    WITH {covered}
    SELECT CAST(c.id AS text) AS id, c.document_id, c.ordinal, c.source, c.section, c.language, c.content,
           coverage
    FROM covered JOIN {passages} c USING (id)
    WHERE coverage >= %(least_coverage)s
    ORDER BY coverage DESC, c.id
    LIMIT %(most)s"""
# The nearest chunks and the one that says most of the question's words, each with how near it and its whole
# document are: one query, because it is asked in every turn. PGVectorStore's own would be asked apart, and
# send the vectors of all its hits back as text.
_FOUND = """
    WITH nearest AS MATERIALIZED (
        SELECT id, document_id, ordinal, source, section, language, content, embedding
        FROM {passages}
        WHERE business_id = %(business_id)s AND valid_from <= %(day)s AND valid_until >= %(day)s
        ORDER BY embedding <=> CAST(%(telling)s AS vector) LIMIT %(candidates)s),
    {covered},
    worded AS MATERIALIZED (
        SELECT c.id, c.document_id, c.ordinal, c.source, c.section, c.language, c.content, c.embedding
        FROM covered JOIN {passages} c USING (id)
        WHERE coverage >= %(least_coverage)s
        ORDER BY coverage DESC, c.embedding <=> CAST(%(telling)s AS vector), c.id
        LIMIT 1),
    found AS (
        SELECT * FROM nearest
        UNION ALL SELECT * FROM worded WHERE id NOT IN (SELECT id FROM nearest)),
    document AS (
        SELECT c.document_id, avg(-(v.embedding <#> CAST(%(telling)s AS vector))) AS nearness
        FROM chunk c JOIN {vectors} v USING (id)
        WHERE c.business_id = %(business_id)s AND v.business_id = %(business_id)s
          AND c.document_id IN (SELECT document_id FROM found)
        GROUP BY c.document_id)
    SELECT CAST(id AS text) AS id, document_id, ordinal, source, section, language, content,
           1 - (embedding <=> CAST(%(asked)s AS vector)) AS similarity,
           -(embedding <#> CAST(%(telling)s AS vector)) AS chunk_nearness, nearness AS document_nearness,
           id IN (SELECT id FROM worded) AS says_most
    FROM found JOIN document USING (document_id)"""
_AROUND = """
    SELECT c.document_id, c.ordinal, c.section, c.content
    FROM chunk c JOIN
        unnest(CAST(%(documents)s AS bigint[]), CAST(%(first)s AS int[]), CAST(%(last)s AS int[]))
            AS around (document_id, first, last)
      ON c.document_id = around.document_id AND c.ordinal BETWEEN around.first AND around.last
    WHERE c.business_id = %(business_id)s AND c.valid_from <= %(day)s AND c.valid_until >= %(day)s"""


@dataclass(frozen=True)
class Passage:
    """What one document says to a question. `score` is how sure it is that it answers, 0..1.

    `source` is the document's name, `section` the headings above the passage below the document's `title`.
    """

    id: str
    source: str
    title: str
    section: str
    language: str
    text: str
    score: float


@dataclass(frozen=True)
class _Chunk:
    """A chunk that was found."""

    id: str
    document_id: int
    ordinal: int
    source: str
    section: str
    language: str
    content: str


_CHUNK_COLUMNS = [column.name for column in fields(_Chunk)]


@dataclass(frozen=True)
class _Hit:
    """A chunk in its place: `similarity` is its cosine to the question, `rank` what it is ordered by;
    `says_most` of the question's words, and of all chunks."""

    chunk: _Chunk
    similarity: float
    rank: float
    says_most: bool


class Compass(Protocol):
    """The bearings of the store's embedding model; `inference.compass` has the real one."""

    def telling(self, asked: np.ndarray) -> np.ndarray:
        """What tells a message from others, turned toward what answers it."""

    def rank(
        self, telling: np.ndarray, language: str, *, chunk: float, document: float, share: float
    ) -> float:
        """How well a chunk in `language` answers: by how near it is to what is asked, how near its document
        is, and what share of the question's words it says."""

    def shares(self, question: str, texts: Sequence[str]) -> np.ndarray:
        """For each text how much of the question's words it says, 0..1."""

    def sureness(self, rank: float, similarity: float) -> float:
        """How sure it is that a passage answers, 0..1."""


class KnowledgeSearch:
    """Search over one store; any number of questions at once."""

    def __init__(self, store: KnowledgeStore, compass: Compass) -> None:
        self._store = store
        self._compass = compass
        space = store.space
        self._found = _sql(_FOUND, passages=space.passages, vectors=space.vectors)
        self._worded = _sql(_WORDED, passages=space.passages)

    async def search(
        self,
        query: str,
        vector: Sequence[float] | np.ndarray | None,
        *,
        business_id: int,
        language: str | None,
        k: int = 3,
        on: date,
    ) -> list[Passage]:
        """The `k` best passages, best first, of documents valid on the business's day `on`.

        `vector` is the question's embedding where it is known already. `language` is the question's: of the
        passages in it, the one that holds most of the question's rarer words (a name, a code) takes the last
        place if meaning has not found it. Neighbouring hits are one passage, and each is given with what
        stands around it in its section. The first hit's score tells whether to abstain.

        Raises KnowledgeUnavailable, and what the embedder raises.
        """
        if not query.strip() or k < 1:
            return []
        if vector is None:
            vector = await self._store.embedder.query(query)
        asked = np.asarray(vector, dtype=np.float32)
        about = _Question(query, asked, self._compass.telling(asked), business_id, language, on)
        hits = await self._in_order(about, await self._near(about, k))
        groups = _with_worded(_joined(hits, k), hits, k)
        around = await self._around(about, groups)
        return [self._passage(group, around) for group in groups]

    async def worded(
        self, query: str, *, business_id: int, language: str | None, k: int = 3, on: date
    ) -> list[Passage]:
        """The passages in the question's language that hold most of its rarer words, best first: for when it
        cannot be embedded. The score is the share they hold. Raises KnowledgeUnavailable.
        """
        if not query.strip() or k < 1 or language is None:
            return []
        values = {
            "question": _sendable(query),
            "business_id": business_id,
            "language": language,
            "day": on,
            "least_coverage": _LEAST_COVERAGE,
            "most": k,
        }
        found = []
        for row in await self._asked(business_id, self._worded, values):
            title, _, section = str(row["section"]).partition(PATH_JOINT)
            score = float(row["coverage"])
            found.append(
                Passage(row["id"], row["source"], title, section, row["language"], row["content"], score)
            )
        return found

    async def _asked(
        self, business_id: int, question: str | bytes, values: Mapping[str, Any]
    ) -> list[DictRow]:
        """The rows of one question, in one round trip. Raises KnowledgeUnavailable."""
        try:
            async with self._store.questions.connection() as connection:
                # What stands between two synchronisations of a pipeline is one transaction. It ends with a
                # commit: at a rollback psycopg forgets every statement it has prepared.
                async with connection.pipeline():
                    await connection.execute(ENTER, (str(business_id),))
                    cursor = await connection.execute(question, values)
                return await cursor.fetchall()
        except UNREACHABLE as error:
            raise KnowledgeUnavailable(KnowledgeUnavailable.__doc__) from error

    async def _near(self, about: "_Question", k: int) -> list[DictRow]:
        """Chunks by cosine, and the one in the question's language that holds the largest share of its terms
        if that is large enough. The last place goes to it, so with a single one it is not sought."""
        values = {
            "question": _sendable(about.query),
            "asked": vector_literal(about.asked),
            "telling": vector_literal(about.telling),
            "candidates": k * _CANDIDATES,
            "business_id": about.business_id,
            "language": about.language if k > 1 else None,
            "day": about.on,
            "least_coverage": _LEAST_COVERAGE,
        }
        return await self._asked(about.business_id, self._found, values)

    async def _in_order(self, about: "_Question", rows: Sequence[DictRow]) -> list[_Hit]:
        """The chunks by how near they and their documents are, best first."""
        texts = [f"{row['section']} {row['content']}" for row in rows]
        shares = await asyncio.to_thread(self._compass.shares, about.query, texts)
        hits = []
        for row, share in zip(rows, shares, strict=True):
            rank = self._compass.rank(
                about.telling,
                row["language"],
                chunk=row["chunk_nearness"],
                document=row["document_nearness"],
                share=float(share),
            )
            chunk = _Chunk(**{name: row[name] for name in _CHUNK_COLUMNS})
            hits.append(_Hit(chunk, row["similarity"], rank, row["says_most"]))
        return sorted(hits, key=lambda hit: (-hit.rank, hit.chunk.id))

    async def _around(self, about: "_Question", groups: list[list[_Hit]]) -> "_Around":
        """What stands next to the best chunk of each group."""
        if not groups:
            return {}
        best = [group[0].chunk for group in groups]
        values = {
            "documents": [chunk.document_id for chunk in best],
            "first": [chunk.ordinal - 1 for chunk in best],
            "last": [chunk.ordinal + 1 for chunk in best],
            "business_id": about.business_id,
            "day": about.on,
        }
        around: _Around = {}
        for row in await self._asked(about.business_id, _AROUND, values):
            around.setdefault((row["document_id"], row["section"]), {})[row["ordinal"]] = row["content"]
        return around

    def _passage(self, group: list[_Hit], around: "_Around") -> Passage:
        """A group as one text, widened by one chunk on either side in its section where it fits in."""
        best = group[0].chunk
        parts = {hit.chunk.ordinal: hit.chunk.content for hit in group}
        # What follows before what comes before: an explanation goes on more often than it goes back.
        for ordinal in (best.ordinal + 1, best.ordinal - 1):
            content = around.get((best.document_id, best.section), {}).get(ordinal)
            if (
                content
                and ordinal not in parts
                and sum(map(len, parts.values())) + len(content) <= _JOINED_CHARS
            ):
                parts[ordinal] = content
        title, _, section = best.section.partition(PATH_JOINT)
        return Passage(
            id=best.id,
            source=best.source,
            title=title,
            section=section,
            language=best.language,
            text="\n".join(parts[ordinal] for ordinal in sorted(parts)),
            score=self._compass.sureness(group[0].rank, group[0].similarity),
        )


def _sql(question: LiteralString, **tables: str) -> bytes:
    named = {name: Identifier(table) for name, table in tables.items()}
    return SQL(question).format(covered=SQL(_COVERED), **named).as_bytes()


def _sendable(query: str) -> str:
    """The beginning of a question as PostgreSQL takes it: without NUL and halves of surrogate pairs."""
    return query[:_KEYWORD_CHARS].replace("\x00", " ").encode("utf-8", "ignore").decode()


_Around = dict[tuple[int, str], dict[int, str]]  # contents by (document, section) and ordinal


@dataclass(frozen=True)
class _Question:
    """`asked` is its vector, `telling` what tells it from other messages."""

    query: str
    asked: np.ndarray
    telling: np.ndarray
    business_id: int
    language: str | None
    on: date


def _joined(hits: list[_Hit], most: int) -> list[list[_Hit]]:
    """The hits as at most `most` groups, one a document, best first.

    A hit joins its document's group when it would have taken a place itself or is a neighbour of what is
    there: three parts of one document must not keep two other documents out.
    """
    groups: dict[int, list[_Hit]] = {}
    for place, hit in enumerate(hits):
        group = groups.get(hit.chunk.document_id)
        if group is None:
            if len(groups) < most:
                groups[hit.chunk.document_id] = [hit]
        elif (place < most or any(_neighbours(hit.chunk, other.chunk) for other in group)) and (
            sum(len(other.chunk.content) for other in group) + len(hit.chunk.content) <= _JOINED_CHARS
        ):
            group.append(hit)
    return list(groups.values())


def _neighbours(one: _Chunk, other: _Chunk) -> bool:
    return one.section == other.section and abs(one.ordinal - other.ordinal) <= 1


def _with_worded(groups: list[list[_Hit]], hits: list[_Hit], most: int) -> list[list[_Hit]]:
    """The document found by its words takes the last place where meaning has not found it."""
    worded = next((hit for hit in hits if hit.says_most), None)
    if worded is None or any(
        hit.chunk.document_id == worded.chunk.document_id for group in groups for hit in group
    ):
        return groups
    return [*groups[: most - 1], [worded]]
