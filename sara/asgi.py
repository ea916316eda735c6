"""The ASGI application, for uvicorn and for LangGraph's server (langgraph.json, http.app)."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress

from fastapi import FastAPI

from api.app import create_app
from api.state import ApiServices
from sara import services
from sara.memory import settle
from sara.settings import Settings
from sara.watching import watching


def make_app(settings: Settings, *, with_worker: bool = False) -> FastAPI:
    """The application with the services of `settings`, opened when it starts."""

    @asynccontextmanager
    async def lifespan() -> AsyncIterator[ApiServices]:
        async with AsyncExitStack() as stack:
            watched = await stack.enter_async_context(watching(settings, "sara-serve"))
            dsn = await stack.enter_async_context(services.database(settings))
            crm = await stack.enter_async_context(services.record(settings, dsn, jobs=with_worker))
            if with_worker:
                from jobs.app import run_worker
                from sara.worker import open_worker

                opened = await stack.enter_async_context(open_worker(settings, dsn, crm, watched))
                work = asyncio.create_task(
                    run_worker(
                        opened.app,
                        opened.services,
                        concurrency=settings.worker_concurrency,
                        deliveries=settings.worker_deliveries,
                        name="serve",
                    )
                )
                stack.push_async_callback(_stop, work)
            opened_api = await stack.enter_async_context(services.api(settings, dsn, crm, watched))
            settle()
            yield opened_api

    return create_app(lifespan)


async def _stop(work: asyncio.Task[None]) -> None:
    work.cancel()
    with suppress(asyncio.CancelledError):
        await work


def __getattr__(name: str) -> FastAPI:
    # `sara.asgi:app` is built when a server asks for it, not when the module is imported. It shares its
    # services with the graph of the same process: an embedded database can be opened once in a process.
    if name == "app":
        from sara import studio

        return create_app(studio.process.api)
    raise AttributeError(name)
