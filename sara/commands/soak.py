"""Half an hour of everything at once: whether anything is lost, doubled or out of order, and memory flat."""

import asyncio
import json
import shutil
import sys
import tempfile
from pathlib import Path
from typing import Annotated

import typer

from sara.commands.failures import CommandFailed, writing
from sara.commands.loop import run
from sara.settings import load
from sara.soak.plan import Plan
from sara.soak.processes import NotStarted
from sara.soak.report import markdown, terminal
from sara.soak.run import soaked


def soak(
    minutes: Annotated[float, typer.Option(min=0.1, max=1440, help="how long customers write")] = 30.0,
    rate: Annotated[float, typer.Option(min=0.1, max=50, help="messages of customers a second")] = 5.0,
    seed: Annotated[int, typer.Option(help="of every random choice")] = 1,
    to_json: Annotated[Path | None, typer.Option("--json", help="write the report here too, as JSON")] = None,
    to_markdown: Annotated[
        Path | None, typer.Option("--markdown", help="write the report here too, as Markdown")
    ] = None,
    folder: Annotated[
        Path | None, typer.Option(help="an empty folder for database and logs, which stay there")
    ] = None,
) -> None:
    """Real processes under load that are killed and come back; fails when an invariant breaks.

    A database of its own, a simulated Meta that fails and repeats itself, one `serve`, two `worker`,
    customers in four languages, agents at the API and the console. At the end all comes to rest, and what
    phones got is compared with what was written down. It touches no installation that is on this machine.
    """
    for file in filter(None, (to_json, to_markdown)):
        with writing(file), file.open("a", encoding="utf-8"):  # now, not when half an hour is over
            pass
    if folder is not None and folder.exists() and any(folder.iterdir()):
        raise CommandFailed(f"{folder} is not empty: name a new folder")
    place = folder or Path(tempfile.mkdtemp(prefix="sara-soak-"))
    plan = Plan(minutes=minutes, rate=rate, seed=seed)
    broken: list[str] = []
    try:
        settings = load(llm="extractive", llm_fallback=None)
        report = run(soaked(settings, plan, place.resolve(), tell=_tell), log_level="error")
        broken = [finding.name for finding in report.findings if finding.broken]
    except asyncio.CancelledError:
        raise CommandFailed("it was ended before its time: nothing was judged") from None
    except NotStarted as error:
        raise CommandFailed(str(error)) from error
    finally:
        if folder is None and not broken:
            shutil.rmtree(place, ignore_errors=True)
    print(terminal(report))
    if to_json is not None:
        to_json.write_text(json.dumps(report.as_json(), indent=1, ensure_ascii=False), encoding="utf-8")
    if to_markdown is not None:
        to_markdown.write_text(markdown(report), encoding="utf-8")
    if broken:
        raise CommandFailed(
            f"{len(broken)} invariants are broken: {'; '.join(broken)}."
            f" Its database, its logs and evidence.json are kept in {place}"
        )


def _tell(line: str) -> None:
    print(f"sara soak: {line}", file=sys.stderr, flush=True)
