"""Another embedding model comes in while the one in use goes on answering."""

from collections.abc import AsyncIterator, Sequence
from datetime import date
from pathlib import Path

import numpy as np
import pytest

from inference.compass import take_compass
from inference.duet import DuetEmbedder
from inference.e5 import E5Embedder
from inference.embed import LangChainEmbeddings
from knowledge.errors import SpaceMissing
from knowledge.ingest import ingest
from knowledge.reindex import reindex
from knowledge.search import KnowledgeSearch
from knowledge.store import KnowledgeStore, drop_other_spaces, open_store
from tests.knowledge.conftest import AddBusiness

TODAY = date(2026, 11, 22)


class Twice(E5Embedder):
    """The same meaning in vectors of another length, as another model would give."""

    name = "twice"
    dimensions = 768

    async def query(self, text: str) -> np.ndarray:
        vector = await super().query(text)
        return np.concatenate([vector, vector]) / np.float32(np.sqrt(2))

    async def passages(self, texts: Sequence[str]) -> np.ndarray:
        vectors = await super().passages(texts)
        return np.concatenate([vectors, vectors], axis=1) / np.float32(np.sqrt(2))


@pytest.fixture
async def twice(knowledge_dsn: str) -> AsyncIterator[Twice]:
    model = Twice()
    yield model
    model.close()
    await drop_other_spaces(knowledge_dsn, keep=DuetEmbedder.name)


async def _first(store: KnowledgeStore, business_id: int, question: str) -> str | None:
    search = KnowledgeSearch(store, await take_compass(store.embedder))
    hits = await search.search(question, None, business_id=business_id, language="it", on=TODAY)
    return hits[0].source if hits else None


async def test_a_new_model_is_brought_in_without_a_gap(
    store: KnowledgeStore, add_business: AddBusiness, folder: Path, knowledge_dsn: str, twice: Twice
) -> None:
    (folder / "orari.md").write_text("# Orari\n\nSiamo aperti dalle 9 alle 18.\n")
    (folder / "cani.md").write_text("# Animali\n\nI cani guida sono ammessi.\n")
    shops = [await add_business(), await add_business()]
    for shop in shops:
        await ingest([folder], business_id=shop, store=store)
    with pytest.raises(SpaceMissing, match="sara reindex"):
        await open_store(knowledge_dsn, twice, LangChainEmbeddings(twice))

    other = await open_store(knowledge_dsn, twice, LangChainEmbeddings(twice), pool_size=2, create=True)
    try:
        assert await _first(other, shops[0], "posso portare il cane?") is None
        heard: list[tuple[int, int]] = []
        made = await reindex(other, shops, progress=lambda *step: heard.append(step))

        assert (made, heard[-1]) == (4, (4, 4))
        assert await reindex(other, shops) == 0
        for opened in (store, other):
            assert await _first(opened, shops[1], "posso portare il cane?") == "cani.md"

        # What the model of before ingests meanwhile is taken up by the next run.
        (folder / "cani.md").write_text("# Animali\n\nI cani sono tutti ammessi.\n")
        await ingest([folder], business_id=shops[0], store=store)
        assert await reindex(other, shops) == 1
        assert await _first(other, shops[0], "posso portare il cane?") == "cani.md"
    finally:
        await other.close()

    assert "twice" in await drop_other_spaces(knowledge_dsn, keep=DuetEmbedder.name)
    assert await _first(store, shops[0], "posso portare il cane?") == "cani.md"


async def test_words_that_stay_keep_their_vector(
    store: KnowledgeStore, add_business: AddBusiness, folder: Path, knowledge_dsn: str
) -> None:
    class Counting(E5Embedder):
        embedded: list[str]

        async def passages(self, texts: Sequence[str]) -> np.ndarray:
            self.embedded += texts
            return await super().passages(texts)

    model = Counting()
    model.embedded = []
    counted = await open_store(knowledge_dsn, model, LangChainEmbeddings(model), pool_size=1, create=True)
    shop = await add_business()
    (folder / "a.md").write_text("# Orari\n\n## Estate\n\nDalle 9.\n\n## Inverno\n\nDalle 10.\n")
    await ingest([folder], business_id=shop, store=counted)
    (folder / "a.md").write_text("# Orari\n\n## Estate\n\nDalle 9.\n\n## Inverno\n\nDalle 11.\n")
    model.embedded.clear()

    report = await ingest([folder], business_id=shop, store=counted)
    await counted.close()
    model.close()

    assert (report.updated, report.chunks) == (1, 2)
    assert model.embedded == ["Orari > Inverno\nDalle 11."]
