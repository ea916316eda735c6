"""How much one `sara serve` and one `sara worker` bear, and how much two workers do; end to end, over HTTP.

They are processes of their own; the customers and the simulated WhatsApp are in this one, on the same cores.
No language model: answers are quoted from the demo's documents and records.
"""

import asyncio
import gc
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import AsyncExitStack
from itertools import count
from typing import Any

import httpx
import psycopg

from channels.simulator.simulator import Simulator
from channels.whatsapp.signature import sign
from crm import businesses, messages
from crm.record import Crm
from sara.bench import processes
from sara.bench.channel import NUMBER, SECRET, at_work, installed
from sara.bench.engine import MODEL, engine
from sara.bench.figures import row, shown, spread
from sara.bench.phones import Phones, listening, people
from sara.bench.processors import Processors
from sara.bench.questions import question
from sara.bench.webhooks import text_payload
from sara.demo import prepare
from sara.settings import Settings

GATHER_S = 1.5
AT_ONCE = 16
"""Customers who wait for an answer at any moment of the sustained load: twice what a worker takes at once."""
LONE = 40
THINK_S = 3.0
"""Seconds in which an engine answers, where one is waited for."""
_EACH = 4  # questions of a customer
_RAMP_S = 3.0
_WARM_UP = 24
_DRAINED_WITHIN_S = 300.0


async def measure(settings: Settings, rounds: int) -> dict[str, Any]:
    """`rounds` seconds of each load: as much as one worker answers, twice as much, and two workers."""
    async with installed(settings, gather_seconds=0.0) as (own, dsn, crm):
        await prepare(own, dsn, crm, report=lambda _: None, reading=("aurora",))
        # Pauses of this process to collect garbage would look like slow answers.
        gc.collect()
        gc.freeze()
        figures: dict[str, Any] = {"seconds": rounds, "customers_at_once": AT_ONCE}
        async with at_work(own, dsn, crm) as (simulator, url, as_worker), AsyncExitStack() as stack:
            phones = await stack.enter_async_context(listening(simulator))
            newcomers = people("3931")
            await _warm(phones, newcomers)
            await _counted(dsn)
            figures["lone_ms"] = spread(await _lone(phones, newcomers))
            figures["one"] = await _sustained(own, phones, newcomers, rounds)
            rate = 2 * figures["one"]["turns_per_s"]
            figures["double"] = await _overloaded(crm, simulator, phones, url, rate=rate, seconds=rounds)
            await stack.enter_async_context(processes.worker(as_worker, dsn, crm))
            await _warm(phones, newcomers)
            figures["two"] = await _sustained(own, phones, newcomers, rounds)
            figures["unanswered"] = phones.unanswered
        patient = own.model_copy(update={"gather_seconds": GATHER_S})
        async with at_work(patient, dsn, crm) as (simulator, _, _), listening(simulator) as phones:
            newcomers = people("3932")
            await _warm(phones, newcomers)
            figures["gathered_ms"] = spread(await _gathered(phones, newcomers))
        figures["waiting"] = await _waiting(own, dsn, crm, rounds)
    return figures


async def _waiting(own: Settings, dsn: str, crm: Crm, seconds: int) -> dict[str, Any]:
    """One worker and two where a language model is what turns wait for, and not the processor."""
    async with engine(THINK_S) as url:
        thinking = own.model_copy(update={"llm": f"openai:{MODEL}", "llm_base_url": url})
        async with (
            at_work(thinking, dsn, crm) as (simulator, _, as_worker),
            listening(simulator) as phones,
        ):
            newcomers = people("3934")
            await _warm(phones, newcomers)
            one = await _sustained(own, phones, newcomers, seconds, at_once=2 * AT_ONCE)
            async with processes.worker(as_worker, dsn, crm):
                await _warm(phones, newcomers)
                two = await _sustained(own, phones, newcomers, seconds, at_once=2 * AT_ONCE)
        return {"think_s": THINK_S, "one": one, "two": two, "unanswered": phones.unanswered}


async def _warm(phones: Phones, newcomers: Iterator[str]) -> None:
    """Fills the caches and pools of every process."""
    asking = (phones.asks(next(newcomers), question(n)) for n in range(_WARM_UP))
    await asyncio.gather(*asking)


async def _counted(dsn: str) -> None:
    """The statistics that a server has of its tables after its first minute."""
    async with await psycopg.AsyncConnection.connect(dsn, autocommit=True) as connection:
        await connection.execute("ANALYZE")


async def _lone(phones: Phones, newcomers: Iterator[str]) -> list[float]:
    """One customer after the other, nobody else writes, nothing is gathered."""
    took = [await phones.asks(next(newcomers), question(n)) for n in range(LONE)]
    return [one for one in took if one is not None]


async def _gathered(phones: Phones, newcomers: Iterator[str]) -> list[float]:
    """What a reply takes beyond the time in which a burst is gathered. Customers begin at any moment between
    two looks of the worker at its queue."""
    asking = []
    for number in range(LONE):
        asking.append(asyncio.create_task(phones.asks(next(newcomers), question(number))))
        await asyncio.sleep(0.27)
    return [one - GATHER_S * 1000 for one in await asyncio.gather(*asking) if one is not None]


