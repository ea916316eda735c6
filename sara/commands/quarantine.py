"""Turns that were given up, from the terminal."""

import asyncio
import json
from dataclasses import asdict
from typing import Annotated

import typer

from crm import businesses, quarantine
from crm.quarantine import QuarantineRow
from sara import services
from sara.commands.desk import desk_of, require_database
from sara.commands.loop import run
from sara.settings import load

app = typer.Typer(
    help="Messages whose turn failed every time, or ended the worker: a person has them now.",
    no_args_is_help=True,
)


@app.command("list")
def list_(
    business: Annotated[str | None, typer.Option(help="slug of a business; all without it")] = None,
    every: Annotated[bool, typer.Option("--all", help="what is over as well")] = False,
    as_json: Annotated[bool, typer.Option("--json")] = False,
) -> None:
    """What was given up and who waits for it, the newest first."""
    found = run(_list(business, every))
    for slug, row in found:
        if as_json:
            print(json.dumps({"business": slug, **asdict(row)}, ensure_ascii=False, default=str))
        else:
            print(_line(slug, row))
    if not found and not as_json:
        print("nothing was given up" if every else "nothing waits")


async def _list(business: str | None, every: bool) -> list[tuple[str, QuarantineRow]]:
    settings, found = load(), []
    await asyncio.to_thread(require_database, settings)
    async with services.database(settings) as dsn, services.record(settings, dsn) as crm:
        async with crm.outside() as tx:
            if business is not None:
                await businesses.of_slug(tx, business)  # says so where there is no such business
            directory = await businesses.directory(tx)
        for entry in directory:
            if business in (None, entry.slug):
                async with crm.transaction(entry.business_id) as tx:
                    found += [(entry.slug, row) for row in await quarantine.listed(tx, every=every)]
    return found


def _line(slug: str, row: QuarantineRow) -> str:
    cause = row.cause or "the log has the cause"
    ended = f", ended {row.deaths} workers" if row.deaths else ""
    state = "released" if row.released_at else row.status
    words = " ".join(row.wants.split())[:60]
    head = f"{row.quarantine_id:>6}  {row.at:%m-%d %H:%M}  {slug:<14} hand-over {row.handoff_id} ({state})"
    return f"{head}  {words}\n        failed {row.tries} times{ended}: {cause}"


@app.command("release")
def release(
    business: Annotated[str, typer.Option(help="slug of the business")],
    numbers: Annotated[list[int], typer.Argument(help="numbers from `sara quarantine list`")],
    note: Annotated[str, typer.Option(help="what SARA should know")] = "",
) -> None:
    """SARA tries again, once the cause is mended, and answers what nobody has answered meanwhile."""

    async def work() -> None:
        async with desk_of(business) as desk, desk.crm.transaction(desk.business_id) as tx:
            for number in numbers:
                await quarantine.release(tx, number, note=note)

    run(work())
    print(f"{len(numbers)} given back to SARA")
