"""Where the team is told, from the terminal."""

import json
import sys
from dataclasses import asdict
from typing import Annotated, Any

import typer

from channels import team
from channels.team import AddressRefused, NotTold
from crm import alerts, businesses
from crm.alerts import KINDS, DeadRow, PatienceRow
from jobs.news import Desk as Newsdesk
from knowledge.phrases import Phrases
from sara.commands.desk import desk_of
from sara.commands.failures import CommandFailed
from sara.commands.loop import run

app = typer.Typer(help="Who of the team is told what, and where.", no_args_is_help=True)

Business = Annotated[str, typer.Option(help="slug of the business")]
AsJson = Annotated[bool, typer.Option("--json")]


@app.command("list")
def list_(business: Business, as_json: AsJson = False) -> None:
    """The places that are told, with what waits, was sent and was given up. Addresses are not shown."""
    for row in run(_list(business)):
        if as_json:
            print(json.dumps(row, ensure_ascii=False, default=str))
        else:
            wants = ", ".join(row["kinds"]) or "everything"
            counts = f"{row['queued']} waiting, {row['sent']} sent, {row['dead']} given up"
            queue = row["queue"] or "every queue"
            print(f"{row['name']:<20} {row['service']:<12} {queue:<14} {counts}; {wants}")


async def _list(business: str) -> list[dict[str, Any]]:
    async with desk_of(business) as desk, desk.crm.transaction(desk.business_id) as tx:
        found = [asdict(row) for row in await alerts.targets(tx)]
    return [{key: value for key, value in row.items() if key != "sealed"} for row in found]


@app.command("add")
def add(
    business: Business,
    name: Annotated[str, typer.Option(help="what you call it")],
    address: Annotated[str, typer.Argument(help="an apprise address; - reads it from standard input")],
    queue: Annotated[str | None, typer.Option(help="only what stands in this queue")] = None,
    kind: Annotated[list[str] | None, typer.Option(help="only this kind of alert; repeatable")] = None,
) -> None:
    """One more place: slack://…, mailtos://…, tgram://…, and what else apprise knows."""
    unknown = sorted(set(kind or []) - set(KINDS))
    if unknown:
        raise typer.BadParameter(f"{', '.join(unknown)}: kinds are {', '.join(KINDS)}")
    written = sys.stdin.readline().strip() if address == "-" else address
    print(run(_add(business, name, written, queue, kind or [])))


async def _add(business: str, name: str, address: str, queue: str | None, kinds: list[str]) -> str:
    try:
        service = team.service_of(address)
    except AddressRefused as error:
        raise CommandFailed(str(error)) from error
    async with desk_of(business) as desk:
        sealed = desk.seal.close(address.encode())
        async with desk.crm.transaction(desk.business_id) as tx:
            known = (await businesses.profile(tx)).pack.queue
            made = await alerts.add_target(tx, name, queue=queue, kinds=kinds, service=service, sealed=sealed)
    if made is None:
        raise CommandFailed(f"{business} has a place called {name!r} already: remove it first")
    hint = f" (the queue of {business} is {known or 'not named'})" if queue not in (None, known) else ""
    return f"{name}: {service}{hint}. Try it: sara alerts test --business {business} {name}"


@app.command("remove")
def remove(business: Business, name: Annotated[str, typer.Argument()]) -> None:
    """It is not told any more, neither what still waits."""

    async def work() -> bool:
        async with desk_of(business) as desk, desk.crm.transaction(desk.business_id) as tx:
            return await alerts.remove_target(tx, name)

    if not run(work()):
        raise CommandFailed(_nobody(business, name))
    print("removed")


@app.command("test")
def try_out(
    business: Business,
    name: Annotated[str | None, typer.Argument(help="one place; without it every one")] = None,
) -> None:
    """Sends a test alert at once and says what became of it; exits 1 when one was not taken."""
    outcomes = run(_test(business, name), log_level="error")
    for place, problem in outcomes.items():
        print(f"{place}: {problem or 'taken'}")
    failed = [place for place, problem in outcomes.items() if problem]
    if failed:
        raise CommandFailed(f"not taken: {', '.join(failed)}")


async def _test(business: str, name: str | None) -> dict[str, str]:
    async with desk_of(business) as desk:
        async with desk.crm.transaction(desk.business_id) as tx:
            profile = await businesses.profile(tx)
            places = [row for row in await alerts.targets(tx) if name in (None, row.name)]
        if not places:
            raise CommandFailed(_nobody(business, name))
        news = Newsdesk(Phrases.load(), profile, desk.settings.public_url).test()
        outcomes = {}
        for place in places:
            try:
                await team.tell(desk.seal.open(place.sealed).decode(), news.title, news.body)
                outcomes[place.name] = ""
            except (NotTold, AddressRefused) as error:
                outcomes[place.name] = str(error)
    return outcomes


@app.command("dead")
def dead(
    business: Business,
    retry: Annotated[bool, typer.Option("--retry", help="queue all of them again")] = False,
    as_json: AsJson = False,
) -> None:
    """Alerts that were given up, and why."""
    if retry:
        print(f"{run(_revive(business))} queued again")
        return
    for row in run(_dead(business)):
        if as_json:
            print(json.dumps(asdict(row), ensure_ascii=False, default=str))
        else:
            made = f"{row.created_at:%Y-%m-%d %H:%M}"
            print(f"{row.alert_id:>6}  {made}  {row.target:<16} {row.title}: {row.error}")


async def _dead(business: str) -> list[DeadRow]:
    async with desk_of(business) as desk, desk.crm.transaction(desk.business_id) as tx:
        return await alerts.dead(tx)


async def _revive(business: str) -> int:
    async with desk_of(business) as desk, desk.crm.transaction(desk.business_id) as tx:
        return await alerts.revive(tx)


@app.command("patience")
def patience(
    business: Business,
    unanswered: Annotated[
        int | None, typer.Option(min=1, help="minutes of opening hours a hand-over may wait for an answer")
    ] = None,
    due_soon: Annotated[
        int | None, typer.Option(min=1, help="minutes before its due time a ticket is at risk")
    ] = None,
) -> None:
    """After how many minutes the team is told; shows them, or changes what is given."""

    async def work() -> PatienceRow:
        async with desk_of(business) as desk, desk.crm.transaction(desk.business_id) as tx:
            await alerts.set_patience(tx, unanswered=unanswered, due_soon=due_soon)
            return await alerts.patience(tx)

    now = run(work())
    print(f"unanswered {now.unanswered_minutes} min, due soon {now.due_soon_minutes} min")


def _nobody(business: str, name: str | None) -> str:
    wanted = f"no place called {name!r}" if name else "no place to tell"
    return f"{business} has {wanted}: `sara alerts list` shows those there are, `sara alerts add` makes one"