async def _sustained(
    settings: Settings, phones: Phones, newcomers: Iterator[str], seconds: int, *, at_once: int = AT_ONCE
) -> dict[str, Any]:
    """`at_once` customers, each with a few questions one after the other, then the next customer."""
    began = time.perf_counter()
    counts_from, ends = began + _RAMP_S, began + _RAMP_S + seconds
    took: list[float] = []

    numbers = count()

    async def ask() -> None:
        for wa_id in newcomers:
            for _ in range(_EACH):
                milliseconds = await phones.asks(wa_id, question(next(numbers)))
                now = time.perf_counter()
                if milliseconds is not None and counts_from <= now <= ends:
                    took.append(milliseconds)
                if now >= ends:
                    return

    asking = [asyncio.create_task(ask()) for _ in range(at_once)]
    await asyncio.sleep(max(0.0, counts_from - time.perf_counter()))
    processors = Processors(settings.data_dir)
    await asyncio.sleep(max(0.0, ends - time.perf_counter()))
    busy = processors.busy()
    await asyncio.gather(*asking)
    return {"turns_per_s": round(len(took) / seconds, 1), "reply_ms": spread(took), "cores": busy}


async def _overloaded(
    crm: Crm, simulator: Simulator, phones: Phones, url: str, *, rate: float, seconds: int
) -> dict[str, Any]:
    """`rate` customers a second, each with one question, whether or not the worker keeps up."""
    wamids, answers, acks = [], [], []
    posts: list[asyncio.Task[float]] = []
    newcomers, now = people("3933"), simulator.world.now
    async with httpx.AsyncClient(base_url=url, timeout=60) as http:
        began = time.perf_counter()
        for number in count():
            due = began + number / rate
            if due >= began + seconds:
                break
            await asyncio.sleep(max(0.0, due - time.perf_counter()))
            wa_id = next(newcomers)
            simulator.open_window(NUMBER, wa_id, now())
            wamids.append(simulator.world.thread(NUMBER, wa_id)[-1].wamid)
            answers.append(phones.expect(wa_id))
            raw = text_payload(NUMBER, wa_id, wamids[-1], question(number))
            posts.append(asyncio.create_task(_post(http, raw)))
        acks = await asyncio.gather(*posts)
    last = time.perf_counter()
    done, missing = await asyncio.wait(answers, timeout=_DRAINED_WITHIN_S)
    for answer in missing:
        answer.cancel()
    drained = max((answer.result() for answer in done), default=last) - last
    await asyncio.sleep(1.0)  # whatever would come a second time
    said = Counter((m.customer, m.text) for m in simulator.world.all_sent() if m.customer.startswith("3933"))
    return {
        "per_s": round(rate, 1),
        "posted": len(acks),
        "ack_ms": spread(acks),
        "lost": await _lost(crm, wamids),
        "unanswered": len(missing),
        "said_twice": sum(times - 1 for times in said.values()),
        "drained_s": round(max(0.0, drained), 1),
    }


async def _post(http: httpx.AsyncClient, body: bytes) -> float:
    headers = {"Content-Type": "application/json", "X-Hub-Signature-256": sign(SECRET, body)}
    began = time.perf_counter()
    (await http.post("/webhooks/whatsapp", content=body, headers=headers)).raise_for_status()
    return (time.perf_counter() - began) * 1000


async def _lost(crm: Crm, wamids: list[str]) -> int:
    """How many messages that were answered 200 are not in the record."""
    async with crm.outside() as tx:
        business_id = await businesses.of_slug(tx, "aurora")
    async with crm.transaction(business_id) as tx:
        return sum([not await messages.known(tx, wamid) for wamid in wamids])


def table(figures: Mapping[str, Any]) -> str:
    """The figures for a person."""
    one, two, double, waiting = figures["one"], figures["two"], figures["double"], figures["waiting"]
    lines = [
        row("turns a second, one worker and two", one["turns_per_s"], two["turns_per_s"]),
        *(row(f"  cores: {kind}", one["cores"][kind], two["cores"].get(kind, "")) for kind in one["cores"]),
        row("", "median ms", "p95 ms"),
        row(f"a reply, {AT_ONCE} customers at once", *shown(one["reply_ms"])),
        row("a reply, nobody else writes", *shown(figures["lone_ms"])),
        row(f"… beyond {GATHER_S:g} s of gathering", *shown(figures["gathered_ms"])),
        row(f"webhook answered at {double['per_s']:g}/s", *shown(double["ack_ms"])),
        row("posted, lost, unanswered", double["posted"], double["lost"], double["unanswered"]),
        row("said twice", double["said_twice"]),
        row(
            f"turns a second, an engine that takes {waiting['think_s']:g} s",
            waiting["one"]["turns_per_s"],
            waiting["two"]["turns_per_s"],
        ),
        row("backlog answered, s after the last", double["drained_s"]),
    ]
    return "\n".join(lines)
