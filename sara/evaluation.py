"""The suites of `evals` on the real parts: an embedded database of its own with the demo's businesses."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from crm import businesses
from crm.record import Crm
from evals.result import Result
from evals.suites import retrieval as retrieval_suite
from inference.embed import Embedder
from knowledge.catalogue import languages_of
from knowledge.store import KnowledgeStore
from sara import services
from sara.demo import prepare
from sara.seed import seeds
from sara.settings import Settings


@dataclass(frozen=True)
class Ground:
    """What the suites stand on: the demo's businesses, entered and ingested."""

    crm: Crm
    store: KnowledgeStore
    embedder: Embedder
    owners: dict[str, int]


def apart(settings: Settings, name: str) -> Settings:
    """For conversations on a database of the suite's own, kept in SARA_DATA_DIR/`name` between runs; what
    thinks is put in by the suite."""
    own = {"database_url": None, "data_dir": settings.data_dir / name}
    return settings.model_copy(
        update={**own, "llm": "extractive", "llm_fallback": None, "gather_seconds": 0.0}
    )


@asynccontextmanager
async def ground(settings: Settings) -> AsyncIterator[Ground]:
    """Kept in SARA_DATA_DIR/eval between runs, so that only changed documents are read again."""
    settings = settings.model_copy(update={"database_url": None, "data_dir": settings.data_dir / "eval"})
    async with services.database(settings) as dsn, services.record(settings, dsn) as crm:
        await prepare(settings, dsn, crm, report=lambda _: None)
        model = services.embedder(settings)
        async with services.knowledge(settings, dsn, model) as store:
            async with crm.outside() as tx:
                owners = {entry.slug: entry.business_id for entry in await businesses.directory(tx)}
            yield Ground(crm, store, model, owners)


async def retrieval(settings: Settings, dataset: Path | None, split: str | None) -> Result:
    """Search over the demo's documents."""
    slugs = [business.slug for business in seeds()]
    gold = await asyncio.to_thread(retrieval_suite.load, dataset or retrieval_suite.DATASET, slugs)
    async with ground(settings) as here:
        answered = await retrieval_suite.ask(
            await services.searching(here.store, here.embedder),
            here.owners,
            retrieval_suite.rows(gold, split),
        )
        languages = {
            (slug, name): language
            for slug, business_id in here.owners.items()
            for name, language in (await languages_of(here.store, business_id)).items()
        }
    result = retrieval_suite.judge(answered, languages)
    about = {**result.about, "embeddings": here.store.embedder.name, "rows": gold.path.name}
    return replace(result, about=about, broken=gold.broken, of_other_splits=gold.of_others(split))
