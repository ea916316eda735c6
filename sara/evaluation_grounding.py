"""The grounding suite: rules and judge alone, no database and no language model."""

import asyncio
from dataclasses import replace
from pathlib import Path

from evals.result import Result
from evals.suites import grounding as suite
from sara.settings import Settings


async def grounding(settings: Settings, dataset: Path | None, split: str | None) -> Result:
    """The check over answers whose claims are known to be supported or not."""
    gold = await (asyncio.to_thread(suite.load, dataset) if dataset else asyncio.to_thread(suite.both))
    judged = await asyncio.to_thread(suite.ask, suite.rows(gold, split))
    result = suite.judge(judged)
    about = {**result.about, "rows": gold.path.name, "split": split or "all"}
    return replace(result, about=about, broken=gold.broken)
