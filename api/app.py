"""The HTTP application."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager

from fastapi import FastAPI, HTTPException, Request, Response

from api import errors, handoffs, webhook
from api.metrics import Timed
from api.state import ApiServices, services_of

Lifespan = Callable[[], AbstractAsyncContextManager[ApiServices]]


def create_app(lifespan: Lifespan) -> FastAPI:
    """The application; `lifespan` opens the services it works with and closes them at the end."""

    @asynccontextmanager
    async def run(app: FastAPI) -> AsyncIterator[None]:
        async with lifespan() as services:
            app.state.services = services
            yield

    app = FastAPI(title="SARA", version="0.1.0", lifespan=run)
    app.include_router(webhook.router)
    app.include_router(handoffs.router)
    app.add_api_route("/healthz", _healthz, methods=["GET"])
    app.add_api_route("/readyz", _readyz, methods=["GET"])
    app.add_api_route("/metrics", _metrics, methods=["GET"], include_in_schema=False)
    app.add_middleware(Timed)
    errors.install(app)
    return app


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
    return Response(services_of(request).metrics.text(), media_type="text/plain; version=0.0.4")
