"""The dates suite on the grammar itself: no model, no database."""

import asyncio
from dataclasses import replace
from pathlib import Path

from evals.result import Result
from evals.suites import dates as suite
from sara.settings import Settings


async def dates(settings: Settings, dataset: Path | None, split: str | None) -> Result:
    """Every expression as `sara when` reads it."""
    return await asyncio.to_thread(_judged, dataset or suite.DATASET, split)


def _judged(path: Path, split: str | None) -> Result:
    gold = suite.load(path)
    result = suite.judge([suite.answer(row) for row in suite.rows(gold, split)])
    about = {**result.about, "rows": gold.path.name, "split": split or "all"}
    return replace(result, about=about, broken=gold.broken, of_other_splits=gold.of_others(split))
