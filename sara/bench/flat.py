"""Whether a turn costs as much in a long conversation as in a short one, in a full record as in a young one.

Two installations side by side, each with a database of its own: one young, the other with years behind it.
What is compared is measured in turns, so that whatever else the machine does meets both alike.
"""

import asyncio
import tempfile
import time
from collections import defaultdict
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import httpx
from procrastinate import JobContext
from procrastinate.jobs import Job
from psycopg import AsyncConnection
from psycopg.rows import DictRow, dict_row

from api.app import create_app
from channels.simulator.app import simulator_app
from channels.simulator.simulator import Simulator
from channels.whatsapp.signature import sign
from crm import businesses, past, queue
from crm.record import Crm
from db import bulk
from jobs.drain import drain
from jobs.services import KEY, Services
from sara import services
from sara.bench.figures import row, shown, spread
from sara.bench.webhooks import text_payload
from sara.demo import prepare
from sara.local import HOST, listen, serving, simulated_world
from sara.settings import Settings, simulated
from sara.worker import Worker, open_worker

ROUNDS = 40
"""Rounds of a whole measurement; one of fewer has as many times fewer turns and customers."""
TURNS, CUSTOMERS, YOUNG = 3000, 100_000, 200
"""Turns of the long thread; customers of the full record, 50 messages each, and of the young one."""
BUSINESS = "aurora"
_EARLY = 10  # the turn that a long thread's is compared with
_ASKED = (
    "Quanto costa un massaggio rilassante?",
    "A che ora aprite domani?",
    "C'è il parcheggio?",
    "Quanto dura un massaggio rilassante?",
)
_STATISTICS_S = 11.0  # within which PostgreSQL's sessions tell what they read


@dataclass(frozen=True)
class Cost:
    """What one message took: milliseconds to answer its webhook, and of its turn from the queue's job on."""

    ack: float
    turn: float


async def measure(settings: Settings, rounds: int) -> dict[str, Any]:
    """`rounds` messages of each kind, in a record and in a thread of the size that belongs to them."""
    turns, customers = TURNS * rounds // ROUNDS, CUSTOMERS * rounds // ROUNDS
    async with AsyncExitStack() as stack:
        young = await stack.enter_async_context(_standing(settings))
        full = await stack.enter_async_context(_standing(settings))
        figures: dict[str, Any] = {"turns": turns, "customers": customers}
        figures |= await _thread(young, turns, rounds)
        await young.filled(YOUNG)
        began = time.perf_counter()
        figures["messages"] = await full.filled(customers)
        figures["fill_s"] = round(time.perf_counter() - began)
        return figures | await _record(young, full, rounds)


