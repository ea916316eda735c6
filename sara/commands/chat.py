"""Conversations on the terminal: one message, a dialogue, or a script."""

import asyncio
import json
import secrets
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Annotated

import typer

from sara import play as scripts
from sara import services
from sara.commands.loop import run
from sara.demo import is_for_the_demo, prepare, undisturbed
from sara.exchange import Customer, Exchange, exchange
from sara.local import Local, local_on
from sara.play import Journey
from sara.settings import Settings, load


def chat(
    business: Annotated[str, typer.Option(help="slug of the business")],
    sender: Annotated[str, typer.Option("--from", help="the customer's phone number")],
    text: Annotated[str | None, typer.Option(help="one text message")] = None,
    voice: Annotated[Path | None, typer.Option(exists=True, dir_okay=False, help="one voice note")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="print everything about the turn")] = False,
) -> None:
    """One message through the whole path: webhook, queue, graph, outbox. Without one: a dialogue."""
    if text is not None and voice is not None:
        raise typer.BadParameter("give --text or --voice, not both")
    if not sender.lstrip("+").isdigit():
        raise typer.BadParameter("--from is a phone number with country code, such as +393331112222")
    who = Customer(business, sender.lstrip("+"))
    run(_chat(load(), who, text, voice, as_json=as_json), log_level="error")


async def _chat(
    settings: Settings, who: Customer, text: str | None, voice: Path | None, *, as_json: bool
) -> None:
    async with whole_at_once(settings, who.business) as whole:
        if text is not None or voice is not None:
            note = await asyncio.to_thread(voice.read_bytes) if voice else None
            _print(await exchange(whole, who, text=text, voice=note), as_json=as_json)
            return
        while line := (await asyncio.to_thread(_ask)).strip():
            _print(await exchange(whole, who, text=line), as_json=as_json)


def _ask() -> str:
    try:
        return input("you: ")
    except EOFError:
        return ""


@asynccontextmanager
async def whole_at_once(settings: Settings, business: str | None = None) -> AsyncIterator[Local]:
    """Everything in one process, without the wait for a burst. An embedded database of the demo, or an empty
    one, is brought to the demo's state first; others are left as they are, and so is a database of one's own.
    `business` is whom it is about; None: the demo's."""
    settings = settings.model_copy(update={"gather_seconds": 0.0})
    async with services.database(settings) as dsn:
        if not settings.database_url:
            async with services.record(settings, dsn) as crm:
                if await is_for_the_demo(crm, business):
                    await prepare(settings, dsn, crm, report=lambda _: None)
        async with local_on(settings, dsn) as whole:
            yield whole


def _print(result: Exchange, *, as_json: bool) -> None:
    if as_json:
        print(json.dumps(result.as_json(), ensure_ascii=False), flush=True)
        return
    print(f"sara: {result.reply or '(a human has this conversation)'}", flush=True)
    for title in result.buttons:
        print(f"      [{title}]", flush=True)


def play(
    files: Annotated[list[Path], typer.Argument(exists=True, help="scripts")],
    as_json: Annotated[bool, typer.Option("--json", help="one JSON line a script")] = False,
    fresh: Annotated[bool, typer.Option(help="give each run a customer nobody knows yet")] = True,
) -> None:
    """Plays scripted conversations and checks their expectations; exits 1 when one does not hold."""

    async def work() -> list[Journey]:
        async with whole_at_once(await undisturbed(load())) as whole:
            return await play_all(whole, files, fresh=fresh)

    played = run(work(), log_level="error")
    if as_json:
        for journey in played:
            print(json.dumps(_as_json(journey), ensure_ascii=False))
        passed = all(journey.passed for journey in played)
    else:
        passed = print_journeys(played)
    if not passed:
        raise typer.Exit(1)


async def play_all(whole: Local, files: Sequence[Path], *, fresh: bool) -> list[Journey]:
    """Plays scripts one after another; `fresh` customers have a number made up for this run."""
    played = []
    for file in files:
        script = scripts.read(file)
        number = script.customer.lstrip("+")
        customer = number[:4] + str(secrets.randbelow(10**8)).zfill(8) if fresh else number
        played.append(await scripts.play(whole, script, base=file.parent, customer=customer))
    return played


def print_journeys(played: Sequence[Journey]) -> bool:
    """Prints conversations as they went; True when every expectation held."""
    for journey in played:
        print(f"\n── {journey.title}")
        for step in journey.steps:
            print(f"  customer: {step.said}" if not step.said.startswith("(agent") else f"  {step.said}")
            if step.result is not None:
                heard = f"  (heard: {step.result.transcript})" if step.result.transcript else ""
                reply = step.result.reply.replace("\n", "\n            ")
                print(f"      sara: {reply or '—'}{heard}")
                if step.result.buttons:
                    print(f"            [{'] ['.join(step.result.buttons)}]")
            for problem in step.problems:
                print(f"    ✗ {problem}")
    good = sum(journey.passed for journey in played)
    print(f"\n{good} of {len(played)} journeys as expected")
    return good == len(played)


def _as_json(journey: Journey) -> dict[str, object]:
    return {
        "title": journey.title,
        "passed": journey.passed,
        "steps": [
            {
                "said": step.said,
                "result": step.result.as_json() if step.result else None,
                "problems": list(step.problems),
                "seconds": round(step.seconds, 3),
            }
            for step in journey.steps
        ],
    }
