"""The calendars of people and rooms, from the terminal."""

import json
import sys
from dataclasses import asdict
from datetime import datetime
from typing import Annotated, Any

import typer

from channels.calendars.calendar import Calendar
from channels.calendars.errors import CalendarError
from crm import calendars
from crm.calendars import Provider
from sara import services
from sara.calendar_opener import calendar_opener
from sara.commands.desk import desk_of
from sara.commands.failures import CommandFailed
from sara.commands.loop import run

app = typer.Typer(help="Calendars of people and rooms.", no_args_is_help=True)

Business = Annotated[str, typer.Option(help="slug of the business")]
Resource = Annotated[str, typer.Argument(help="key of the person or room in the business file")]
AsJson = Annotated[bool, typer.Option("--json")]


@app.command("list")
def list_(business: Business, as_json: AsJson = False) -> None:
    """The calendars there are, when they were read last and what is wrong. Passwords are not shown."""
    for row in run(_list(business)):
        if as_json:
            print(json.dumps(row, ensure_ascii=False, default=str))
        else:
            linked = f"{row['provider']} {row['address']}" if row["provider"] else "-"
            feed = "feed" if row["has_feed"] else "no feed"
            state = row["error"] or (f"read {row['checked_at']:%Y-%m-%d %H:%M}" if row["checked_at"] else "-")
            print(f"{row['resource_key']:<20} {feed:<8} {linked}: {state}")


async def _list(business: str) -> list[dict[str, Any]]:
    async with desk_of(business) as desk, desk.crm.transaction(desk.business_id) as tx:
        found = [asdict(row) for row in await calendars.of_business(tx)]
    return [{key: value for key, value in row.items() if key != "secret"} for row in found]


@app.command("feed")
def feed(business: Business, resource: Resource) -> None:
    """Makes a new address to subscribe to and prints it once; the old one stops working."""
    print(run(_feed(business, resource)))


async def _feed(business: str, resource: str) -> str:
    async with desk_of(business) as desk, desk.crm.transaction(desk.business_id) as tx:
        token = await calendars.new_feed(tx, await calendars.resource_of(tx, resource))
    base = (desk.settings.public_url or "").rstrip("/")
    return f"{base}/calendars/{token}.ics"


@app.command("caldav")
def caldav(
    business: Business,
    resource: Resource,
    url: Annotated[str, typer.Option(help="address of the calendar collection")],
    user: Annotated[str, typer.Option(help="user at the CalDAV server")],
) -> None:
    """Links a CalDAV calendar; the password is read from standard input. It is tried before it is kept."""
    if not url.startswith(("https://", "http://")):
        raise typer.BadParameter("--url begins with https://")
    run(_link(business, resource, "caldav", url, user, _secret("password")))


@app.command("google")
def google(
    business: Business,
    resource: Resource,
    calendar: Annotated[str, typer.Option(help="the calendar's id at Google, such as an e-mail address")],
) -> None:
    """Links a Google Calendar; its owner's refresh token is read from standard input."""
    run(_link(business, resource, "google", calendar, "", _secret("refresh token")))


def _secret(what: str) -> str:
    given = typer.prompt(what, hide_input=True) if sys.stdin.isatty() else sys.stdin.readline()
    if not str(given).strip():
        raise typer.BadParameter(f"no {what} on standard input")
    return str(given).strip()


async def _link(
    business: str, resource: str, provider: Provider, address: str, username: str, secret: str
) -> None:
    async with (
        desk_of(business) as desk,
        calendar_opener(desk.settings, services.secrets_seal(desk.settings)) as opened,
        desk.crm.transaction(desk.business_id) as tx,
    ):
        resource_id = await calendars.resource_of(tx, resource)
        await calendars.link(
            tx,
            resource_id,
            provider,
            address=address,
            username=username,
            secret=desk.seal.close(secret.encode()),
        )
        row = await calendars.get(tx, resource_id)
        if row is None or opened is None:
            raise CommandFailed("this calendar cannot be opened here")
        await _try(opened(row), tx.now)  # a failure rolls the link back


async def _try(calendar: Calendar, now: datetime) -> None:
    try:
        await calendar.busy(now, now)
    except CalendarError as error:
        raise CommandFailed(str(error)) from error


@app.command("unlink")
def unlink(business: Business, resource: Resource) -> None:
    """Leaves the calendar as it is: it is neither written to nor read any more. The feed stays."""
    run(_unlink(business, resource))


async def _unlink(business: str, resource: str) -> None:
    async with desk_of(business) as desk, desk.crm.transaction(desk.business_id) as tx:
        await calendars.unlink(tx, await calendars.resource_of(tx, resource))
