"""How fast webhooks are answered and the outbox empties, with a simulated Meta."""

import asyncio
import json
import sys
import tempfile
import time
from collections import Counter
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
from pydantic import SecretStr

from channels.whatsapp.signature import sign
from crm import businesses, contacts, conversations, messages, outbox, queue
from crm.messages import NewMessage
from crm.record import Crm
from sara import services
from sara.bench.figures import row, spread
from sara.demo import prepare
from sara.local import HOST, Local, local_on
from sara.settings import Settings, environment_with

RATE = 80
"""Messages a second: the throughput of a number before Meta raises it."""
NUMBER = "1001"
SECRET = "bench-secret"  # noqa: S105 - of a simulated number
_START_S = 60.0


async def measure(settings: Settings, rounds: int) -> dict[str, Any]:
    """`rounds` seconds of RATE webhooks a second, then as many messages out, in a database of its own."""
    with tempfile.TemporaryDirectory(prefix="sara-bench-") as folder:
        settings = settings.model_copy(
            update={
                "data_dir": Path(folder),
                "database_url": None,
                "gather_seconds": 3600.0,  # no turn runs: the road in and the road out are measured alone
                "whatsapp_app_secret": SecretStr(SECRET),
            }
        )
        async with services.database(settings) as dsn:
            async with services.record(settings, dsn) as crm:
                await prepare(settings, dsn, crm, report=lambda _: None)
            acks = await _acks(dsn, rounds)
            async with services.record(settings, dsn) as crm:
                lost = await _lost(crm, rounds * RATE)
            async with local_on(settings, dsn) as whole:
                drained = await _drain(whole, rounds * RATE)
    return {"seconds": rounds, "ack_ms": spread(acks), "posted": len(acks), "lost": lost, **drained}


async def _acks(dsn: str, seconds: int) -> list[float]:
    """Milliseconds to answer each webhook of one new message, posted at RATE whatever the answers take."""
    times: list[float] = []

    async def post(http: httpx.AsyncClient, number: int) -> None:
        raw = _payload(number)
        headers = {"Content-Type": "application/json", "X-Hub-Signature-256": sign(SECRET, raw)}
        began = time.perf_counter()
        answer = await http.post("/webhooks/whatsapp", content=raw, headers=headers)
        answer.raise_for_status()
        times.append((time.perf_counter() - began) * 1000)

    async with _serving(dsn) as url, httpx.AsyncClient(base_url=url, timeout=30) as http:
        for number in range(-20, 0):  # fills pools and caches
            await post(http, number)
        times.clear()
        began, posts = time.perf_counter(), []
        for number in range(seconds * RATE):
            await asyncio.sleep(max(0.0, began + number / RATE - time.perf_counter()))
            posts.append(asyncio.create_task(post(http, number)))
        await asyncio.gather(*posts)
    return times


@asynccontextmanager
async def _serving(dsn: str) -> AsyncIterator[str]:
    """`sara serve` in a process of its own."""
    url = ""
    environment = environment_with(
        {
            "SARA_DATABASE_URL": dsn,
            "SARA_WHATSAPP_APP_SECRET": SECRET,
            "SARA_LLM": "extractive",
            "SARA_GATHER_SECONDS": "3600",
            "SARA_LOG_LEVEL": "info",
        }
    )
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-c",
        "from sara.cli import main; main()",
        "serve",
        "--host",
        HOST,
        "--port",
        "0",
        env=environment,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        async with asyncio.timeout(_START_S):
            while process.stderr is not None and not url:
                line = (await process.stderr.readline()).decode()
                if not line:
                    raise RuntimeError("`sara serve` ended before it listened")
                url = line.rpartition("Listening on ")[2].strip() if "Listening on" in line else ""
        draining = asyncio.create_task(_discard(process.stderr))
        await _ready(url)
        yield url
        draining.cancel()
    finally:
        process.terminate()
        await process.wait()


async def _discard(stream: asyncio.StreamReader | None) -> None:
    while stream is not None and await stream.readline():
        pass


