"""The demo: everything embedded, three businesses, a phone in the browser."""

import asyncio
from pathlib import Path
from typing import Annotated

import typer

from crm.record import Crm
from sara import services
from sara.commands.chat import play_all, print_journeys
from sara.commands.failures import CommandFailed, listening
from sara.commands.loop import run
from sara.demo import busy, journeys, login, others, password, prepare, undisturbed
from sara.local import Local, local_on
from sara.settings import Settings, load


def demo(
    port: Annotated[int, typer.Option(min=0, max=65535, help="port on 127.0.0.1; 0: any free one")] = 8000,
    data: Annotated[Path | None, typer.Option(help="folder for the demo's data")] = None,
    once: Annotated[bool, typer.Option("--once", help="play one journey per business and exit")] = False,
) -> None:
    """Serves three businesses with an embedded database and a phone simulator; prints the URLs."""
    settings = load(**({"data_dir": data} if data else {}))
    run(_once(settings) if once else _serve(settings, port), log_level="error")


async def _ours_alone(settings: Settings, crm: Crm) -> None:
    """Before anything is entered. Raises CommandFailed where the simulator would answer somebody's customers:
    it takes whatever waits in the database's queue, and what it refuses is not sent again."""
    own_place = "unset SARA_DATABASE_URL" if settings.database_url else "give --data with another folder"
    if await others(crm):
        raise CommandFailed(
            "this database holds your own businesses, whose customers the demo's simulator would answer:"
            f" {own_place}"
        )
    if settings.database_url and await busy(crm):
        raise CommandFailed(f"workers are at work on this database: {own_place}, or stop them first")


async def _serve(settings: Settings, port: int) -> None:
    async with services.database(settings) as dsn:
        async with services.record(settings, dsn) as crm:
            await _ours_alone(settings, crm)
            await prepare(settings, dsn, crm, report=print)
            email, token = await login(crm)
            secret = await password(crm, email)
        with listening(port):
            async with local_on(settings, dsn, port=port) as whole:
                _welcome(whole, email, token, secret)
                await asyncio.Event().wait()


async def _once(settings: Settings) -> None:
    settings = (await undisturbed(settings)).model_copy(update={"gather_seconds": 0.0})
    async with services.database(settings) as dsn:
        async with services.record(settings, dsn) as crm:
            await _ours_alone(settings, crm)
            await prepare(settings, dsn, crm, report=print)
        async with local_on(settings, dsn) as whole:
            played = await play_all(whole, journeys(), fresh=True)
    if not print_journeys(played):
        raise typer.Exit(1)


def _welcome(whole: Local, email: str, token: str, secret: str) -> None:
    print(
        f"""
SARA is running.  Model chain: {whole.services.context.chat.name}

  Phone        {whole.url}/phone        write to a business as a customer
  Console      {whole.url}/console      answer as an agent of the business
  Agent        {email}
  Password     {secret}
  API          {whole.url}/docs
  API token    {token}

  Hand-overs   curl -H 'Authorization: Bearer {token}' {whole.url}/api/businesses/aurora/handoffs

Stop with Ctrl-C.""",
        flush=True,
    )
