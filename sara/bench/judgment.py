"""What judging costs a turn beyond the embedding: is the message sensitive, is the reply supported."""

import asyncio
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from evals.suites import grounding as replies
from evals.suites import sensitivity as messages
from inference import grounding
from inference.advice import advice
from inference.duet import DuetEmbedder
from inference.grounding_reader import Reader
from inference.sensitivity import SensitivityScorer, combine
from sara.bench.figures import row, spread
from sara.settings import Settings


async def measure(settings: Settings, rounds: int) -> dict[str, Any]:
    """Milliseconds on this one thread of judging `rounds` messages and `rounds` replies of the evaluation
    sets, each once and in random order, after as many others have been judged."""
    return await asyncio.to_thread(_measure, rounds, settings.data_dir / "models")


def _measure(rounds: int, keep_in: Path) -> dict[str, Any]:
    order = np.random.default_rng(7)
    asked = _picked(order, messages.load(messages.DATASET).rows, 2 * rounds)
    told = _picked(order, replies.load(replies.DATASET).rows, 2 * rounds)
    embedder, scorer = DuetEmbedder(keep_in), SensitivityScorer.load()
    vectors = [embedder.query_now(one["text"]) for one in asked]
    embedder.close()
    reader = Reader(keep_in)
    reader.warm_up()
    scoring, checking = [], []
    for one, vector in zip(asked, vectors, strict=True):
        began = time.perf_counter()
        combine(0.2, scorer.score(one["text"], vector, one["language"]).score)
        scoring.append((time.perf_counter() - began) * 1000)
    for one in told:
        sources = [grounding.Source(str(n), passage) for n, passage in enumerate(one["passages"])]
        began = time.perf_counter()
        advice(one["answer"])
        grounding.check(one["answer"], sources, one["language"], reader, one.get("question", ""))
        checking.append((time.perf_counter() - began) * 1000)
    return {
        "sensitivity_ms": spread(scoring[len(scoring) // 2 :]),
        "grounding_ms": spread(checking[len(checking) // 2 :]),
        "messages": len(scoring) // 2,
        "replies": len(checking) // 2,
    }


def _picked(order: np.random.Generator, rows: Any, count: int) -> list[dict[str, Any]]:
    return [dict(rows[n]) for n in order.permutation(len(rows))[:count]]


def table(figures: Mapping[str, Any]) -> str:
    """The figures for a person."""
    lines = [row("", "median ms", "p95 ms")]
    for key, what in (("sensitivity_ms", "messages"), ("grounding_ms", "replies")):
        title = f"{key.removesuffix('_ms')} of {figures[what]} {what}"
        lines.append(row(title, figures[key]["median"], figures[key]["p95"]))
    return "\n".join(lines)
