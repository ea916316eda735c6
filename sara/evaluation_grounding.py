"""The grounding suite: the rules with the sense of single words, as in a turn; no database."""

import asyncio
from pathlib import Path

from evals.result import Result
from evals.suites import grounding as suite
from inference.duet import SentenceEncoder
from inference.kinship import Kinship
from sara.settings import Settings


async def grounding(settings: Settings, dataset: Path | None, split: str | None) -> Result:
    """The rules over answers whose claims are known to be supported or not. Raises ModelMissing."""
    gold = await asyncio.to_thread(suite.load, dataset or suite.DATASET)
    kin = await asyncio.to_thread(Kinship, SentenceEncoder())
    judged = await asyncio.to_thread(suite.ask, suite.rows(gold, split), kin)
    result = suite.judge(judged)
    about = {**result.about, "rows": gold.path.name, "split": split or "all"}
    return Result(
        result.suite, result.figures, result.tables, result.failures, about=about, broken=gold.broken
    )
