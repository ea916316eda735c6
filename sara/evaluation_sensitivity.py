"""The sensitivity suite on the real parts: the bundled encoders and the scorer a turn uses."""

import asyncio
import time
from dataclasses import replace
from pathlib import Path

from evals.result import Result
from evals.suites import sensitivity as suite
from evals.suites.sensitivity import Judged
from inference.duet import DuetEmbedder
from inference.sensitivity import SensitivityScorer
from sara.settings import Settings


async def sensitivity(settings: Settings, dataset: Path | None, split: str | None) -> Result:
    """Every row judged at the trained thresholds, as the rows' language says."""
    gold = await asyncio.to_thread(suite.load, dataset or suite.DATASET)
    embedder, scorer = (
        DuetEmbedder(settings.data_dir / "models"),
        await asyncio.to_thread(SensitivityScorer.load),
    )
    judged, spent = [], 0.0
    for row in suite.rows(gold, split):
        vector = await embedder.query(row["text"])
        began = time.perf_counter()
        found = scorer.score(row["text"], vector, row["language"])
        spent += time.perf_counter() - began
        judged.append(Judged(row, found))
    embedder.close()
    result = suite.judge(judged)
    per_message = 1000 * spent / max(len(judged), 1)
    about = {**result.about, "rows": gold.path.name, "weights": scorer.version}
    figures = {**result.figures, "milliseconds": per_message}
    return replace(
        result, figures=figures, about=about, broken=gold.broken, of_other_splits=gold.of_others(split)
    )
