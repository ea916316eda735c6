"""The graph for LangGraph's server and Studio (langgraph.json), with the live services bound to it.

A client of that server can send JSON only, and the server brings its own checkpointer. So `make_graph`
yields a machine that already holds its Context. The services are opened once for each server process and
closed with its HTTP application, `sara.asgi:app`, which the server mounts and whose lifespan it runs.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, replace
from typing import Any

from langchain_core.runnables import RunnableConfig
from langgraph.graph.state import CompiledStateGraph
from langgraph_sdk.runtime import ServerRuntime

from api.state import ApiServices
from crm import businesses
from crm.record import Crm
from graph.build import build
from graph.context import Context
from graph.state import State
from sara import seed, services
from sara.demo import prepare
from sara.settings import Settings, load

log = logging.getLogger(__name__)


class BoundMachine(CompiledStateGraph[State, Context, State, State]):
    """The machine with its Context: whatever a client sends as context, the nodes get the live one.

    All asynchronous ways to run a graph go through `astream`. The Context is an ordinary attribute because
    the server runs a `copy(update={"checkpointer": …})` of the graph, and `copy` hands every attribute on.
    It shows clients no context schema: there is nothing in it that JSON could say.
    """

    def __init__(self, *, live: Context | None, **attributes: Any) -> None:
        super().__init__(**{**attributes, "context_schema": None})
        self.live = live

    def astream(self, input: Any, config: RunnableConfig | None = None, **options: Any) -> AsyncIterator[Any]:  # noqa: A002
        """`CompiledStateGraph.astream` with the live Context. Raises RuntimeError on one opened to read."""
        if self.live is None:
            raise RuntimeError("this graph was opened for reading: run it in a threads.create_run access")
        return super().astream(input, config, **{**options, "context": self.live})


def bound(live: Context | None) -> BoundMachine:
    """The machine without a checkpointer, bound to `live`; with None it can be drawn and read, not run."""
    return BoundMachine(live=live, **vars(build(None)))


@dataclass(frozen=True)
class Floor:
    """What is open as soon as the server runs: the settings it read, its database and its record."""

    settings: Settings
    dsn: str
    crm: Crm


class ServerProcess:
    """The services of one server process, shared by its graph and its HTTP application.

    They open in two steps, each once: the record when the server starts (or a run needs it), the models at
    the first run, for the graph is drawn and threads are read without them. Nothing is opened before that.
    """

    def __init__(self, settings: Callable[[], Settings]) -> None:
        self._settings = settings
        self._stack = AsyncExitStack()
        self._floor: asyncio.Task[Floor] | None = None
        self._context: asyncio.Task[Context] | None = None

    @asynccontextmanager
    async def api(self) -> AsyncIterator[ApiServices]:
        """The lifespan of the HTTP application, and with it of everything opened here."""
        try:
            floor = await self._opened_floor()
            async with services.api(floor.settings, floor.dsn, floor.crm) as opened:
                yield replace(opened, explain=None)  # the server keeps the threads' checkpoints itself
        finally:
            await self._close()

    async def context(self) -> Context:
        """The Context of the nodes. One opening serves all who ask; a failed one is tried again."""
        if self._context is None or _failed(self._context):
            self._context = asyncio.create_task(self._think())
        # A run that its client cancels while it waits must not take the opening down for the others.
        return await asyncio.shield(self._context)

    async def _opened_floor(self) -> Floor:
        if self._floor is None or _failed(self._floor):
            self._floor = asyncio.create_task(self._build_floor())
        return await asyncio.shield(self._floor)

    async def _build_floor(self) -> Floor:
        settings = await asyncio.to_thread(self._settings)
        async with AsyncExitStack() as opening:
            dsn = await opening.enter_async_context(services.database(settings))
            crm = await opening.enter_async_context(services.record(settings, dsn))
            self._stack.push_async_exit(opening.pop_all())
        return Floor(settings, dsn, crm)

    async def _think(self) -> Context:
        floor = await self._opened_floor()
        if floor.settings.database_url is None:
            await _seed(floor)
        async with AsyncExitStack() as opening:
            client = await opening.enter_async_context(services.whatsapp(floor.settings))
            context = await opening.enter_async_context(
                services.thinking(floor.settings, floor.dsn, floor.crm, client)
            )
            self._stack.push_async_exit(opening.pop_all())
        return context

    async def _close(self) -> None:
        for task in (self._context, self._floor):
            if task is not None and not task.done():
                task.cancel()
                with suppress(asyncio.CancelledError, Exception):
                    await task
        self._context = self._floor = None
        await self._stack.aclose()


def _failed(task: asyncio.Task[Any]) -> bool:
    return task.done() and (task.cancelled() or task.exception() is not None)


async def _seed(floor: Floor) -> None:
    """The demo's businesses and documents, where the embedded database holds no business of one's own."""
    async with floor.crm.outside() as tx:
        known = {entry.slug for entry in await businesses.directory(tx)}
    if known <= {business.slug for business in await asyncio.to_thread(seed.seeds)}:
        await prepare(floor.settings, floor.dsn, floor.crm, report=log.info)


process = ServerProcess(load)


@asynccontextmanager
async def make_graph(runtime: ServerRuntime[Any]) -> AsyncIterator[BoundMachine]:
    """The graph of langgraph.json; the server calls this for every access and keeps the checkpoints itself.

    Only an access that runs the graph opens the models (seconds, and minutes where the demo's documents
    are read for the first time); drawing it and reading threads need none. Raises what sara.services raises.
    """
    yield bound(await process.context() if runtime.execution_runtime else None)
