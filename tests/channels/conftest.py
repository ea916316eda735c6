"""A real simulator and a real business webhook, each served over loopback HTTP on a free port."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx
import pytest
import pytest_asyncio
import uvicorn
from fastapi import FastAPI, Request, Response

from channels.events import ParsedWebhook
from channels.simulator.app import simulator_app
from channels.simulator.settings import BusinessNumber, SimulatorSettings
from channels.simulator.simulator import Simulator
from channels.whatsapp.client import WhatsAppClient
from channels.whatsapp.parse import parse
from channels.whatsapp.signature import BadSignature, verify
from channels.whatsapp.transport import prompt_or_not_at_all

SECRET = "app-secret"
TOKEN = "a-token"
NUMBERS = (
    BusinessNumber(phone_number_id="1001", display_phone="+390200000001", business_name="Aurora"),
    BusinessNumber(
        phone_number_id="1002",
        display_phone="+390600000002",
        business_name="Conti",
        waba_id="200000000000002",
    ),
)


class LoopbackServer(uvicorn.Server):
    """Leaves signals to the test runner."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


@asynccontextmanager
async def served(app: Any) -> AsyncIterator[str]:
    config = uvicorn.Config(app, host="127.0.0.1", port=0, log_level="critical", timeout_graceful_shutdown=1)
    server = LoopbackServer(config)
    running = asyncio.create_task(server.serve())
    while not server.started:
        assert not running.done(), "the server did not start"
        await asyncio.sleep(0.01)
    try:
        yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    finally:
        server.should_exit = True
        await running


@dataclass
class Inbox:
    """A business's webhook: keeps what it accepts; `answers` are the next statuses to give instead of 200."""

    url: str = ""
    posts: list[bytes] = field(default_factory=list)
    refused: int = 0
    answers: list[int] = field(default_factory=list)

    def app(self) -> FastAPI:
        app = FastAPI()

        @app.post("/webhooks/whatsapp")
        async def webhook(request: Request) -> Response:
            raw = await request.body()
            try:
                verify(SECRET, raw, request.headers.get("X-Hub-Signature-256"))
            except BadSignature:
                return Response(status_code=401)
            if self.answers:
                self.refused += 1
                return Response(status_code=self.answers.pop(0))
            self.posts.append(raw)
            return Response()

        return app

    @property
    def events(self) -> list[ParsedWebhook]:
        return [parse(json.loads(raw)) for raw in self.posts]

    @property
    def messages(self) -> list[Any]:
        return [message for webhook in self.events for message in webhook.messages]

    @property
    def statuses(self) -> list[Any]:
        return [status for webhook in self.events for status in webhook.statuses]


@pytest_asyncio.fixture(scope="session")
async def loopback() -> AsyncIterator[httpx.AsyncClient]:
    """One HTTP client for all tests: making one costs more than most of them."""
    async with httpx.AsyncClient() as http:
        yield http


@pytest_asyncio.fixture(scope="session")
async def webhook_server() -> AsyncIterator[Inbox]:
    box = Inbox()
    async with served(box.app()) as base:
        box.url = f"{base}/webhooks/whatsapp"
        yield box


@pytest.fixture
def inbox(webhook_server: Inbox) -> Inbox:
    """The business's webhook, emptied."""
    webhook_server.posts.clear()
    webhook_server.answers.clear()
    webhook_server.refused = 0
    return webhook_server


@dataclass
class Stage:
    """A served simulator with a client of it."""

    simulator: Simulator
    base_url: str
    client: WhatsAppClient
    http: httpx.AsyncClient


StageMaker = Callable[..., Awaitable[Stage]]


@pytest_asyncio.fixture
async def make_stage(inbox: Inbox, loopback: httpx.AsyncClient) -> AsyncIterator[StageMaker]:
    """Serve a simulator with these settings (and clock=…), together with a client that talks to it."""
    async with AsyncExitStack() as stack:

        async def make(**settings: Any) -> Stage:
            extra = {"clock": settings.pop("clock")} if "clock" in settings else {}
            defaults: dict[str, Any] = {
                "webhook_url": inbox.url,
                "app_secret": SECRET,
                "access_token": TOKEN,
                "numbers": NUMBERS,
                "status_delay_s": 0.0,
                "retry_delays_s": (0.01, 0.02, 0.04),
            }
            simulator = Simulator(SimulatorSettings(**(defaults | settings)), http=loopback, **extra)
            base_url = await stack.enter_async_context(served(simulator_app(simulator)))
            # As in production: what tells sent from not sent is in the transport.
            http = await stack.enter_async_context(httpx.AsyncClient(transport=prompt_or_not_at_all()))
            client = WhatsAppClient(http, base_url=base_url, access_token=TOKEN)
            return Stage(simulator, base_url, client, http)

        yield make


@pytest_asyncio.fixture
async def stage(make_stage: StageMaker) -> Stage:
    return await make_stage()


@pytest.fixture
def serve() -> Callable[[Any], Any]:
    """Serve any ASGI application: `async with serve(app) as base_url`."""
    return served
