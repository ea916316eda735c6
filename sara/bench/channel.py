"""How fast webhooks are answered and the outbox empties, with a simulated Meta.

`sara serve`, `sara worker` and whoever posts are processes of their own; the simulator is in this one.
"""

import asyncio
import gc
import multiprocessing
import tempfile
import time
from bisect import bisect_left
from collections import Counter
from collections.abc import AsyncIterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
from pydantic import SecretStr

from channels.simulator.simulator import Simulator
from channels.whatsapp.signature import sign
from channels.whatsapp.transport import prompt_or_not_at_all
from crm import businesses, contacts, conversations, messages, outbox, queue
from crm.messages import NewMessage
from crm.record import Crm
from sara import seed, services
from sara.bench import processes
from sara.bench.figures import row, shown, spread
from sara.bench.webhooks import text_payload
from sara.settings import Settings

RATE = 80
"""Messages a second: the throughput of a number before Meta raises it."""
NUMBER = "1001"
SECRET = "bench-secret"  # noqa: S105 - of a simulated number
TOKEN = "bench-token"  # noqa: S105 - of a simulated number
_AT_ONCE = 8
_WARM_UP_S = 20.0  # in which a worker has loaded its models
_ENQUEUED_PER_S = 150
_SECOND = timedelta(seconds=1)


async def measure(settings: Settings, rounds: int) -> dict[str, Any]:
    """`rounds` seconds of RATE webhooks a second, with a worker that rests and then with one that answers;
    and as many messages out. Each in a database of its own."""
    async with installed(settings, gather_seconds=3600.0) as (own, dsn, crm):
        resting = await _taken_in(own, dsn, crm, rounds)
    async with installed(settings) as (own, dsn, crm):
        working = await _taken_in(own, dsn, crm, rounds)
    async with installed(settings) as (own, dsn, crm):
        drained = await _drain(own, dsn, crm, rounds * RATE)
    async with processes.hello() as url:
        hello = spread(await _acks(url, rounds))
    return {"seconds": rounds, "resting": resting, "working": working, "drain": drained, "hello_ms": hello}


@asynccontextmanager
async def installed(settings: Settings, **options: Any) -> AsyncIterator[tuple[Settings, str, Crm]]:
    """A database with the seeded businesses, without documents, and the settings that belong to it."""
    with tempfile.TemporaryDirectory(prefix="sara-bench-") as folder:
        made: dict[str, Any] = {
            "data_dir": Path(folder),
            "database_url": None,
            "whatsapp_app_secret": SecretStr(SECRET),
            "whatsapp_access_token": SecretStr(TOKEN),
            "whatsapp_verify_token": SecretStr(TOKEN),
            **options,
        }
        own = settings.model_copy(update=made)
        async with services.database(own) as dsn, services.record(own, dsn) as crm:
            await seed.enter_seeds(crm)
            yield own, dsn, crm


@asynccontextmanager
async def at_work(
    settings: Settings, dsn: str, crm: Crm, *, worker: bool = True
) -> AsyncIterator[tuple[Simulator, str, Settings]]:
    """Both processes and the simulator: it, the API's address, and the settings a worker runs with."""
    async with (
        processes.api(settings, dsn) as url,
        processes.whatsapp(settings, crm, url) as (simulator, graph_url),
    ):
        own = settings.model_copy(update={"whatsapp_base_url": graph_url})
        if not worker:
            yield simulator, url, own
            return
        async with processes.worker(own, dsn, crm):
            yield simulator, url, own


async def _taken_in(settings: Settings, dsn: str, crm: Crm, seconds: int) -> dict[str, Any]:
    async with at_work(settings, dsn, crm) as (_, url, _):
        times = await _acks(url, seconds)
    lost = await _lost(crm, seconds * RATE)
    return {"ack_ms": spread(times), "posted": len(times), "lost": lost}


async def _acks(url: str, seconds: int) -> list[float]:
    """Milliseconds to answer each webhook of one new message, posted at RATE whatever the answers take. By a
    process of its own: in this one they would wait for the simulated phones, too."""
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(1, mp_context=context) as pool:
        return await asyncio.get_running_loop().run_in_executor(pool, _posted, url, seconds)


def _posted(url: str, seconds: int) -> list[float]:
    return asyncio.run(_answers(url, seconds))


async def _answers(url: str, seconds: int) -> list[float]:
    times: list[float] = []

    async def post(http: httpx.AsyncClient, number: int) -> None:
        raw = _payload(number)
        headers = {"Content-Type": "application/json", "X-Hub-Signature-256": sign(SECRET, raw)}
        began = time.perf_counter()
        answer = await http.post("/webhooks/whatsapp", content=raw, headers=headers)
        answer.raise_for_status()
        times.append((time.perf_counter() - began) * 1000)

    async with httpx.AsyncClient(base_url=url, timeout=30, transport=prompt_or_not_at_all()) as http:
        for number in range(-20, 0):  # fills pools and caches
            await post(http, number)
        times.clear()
        began, posts = time.perf_counter(), []
        for number in range(seconds * RATE):
            await asyncio.sleep(max(0.0, began + number / RATE - time.perf_counter()))
            posts.append(asyncio.create_task(post(http, number)))
        await asyncio.gather(*posts)
    return times


