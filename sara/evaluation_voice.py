"""The voice suite on the real parts: the decoder, Whisper and the verdict of a turn."""

import asyncio
from dataclasses import replace
from pathlib import Path
from typing import Any

from evals.result import Result
from evals.suites import voice as suite
from evals.suites.voice import Heard
from inference.language import LANGUAGES
from sara import services
from sara.settings import Settings


async def voice(settings: Settings, dataset: Path | None, split: str | None) -> Result:
    """Every note as a first message: all four languages offered, no conversation before it, no vocabulary."""
    gold = await asyncio.to_thread(suite.load, dataset or suite.DATASET)
    model = services.transcriber(settings)
    try:
        await model.warm_up()

        async def hear(row: dict[str, Any]) -> Heard:
            content = await asyncio.to_thread(suite.audio, gold, row)
            return Heard(row, await model.transcribe(content, languages=LANGUAGES))

        heard = await asyncio.gather(*(hear(row) for row in suite.rows(gold, split)))
    finally:
        model.close()
    result = suite.judge(heard)
    about = {**result.about, "rows": gold.path.name, "split": split or "all", "model": settings.whisper_model}
    return replace(result, about=about, broken=gold.broken, of_other_splits=gold.of_others(split))
