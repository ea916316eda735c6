"""What the team has to do for customers, from the terminal: what is due, and that it is done."""

from dataclasses import asdict
from datetime import timedelta
from json import dumps
from typing import Annotated

import typer

from crm import contacts, follow_ups
from crm.contacts import ContactRow
from crm.follow_ups import FollowUpRow
from sara.commands.desk import desk_of
from sara.commands.loop import run

app = typer.Typer(
    help="What the team has to do for customers: quotes to price, leads to call.", no_args_is_help=True
)

Business = Annotated[str, typer.Option(help="slug of the business")]


@app.command("list")
def list_(
    business: Business,
    days: Annotated[int, typer.Option(min=0, max=3650, help="due within so many days")] = 7,
    as_json: Annotated[bool, typer.Option("--json")] = False,
) -> None:
    """What is open and due, the first due first."""
    for row, who in run(_list(business, days)):
        if as_json:
            told = {**asdict(row), "contact_name": who.name, "wa_id": who.wa_id}
            print(dumps(told, ensure_ascii=False, default=str))
        else:
            about = f" #{row.subject_id}" if row.subject_id else ""
            print(
                f"{row.follow_up_id:>5}  {row.due_at:%Y-%m-%d %H:%M}  {row.kind}{about}"
                f"  {who.name or who.wa_id or who.contact_id}  {row.agent_name or row.queue or ''}"
            )


@app.command("done")
def done(
    follow_up_id: Annotated[int, typer.Argument(help="number, from `sara follow-up list`")],
    business: Business,
) -> None:
    """Somebody did it."""

    async def work() -> None:
        async with desk_of(business) as desk, desk.crm.transaction(desk.business_id) as tx:
            await follow_ups.done(tx, follow_up_id)

    run(work())
    print("done")


async def _list(business: str, days: int) -> list[tuple[FollowUpRow, ContactRow]]:
    async with desk_of(business) as desk, desk.crm.transaction(desk.business_id) as tx:
        rows = await follow_ups.due(tx, tx.now + timedelta(days=days))
        return [(row, await contacts.get(tx, row.contact_id)) for row in rows]
