"""Reports of customers from the terminal: what is due, taking one up, closing it."""

from dataclasses import asdict
from json import dumps
from typing import Annotated

import typer

from crm import tickets
from crm.tickets import TicketRow
from sara.commands.desk import desk_of
from sara.commands.loop import run

app = typer.Typer(help="Reports of customers, with the times they are due.", no_args_is_help=True)

Id = Annotated[int, typer.Argument(help="number of the report, from `sara ticket list`")]
Business = Annotated[str, typer.Option(help="slug of the business")]


@app.command("list")
def list_(business: Business, as_json: Annotated[bool, typer.Option("--json")] = False) -> None:
    """The open reports, the first due first."""
    for row in run(_list(business)):
        if as_json:
            print(dumps(asdict(row), ensure_ascii=False, default=str))
        else:
            due = f"{row.solve_due:%Y-%m-%d %H:%M}" if row.solve_due else ""
            print(f"{row.ticket_id:>5}  {row.priority:<7} {row.status:<12} {due:<17} {row.description[:60]}")


@app.command("take")
def take(ticket_id: Id, business: Business) -> None:
    """Somebody looks into it: it counts as answered from now on."""

    async def work() -> None:
        async with desk_of(business) as desk, desk.crm.transaction(desk.business_id) as tx:
            await tickets.take(tx, ticket_id, None)

    run(work())
    print("taken")


@app.command("close")
def close(ticket_id: Id, business: Business) -> None:
    """It is settled."""

    async def work() -> None:
        async with desk_of(business) as desk, desk.crm.transaction(desk.business_id) as tx:
            await tickets.close(tx, ticket_id)

    run(work())
    print("closed")


async def _list(business: str) -> list[TicketRow]:
    async with desk_of(business) as desk, desk.crm.transaction(desk.business_id) as tx:
        return await tickets.open_ones(tx)
