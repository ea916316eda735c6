"""What a number may send, and what it has used of it."""

import json
from dataclasses import asdict
from typing import Annotated

import typer

from crm import businesses, governor
from crm.governor import NumberState
from sara.commands.desk import desk_of
from sara.commands.failures import CommandFailed
from sara.commands.loop import run

app = typer.Typer(help="Limits of the WhatsApp numbers: throughput, tier, pauses.", no_args_is_help=True)

Business = Annotated[str, typer.Option(help="slug of the business")]


@app.command("list")
def list_(business: Business, as_json: Annotated[bool, typer.Option("--json")] = False) -> None:
    """Each number's limits and how much of them is used."""

    async def work() -> list[NumberState]:
        async with desk_of(business) as desk, desk.crm.transaction(desk.business_id) as tx:
            numbers = await businesses.numbers(tx)
            return [await governor.state(tx, number.phone_number_id) for number in numbers]

    for row in run(work()):
        if as_json:
            print(json.dumps(asdict(row)))
            continue
        tier = "unlimited" if row.tier is None else f"{row.used} of {row.tier} customers"
        pace = "" if row.pace >= 1 else f", slowed to {row.pace:.0%}"
        stopped = f", campaigns stopped: {row.stopped}" if row.stopped else ""
        print(f"{row.phone_number_id:<18} {row.per_second}/s{pace}, {tier} in {row.portfolio}{stopped}")


@app.command("set")
def set_(
    business: Business,
    number: Annotated[str, typer.Argument(help="phone_number_id")],
    per_second: Annotated[
        int | None, typer.Option(min=1, max=1000, help="80; 1000 after an upgrade; 20 beside the phone app")
    ] = None,
    tier: Annotated[int | None, typer.Option(min=0, help="customers per 24 hours; 0: unlimited")] = None,
    portfolio: Annotated[
        str | None, typer.Option(help="a name all numbers of one Meta portfolio share, whoever's they are")
    ] = None,
    go_on: Annotated[bool, typer.Option("--go-on", help="campaigns may use the number again")] = False,
) -> None:
    """Tells SARA what WhatsApp Manager shows; Meta's webhooks change it later by themselves."""

    async def work() -> None:
        async with desk_of(business) as desk, desk.crm.transaction(desk.business_id) as tx:
            if number not in [row.phone_number_id for row in await businesses.numbers(tx)]:
                raise CommandFailed(f"{business} has no number {number}")
            await governor.set_limits(tx, number, per_second=per_second, tier=tier, portfolio=portfolio)
            if go_on:
                await governor.stop(tx, number, None)

    run(work())
    print("set")
