"""Who looked at whose data, who came in, who changed what: the trail from the terminal."""

import json
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Annotated
from zoneinfo import ZoneInfo

import typer

from crm import businesses, trail
from crm.errors import UnknownAgent
from crm.privacy import people
from crm.record import Tx
from crm.trail import TrailRow
from sara.commands.desk import desk_of
from sara.commands.loop import run

_DAY = "%Y-%m-%d"


def audit(
    business: Annotated[str, typer.Option(help="slug of the business")],
    agent: Annotated[str | None, typer.Option(help="e-mail address of one agent")] = None,
    contact: Annotated[str | None, typer.Option(help="phone number or #12 of one customer")] = None,
    since: Annotated[
        datetime | None, typer.Option(formats=[_DAY], help="first day; a week ago when none is given")
    ] = None,
    until: Annotated[datetime | None, typer.Option(formats=[_DAY], help="last day; today")] = None,
    most: Annotated[int, typer.Option(min=1, max=100_000, help="lines at most")] = 200,
    as_json: Annotated[bool, typer.Option("--json", help="one JSON object a line")] = False,
) -> None:
    """Who looked at which customer's data, logged in, or changed something; the latest first."""
    if since is not None and until is not None and until < since:
        raise typer.BadParameter("the last day comes before the first")
    rows, more, zone = run(_found(business, agent, contact, since, until, most))
    for row in rows:
        print(json.dumps(asdict(row), ensure_ascii=False, default=str) if as_json else _line(row, zone))
    if not rows and not as_json:
        print("nothing in these days")
    if more and not as_json:
        print(f"… and more: ask for fewer days, or for more lines than {most} with --most")


async def _found(
    business: str,
    agent: str | None,
    contact: str | None,
    since: datetime | None,
    until: datetime | None,
    most: int,
) -> tuple[list[TrailRow], bool, ZoneInfo]:
    async with desk_of(business) as desk, desk.crm.transaction(desk.business_id) as tx:
        zone = ZoneInfo((await businesses.row(tx)).time_zone)
        last = until.replace(tzinfo=zone) if until else tx.now.astimezone(zone)
        end = (last + timedelta(days=1)).replace(hour=0, minute=0, second=0, microsecond=0)
        first = since.replace(tzinfo=zone) if since else end - timedelta(days=8)
        contacts = None
        if contact is not None:
            contacts = await trail.entries_of(tx, (await people.find(tx, contact)).contact_id)
        agent_id = await _agent(tx, agent) if agent is not None else None
        rows, more = await trail.page(tx, first, end, agent_id=agent_id, contacts=contacts, size=most)
        return rows, more, zone


async def _agent(tx: Tx, email: str) -> int:
    """Also somebody who may no longer log in. Raises UnknownAgent."""
    agent_id = await trail.agent_of(tx, email)
    if agent_id is None:
        raise UnknownAgent(f"{email}: {UnknownAgent.__doc__}")
    return agent_id


def _line(row: TrailRow, zone: ZoneInfo) -> str:
    who = row.agent_name or (f"#{row.agent_id}" if row.agent_id else "operator")
    about = [f"contact #{row.contact_id}" if row.contact_id else "", row.subject_name or "", row.detail]
    words = " ".join(filter(None, (*about, row.via, row.address)))
    return f"{row.at.astimezone(zone):%Y-%m-%d %H:%M:%S}  {who:<24} {row.what:<18} {words}".rstrip()
