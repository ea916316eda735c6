"""The intents suite on the real parts: the bundled encoders and the classifier a turn uses."""

import asyncio
from dataclasses import replace
from pathlib import Path

from evals.result import Result
from evals.suites import intents as suite
from evals.suites.intents import Judged
from inference.classify import IntentClassifier
from inference.duet import DuetEmbedder
from sara.settings import Settings


async def intents(settings: Settings, dataset: Path | None, split: str | None) -> Result:
    """Every message classified as a turn without a language model would."""
    gold = await asyncio.to_thread(suite.load, dataset or suite.DATASET)
    embedder, classifier = (
        DuetEmbedder(settings.data_dir / "models"),
        await asyncio.to_thread(IntentClassifier.load),
    )
    try:
        judged = [
            Judged(row, classifier.classify(row["text"], await embedder.query(row["text"])))
            for row in suite.rows(gold, split)
        ]
    finally:
        embedder.close()
    result = suite.judge(judged)
    about = {**result.about, "rows": gold.path.name}
    return replace(result, about=about, broken=gold.broken, of_other_splits=gold.of_others(split))