async def _thread(place: "_Place", turns: int, rounds: int) -> dict[str, Any]:
    """The same words in a thread of `turns` turns and in one of about ten, by turns."""
    long = await place.grown("393210000001", turns - rounds)
    costs: dict[str, list[Cost]] = defaultdict(list)
    short, met = "", 0
    before = await place.kept(long)
    for number in range(rounds):
        if number % _EARLY == 0:
            met += 1
            short = f"39322{met:07d}"
            await place.grown(short, _EARLY // 2)
            of_short = await place.kept(short)
        costs["late"].append(await place.hears("393210000001", number))
        costs["early"].append(await place.hears(short, number))
    after, end_of_short = await place.kept(long), await place.kept(short)
    heard_last = rounds % _EARLY or _EARLY
    return {
        "thread": {
            name: {"ack_ms": spread([c.ack for c in of]), "turn_ms": spread([c.turn for c in of])}
            for name, of in costs.items()
        },
        "checkpoints": {
            "early_bytes": round((end_of_short - of_short) / heard_last),
            "late_bytes": round((after - before) / rounds),
        },
    }


async def _record(young: "_Place", full: "_Place", rounds: int) -> dict[str, Any]:
    """Customers of old and new ones, two messages each, here and there by turns."""
    costs: dict[str, list[Cost]] = defaultdict(list)
    for number in range(-5, rounds):
        if number == 0:
            read_before = await full.read()
        customer = past.FIRST + number + 5 if number % 2 else 39_330_000_000 + number
        for name, place in (("young", young), ("full", full)):
            for nth in range(2):
                cost = await place.hears(str(customer), nth)
                if number >= 0:  # the first ones fill caches and pools
                    costs[name].append(cost)
    return {
        "record": {
            name: {"ack_ms": spread([c.ack for c in of]), "turn_ms": spread([c.turn for c in of])}
            for name, of in costs.items()
        },
        "rows_read_without_index_a_turn": round((await full.read() - read_before) / (2 * rounds)),
    }


@dataclass(frozen=True)
class _Place:
    """An installation whose turns run when they are told to, and whose messages arrive at once."""

    url: str
    settings: Settings
    crm: Crm
    worker: Worker
    services: Services
    owner: AsyncConnection[DictRow]
    http: httpx.AsyncClient
    business_id: int
    number: str

    async def hears(self, wa_id: str, number: int) -> Cost:
        """A customer's message, and its turn."""
        wamid = f"wamid.flat.{time.time_ns()}"
        raw = text_payload(self.number, wa_id, wamid, _ASKED[number % len(_ASKED)])
        secret = self.settings.whatsapp_app_secret.get_secret_value()
        headers = {"Content-Type": "application/json", "X-Hub-Signature-256": sign(secret, raw)}
        began = time.perf_counter()
        (
            await self.http.post(f"{self.url}/webhooks/whatsapp", content=raw, headers=headers)
        ).raise_for_status()
        answered = time.perf_counter()
        conversation_id = await self.conversation(wa_id)
        job = Job(queue=queue.TURNS, lock=None, queueing_lock=None, task_name="drain")
        context = JobContext(
            app=self.worker.app,
            job=job,
            start_timestamp=time.time(),
            additional_context={KEY: self.services},
            abort_reason=lambda: None,
        )
        started = time.perf_counter()
        await drain(context, business_id=self.business_id, conversation_id=conversation_id)
        done = time.perf_counter()
        await self._arrived(conversation_id)
        return Cost((answered - began) * 1000, (done - started) * 1000)

    async def grown(self, wa_id: str, turns: int) -> str:
        """A conversation with so many turns."""
        for number in range(turns):
            await self.hears(wa_id, number)
        return wa_id

    async def kept(self, wa_id: str) -> int:
        """Bytes of all checkpoints of a customer's conversation."""
        conversation_id = await self.conversation(wa_id)
        async with self.crm.as_owner() as tx:
            return await past.checkpoint_bytes(tx, f"{self.business_id}:{conversation_id}")

    async def read(self) -> int:
        """Rows of the large tables that were read without an index, since the database was made."""
        await asyncio.sleep(_STATISTICS_S)
        async with self.crm.as_owner() as tx:
            return await past.read_in_full(tx)

    async def filled(self, customers: int) -> int:
        """So many customers and all that was said with them; returns the messages."""
        async with bulk.without_indexes(self.owner, past.TABLES), self.crm.as_owner() as tx:
            messages = await past.live_through(tx, self.business_id, self.number, customers)
        await bulk.settle(self.owner)
        return messages

    async def conversation(self, wa_id: str) -> int:
        """A customer's open conversation."""
        async with self.crm.transaction(self.business_id) as tx:
            return await past.open_conversation(tx, wa_id)

    async def _arrived(self, conversation_id: int) -> None:
        """What the channel would have done with the answer; and nothing waits in the queue."""
        async with self.crm.as_owner() as tx:
            await past.arrived(tx, conversation_id)


@asynccontextmanager
async def _standing(settings: Settings) -> AsyncIterator[_Place]:
    async with AsyncExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="sara-bench-"))
        listener = stack.enter_context(listen(0))
        url = f"http://{HOST}:{listener.getsockname()[1]}"
        own = settings.model_copy(update={"data_dir": Path(folder), "database_url": None})
        own = simulated(own.model_copy(update={"gather_seconds": 0.0}), url)
        dsn = await stack.enter_async_context(services.database(own))
        crm = await stack.enter_async_context(services.record(own, dsn))
        await prepare(own, dsn, crm, report=lambda _: None)
        simulator = Simulator(await simulated_world(own, crm, url))
        stack.push_async_callback(simulator.aclose)
        worker = await stack.enter_async_context(open_worker(own, dsn, crm))
        app = create_app(lambda: services.api(own, dsn, crm))
        app.mount("/", simulator_app(simulator))
        await stack.enter_async_context(serving(app, listener))
        owner = await AsyncConnection[DictRow].connect(dsn, autocommit=True, row_factory=dict_row)
        stack.push_async_callback(owner.close)
        async with crm.outside() as tx:
            business_id = await businesses.of_slug(tx, BUSINESS)
        async with crm.transaction(business_id) as tx:
            number = (await businesses.numbers(tx))[0].phone_number_id
        # Nobody writes as often as this does: it must not be taken for a flood.
        context = worker.services.context
        tuning = replace(context.tuning, flood_messages=10**9)
        patient = replace(worker.services, context=replace(context, tuning=tuning))
        http = await stack.enter_async_context(httpx.AsyncClient())
        yield _Place(url, own, crm, worker, patient, owner, http, business_id, number)


def table(figures: Mapping[str, Any]) -> str:
    """The figures for a person."""
    lines = [row("", "median ms", "p95 ms", "ratio")]
    for part, base, other, names in (
        ("thread", "early", "late", (f"turn {_EARLY}", f"turn {figures['turns']}")),
        ("record", "young", "full", ("a young record", f"{figures['messages']} messages")),
    ):
        for what, title in (("turn_ms", "turn"), ("ack_ms", "answer to a webhook")):
            few, many = figures[part][base][what], figures[part][other][what]
            lines.append(row(f"{title}, {names[0]}", *shown(few)))
            lines.append(row(f"{title}, {names[1]}", *shown(many), f"{many['median'] / few['median']:.2f}"))
    sizes = figures["checkpoints"]
    lines.append(row("checkpoints of a turn, bytes", sizes["early_bytes"], sizes["late_bytes"]))
    lines.append(row("rows read without an index, a turn", figures["rows_read_without_index_a_turn"]))
    return "\n".join(lines)
