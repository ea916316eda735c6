"""Ingestion and search: the demo's documents, and a base of a hundred businesses."""

import asyncio
import json
import tempfile
import time
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np

from crm import businesses
from crm.record import Crm
from evals.dataset import DATASETS
from inference.embed import Embedder
from knowledge.business_file import seed_documents
from knowledge.crowd import crowd, passages_in_all
from knowledge.store import KnowledgeStore
from sara import services
from sara.bench.figures import row, spread
from sara.demo import prepare
from sara.seed import seeds
from sara.settings import Settings

BUSINESSES = 100
PASSAGES_EACH = 500
TODAY = date(2026, 11, 26)


async def measure(settings: Settings, rounds: int) -> dict[str, Any]:
    """Seconds to ingest the demo's documents, once new and once unchanged; milliseconds of `rounds` questions
    of the gold set there, and among 50 000 passages of 100 businesses."""
    with tempfile.TemporaryDirectory(prefix="sara-bench-") as folder:
        settings = settings.model_copy(update={"data_dir": Path(folder), "database_url": None})
        async with services.database(settings) as dsn, services.record(settings, dsn) as crm:
            figures: dict[str, Any] = {"documents": sum(len(seed_documents(b.slug)) for b in seeds())}
            figures["ingest_s"] = await _seconds(settings, dsn, crm)
            figures["unchanged_s"] = await _seconds(settings, dsn, crm)
            model = services.embedder(settings)
            async with services.knowledge(settings, dsn, model) as store:
                asked = await asyncio.to_thread(_questions, rounds)
                owners = await _owners(crm, {business for business, _, _ in asked})
                questions = [(owners[business], language, words) for business, language, words in asked]
                figures["demo"] = await _times(store, model, questions, "a")
                others = await crowd(dsn, store.space, businesses=BUSINESSES, passages_each=PASSAGES_EACH)
                spread_out = [
                    (others[n % len(others)], language, words)
                    for n, (_, language, words) in enumerate(questions)
                ]
                figures["large"] = await _times(store, model, spread_out, "b")
                figures["passages"] = await passages_in_all(dsn)
            return figures


async def _seconds(settings: Settings, dsn: str, crm: Crm) -> float:
    started = time.perf_counter()
    await prepare(settings, dsn, crm, report=lambda _: None)
    return round(time.perf_counter() - started, 1)


def _questions(count: int) -> list[tuple[str, str, str]]:
    lines = (DATASETS / "retrieval.jsonl").read_text(encoding="utf-8").splitlines()
    rows = [json.loads(line) for line in lines]
    picked = np.random.default_rng(7).permutation(len(rows))[:count]
    return [(rows[n]["business"], rows[n]["language"], rows[n]["question"]) for n in picked]


async def _owners(crm: Crm, slugs: set[str]) -> dict[str, int]:
    async with crm.outside() as tx:
        return {slug: await businesses.of_slug(tx, slug) for slug in sorted(slugs)}


async def _times(
    store: KnowledgeStore, model: Embedder, questions: list[tuple[int, str, str]], salt: str
) -> dict[str, Any]:
    """Embedding, searching and both, in a process that has answered as many questions before."""
    search = await services.searching(store, model)
    for business_id, language, words in questions:  # fills the caches of words, of plans and of pages
        await search.search(words, None, business_id=business_id, language=language, on=TODAY)
    embedding, searching = [], []
    for number, (business_id, language, words) in enumerate(questions):
        started = time.perf_counter()
        vector = await model.query(f"{words} {salt}{number}")  # new to the embedder's cache
        embedded = time.perf_counter()
        await search.search(words, vector, business_id=business_id, language=language, on=TODAY)
        done = time.perf_counter()
        embedding.append((embedded - started) * 1000)
        searching.append((done - embedded) * 1000)
    both = [one + other for one, other in zip(embedding, searching, strict=True)]
    return {"embed_ms": spread(embedding), "search_ms": spread(searching), "query_ms": spread(both)}


def table(figures: Mapping[str, Any]) -> str:
    """The figures for a person."""
    lines = [
        row(f"ingest {figures['documents']} documents, new", f"{figures['ingest_s']} s"),
        row("ingest the same, unchanged", f"{figures['unchanged_s']} s"),
        row("", "median ms", "p95 ms"),
    ]
    for name, title in (("demo", "the demo's documents"), ("large", f"{figures['passages']} passages")):
        for part, what in (("embed_ms", "embed"), ("search_ms", "search"), ("query_ms", "both")):
            lines.append(row(f"{title}: {what}", figures[name][part]["median"], figures[name][part]["p95"]))
    return "\n".join(lines)
