"""Quotes from the terminal: those that wait, and a person's price for them."""

from dataclasses import asdict
from decimal import Decimal, InvalidOperation
from json import dumps
from typing import Annotated, Any

import typer

from crm import quote_desk, quotes
from sara.commands.desk import desk_of
from sara.commands.loop import run

app = typer.Typer(help="Quotes that wait for a price or for the customer.", no_args_is_help=True)

Business = Annotated[str, typer.Option(help="slug of the business")]
Prices = Annotated[
    list[str] | None, typer.Option("--price", help="of each line without one, VAT included; repeatable")
]


@app.command("list")
def list_(business: Business, as_json: Annotated[bool, typer.Option("--json")] = False) -> None:
    """What customers wait for or may still accept, the longest waiting first."""
    for row in run(_list(business)):
        if as_json:
            print(dumps(row, ensure_ascii=False, default=str))
        else:
            lines = ", ".join(f"{line['description']}: {line['unit_price'] or '?'}" for line in row["lines"])
            print(f"{row['quote_id']:>5}  {row['status']:<10} {row['number'] or '':<10} {lines[:70]}")


@app.command("issue")
def issue(
    quote_id: Annotated[int, typer.Argument(help="number of the request, from `sara quote list`")],
    business: Business,
    price: Prices = None,
) -> None:
    """Prices what has no price and issues the quote; a running worker sends its PDF."""
    try:
        prices = [Decimal(text) for text in price or []]
    except InvalidOperation as error:
        raise typer.BadParameter("write a price as 190.00") from error
    if any(not amount.is_finite() or amount < 0 for amount in prices):
        raise typer.BadParameter("a price is an amount of 0 or more")

    async def work() -> str:
        async with desk_of(business) as desk, desk.crm.transaction(desk.business_id) as tx:
            return str((await quote_desk.issue(tx, quote_id, prices)).number)

    print(f"issued as {run(work())}")


async def _list(business: str) -> list[dict[str, Any]]:
    async with desk_of(business) as desk, desk.crm.transaction(desk.business_id) as tx:
        return [
            {**asdict(row), "lines": [asdict(line) for line in await quotes.all_lines(tx, row.quote_id)]}
            for row in await quotes.open_ones(tx)
        ]
