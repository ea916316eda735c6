"""The simulator as a web application: the Graph API's endpoints and the phone page."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI

from channels.simulator.account_api import app_router
from channels.simulator.graph_api import graph_router, refusal_response
from channels.simulator.phone import phone_router
from channels.simulator.sending import Refusal
from channels.simulator.settings import SimulatorSettings
from channels.simulator.simulator import Simulator


def create_simulator(settings: SimulatorSettings) -> FastAPI:
    """An application of its own, which opens and closes its simulator; that is `app.state.simulator`."""
    return simulator_app(Simulator(settings))


def simulator_app(simulator: Simulator) -> FastAPI:
    """The application around a simulator.

    Mounted under another application, whose lifespan does not reach here, the caller closes the simulator.
    """

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        async with simulator:
            yield

    app = FastAPI(title="WhatsApp simulator", lifespan=lifespan, openapi_url=None)
    app.state.simulator = simulator
    app.add_exception_handler(Refusal, refusal_response)
    # First, because /v{version}/… must not be tried on the page's addresses.
    app.include_router(phone_router(simulator))
    app.include_router(app_router(simulator))
    app.include_router(graph_router(simulator))
    return app
