"""Hand-overs from the terminal, by the operator of this installation."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import asdict
from typing import Annotated, Any

import typer

from channels.messages import OutboundMessage
from channels.whatsapp.limits import fit
from crm import businesses, conversations, corrections, desk, handoffs, messages
from crm.errors import UnknownHandoff
from crm.record import Crm
from db.tenancy import tenant
from graph.build import build
from graph.history import around_pause
from sara import services
from sara.commands.desk import require_database
from sara.commands.loop import run
from sara.settings import load
from sara.state_dump import as_lines, as_text

app = typer.Typer(help="Conversations that wait for a human.", no_args_is_help=True)

Id = Annotated[int, typer.Argument(help="number of the hand-over, from `sara handoff list`")]
AsJson = Annotated[bool, typer.Option("--json")]
Note = Annotated[str, typer.Option(help="what SARA should know, or how it ended")]


@app.command("list")
def list_(business: Annotated[str | None, typer.Option()] = None, as_json: AsJson = False) -> None:
    """The open hand-overs, the longest waiting first."""
    found = run(_list(business))
    for row in found:
        if as_json:
            print(json.dumps(row, ensure_ascii=False, default=str))
        else:
            print(f"{row['handoff_id']:>5}  {row['business']:<14} {row['reason']:<18} {row['wants'][:60]}")
    if not found and not as_json:
        print("nobody waits")


async def _list(business: str | None) -> list[dict[str, Any]]:
    found = []
    async with _record() as crm:
        async with crm.outside() as tx:
            if business is not None:
                await businesses.of_slug(tx, business)  # says so where there is no such business
            directory = await businesses.directory(tx)
        for entry in directory:
            if business in (None, entry.slug):
                async with crm.transaction(entry.business_id) as tx:
                    rows = await handoffs.queue(tx)
                found += [{"business": entry.slug, **asdict(row)} for row in rows]
    return found


@app.command("show")
def show(
    handoff_id: Id,
    as_json: AsJson = False,
    state: Annotated[
        bool, typer.Option("--state", help="the thread's state before the pause, in it and after it")
    ] = False,
) -> None:
    """One hand-over with its conversation."""
    if state:
        print(run(_states(handoff_id, as_json)))
        return
    packet = run(_show(handoff_id))
    if as_json:
        print(json.dumps(packet, ensure_ascii=False, default=str))
        return
    for name in (
        "status",
        "reason",
        "label",
        "queue",
        "contact_name",
        "wa_id",
        "language",
        "summary",
        "wants",
        "draft",
    ):
        print(f"{name:>14}: {packet[name]}{_named(packet, name)}")
    for said in packet["messages"]:
        voice = f" [voice note, message {said['message_id']}]" if said["recorded"] else ""
        print(f"  {said['sent_at']:%H:%M} {said['author']:>8}: {said['body']}{voice}")


async def _show(handoff_id: int) -> dict[str, Any]:
    async with _record() as crm, crm.transaction(await _business_of(crm, handoff_id)) as tx:
        row = await handoffs.get(tx, handoff_id)
        conversation = await conversations.get(tx, row.conversation_id)
        said = await messages.of_conversation(tx, row.conversation_id)
        profile = await businesses.profile(tx)
    return {
        **asdict(row),
        "queue_name": profile.pack.queue_names.get(profile.language),
        "epoch": conversation.epoch,
        "messages": [asdict(message) for message in said],
    }


async def _states(handoff_id: int, as_json: bool) -> str:
    settings = load()
    await asyncio.to_thread(require_database, settings)
    async with services.database(settings) as dsn, services.record(settings, dsn) as crm:
        business_id = await _business_of(crm, handoff_id)
        async with crm.transaction(business_id) as tx:
            thread_id = (await handoffs.get(tx, handoff_id)).thread_id
        async with services.checkpoints(settings, dsn) as saver:
            with tenant(business_id):
                moments = await around_pause(build(saver), thread_id, handoff_id)
    return as_lines(moments) if as_json else as_text(moments)


def _named(packet: dict[str, Any], field: str) -> str:
    """What people call the queue, after its key."""
    return f" ({packet['queue_name']})" if field == "queue" and packet["queue_name"] else ""


@app.command("reply")
def reply(handoff_id: Id, text: Annotated[str, typer.Argument(help="what the customer will read")]) -> None:
    """Answers the customer; a running worker delivers it."""
    texts = [part.body for part in fit(OutboundMessage(body=text))]

    async def work() -> None:
        async with _record() as crm, crm.transaction(await _business_of(crm, handoff_id)) as tx:
            await desk.answer(tx, handoff_id, None, texts)

    run(work())
    print("queued")


@app.command("back")
def back(
    handoff_id: Id,
    note: Note = "",
    fact: Annotated[list[str] | None, typer.Option(help="key=value SARA should know; repeatable")] = None,
    promise: Annotated[list[str] | None, typer.Option(help="what was promised; repeatable")] = None,
) -> None:
    """Gives the conversation back to SARA, who goes on with what was said."""
    pairs = [entry.partition("=") for entry in fact or []]
    if any(not sign for _, sign, _ in pairs):
        raise typer.BadParameter("write facts as key=value")
    facts = {key.strip(): value.strip() for key, _, value in pairs}

    async def work() -> None:
        async with _record() as crm, crm.transaction(await _business_of(crm, handoff_id)) as tx:
            await desk.hand_back(tx, handoff_id, None, note=note, facts=facts, promises=promise or [])

    run(work())
    print("handed back")


@app.command("corrections")
def corrections_(business: Annotated[str, typer.Option(help="slug of the business")]) -> None:
    """What agents said instead of SARA, a JSON row a line: for `sara eval corrections --dataset FILE`."""
    for row in run(_corrections(business)):
        print(json.dumps(row, ensure_ascii=False, default=str))


async def _corrections(business: str) -> list[dict[str, Any]]:
    async with _record() as crm:
        async with crm.outside() as tx:
            business_id = await businesses.of_slug(tx, business)
        async with crm.transaction(business_id) as tx:
            return [asdict(row) for row in await corrections.rows(tx)]


@app.command("resolve")
def resolve(handoff_id: Id, note: Note = "") -> None:
    """Closes the matter; the customer's next message opens a new conversation."""

    async def work() -> None:
        async with _record() as crm, crm.transaction(await _business_of(crm, handoff_id)) as tx:
            await desk.resolve(tx, handoff_id, None, note=note)

    run(work())
    print("resolved")


@asynccontextmanager
async def _record() -> AsyncIterator[Crm]:
    settings = load()
    await asyncio.to_thread(require_database, settings)
    async with services.database(settings) as dsn, services.record(settings, dsn) as crm:
        yield crm


async def _business_of(crm: Crm, handoff_id: int) -> int:
    """Which business a hand-over belongs to; the operator sees all of them."""
    async with crm.outside() as tx:
        directory = await businesses.directory(tx)

    async def holds(business_id: int) -> int | None:
        async with crm.transaction(business_id) as tx:
            try:
                await handoffs.get(tx, handoff_id)
            except UnknownHandoff:
                return None
        return business_id

    found = await asyncio.gather(*(holds(entry.business_id) for entry in directory))
    for business_id in found:
        if business_id is not None:
            return business_id
    raise UnknownHandoff(f"no hand-over {handoff_id}: `sara handoff list` shows the open ones")
