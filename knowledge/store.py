"""The passages' home: one engine on PostgreSQL whose every transaction acts for the current tenant."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import orjson
import psycopg
from langchain_core.embeddings import Embeddings
from langchain_postgres import PGEngine, PGVectorStore
from sqlalchemy import Connection, event
from sqlalchemy.exc import InterfaceError, OperationalError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from db.pool import Pool, open_pool, prepare_threshold
from db.tenancy import ENTER_TENANT, current_tenant
from knowledge.errors import KnowledgeUnavailable
from knowledge.spaces import Space, drop_space, space_of, spaces

# What a hit brings along. The validity columns are left out: psycopg has no date for 'infinity'.
METADATA_COLUMNS = ["document_id", "ordinal", "source", "section", "language"]

# The index is walked before tenant and day filter its rows: it must go on until enough remain.
ENTER = (
    f"{ENTER_TENANT}, set_config('hnsw.ef_search', '60', true),"
    " set_config('hnsw.iterative_scan', 'strict_order', true)"
)

# What a lost or restarting server looks like from here.
UNREACHABLE = (OperationalError, InterfaceError, psycopg.OperationalError, psycopg.InterfaceError)


class Embedder(Protocol):
    """Text to vectors; `inference.embed` has the real ones. Vectors are float32 and of length 1."""

    @property
    def name(self) -> str:
        """Which model: it names the space its vectors are kept in."""

    @property
    def dimensions(self) -> int:
        """Length of its vectors."""

    async def query(self, text: str) -> np.ndarray:
        """A question's vector, shape (dimensions,)."""

    async def passages(self, texts: Sequence[str]) -> np.ndarray:
        """Passages' vectors, shape (len(texts), dimensions)."""


@dataclass(frozen=True)
class KnowledgeStore:
    """Open connections to the passages, the model they are embedded with and the space of its vectors.

    Questions, which every turn asks, have connections without SQLAlchemy and its round trips.
    """

    engine: AsyncEngine
    questions: Pool
    vectors: PGVectorStore
    embedder: Embedder
    space: Space

    async def close(self) -> None:
        """Closes the connections; those in use close when they are given back."""
        await self.questions.close()
        await self.engine.dispose()


async def open_store(
    dsn: str,
    embedder: Embedder,
    embeddings: Embeddings,
    *,
    pool_size: int = 5,
    create: bool = False,
    pooled: bool = False,
) -> KnowledgeStore:
    """Opens the store on any libpq connection string, with at most `pool_size` connections for documents and
    as many for questions.

    Everything done through it must stand inside `db.tenancy.tenant(business_id)`. `embeddings` is the same
    model in LangChain's shape, for PGVectorStore. `create` makes the model's space when it is not there.
    `pooled`: as for `db.pool.open_pool`.
    Raises KnowledgeUnavailable, SchemaMissing, SpaceMissing, or DimensionMismatch when the embedder's vectors
    do not fit the stored ones.
    """
    engine = _engine(dsn, pool_size, pooled=pooled)
    try:
        async with engine.begin() as connection:
            space = await space_of(connection, embedder.name, embedder.dimensions, create=create)
        vectors = await PGVectorStore.create(
            PGEngine.from_engine(engine),
            embeddings,
            table_name=space.passages,
            id_column="id",
            content_column="content",
            embedding_column="embedding",
            metadata_columns=METADATA_COLUMNS,
        )
    except UNREACHABLE as error:
        await engine.dispose()
        raise KnowledgeUnavailable(KnowledgeUnavailable.__doc__) from error
    except BaseException:
        await engine.dispose()
        raise
    # From here on nothing reads a row without a tenant: PGVectorStore opens its own transactions.
    event.listen(engine.sync_engine, "begin", _enter_tenant)
    try:
        questions = await open_pool(dsn, max_size=pool_size, name="questions", pooled=pooled)
    except UNREACHABLE as error:
        await engine.dispose()
        raise KnowledgeUnavailable(KnowledgeUnavailable.__doc__) from error
    return KnowledgeStore(engine, questions, vectors, embedder, space)


async def drop_other_spaces(dsn: str, keep: str, *, pooled: bool = False) -> list[str]:
    """Drops the vectors of every model but `keep`; returns those models. Raises as `open_store`."""
    engine = _engine(dsn, pool_size=1, pooled=pooled)
    try:
        async with engine.begin() as connection:
            others = [space.model for space in await spaces(connection) if space.model != keep]
            for model in others:
                await drop_space(connection, model)
            return others
    except UNREACHABLE as error:
        raise KnowledgeUnavailable(KnowledgeUnavailable.__doc__) from error
    finally:
        await engine.dispose()


def _engine(dsn: str, pool_size: int, *, pooled: bool) -> AsyncEngine:
    threshold = prepare_threshold(pooled)
    return create_async_engine(
        "postgresql+psycopg://",
        async_creator=lambda: psycopg.AsyncConnection.connect(dsn, prepare_threshold=threshold),
        pool_size=pool_size,
        max_overflow=0,
        pool_pre_ping=True,  # a restarted server is noticed before the query, not by it
    )


def vector_literal(vector: np.ndarray | Sequence[float]) -> str:
    """The vector in pgvector's text form, each number to the last bit of its 32."""
    numbers = np.ascontiguousarray(vector, dtype=np.float32)
    return orjson.dumps(numbers, option=orjson.OPT_SERIALIZE_NUMPY).decode()


def _enter_tenant(connection: Connection) -> None:
    connection.exec_driver_sql(ENTER, (str(current_tenant()),))
