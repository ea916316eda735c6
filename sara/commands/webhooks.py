"""Other systems that hear of events, from the terminal."""

import json
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

import typer

from channels.outward import guard
from channels.outward.guard import DestinationRefused, Unresolved
from channels.outward.post import new_secret
from crm import outward
from crm.outward import FAMILIES, DeliveryRow, SubscriptionRow, is_event
from sara.commands.desk import desk_of
from sara.commands.failures import CommandFailed
from sara.commands.loop import run

app = typer.Typer(help="Signed webhooks to other systems (Standard Webhooks).", no_args_is_help=True)

Business = Annotated[str, typer.Option(help="slug of the business")]
AsJson = Annotated[bool, typer.Option("--json")]
Number = Annotated[int, typer.Argument(help="number of the receiver, from `sara webhooks list`")]


@app.command("list")
def list_(business: Business, as_json: AsJson = False) -> None:
    """The receivers, with what waits, arrived and was given up. Addresses and secrets are not shown."""
    for row in run(_list(business)):
        if as_json:
            print(json.dumps(_shown(row), ensure_ascii=False, default=str))
        else:
            state = (
                f"stopped: {row.stopped}"
                if row.stopped
                else "with content"
                if row.with_content
                else "ids only"
            )
            counts = f"{row.queued} waiting, {row.delivered} delivered, {row.dead} given up"
            number, events = row.webhook_subscription_id, " ".join(row.events)
            print(f"{number:>4}  {row.host:<28} {events:<24} {counts}; {state}")


async def _list(business: str) -> list[SubscriptionRow]:
    async with desk_of(business) as desk, desk.crm.transaction(desk.business_id) as tx:
        return await outward.subscriptions(tx)


def _shown(row: SubscriptionRow) -> dict[str, Any]:
    return {key: value for key, value in asdict(row).items() if not key.startswith("sealed")}


@app.command("add")
def add(
    business: Business,
    url: Annotated[str, typer.Argument(help="https address that takes the events")],
    event: Annotated[
        list[str] | None, typer.Option(help="such as quote.accepted, quote.* or *; repeatable")
    ] = None,
    content: Annotated[
        bool, typer.Option("--content", help="with names, phone numbers and what was said")
    ] = False,
) -> None:
    """One more receiver; prints its signing secret, once."""
    events = event or ["*"]
    unknown = [name for name in events if not is_event(name)]
    if unknown:
        raise typer.BadParameter(
            f"{', '.join(unknown)}: events are * or begin with {', '.join(FAMILIES)} and a dot"
        )
    number, secret = run(_add(business, url, events, content))
    print(f"receiver {number}")
    print(secret)


async def _add(business: str, url: str, events: list[str], content: bool) -> tuple[int, str]:
    secret = new_secret()
    async with desk_of(business) as desk:
        allowed = desk.settings.webhooks_allow_private
        try:
            host, port = guard.check_url(url, allow_private=allowed)
            await guard.addresses(host, port, allow_private=allowed)
        except (DestinationRefused, Unresolved) as error:
            raise CommandFailed(str(error)) from error
        seal = desk.seal
        async with desk.crm.transaction(desk.business_id) as tx:
            number = await outward.subscribe(
                tx,
                host=host,
                events=events,
                with_content=content,
                sealed_url=seal.close(url.encode()),
                sealed_secret=seal.close(secret.encode()),
            )
    return number, secret


@app.command("remove")
def remove(business: Business, number: Number) -> None:
    """It hears nothing more, neither what still waits."""

    async def work() -> bool:
        async with desk_of(business) as desk, desk.crm.transaction(desk.business_id) as tx:
            return await outward.unsubscribe(tx, number)

    if not run(work()):
        raise CommandFailed(_nobody(business, number))
    print("removed")


@app.command("rotate")
def rotate(
    business: Business,
    number: Number,
    grace_hours: Annotated[float, typer.Option(min=0, help="hours the old secret signs too")] = 24,
) -> None:
    """A new signing secret, printed once; both sign until the grace is over."""
    secret = new_secret()

    async def work() -> bool:
        async with desk_of(business) as desk:
            sealed = desk.seal.close(secret.encode())
            async with desk.crm.transaction(desk.business_id) as tx:
                return await outward.rotate(tx, number, sealed, tx.now + timedelta(hours=grace_hours))

    if not run(work()):
        raise CommandFailed(_nobody(business, number))
    print(secret)


@app.command("log")
def log(
    business: Business,
    dead: Annotated[bool, typer.Option("--dead", help="only what was given up")] = False,
    most: Annotated[int, typer.Option(min=1, max=1000)] = 50,
    as_json: AsJson = False,
) -> None:
    """Deliveries and what became of them, the newest first."""

    async def work() -> list[DeliveryRow]:
        async with desk_of(business) as desk, desk.crm.transaction(desk.business_id) as tx:
            return await outward.deliveries(tx, "dead" if dead else None, most)

    for row in run(work()):
        if as_json:
            print(json.dumps(asdict(row), ensure_ascii=False, default=str))
        else:
            said = row.error or row.status_code or ""
            made = f"{row.created_at:%Y-%m-%d %H:%M}"
            became = f"{row.state} after {row.attempts} {said}"
            print(f"{row.webhook_delivery_id:>6}  {made}  {row.host:<24} {row.type:<22} {became}")


@app.command("replay")
def replay(
    business: Business,
    delivery: Annotated[
        list[int] | None, typer.Argument(help="numbers of deliveries, from `sara webhooks log`")
    ] = None,
    to: Annotated[int | None, typer.Option(help="only this receiver's")] = None,
    dead: Annotated[bool, typer.Option("--dead", help="what was given up")] = False,
    since: Annotated[datetime | None, typer.Option(help="what happened since, in UTC")] = None,
) -> None:
    """Sends deliveries once more under the ids they had; a stopped receiver starts again."""
    if not delivery and not dead and since is None:
        raise typer.BadParameter("say which: numbers of deliveries, --dead or --since")

    async def work() -> int:
        async with desk_of(business) as desk, desk.crm.transaction(desk.business_id) as tx:
            return await outward.replay(
                tx,
                subscription_id=to,
                ids=delivery or None,
                state="dead" if dead else None,
                since=since.replace(tzinfo=UTC) if since and since.tzinfo is None else since,
            )

    print(f"{run(work())} queued again")


def _nobody(business: str, number: int) -> str:
    return f"{business} has no receiver {number}: `sara webhooks list` shows those there are"
