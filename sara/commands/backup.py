"""The whole database to a file and back."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import astuple
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from crm import restored
from crm.rekeying import Stock
from db import dump, embedded
from db.migrate import migrate
from sara import services
from sara.commands.desk import require_database
from sara.commands.doctor_keys import closed_here, told
from sara.commands.failures import CommandFailed, writing
from sara.commands.keys import keep, mend
from sara.commands.loop import run
from sara.connections import unshared
from sara.settings import Settings, load


def backup(
    target: Annotated[Path, typer.Argument(help="file to write, or a folder, where it is named by the time")],
) -> None:
    """Writes everything the database holds, as it is at this moment; everything may go on running."""
    with writing(target):
        file = target / f"sara-{datetime.now(UTC):%Y%m%dT%H%M%SZ}.dump" if target.is_dir() else target
        if not file.parent.is_dir():
            raise CommandFailed(f"there is no folder {file.parent}: make it first")
        if file.exists():
            raise CommandFailed(f"{file} is there already: choose another name")
    settings = load()
    require_database(settings)
    size = run(_backup(settings, file))
    print(f"{file}: {size} bytes\nThe keys are not in it: {keep()}")


async def _backup(settings: Settings, file: Path) -> int:
    async with _server(settings) as dsn:
        return await dump.dump(dsn, file)


def restore(
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="what `sara backup` wrote")],
    resume: Annotated[
        bool,
        typer.Option("--resume", help="nothing ran since the backup: what waited then goes out"),
    ] = False,
) -> None:
    """Reads a backup into an empty database and brings it up to date. Start `serve` and `worker` afterwards.

    Messages on their way at the backup may have gone out since, so they are held for a person to look at, and
    running campaigns are paused; with --resume, when everything had been stopped before, they go on.
    """
    settings = load()
    (held, paused), closed = run(_restore(settings, file, resume=resume))
    print(f"restored {file}")
    if held or paused:
        print(
            f"{held} messages are held and {paused} campaigns paused: they may have gone out since the backup"
        )
    if closed:
        print(f"{told(closed)}\n{mend(settings, {one.place.purpose for one in closed})}")


async def _restore(settings: Settings, file: Path, *, resume: bool) -> tuple[tuple[int, int], list[Stock]]:
    """How many messages were held and campaigns paused, and what no key that is here opens."""
    async with _server(settings) as dsn:
        await dump.restore(dsn, file)
        await migrate(dsn)
        async with services.record(settings, dsn) as crm:
            async with crm.as_owner() as tx:
                held = (0, 0) if resume else astuple(await restored.hold_back(tx))
            return held, await closed_here(settings, crm)


@asynccontextmanager
async def _server(settings: Settings) -> AsyncIterator[str]:
    """The database as it is: unlike elsewhere, an embedded one is not migrated by opening it."""
    if settings.database_url:  # past a pooler: pg_dump needs a session
        yield unshared(settings)
        return
    server = await asyncio.to_thread(embedded.start, settings.data_dir.resolve())
    try:
        yield server.dsn
    finally:
        await asyncio.to_thread(server.stop)
