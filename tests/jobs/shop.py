"""Jobs run by hand: a database of its own, a simulated WhatsApp, no worker in the background."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager, nullcontext
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import httpx
import psycopg
from fastapi import FastAPI
from procrastinate import App
from psycopg.rows import dict_row

from api.app import create_app
from channels.simulator.simulator import Simulator
from channels.whatsapp.signature import sign
from crm import businesses, contacts, conversations, inbox, messages, outbox, queue
from crm.messages import NewMessage
from crm.record import Crm
from db import embedded
from db.migrate import migrate
from jobs.services import KEY, Patience, Services
from sara import seed, services
from sara.settings import load
from sara.worker import open_worker
from tests.chaos.town import NUMBER, SECRETS, simulated

QUICK = Patience(
    unknown_grace_s=0.4,
    unknown_block_s=1.5,
    unknown_outage_s=0.4,
    unknown_hold_s=60.0,
    most_turn_attempts=3,
    heartbeat_s=1.0,
    dead_after_s=3.0,
    suspicious_after_s=5.0,
)

DUE = """SELECT id FROM procrastinate_jobs
         WHERE status = 'todo' AND attempts = 0 AND coalesce(scheduled_at, now()) <= now() ORDER BY id"""


@asynccontextmanager
async def own_database(folder: Path) -> AsyncIterator[str]:
    """A fresh migrated server with the seeded businesses' rows and no documents."""
    server = await asyncio.to_thread(embedded.start, folder)
    try:
        await migrate(server.dsn)
        yield server.dsn
    finally:
        await asyncio.to_thread(server.stop)


@dataclass
class Shop:
    """The business `aurora`, its jobs and its customers."""

    dsn: str
    crm: Crm
    app: App
    services: Services
    simulator: Simulator
    business_id: int
    web: FastAPI
    api: httpx.AsyncClient

    async def rows(self, query: str, *parameters: object) -> list[dict[str, Any]]:
        """Rows, or none, of a statement run as the database's owner, over all tenants."""
        async with await psycopg.AsyncConnection.connect(
            self.dsn, row_factory=dict_row, autocommit=True
        ) as connection:
            cursor = await connection.execute(query, parameters or None)  # type: ignore[arg-type]
            return await cursor.fetchall() if cursor.description else []

    async def webhooks_were_taken_in(self) -> None:
        """As if `sara serve` had been there all day: the transport of these tests runs no lifespan."""
        await self.rows(
            "INSERT INTO web_uptime"
            " VALUES (gen_random_uuid(), now() - interval '1 day', now() + interval '1 day')"
        )

    async def work(self) -> None:
        """Runs every job that is due, and those they queue, once, and returns.

        A worker that does not wait leaves when it finds no job: at times before what its last ones queue.
        """
        due: list[dict[str, Any]] = []
        while True:
            await self.app.run_worker_async(
                wait=False,
                concurrency=4,
                additional_context={KEY: self.services},
                install_signal_handlers=False,
                listen_notify=False,
                delete_jobs="always",
            )
            before, due = due, await self.rows(DUE)
            if not due or due == before:
                return

    async def work_until(self, holds: Callable[[], Awaitable[bool]], timeout_s: float = 15.0) -> None:
        """Runs due jobs until `holds`."""
        deadline = time.monotonic() + timeout_s
        while not await holds():
            assert time.monotonic() < deadline, f"not within {timeout_s:g} s"
            await self.work()
            await asyncio.sleep(0.05)

    async def work_for(self, seconds: float) -> None:
        """Runs due jobs for a while."""
        ends = time.monotonic() + seconds
        while time.monotonic() < ends:
            await self.work()
            await asyncio.sleep(0.05)

    async def open_conversation(self, wa_id: str | None, bsuid: str | None = None) -> int:
        """A conversation whose customer wrote just now, on the simulator's side too."""
        if wa_id:
            await self.simulator.customer_sends(NUMBER, wa_id, text="Ciao")
        async with self.crm.transaction(self.business_id) as tx:
            contact_id = await contacts.seen(tx, wa_id=wa_id, bsuid=bsuid, name=None)
            conversation_id = await conversations.open_for(tx, contact_id, NUMBER)
            await conversations.customer_wrote(tx, conversation_id, tx.now)
        return conversation_id

    async def customer_writes(self, conversation_id: int, *texts: str, job: bool = True) -> list[str]:
        """Messages as the webhook writes them down; their wamids."""
        wamids = []
        async with self.crm.transaction(self.business_id) as tx:
            conversation = await conversations.lock(tx, conversation_id)
            for number, text in enumerate(texts):
                wamid = f"wamid.{conversation_id}.{time.monotonic_ns()}.{number}"
                message_id = await messages.add(
                    tx,
                    NewMessage(
                        conversation_id=conversation_id,
                        contact_id=conversation.contact_id,
                        author="customer",
                        kind="text",
                        body=text,
                        wamid=wamid,
                        sent_at=tx.now,
                    ),
                )
                await inbox.add(tx, conversation_id, inbox.CUSTOMER_MESSAGE, message_id=message_id)
                wamids.append(wamid)
            if job:
                await queue.drain(tx, conversation_id, delay_s=0)
        return wamids

    async def bot_says(self, conversation_id: int, *texts: str) -> None:
        """Replies of one turn in the outbox, their send job queued."""
        async with self.crm.transaction(self.business_id) as tx:
            conversation = await conversations.lock(tx, conversation_id)
            said = [
                NewMessage(
                    conversation_id=conversation_id,
                    contact_id=conversation.contact_id,
                    author="bot",
                    kind="text",
                    body=text,
                    sent_at=tx.now,
                )
                for text in texts
            ]
            turn_id = f"{conversation_id}:{time.monotonic_ns()}"
            await outbox.add(tx, said, turn_id=turn_id, epoch=conversation.epoch, answers=None)
            await queue.send(tx, conversation_id)

    async def outbox_of(self, conversation_id: int) -> list[dict[str, Any]]:
        """Everything the outbox ever held for a conversation, in order."""
        query = "SELECT * FROM outbox WHERE conversation_id = %s ORDER BY outbox_id"
        return await self.rows(query, conversation_id)

    async def states_of(self, conversation_id: int) -> list[str]:
        """The states of a conversation's outbox rows, in order."""
        return [row["state"] for row in await self.outbox_of(conversation_id)]

    async def post(self, payload: bytes) -> httpx.Response:
        """A signed webhook to the API."""
        signature = sign(SECRETS["SARA_WHATSAPP_APP_SECRET"], payload)
        headers = {"X-Hub-Signature-256": signature, "Content-Type": "application/json"}
        return await self.api.post("/webhooks/whatsapp", content=payload, headers=headers)


