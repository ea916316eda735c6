"""What language models may cost each business."""

import json
from dataclasses import asdict
from typing import Annotated

import typer

from crm import budgets, businesses
from crm.budgets import BudgetRow
from sara import services
from sara.commands.desk import desk_of
from sara.commands.loop import run
from sara.settings import load

app = typer.Typer(help="Budgets of tokens for language models, by business.", no_args_is_help=True)


@app.command("list")
def list_(as_json: Annotated[bool, typer.Option("--json")] = False) -> None:
    """Each business's budgets and what it has used; over them SARA answers without a language model."""
    for slug, row in run(read()):
        if as_json:
            print(json.dumps({"business": slug, **asdict(row), "over": row.over}, default=str))
            continue
        over = f", used up for the {row.over}" if row.over else ""
        today = f"today {row.used_today} of {_shown(row.tokens_per_day)}"
        print(f"{slug:<20} {today}, this month {row.used_this_month} of {_shown(row.tokens_per_month)}{over}")


@app.command("set")
def set_(
    business: Annotated[str, typer.Option(help="slug of the business")],
    per_day: Annotated[int | None, typer.Option(min=0, help="tokens in a day; not given: any number")] = None,
    per_month: Annotated[
        int | None, typer.Option(min=0, help="tokens in a month; not given: any number")
    ] = None,
) -> None:
    """Sets both budgets of a business, read and written tokens together."""

    async def work() -> None:
        async with desk_of(business) as desk, desk.crm.transaction(desk.business_id) as tx:
            await budgets.put(tx, per_day=per_day, per_month=per_month)

    run(work())
    print("set")


async def read() -> list[tuple[str, BudgetRow]]:
    """Every business by its slug."""
    settings = load()
    found = []
    async with services.database(settings) as dsn, services.record(settings, dsn) as crm:
        async with crm.outside() as tx:
            directory = await businesses.directory(tx)
        for entry in directory:
            async with crm.transaction(entry.business_id) as tx:
                found.append((entry.slug, await budgets.state(tx)))
    return found


def _shown(budget: int | None) -> str:
    return "any number" if budget is None else str(budget)
