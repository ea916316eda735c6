"""A real embedded PostgreSQL with our schema, the real embedding model, and fresh businesses."""

import itertools
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path

import psycopg
import pytest

from db import embedded
from db.migrate import migrate
from inference.duet import DuetEmbedder
from inference.embed import LangChainEmbeddings
from knowledge.store import KnowledgeStore, open_store

AddBusiness = Callable[..., Awaitable[int]]


@pytest.fixture(scope="session")
def knowledge_dsn(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    server = embedded.start(tmp_path_factory.mktemp("knowledge-db"))
    yield server.dsn
    server.stop()


@pytest.fixture(scope="session")
def embedder() -> Iterator[DuetEmbedder]:
    model = DuetEmbedder()
    yield model
    model.close()


@pytest.fixture(scope="session")
async def store(knowledge_dsn: str, embedder: DuetEmbedder) -> AsyncIterator[KnowledgeStore]:
    await migrate(knowledge_dsn)
    opened = await open_store(
        knowledge_dsn, embedder, LangChainEmbeddings(embedder), pool_size=3, create=True
    )
    yield opened
    await opened.close()


@pytest.fixture(scope="session")
def add_business(knowledge_dsn: str, store: KnowledgeStore) -> AddBusiness:
    """Adds a business as the database's owner, who is above row-level security."""
    numbers = itertools.count(1)

    async def add(language: str = "it") -> int:
        slug = f"shop-{next(numbers)}"
        async with await psycopg.AsyncConnection.connect(knowledge_dsn, autocommit=True) as owner:
            cursor = await owner.execute(
                "INSERT INTO business (slug, name, vertical, country, time_zone, currency, languages)"
                " VALUES (%s, %s, 'wellness', 'IT', 'Europe/Rome', 'EUR', %s) RETURNING business_id",
                (slug, slug, [language]),
            )
            row = await cursor.fetchone()
        assert row is not None
        return int(row[0])

    return add


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "docs"
    made.mkdir()
    return made