async def _lost(crm: Crm, count: int) -> int:
    """How many of the messages that were answered 200 are not in the record."""
    async with crm.outside() as tx:
        business_id = await businesses.of_slug(tx, "aurora")
    lost = 0
    async with crm.transaction(business_id) as tx:
        for number in range(count):
            lost += not await messages.known(tx, _wamid(number))
    return lost


async def _drain(settings: Settings, dsn: str, crm: Crm, count: int) -> dict[str, Any]:
    """`count` messages that wait, to as many customers, sent by one worker: how fast, how many in the fullest
    second, how many the number's limit refused."""
    async with at_work(settings, dsn, crm, worker=False) as (simulator, _, own):
        people = [f"3922{number:08d}" for number in range(count)]
        now = simulator.world.now()
        for wa_id in people:
            simulator.open_window(NUMBER, wa_id, now)
        simulator.quotas.throughput_per_s = RATE
        async with processes.worker(own, dsn, crm):
            lead_s = _WARM_UP_S + count / _ENQUEUED_PER_S
            await _enqueue_all(crm, people, due=time.monotonic() + lead_s)
            # The simulator counts a message when it sees it: a pause of this process to collect garbage would
            # put a third of a second's messages into one moment.
            gc.collect()
            gc.freeze()
            await _settled(crm, lead_s + 10 * count / RATE)
        sent = simulator.world.all_sent()
        per_customer = Counter(message.customer for message in sent)
        moments = sorted(message.at for message in sent)
        took = (moments[-1] - moments[0]).total_seconds() if len(moments) > 1 else 0.0
        return {
            "sent": len(sent),
            "sent_twice": sum(times - 1 for times in per_customer.values()),
            "per_s": round(len(sent) / took, 1) if took else 0.0,
            "fullest_second": fullest(moments),
            "refused": dict(simulator.refused),
        }


async def _settled(crm: Crm, patience_s: float) -> None:
    async with crm.outside() as tx:
        business_id = await businesses.of_slug(tx, "aurora")
    ends = time.monotonic() + patience_s
    while time.monotonic() < ends:
        async with crm.transaction(business_id) as tx:
            if not {"queued", "sending", "unknown"} & set(await outbox.states(tx)):
                return
        await asyncio.sleep(1.0)


def fullest(moments: Sequence[datetime]) -> int:
    """How many of these moments, in order, the fullest second holds."""
    return max((bisect_left(moments, at + _SECOND) - n for n, at in enumerate(moments)), default=0)


async def _enqueue_all(crm: Crm, people: Sequence[str], *, due: float) -> None:
    """One reply to each of these customers, who wrote just now, in the outbox; all due at the same moment of
    the monotonic clock."""
    async with crm.outside() as tx:
        business_id = await businesses.of_slug(tx, "aurora")
    waiting = iter(people)

    async def some() -> None:
        for wa_id in waiting:
            await _enqueue(crm, business_id, wa_id, due=due)

    await asyncio.gather(*(some() for _ in range(_AT_ONCE)))


async def _enqueue(crm: Crm, business_id: int, wa_id: str, *, due: float) -> None:
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
        await queue.send(tx, conversation_id, delay_s=max(0.0, due - time.monotonic()))


def _wamid(number: int) -> str:
    return f"wamid.channel.{number}"


def _payload(number: int) -> bytes:
    wa_id = f"3921{number + 20:08d}"
    return text_payload(NUMBER, wa_id, _wamid(number), "Quanto costa un massaggio rilassante?")


def table(figures: Mapping[str, Any]) -> str:
    """The figures for a person."""
    resting, working, drain = figures["resting"], figures["working"], figures["drain"]
    return "\n".join(
        [
            row("", "median ms", "p95 ms"),
            row(f"uvicorn's hello world at {RATE}/s", *shown(figures["hello_ms"])),
            row(f"webhook answered at {RATE}/s, worker idle", *shown(resting["ack_ms"])),
            row("… while the worker answers them", *shown(working["ack_ms"])),
            row("posted, lost", *(sum(r[key] for r in (resting, working)) for key in ("posted", "lost"))),
            row("messages sent, twice", drain["sent"], drain["sent_twice"]),
            row("sent a second, in the fullest", drain["per_s"], drain["fullest_second"]),
            row("refused by the number's limit", sum(drain["refused"].values())),
        ]
    )
