"""Who comes when, and who came, from the terminal."""

import json
from collections.abc import Awaitable, Callable
from dataclasses import asdict
from datetime import date, datetime, time, timedelta
from typing import Annotated, Any
from zoneinfo import ZoneInfo

import typer

from crm import appointments, attendance, businesses
from crm.record import Tx
from sara.commands.desk import desk_of
from sara.commands.loop import run

app = typer.Typer(help="Appointments: the day's list, who came and who did not.", no_args_is_help=True)

Business = Annotated[str, typer.Option(help="slug of the business")]
Number = Annotated[int, typer.Argument(help="number of the appointment, as the list shows it")]


@app.command("list")
def list_(
    business: Business,
    day: Annotated[str | None, typer.Option(help="YYYY-MM-DD; today when none is given")] = None,
    as_json: Annotated[bool, typer.Option("--json")] = False,
) -> None:
    """The appointments of a day, in the business's time zone."""
    try:
        wanted = date.fromisoformat(day) if day else None
    except ValueError as error:
        raise typer.BadParameter("write the day as YYYY-MM-DD") from error
    for row in run(_list(business, wanted)):
        if as_json:
            print(json.dumps(row, ensure_ascii=False, default=str))
        else:
            who = row["contact_name"] or f"+{row['wa_id']}"
            what = f"{row['service_key']} ({row['resource_key']}), {row['people']} people, {row['status']}"
            print(f"#{row['appointment_id']:<6} {row['starts']:%H:%M}  {who}: {what}")


async def _list(business: str, day: date | None) -> list[dict[str, Any]]:
    async with desk_of(business) as desk, desk.crm.transaction(desk.business_id) as tx:
        zone = ZoneInfo((await businesses.profile(tx)).business.time_zone)
        first = datetime.combine(day or tx.now.astimezone(zone).date(), time(0), zone)
        found = await appointments.between(tx, first, first + timedelta(days=1))
    return [{**asdict(row), "starts": row.starts.astimezone(zone)} for row in found]


@app.command("attended")
def attended(business: Business, appointment: Number) -> None:
    """The customer came: the invoice draft is due."""
    run(_close(business, appointment, attendance.attended))


@app.command("missed")
def missed(business: Business, appointment: Number) -> None:
    """The customer did not come: nothing is to be paid, and it counts against booking by chat."""
    run(_close(business, appointment, attendance.missed))


closing = typer.Typer(help="How an appointment ended.", no_args_is_help=True)
closing.command("complete")(attended)
closing.command("no-show")(missed)


async def _close(business: str, appointment: int, how: Callable[[Tx, int], Awaitable[None]]) -> None:
    async with desk_of(business) as desk, desk.crm.transaction(desk.business_id) as tx:
        await how(tx, appointment)
