"""Webhooks that WhatsApp sent, taken in once more from the raw bodies that are kept."""

import json
from collections import Counter
from datetime import UTC, datetime
from typing import Annotated

import typer

from api.intake import take_in
from crm import webhooks
from crm.record import Crm
from crm.webhooks import BEFORE_ALL, PayloadRow
from sara import services
from sara.commands.loop import run
from sara.settings import load

app = typer.Typer(help="Webhooks from WhatsApp, as they came.", no_args_is_help=True)


@app.callback()
def _group() -> None:
    """Keeps `replay` a command of its own."""


@app.command("replay")
def replay(
    since: Annotated[datetime | None, typer.Option(help="what came since, in UTC")] = None,
    until: Annotated[datetime | None, typer.Option(help="what came before, in UTC")] = None,
    digest: Annotated[
        str | None, typer.Option(help="the body whose SHA-256 begins like this, in hexadecimal")
    ] = None,
    left_out: Annotated[
        bool, typer.Option("--left-out", help="bodies of which something could not be taken in")
    ] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="only says how many there are")] = False,
) -> None:
    """Takes kept bodies in again, oldest first. What was taken in before changes nothing.

    For what could not be read when it came: a number nobody had entered yet, a kind of message that a newer
    version understands.
    """
    if not (left_out or since or until or digest):
        raise typer.BadParameter("say which: --left-out, --since, --until or --digest")
    counts = run(_replay(_utc(since), _utc(until), digest, left_out=left_out, dry_run=dry_run))
    bodies = counts.pop("bodies", 0)
    told = ", ".join(f"{count} {kind}" for kind, count in counts.items() if count)
    print(f"{bodies} bodies" + (f": {told}" if told else ""))


async def _replay(
    since: datetime | None, until: datetime | None, digest: str | None, *, left_out: bool, dry_run: bool
) -> Counter[str]:
    settings, counts, last = load(), Counter[str](), BEFORE_ALL
    async with services.database(settings) as dsn, services.record(settings, dsn) as crm:
        api = services.api_services(settings, crm)
        while True:
            async with crm.as_owner() as tx:
                rows = await webhooks.again(
                    tx, since=since, until=until, digest=digest, left_out=left_out, after=last
                )
            for row in rows:
                counts["bodies"] += 1
                if not dry_run:
                    await _forget(crm, row)
                    counts.update(await take_in(api, json.loads(row.body), row.digest))
            if not rows:
                return counts
            last = rows[-1]


async def _forget(crm: Crm, row: PayloadRow) -> None:
    async with crm.as_owner() as tx:
        await webhooks.forget_unparsed(tx, row.digest)


def _utc(moment: datetime | None) -> datetime | None:
    return moment.replace(tzinfo=UTC) if moment and moment.tzinfo is None else moment
