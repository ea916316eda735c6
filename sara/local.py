"""Everything in one process over real loopback HTTP: API, simulator, phone page, worker.

The demo, `sara chat`, `sara play` and the benchmarks run on it. A message takes the same road as in
production: a signed webhook in, the queue, the graph, the outbox, the Graph API out.
"""

import asyncio
import socket
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Any

import uvicorn
from starlette.applications import Starlette

from api.app import create_app
from channels.simulator.app import simulator_app
from channels.simulator.settings import BusinessNumber, SimulatorSettings
from channels.simulator.simulator import Simulator
from crm import businesses
from crm.record import Crm
from jobs.app import run_worker
from jobs.services import Services
from sara import services
from sara.settings import Settings, simulated
from sara.watching import watching
from sara.worker import open_worker

HOST = "127.0.0.1"


class NoBusiness(Exception):
    """There is no business yet: `sara demo` enters three, `sara business add FILE` your own."""


@dataclass(frozen=True)
class Local:
    """The running whole."""

    url: str
    settings: Settings
    dsn: str
    crm: Crm
    simulator: Simulator
    services: Services


@asynccontextmanager
async def local(settings: Settings, *, port: int = 0) -> AsyncIterator[Local]:
    """Opens everything on 127.0.0.1:`port` (0: any free one) and closes it at the end of the block."""
    async with services.database(settings) as dsn, local_on(settings, dsn, port=port) as whole:
        yield whole


@asynccontextmanager
async def local_on(
    settings: Settings, dsn: str, *, port: int = 0, equip: Callable[[Services], Services] | None = None
) -> AsyncIterator[Local]:
    """The same on a database that is already open. Raises NoBusiness when it holds none.

    `equip` changes what the worker works with, such as its model.
    """
    with listen(port) as listener:
        url = f"http://{HOST}:{listener.getsockname()[1]}"
        settings = simulated(settings, url)
        async with AsyncExitStack() as stack:
            watched = await stack.enter_async_context(watching(settings, "sara"))
            crm = await stack.enter_async_context(services.record(settings, dsn))
            simulator = Simulator(await simulated_world(settings, crm, url))
            stack.push_async_callback(simulator.aclose)
            worker = await stack.enter_async_context(open_worker(settings, dsn, crm, watched))
            equipped = equip(worker.services) if equip else worker.services
            app = create_app(lambda: services.api(settings, dsn, crm, watched))
            app.mount("/", simulator_app(simulator))
            await stack.enter_async_context(serving(app, listener))
            await stack.enter_async_context(
                _background(
                    run_worker(
                        worker.app,
                        equipped,
                        concurrency=settings.worker_concurrency,
                        deliveries=settings.worker_deliveries,
                        name="local",
                    )
                )
            )
            yield Local(url, settings, dsn, crm, simulator, equipped)


@asynccontextmanager
async def serving(app: Starlette, listener: socket.socket) -> AsyncIterator[None]:
    """The application on a listening socket, ready when the block starts."""
    config = uvicorn.Config(
        app, log_level="warning", access_log=False, lifespan="on", timeout_graceful_shutdown=3
    )
    server = uvicorn.Server(config)
    server.install_signal_handlers = lambda: None  # type: ignore[attr-defined]
    task = asyncio.create_task(server.serve(sockets=[listener]))
    try:
        while not server.started:
            if task.done():
                await task
                raise RuntimeError("the server stopped before it was ready")
            await asyncio.sleep(0.01)
        yield
    finally:
        server.should_exit = True
        await task


@asynccontextmanager
async def _background(work: Coroutine[Any, Any, None]) -> AsyncIterator[None]:
    task = asyncio.create_task(work)
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


def listen(port: int) -> socket.socket:
    """A listening socket on loopback; 0: any free port. Whoever opens it closes it."""
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind((HOST, port))
    listener.listen(2048)
    listener.setblocking(False)
    return listener


async def simulated_world(settings: Settings, crm: Crm, url: str) -> SimulatorSettings:
    """A simulator with every number in the record, which posts its webhooks to the API at `url`.

    Raises NoBusiness where there is none.
    """
    numbers = []
    async with crm.outside() as tx:
        directory = await businesses.directory(tx)
    for entry in directory:
        async with crm.transaction(entry.business_id) as tx:
            name = (await businesses.profile(tx)).business.name
            numbers += [
                BusinessNumber(
                    phone_number_id=number.phone_number_id,
                    display_phone=number.display_phone or number.phone_number_id,
                    business_name=name,
                )
                for number in await businesses.numbers(tx)
            ]
    if not numbers:
        raise NoBusiness(NoBusiness.__doc__)
    return SimulatorSettings(
        webhook_url=f"{url}/webhooks/whatsapp",
        app_secret=settings.whatsapp_app_secret.get_secret_value(),
        access_token=settings.whatsapp_access_token.get_secret_value(),
        numbers=tuple(numbers),
    )