async def _ready(url: str) -> None:
    async with asyncio.timeout(_START_S), httpx.AsyncClient() as http:
        while True:
            try:
                if (await http.get(f"{url}/readyz")).is_success:
                    return
            except httpx.HTTPError:
                pass
            await asyncio.sleep(0.1)


async def _lost(crm: Crm, count: int) -> int:
    """How many of the messages that were answered 200 are not in the record."""
    async with crm.outside() as tx:
        business_id = await businesses.of_slug(tx, "aurora")
    lost = 0
    async with crm.transaction(business_id) as tx:
        for number in range(count):
            lost += not await messages.known(tx, _wamid(number))
    return lost


async def _drain(whole: Local, count: int) -> dict[str, Any]:
    """`count` messages to as many customers, sent by one worker: how long, how many in the fullest second."""
    simulator = whole.simulator
    simulator.quotas.throughput_per_s = None
    async with whole.crm.outside() as tx:
        business_id = await businesses.of_slug(tx, "aurora")
    now, people = simulator.world.now(), [f"3922{number:08d}" for number in range(count)]
    for wa_id in people:
        simulator.open_window(NUMBER, wa_id, now)
        await _enqueue(whole.crm, business_id, wa_id)
    simulator.quotas.throughput_per_s = RATE
    began = time.perf_counter()
    while len(sent := [m for m in simulator.world.all_sent() if m.customer.startswith("3922")]) < count:
        if time.perf_counter() - began > 10 * count / RATE + _START_S:
            break
        await asyncio.sleep(0.2)
    moments = sorted(message.at for message in sent)
    fullest = max(
        (sum(1 for other in moments if at <= other < at + timedelta(seconds=1)) for at in moments), default=0
    )
    took = (moments[-1] - moments[0]).total_seconds() if len(moments) > 1 else 0.0
    twice = sum(times - 1 for times in Counter(message.customer for message in sent).values())
    return {
        "sent": len(sent),
        "sent_twice": twice,
        "drain_per_s": round(len(sent) / took, 1) if took else 0.0,
        "fullest_second": fullest,
    }


async def _enqueue(crm: Crm, business_id: int, wa_id: str) -> None:
    async with crm.transaction(business_id) as tx:
        contact_id = await contacts.seen(tx, wa_id=wa_id, bsuid=None, name=None)
        conversation_id = await conversations.open_for(tx, contact_id, NUMBER)
        await conversations.customer_wrote(tx, conversation_id, tx.now)
        message = NewMessage(
            conversation_id=conversation_id,
            contact_id=contact_id,
            author="bot",
            kind="text",
            body="Buongiorno!",
            sent_at=tx.now,
        )
        await outbox.add(tx, [message], turn_id=f"bench:{wa_id}", epoch=0, answers=None)
        await queue.send(tx, conversation_id)


def _wamid(number: int) -> str:
    return f"wamid.channel.{number}"


def _payload(number: int) -> bytes:
    wa_id = f"3921{number + 20:08d}"
    message = {
        "from": wa_id,
        "id": _wamid(number),
        "timestamp": str(int(time.time())),
        "type": "text",
        "text": {"body": "Quanto costa un massaggio rilassante?"},
    }
    value = {
        "messaging_product": "whatsapp",
        "metadata": {"display_phone_number": "390200000000", "phone_number_id": NUMBER},
        "contacts": [{"profile": {"name": "Bench"}, "wa_id": wa_id}],
        "messages": [message],
    }
    entry = {"id": "1", "changes": [{"field": "messages", "value": value}]}
    return json.dumps({"object": "whatsapp_business_account", "entry": [entry]}).encode()


def table(figures: Mapping[str, Any]) -> str:
    """The figures for a person."""
    ack = figures["ack_ms"]
    return "\n".join(
        [
            row("", "median ms", "p95 ms"),
            row(f"webhook answered at {RATE} a second", ack["median"], ack["p95"]),
            row("webhooks posted, lost", figures["posted"], figures["lost"]),
            row("messages sent, twice", figures["sent"], figures["sent_twice"]),
            row("sent a second, in the fullest", figures["drain_per_s"], figures["fullest_second"]),
        ]
    )
