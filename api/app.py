"""The HTTP application."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from uuid import uuid4

import structlog
from fastapi import FastAPI, HTTPException, Request, Response
from fastapi.telemetry import TelemetryConfig

from api import errors, feeds, handoffs, outbox, recordings, webhook
from api.console import app as console
from api.limits import Limited
from api.metrics import Timed
from api.state import ApiServices, services_of
from crm import uptime
from crm.errors import RecordUnavailable

log = structlog.get_logger(__name__)

BEAT_S = 1.0
_STALLED_S = 5.0

# FastAPI's own OpenTelemetry would tell query strings, paths and words of exceptions: they hold tokens, ids
# and what customers said. Spans are ours (`ApiServices.spans`).
_UNTOLD: TelemetryConfig = {"tracing": False, "metrics": False, "logs": False, "auto_configure": False}

Lifespan = Callable[[], AbstractAsyncContextManager[ApiServices]]


def create_app(lifespan: Lifespan) -> FastAPI:
    """The application; `lifespan` opens the services it works with and closes them at the end."""

    @asynccontextmanager
    async def run(app: FastAPI) -> AsyncIterator[None]:
        async with lifespan() as services:
            app.state.services = services
            beating = asyncio.create_task(_beat(services))
            try:
                yield
            finally:
                beating.cancel()
                with suppress(asyncio.CancelledError):
                    await beating

    app = FastAPI(title="SARA", version="0.1.0", lifespan=run, telemetry=_UNTOLD)
    app.include_router(webhook.router)
    app.include_router(handoffs.router)
    app.include_router(outbox.router)
    app.include_router(recordings.router)
    app.include_router(feeds.router)
    console.install(app)
    app.add_api_route("/healthz", _healthz, methods=["GET"])
    app.add_api_route("/readyz", _readyz, methods=["GET"])
    app.add_api_route("/metrics", _metrics, methods=["GET"], include_in_schema=False)
    app.add_middleware(Limited)
    app.add_middleware(Timed)
    errors.install(app)
    return app


async def _beat(services: ApiServices) -> None:
    """Notes every second that webhooks are taken in here. After a failure, or a time in which nothing was
    done at all, it is noted as another process: what came meanwhile was not taken in."""
    process, tidy, latest = uuid4(), False, time.monotonic()
    while True:
        began = time.monotonic()
        if began - latest > _STALLED_S:
            process = uuid4()
        try:
            async with services.crm.outside() as tx:
                if not tidy:
                    await uptime.forget(tx)
                await uptime.beat(tx, process)
            tidy, latest = True, began
        except RecordUnavailable as error:
            process = uuid4()
            log.warning("uptime_not_noted", error=str(error))
        await asyncio.sleep(BEAT_S)


async def _healthz() -> dict[str, str]:
    """The process runs."""
    return {"status": "ok"}


async def _readyz(request: Request) -> dict[str, str]:
    """The process can work: its database answers."""
    try:
        async with services_of(request).crm.outside():
            return {"status": "ready"}
    except Exception as error:
        raise HTTPException(503, f"the database does not answer ({type(error).__name__})") from error


async def _metrics(request: Request) -> Response:
    services = services_of(request)
    return Response(await services.metrics.text(services.crm), media_type="text/plain; version=0.0.4")
