"""How long a text message takes, machine by machine: everything real, in one process, no language model."""

import asyncio
import socket
import statistics
import tempfile
import time
from collections import defaultdict
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx

from api.app import create_app
from api.state import ApiServices
from channels.whatsapp.signature import sign
from crm import businesses, inbox
from sara import services
from sara.bench import baseline
from sara.bench.figures import rss_mb, spread
from sara.bench.questions import question
from sara.bench.webhooks import text_payload
from sara.demo import prepare
from sara.exchange import Customer, exchange
from sara.local import HOST, Local, local_on, serving
from sara.settings import Settings

GATHER_S = 3.0
_OTHERS = (
    300  # from here on the questions whose turns are not timed: those that are must be news to the models
)


async def measure(settings: Settings, turns: int) -> dict[str, Any]:
    """Plays `turns` messages of fresh customers, one at a time, in a database of its own."""
    with tempfile.TemporaryDirectory(prefix="sara-bench-") as folder:
        settings = settings.model_copy(
            update={"data_dir": Path(folder), "database_url": None, "gather_seconds": 0.0}
        )
        async with services.database(settings) as dsn:
            async with services.record(settings, dsn) as crm:
                await prepare(settings, dsn, crm, report=lambda _: None)
            async with local_on(settings, dsn) as whole:
                return await _measure(whole, turns)


async def _measure(whole: Local, turns: int) -> dict[str, Any]:
    idle = rss_mb()
    acks = await _acks(whole, turns)
    nodes: dict[str, list[float]] = defaultdict(list)
    machinery, delays, total, steps = [], [], [], []
    for number in range(turns + 5):
        customer = Customer("aurora", f"3900{number:07d}")
        started = time.perf_counter()
        result = await exchange(whole, customer, text=question(number))
        elapsed = (time.perf_counter() - started) * 1000
        if number < 5:  # the first turns fill caches and pools
            continue
        turn = sum(result.timings_ms.values())
        total.append(elapsed)
        machinery.append(turn)
        delays.append(max(0.0, elapsed - turn))
        steps.append(len(result.timings_ms))
        for name, milliseconds in result.timings_ms.items():
            nodes[name].append(milliseconds)
    as_many = round(statistics.mean(steps))
    bare = await baseline.bare_turns(whole.dsn, nodes=as_many, rounds=turns)
    return {
        "turns": turns,
        "bare_nodes": as_many,
        "bare_turn_ms": spread(bare),
        "commit_ms": spread(await baseline.commits(whole.dsn, rounds=5 * turns)),
        "hello_ms": spread(await baseline.hello(rounds=5 * turns)),
        "ack_ms": spread(acks),
        "queue_and_transport_ms": spread(delays),
        "machinery_ms": spread(machinery),
        "message_to_done_ms": spread(total),
        "nodes_ms": {name: spread(times) for name, times in nodes.items()},
        "idle_rss_mb": round(idle),
    }


async def _acks(whole: Local, count: int) -> list[float]:
    """Milliseconds to answer signed webhooks with one new message each, one at a time.

    By a server of their own that gathers bursts as a real one does, so that the turns these messages
    ask for run afterwards (in production they run in other processes).
    """
    secret = whole.settings.whatsapp_app_secret.get_secret_value()
    times = []
    async with _receiving(whole) as url, httpx.AsyncClient(timeout=60) as http:
        for number in range(count + 5):
            raw = _payload(number)
            headers = {"Content-Type": "application/json", "X-Hub-Signature-256": sign(secret, raw)}
            started = time.perf_counter()
            response = await http.post(f"{url}/webhooks/whatsapp", content=raw, headers=headers)
            times.append((time.perf_counter() - started) * 1000)
            response.raise_for_status()
    await _settled(whole, count + 5)
    return times[5:]


@asynccontextmanager
async def _receiving(whole: Local) -> AsyncIterator[str]:
    settings = whole.settings.model_copy(update={"gather_seconds": GATHER_S})

    @asynccontextmanager
    async def opened() -> AsyncIterator[ApiServices]:
        yield services.api_services(settings, whole.crm)

    with socket.create_server((HOST, 0)) as listener:
        listener.setblocking(False)
        async with serving(create_app(opened), listener):
            yield f"http://{HOST}:{listener.getsockname()[1]}"


async def _settled(whole: Local, count: int) -> None:
    async with whole.crm.outside() as tx:
        business_id = await businesses.of_slug(tx, "aurora")
    for number in range(count):
        while True:
            async with whole.crm.transaction(business_id) as tx:
                taken = await inbox.taken(tx, _wamid(number))
            if taken and taken.done:
                break
            await asyncio.sleep(0.02)


def _wamid(number: int) -> str:
    return f"wamid.bench.{number}"


def _payload(number: int) -> bytes:
    return text_payload("1001", f"3911{number:07d}", _wamid(number), question(_OTHERS + number))


def table(figures: Mapping[str, Any]) -> str:
    """The figures for a person."""
    rows = [("", "median ms", "p95 ms")]
    for name in (
        "hello_ms",
        "ack_ms",
        "commit_ms",
        "bare_turn_ms",
        "machinery_ms",
        "queue_and_transport_ms",
        "message_to_done_ms",
    ):
        rows.append((name.removesuffix("_ms"), str(figures[name]["median"]), str(figures[name]["p95"])))
    for name, times in figures["nodes_ms"].items():
        rows.append((f"  {name}", str(times["median"]), str(times["p95"])))
    lines = [f"{name:<24}{median:>12}{p95:>12}" for name, median, p95 in rows]
    return "\n".join([*lines, f"idle RSS {figures['idle_rss_mb']} MB, {figures['turns']} turns"])
