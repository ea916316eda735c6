"""Businesses and the people who work for them."""

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from crm import businesses, registry
from sara import seed, services
from sara.commands.loop import run
from sara.settings import load

app = typer.Typer(help="Businesses and their agents.", no_args_is_help=True)


@app.command("add")
def add(
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="a business file (YAML)")],
) -> None:
    """Enters a business, or brings it up to date by its slug."""
    business_id, slug, number = run(_add(file))
    print(f"{slug}: business {business_id}, phone_number_id {number}")


async def _add(file: Path) -> tuple[int, str, str]:
    settings = load()
    async with services.database(settings) as dsn, services.record(settings, dsn) as crm:
        business_id, business = await seed.enter(crm, file)
        return business_id, business.slug, business.phone_number_id


@app.command("list")
def list_(as_json: Annotated[bool, typer.Option("--json")] = False) -> None:
    """The businesses there are, with their numbers."""
    for row in run(_list()):
        if as_json:
            print(json.dumps(row, ensure_ascii=False))
        else:
            numbers = ", ".join(str(number) for number in row["phone_number_ids"])
            print(f"{row['slug']:<20} {row['name']:<32} {numbers}")


async def _list() -> list[dict[str, Any]]:
    settings = load()
    found: list[dict[str, Any]] = []
    async with services.database(settings) as dsn, services.record(settings, dsn) as crm:
        async with crm.outside() as tx:
            directory = await businesses.directory(tx)
        for entry in directory:
            async with crm.transaction(entry.business_id) as tx:
                name = (await businesses.profile(tx)).business.name
                numbers = [number.phone_number_id for number in await businesses.numbers(tx)]
            found.append({"slug": entry.slug, "name": name, "phone_number_ids": numbers})
    return found


@app.command("token")
def token(email: Annotated[str, typer.Argument(help="the agent's e-mail address")]) -> None:
    """Makes a new API token for an agent and prints it once; the old one stops working."""
    print(run(_token(email)))


async def _token(email: str) -> str:
    settings = load()
    async with (
        services.database(settings) as dsn,
        services.record(settings, dsn) as crm,
        crm.as_owner() as tx,
    ):
        return await registry.new_token(tx, email)