@asynccontextmanager
async def opened(folder: Path) -> AsyncIterator[Shop]:
    """The shop on a database in `folder`."""
    async with AsyncExitStack() as stack:
        own = await stack.enter_async_context(own_database(folder))
        # Nobody listens there: statuses are posted by the tests, when they want them.
        simulator, graph_url = await stack.enter_async_context(simulated("http://127.0.0.1:9/"))
        settings = load(
            data_dir=folder,
            llm="extractive",
            llm_fallback=None,
            gather_seconds=0.0,
            whatsapp_base_url=graph_url,
            whatsapp_app_secret=SECRETS["SARA_WHATSAPP_APP_SECRET"],
            whatsapp_verify_token=SECRETS["SARA_WHATSAPP_VERIFY_TOKEN"],
            whatsapp_access_token=SECRETS["SARA_WHATSAPP_ACCESS_TOKEN"],
        )
        simulator.faults.now = simulator.faults.now.model_copy(update={"latency_s": 0.0})
        crm = await stack.enter_async_context(services.record(settings, own))
        await seed.enter_seeds(crm)
        worker = await stack.enter_async_context(open_worker(settings, own, crm))
        async with crm.outside() as tx:
            business_id = await businesses.of_slug(tx, "aurora")
        api_services = services.api_services(settings, crm)
        web = create_app(lambda: nullcontext(api_services))
        web.state.services = api_services  # the transport runs no lifespan
        transport = httpx.ASGITransport(web, raise_app_exceptions=False)
        api = await stack.enter_async_context(httpx.AsyncClient(transport=transport, base_url="http://sara"))
        jobs = replace(worker.services, patience=QUICK)
        shop = Shop(own, crm, worker.app, jobs, simulator, business_id, web, api)
        await shop.webhooks_were_taken_in()
        yield shop
