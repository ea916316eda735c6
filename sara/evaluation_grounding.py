"""The grounding suite: rules and both judges alone, no database and no language model."""

import asyncio
from dataclasses import replace
from pathlib import Path

from evals.result import Result
from evals.suites import grounding as suite
from inference.grounding_reader import Reader
from sara.settings import Settings


async def grounding(settings: Settings, dataset: Path | None, split: str | None) -> Result:
    """The check over answers whose claims are known to be supported or not."""
    gold = await (asyncio.to_thread(suite.load, dataset) if dataset else asyncio.to_thread(suite.every))
    reader = Reader(settings.data_dir / "models")
    await asyncio.to_thread(reader.warm_up)
    judged = await asyncio.to_thread(suite.ask, suite.rows(gold, split), reader)
    result = suite.judge(judged)
    about = {**result.about, "rows": gold.path.name, "split": split or "all"}
    return replace(result, about=about, broken=gold.broken, of_other_splits=gold.of_others(split))
