"""Documents into knowledge, and questions against it."""

import json
import os
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

from crm import businesses
from inference.language import LANGUAGES, LanguageIdentifier
from knowledge import ingest as ingestion
from knowledge import reindex as reindexing
from knowledge.store import drop_other_spaces
from sara import services
from sara.commands import rows
from sara.commands.failures import look
from sara.commands.loop import run
from sara.settings import Settings, load

Business = Annotated[str, typer.Option(help="slug of the business")]


def ingest(
    paths: Annotated[list[Path], typer.Argument(exists=True, help="files and folders")],
    business: Business,
    as_json: Annotated[bool, typer.Option("--json", help="print the report as JSON")] = False,
) -> None:
    """Brings a business's knowledge in line with files and folders; exits 1 when a file failed."""
    report = run(_ingest(load(), paths, business))
    if as_json:
        print(json.dumps(asdict(report), ensure_ascii=False))
    else:
        counts = {k: v for k, v in asdict(report).items() if k != "failed"}
        print(", ".join(f"{name} {count}" for name, count in counts.items()))
        for failure in report.failed:
            print(f"failed {failure.path}: {failure.error}", file=sys.stderr)
    if report.failed:
        raise typer.Exit(1)


async def _ingest(settings: Settings, paths: list[Path], business: str) -> ingestion.IngestReport:
    model = services.embedder(settings)
    async with services.database(settings) as dsn, services.record(settings, dsn) as crm:
        async with crm.outside() as tx:
            business_id = await businesses.of_slug(tx, business)
        async with services.knowledge(settings, dsn, model, create=True) as store:
            with _bar() as bar:
                task = bar.add_task("", total=None)

                def progress(done: int, total: int, name: str) -> None:
                    bar.update(task, completed=done, total=total, description=name)

                return await ingestion.ingest(
                    paths,
                    business_id=business_id,
                    store=store,
                    detect=services.telling_languages(),
                    progress=progress,
                    at_once=os.cpu_count() or 1,
                )


def _bar() -> Progress:
    columns = (BarColumn(), MofNCompleteColumn(), TextColumn("{task.description}"))
    return Progress(*columns, console=Console(stderr=True), transient=True)


def reindex(
    drop_others: Annotated[
        bool, typer.Option("--drop-others", help="then drop the vectors of every other model")
    ] = False,
) -> None:
    """Embeds all knowledge with the model of SARA_EMBEDDINGS, while another one goes on answering.

    Start it with the new setting, let it end, start the other processes with the new setting, run it once
    more with --drop-others.
    """
    made, dropped = run(_reindex(load(), drop_others=drop_others))
    print(f"{made} passages embedded" + (f", dropped {', '.join(dropped)}" if dropped else ""))


async def _reindex(settings: Settings, *, drop_others: bool) -> tuple[int, list[str]]:
    model = services.embedder(settings)
    async with services.database(settings) as dsn, services.record(settings, dsn) as crm:
        async with crm.outside() as tx:
            owners = [entry.business_id for entry in await businesses.directory(tx)]
        async with services.knowledge(settings, dsn, model, create=True) as store:
            with _bar() as bar:
                task = bar.add_task("passages", total=None)
                made = await reindexing.reindex(
                    store, owners, progress=lambda done, total: bar.update(task, completed=done, total=total)
                )
        return made, await drop_other_spaces(dsn, model.name, pooled=settings.pooled) if drop_others else []


def search(
    business: Business,
    source: Annotated[Path, typer.Option("--input", help="JSON Lines {question, language?}")],
    target: Annotated[Path, typer.Option("--output", help="JSON Lines to write")],
    k: Annotated[int, typer.Option(min=1, max=50, help="passages a question")] = 3,
) -> None:
    """Rows {question, language?}: adds hits[{document, text, score}], best first.

    A row that cannot be used is named by its line, and then nothing is written, not even for the others.
    """
    look(target)
    given = rows.read(source, "question")
    rows.write(target, run(_search(load(), given, business, k)))


async def _search(
    settings: Settings, given: list[dict[str, Any]], business: str, k: int
) -> list[dict[str, Any]]:
    model, languages = services.embedder(settings), LanguageIdentifier()
    answered = []
    async with services.database(settings) as dsn, services.record(settings, dsn) as crm:
        async with crm.outside() as tx:
            business_id = await businesses.of_slug(tx, business)
        async with services.knowledge(settings, dsn, model) as store:
            engine = await services.searching(store, model)
            for row in given:
                question = row["question"]
                language = (
                    row.get("language") or languages.detect(question, allowed=LANGUAGES, prior=None).language
                )
                found = await engine.search(
                    question, None, business_id=business_id, language=language, k=k, on=crm.clock().date()
                )
                hits = [{"document": p.source, "text": p.text, "score": round(p.score, 4)} for p in found]
                answered.append({**row, "hits": hits})
    return answered
