"""The passages that answer a question, for one business on one day.

The vector store brings the nearest chunks; they are then put in order by what tells them apart: the chunk's
nearness and its document's, without what every question and every passage of a language have in common, and
how far the question's words are said there (the compass). `sara eval retrieval` measures it.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Protocol

import numpy as np
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from db.tenancy import tenant
from knowledge.errors import KnowledgeUnavailable
from knowledge.readers.document import PATH_JOINT
from knowledge.store import UNREACHABLE, KnowledgeStore, vector_literal

# Chosen on the dev split of the gold set; between 0.5 and 1 the figures hardly move.
_DOCUMENT_WEIGHT = 0.8  # of the document's mean beside the chunk itself
_WORDS_WEIGHT = 0.1  # of the share of the question's words that are said in a chunk
_LANGUAGE_SHARE = 0.9  # of what the passages of a language have in common, taken out of each

# Beyond this many characters a question is a story, and its words are everybody's.
_KEYWORD_CHARS = 300
# A passage found by its words must hold this share of the question's terms, rare ones counting more.
_LEAST_COVERAGE = 0.5
# Chunks put in order for each passage wanted.
_CANDIDATES = 11
# Characters up to which a hit is shown with what stands before and after it in its section.
_JOINED_CHARS = 1400

_NEARNESS = """
    WITH own AS MATERIALIZED (
        SELECT v.id, c.document_id, v.embedding
        FROM chunk c JOIN {vectors} v USING (id)
        WHERE c.business_id = :business_id AND v.business_id = :business_id
          AND c.document_id = ANY (CAST(:documents AS bigint[]))),
    document AS (
        SELECT document_id, -(avg(embedding) <#> CAST(:telling AS vector)) AS nearness
        FROM own GROUP BY document_id)
    SELECT CAST(id AS text), 1 - (embedding <=> CAST(:asked AS vector)),
           -(embedding <#> CAST(:telling AS vector)), nearness
    FROM own JOIN document USING (document_id) WHERE id = ANY (CAST(:ids AS uuid[]))"""
# Terms are weighted by rarity among the business's passages of that language (BM25's idf): `plainto_tsquery`
# would ask for all of them at once and find nothing for a question of eight words.
_COVERED = """
    WITH term AS MATERIALIZED (
        SELECT lexeme, CAST(quote_literal(lexeme) AS tsquery) AS query
        FROM unnest(tsvector_to_array(to_tsvector(stemming_of(:language), folded(:question)))) AS lexeme),
    valid AS MATERIALIZED (
        SELECT id, words FROM chunk
        WHERE business_id = :business_id AND language = :language
          AND valid_from <= :day AND valid_until >= :day),
    weighted AS MATERIALIZED (
        SELECT query, ln(1 + (total - present + 0.5) / (present + 0.5)) AS weight
        FROM term, LATERAL (SELECT count(*) AS total, count(*) FILTER (WHERE words @@ query) AS present
                            FROM valid) AS counted),
    covered AS (
        SELECT id, (SELECT sum(weight) FROM weighted WHERE words @@ query)
                   / (SELECT sum(weight) FROM weighted) AS coverage
        FROM valid)
    SELECT CAST(c.id AS text) AS id, c.document_id, c.ordinal, c.source, c.section, c.language,
           c.content{more}
    FROM covered JOIN {passages} c USING (id)
    WHERE coverage >= :least_coverage"""
_BY_WORDS = f"""{_COVERED}
    ORDER BY coverage DESC, c.embedding <=> CAST(:vector AS vector), c.id
    LIMIT 1"""
_BY_WORDS_ALONE = f"""{_COVERED}
    ORDER BY coverage DESC, c.id
    LIMIT :most"""
_AROUND = text("""
    SELECT c.document_id, c.ordinal, c.section, c.content
    FROM chunk c JOIN unnest(CAST(:documents AS bigint[]), CAST(:first AS int[]), CAST(:last AS int[]))
                      AS around (document_id, first, last)
      ON c.document_id = around.document_id AND c.ordinal BETWEEN around.first AND around.last
    WHERE c.business_id = :business_id AND c.valid_from <= :day AND c.valid_until >= :day""")


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


@dataclass(frozen=True)
class _Hit:
    """A chunk in its place: `similarity` is its cosine to the question, `rank` what it is ordered by."""

    chunk: _Chunk
    similarity: float
    rank: float


class Compass(Protocol):
    """The bearings of the store's embedding model; `inference.compass` has the real one."""

    def telling(self, asked: np.ndarray) -> np.ndarray:
        """What tells a message from others, turned toward what answers it."""

    def common(self, language: str) -> np.ndarray:
        """What passages in `language` have in common."""

    def shares(self, question: str, texts: Sequence[str]) -> np.ndarray:
        """For each text how much of the question's words it says, 0..1."""

    def sureness(self, rank: float, similarity: float) -> float:
        """How sure it is that a passage answers, 0..1."""


class KnowledgeSearch:
    """Search over one store; any number of questions at once."""

    def __init__(self, store: KnowledgeStore, compass: Compass) -> None:
        self._store = store
        self._compass = compass
        self._nearness = text(_NEARNESS.format(vectors=store.space.vectors))
        passages = store.space.passages
        self._by_words = text(_BY_WORDS.format(passages=passages, more=""))
        self._by_words_alone = text(_BY_WORDS_ALONE.format(passages=passages, more=", coverage"))

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
        try:
            with tenant(business_id):
                chunks = await self._by_meaning(about, k * _CANDIDATES)
                async with self._store.engine.connect() as connection:
                    worded = await self._by_most_words(connection, about) if language and k > 1 else None
                    hits = await self._in_order(connection, about, chunks, worded)
                    groups = _with_worded(_joined(hits, k), hits, worded, k)
                    around = await _around(connection, about, groups)
        except UNREACHABLE as error:
            raise KnowledgeUnavailable(KnowledgeUnavailable.__doc__) from error
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
        try:
            with tenant(business_id):
                async with self._store.engine.connect() as connection:
                    rows = (await connection.execute(self._by_words_alone, values)).mappings().all()
        except UNREACHABLE as error:
            raise KnowledgeUnavailable(KnowledgeUnavailable.__doc__) from error
        found = []
        for row in rows:
            title, _, section = str(row["section"]).partition(PATH_JOINT)
            score = float(row["coverage"])
            found.append(
                Passage(row["id"], row["source"], title, section, row["language"], row["content"], score)
            )
        return found

    async def _by_meaning(self, about: "_Question", count: int) -> list[_Chunk]:
        """Chunks by cosine, through the vector store."""
        # Row-level security already hides other businesses; the filter lets the planner use their index.
        valid: dict[str, Any] = {
            "$and": [
                {"business_id": about.business_id},
                {"valid_from": {"$lte": about.on}},
                {"valid_until": {"$gte": about.on}},
            ]
        }
        hits = await self._store.vectors.asimilarity_search_with_score_by_vector(
            [float(value) for value in about.telling], k=count, filter=valid
        )
        return [_Chunk(id=str(found.id), content=found.page_content, **found.metadata) for found, _ in hits]

    async def _in_order(
        self, connection: AsyncConnection, about: "_Question", chunks: list[_Chunk], worded: _Chunk | None
    ) -> list[_Hit]:
        """The chunks by how near they and their documents are, best first."""
        by_id = {chunk.id: chunk for chunk in [*chunks, *([worded] if worded else [])]}
        values = {
            "asked": vector_literal(about.asked),
            "telling": vector_literal(about.telling),
            "ids": list(by_id),
            "documents": list({chunk.document_id for chunk in by_id.values()}),
            "business_id": about.business_id,
        }
        # An ingestion may have replaced a chunk in between: then it is not among the rows.
        rows = (await connection.execute(self._nearness, values)).all() if by_id else []
        texts = [f"{by_id[row[0]].section} {by_id[row[0]].content}" for row in rows]
        shares = await asyncio.to_thread(self._compass.shares, about.query, texts)
        hits = [
            _Hit(
                by_id[id_],
                similarity,
                self._rank(about, by_id[id_].language, chunk, document) + _WORDS_WEIGHT * float(share),
            )
            for (id_, similarity, chunk, document), share in zip(rows, shares, strict=True)
        ]
        return sorted(hits, key=lambda hit: (-hit.rank, hit.chunk.id))

    def _rank(self, about: "_Question", language: str, chunk: float, document: float) -> float:
        """How well a chunk answers: its own nearness and its document's, less what its language adds."""
        common = float(about.telling @ self._compass.common(language))
        return (chunk + _DOCUMENT_WEIGHT * document - _LANGUAGE_SHARE * common) / (1 + _DOCUMENT_WEIGHT)

    async def _by_most_words(self, connection: AsyncConnection, about: "_Question") -> _Chunk | None:
        """The chunk in the question's language that holds the largest share of its terms, if large enough."""
        values = {
            "question": _sendable(about.query),
            "vector": vector_literal(about.telling),
            "business_id": about.business_id,
            "language": about.language,
            "day": about.on,
            "least_coverage": _LEAST_COVERAGE,
        }
        row = (await connection.execute(self._by_words, values)).mappings().one_or_none()
        return _Chunk(**row) if row else None

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


def _with_worded(
    groups: list[list[_Hit]], hits: list[_Hit], worded: _Chunk | None, most: int
) -> list[list[_Hit]]:
    """The document found by its words takes the last place where meaning has not found it."""
    if worded is None or any(
        hit.chunk.document_id == worded.document_id for group in groups for hit in group
    ):
        return groups
    return [*groups[: most - 1], *([hit] for hit in hits if hit.chunk.id == worded.id)]


async def _around(connection: AsyncConnection, about: _Question, groups: list[list[_Hit]]) -> _Around:
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
    for document_id, ordinal, section, content in await connection.execute(_AROUND, values):
        around.setdefault((document_id, section), {})[ordinal] = content
    return around
