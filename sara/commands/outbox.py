"""Messages on their way and messages given up, from the terminal."""

import json
from dataclasses import asdict
from typing import Annotated

import typer

from crm import halts, letters
from crm.halts import HaltRow
from crm.letters import LetterRow, StepRow
from sara.commands.desk import desk_of
from sara.commands.loop import run

app = typer.Typer(help="Messages to customers: what waits, what was given up and why.", no_args_is_help=True)

Business = Annotated[str, typer.Option(help="slug of the business")]
AsJson = Annotated[bool, typer.Option("--json")]


@app.command("list")
def list_(
    business: Business,
    waiting: Annotated[bool, typer.Option("--waiting", help="what is still on its way instead")] = False,
    most: Annotated[int, typer.Option(min=1, max=1000)] = 50,
    as_json: AsJson = False,
) -> None:
    """Messages that were given up, or failed at WhatsApp, with the cause; the newest first."""

    async def work() -> tuple[list[LetterRow], list[HaltRow]]:
        async with desk_of(business) as desk, desk.crm.transaction(desk.business_id) as tx:
            return await letters.listed(tx, dead=not waiting, most=most), await halts.all_(tx)

    rows, stopped = run(work())
    if as_json:
        for row in rows:
            print(json.dumps(asdict(row), ensure_ascii=False, default=str))
        return
    for halt in stopped:
        print(f"number {halt.phone_number_id} is stopped since {halt.since:%Y-%m-%d %H:%M}: {halt.reason}")
    for row in rows:
        print(_line(row))
    if not rows:
        print("nothing waits" if waiting else "nothing was given up")


def _line(row: LetterRow) -> str:
    state = "failed" if row.status == "failed" else row.state
    words = " ".join(row.body.split())[:60]
    who = row.contact_name or row.wa_id or f"conversation {row.conversation_id}"
    cause = f" [{row.cause}]" if row.cause else ""
    made = f"{row.created_at:%m-%d %H:%M}"
    return f"{row.outbox_id:>6}  {made}  {state:<9} {who:<20} {words}\n        {row.error or ''}{cause}"


@app.command("show")
def show(
    business: Business,
    number: Annotated[int, typer.Argument(help="number of the message, from `sara outbox list`")],
    as_json: AsJson = False,
) -> None:
    """What happened to one message: attempts, statuses and their times."""

    async def work() -> list[StepRow]:
        async with desk_of(business) as desk, desk.crm.transaction(desk.business_id) as tx:
            return await letters.history(tx, number)

    for step in run(work()):
        if as_json:
            print(json.dumps(asdict(step), ensure_ascii=False, default=str))
        else:
            code = f" [{step.error_code}]" if step.error_code else ""
            print(f"{step.at:%Y-%m-%d %H:%M:%S}  {step.what:<10} {step.error or ''}{code}")


@app.command("retry")
def retry(
    business: Business,
    numbers: Annotated[list[int], typer.Argument(help="numbers of the messages, from `sara outbox list`")],
    even_if_twice: Annotated[
        bool, typer.Option("--even-if-twice", help="also where WhatsApp may have taken it already")
    ] = False,
) -> None:
    """Sends messages that were given up once more; a worker delivers them."""

    async def work() -> None:
        async with desk_of(business) as desk, desk.crm.transaction(desk.business_id) as tx:
            for number in numbers:
                await letters.retry(tx, number, even_if_twice=even_if_twice)

    run(work())
    print(f"{len(numbers)} queued again")
