"""The small models on files: score, classify, ground, when."""

from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Annotated, Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import typer

from crm import businesses
from inference.classify import IntentClassifier
from inference.duet import DuetEmbedder
from inference.embed import Embedder
from inference.ground_rows import ground_row
from inference.grounding_reader import Reader
from inference.language import LANGUAGES, LanguageIdentifier
from inference.sensitivity import SensitivityScorer
from inference.when import when_row
from sara import services
from sara.commands import rows
from sara.commands.failures import look
from sara.commands.loop import run
from sara.settings import Settings, load

Input = Annotated[Path, typer.Option("--input", help="JSON Lines to read")]
Output = Annotated[Path, typer.Option("--output", help="JSON Lines to write")]


def score(
    source: Input,
    target: Output,
    business: Annotated[str | None, typer.Option(help="use the thresholds of this business")] = None,
) -> None:
    """Rows {text, language?}: adds label, score and escalate (does this need human judgment?).

    A row that cannot be used is named by its line, and then nothing is written, not even for the others.
    """
    look(target)
    given = rows.read(source, "text")
    rows.write(target, run(_score(load(), given, business)))


async def _score(
    settings: Settings, given: list[dict[str, Any]], business: str | None
) -> list[dict[str, Any]]:
    thresholds = await _thresholds(settings, business) if business else None
    embedder, scorer, languages = (
        DuetEmbedder(settings.data_dir / "models"),
        SensitivityScorer.load(),
        LanguageIdentifier(),
    )
    scored = []
    for row in given:
        text = row["text"]
        language = row.get("language") or languages.detect(text, allowed=LANGUAGES, prior=None).language
        judged = scorer.score(text, await embedder.query(text), language, thresholds)
        scored.append(
            {**row, "label": judged.label, "score": round(judged.score, 4), "escalate": judged.escalate}
        )
    return scored


async def _thresholds(settings: Settings, business: str) -> dict[str, float]:
    async with services.database(settings) as dsn, services.record(settings, dsn) as crm:
        async with crm.outside() as tx:
            business_id = await businesses.of_slug(tx, business)
        async with crm.transaction(business_id) as tx:
            return (await businesses.profile(tx)).thresholds


def classify(source: Input, target: Output) -> None:
    """Rows {text, language?}: adds intent and confidence (the classifier, no language model).

    A row that cannot be used is named by its line, and then nothing is written, not even for the others.
    """
    look(target)
    given = rows.read(source, "text")
    rows.write(target, run(_classify(DuetEmbedder(load().data_dir / "models"), given)))


async def _classify(embedder: Embedder, given: list[dict[str, Any]]) -> list[dict[str, Any]]:
    classifier = IntentClassifier.load()
    classified = []
    for row in given:
        text = row["text"]
        guess = classifier.classify(text, await embedder.query(text))
        classified.append({**row, "intent": guess.intent, "confidence": round(guess.confidence, 4)})
    return classified


def ground(source: Input, target: Output) -> None:
    """Rows {answer, passages[], question?}: adds supported and unsupported[] (claims no passage holds).

    A row that cannot be used is named by its line, and then nothing is written, not even for the others.
    """
    look(target)
    reader = Reader(load().data_dir / "models")
    rows.write(
        target, rows.convert(source, lambda row: {**row, **ground_row(row, reader)}, "answer", "passages")
    )


def when(
    source: Input,
    target: Output,
    now: Annotated[str, typer.Option(help="the moment it is, ISO 8601")],
    timezone: Annotated[str, typer.Option(help="IANA zone of the business")],
) -> None:
    """Rows {text, language, now?}: adds value (ISO local time, or date~part, or null) and candidates[].

    A row that cannot be used is named by its line, and then nothing is written, not even for the others.
    """
    look(target)
    try:
        zone = ZoneInfo(timezone)
        moment = datetime.fromisoformat(now)
    except (ValueError, ZoneInfoNotFoundError) as error:
        raise typer.BadParameter(str(error)) from error
    moment = moment.replace(tzinfo=zone) if moment.tzinfo is None else moment
    read = partial(when_row, now=moment, time_zone=timezone)
    rows.write(target, rows.convert(source, read, "text", "language"))
