"""What changed is told at once, to the consoles of that business and to no other."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import psycopg
import pytest

from api.console import stream
from api.live import ANYTHING, Live
from sara.exchange import exchange
from sara.local import Local
from tests.api.console.people import Agent, asks, customer, enter, somebody_waits
from tests.api.console.test_desk import business_id


@asynccontextmanager
async def listening(agent: Agent) -> AsyncIterator[asyncio.Queue[dict[str, Any]]]:
    """What an open console of this agent is told."""
    told: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
    opened = asyncio.Event()

    async def read() -> None:
        cookies = dict(agent.web.cookies)
        async with (
            httpx.AsyncClient(base_url=str(agent.web.base_url), cookies=cookies, timeout=60) as web,
            web.stream("GET", f"{agent.base}/live") as stream,
        ):
            assert stream.headers["content-type"].startswith("text/event-stream")
            async for line in stream.aiter_lines():
                if line == "event: open":
                    opened.set()
                elif line.startswith('data: {"c"'):
                    told.put_nowait(json.loads(line.removeprefix("data: ")))

    reading = asyncio.create_task(read())
    try:
        await asyncio.wait_for(opened.wait(), 20)
        yield told
    finally:
        reading.cancel()
        await asyncio.gather(reading, return_exceptions=True)


async def until(told: asyncio.Queue[dict[str, Any]], conversation_id: int, what: str) -> None:
    async with asyncio.timeout(20):
        while (change := await told.get()) != {"c": conversation_id, "k": what}:
            assert set(change) == {"c", "k"}  # ids only, never words


async def test_a_message_a_claim_and_a_note_are_told(whole: Local, elena: Agent, davide: Agent) -> None:
    waiting = await somebody_waits(whole)
    async with listening(elena) as told:
        await exchange(whole, waiting.customer, text="Ci siete?")
        await until(told, waiting.conversation_id, "message")
        await davide.did(waiting.conversation_id, "claim")
        await until(told, waiting.conversation_id, "owner")
        await davide.did(waiting.conversation_id, "note", text="guardo io")
        await until(told, waiting.conversation_id, "note")
        await davide.act(waiting.conversation_id, "presence", doing="typing")
        await until(told, waiting.conversation_id, "presence")
        await davide.act(waiting.conversation_id, "presence", doing="gone")
        await until(told, waiting.conversation_id, "presence")


async def test_nothing_is_told_to_another_business(whole: Local, elena: Agent, stranger: Agent) -> None:
    async with listening(stranger) as theirs, listening(elena) as ours:
        came = await asks(whole, customer())
        await until(ours, came.conversation_id, "message")
        own = await exchange(whole, customer("conti"), text="Buongiorno")
        seen = []
        async with asyncio.timeout(20):
            while not seen or seen[-1]["c"] != own.conversation_id:
                seen.append(await theirs.get())
        assert came.conversation_id not in [change["c"] for change in seen]


async def test_without_a_session_there_is_no_stream(whole: Local) -> None:
    agent = await enter(whole, "aurora")
    await agent.web.post("/console/logout", data={"csrf": agent.csrf})
    assert (await agent.web.get(f"{agent.base}/live")).status_code == 401


async def test_a_stream_ends_with_its_session_also_where_changes_never_stop(
    whole: Local, davide: Agent, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stream, "HEARTBEAT_S", 0.5)
    agent, waiting = await enter(whole, "aurora"), await somebody_waits(whole)

    async def busy() -> None:
        while True:
            await davide.act(waiting.conversation_id, "presence", doing="typing")
            await asyncio.sleep(0.1)

    working = asyncio.create_task(busy())
    try:
        cookies = dict(agent.web.cookies)
        async with (
            asyncio.timeout(20),
            httpx.AsyncClient(base_url=whole.url, cookies=cookies, timeout=20) as web,
            web.stream("GET", f"{agent.base}/live") as told,
        ):
            lines = told.aiter_lines()
            async for line in lines:
                if line == "event: open":
                    break
            await agent.web.post("/console/logout", data={"csrf": agent.csrf})
            assert "event: over" in [line async for line in lines]
    finally:
        working.cancel()
        await asyncio.gather(working, return_exceptions=True)


async def test_after_a_lost_connection_everybody_fetches_anew(whole: Local, served_dsn: str) -> None:
    live = Live(served_dsn)
    aurora = await business_id(whole)
    with live.listen(aurora) as changes:  # before the first connection, which is what is waited for
        listens = asyncio.create_task(live.run())
        try:
            async with asyncio.timeout(20):  # listening has begun; statuses of what was sent before come too
                while await changes.get() != ANYTHING:
                    pass
            async with await psycopg.AsyncConnection.connect(served_dsn, autocommit=True) as owner:
                await owner.execute(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                    " WHERE query = 'LISTEN \"sara_live\"' AND pid <> pg_backend_pid()"
                )
            async with asyncio.timeout(20):
                while await changes.get() != ANYTHING:
                    pass
            for _ in range(300):
                live._tell(aurora, ANYTHING)
            assert changes.qsize() <= 200
        finally:
            listens.cancel()
            await asyncio.gather(listens, return_exceptions=True)
    assert live.streams == 0
