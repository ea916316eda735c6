"""What a process is watched by: metrics, and where they are shown; traces, where somebody collects them."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from prometheus_client import start_http_server

from jobs.exposition import Exposition
from jobs.looks import Disk
from jobs.watching import Watching
from sara.settings import Settings, shared_metrics
from sara.tracing import tracing


class MetricsNotShown(Exception):
    """A worker's metrics cannot be shown where they should be."""


@asynccontextmanager
async def watching(settings: Settings, service: str) -> AsyncIterator[Watching]:
    """The metrics and traces of a process, which is the `service` of its traces."""
    shared = shared_metrics()
    if shared is not None:
        await asyncio.to_thread(shared.mkdir, parents=True, exist_ok=True)
    exposition = Exposition(shared=shared)
    exposition.look_at(Disk(settings.data_dir))
    async with tracing(service) as spans:
        yield Watching(exposition, spans)


@asynccontextmanager
async def shown(settings: Settings, exposition: Exposition) -> AsyncIterator[None]:
    """A worker's metrics at SARA_METRICS_HOST and SARA_METRICS_PORT; without a port nowhere.

    They are answered in a thread of their own, so also while the worker is busy. Raises MetricsNotShown.
    """
    host, port = settings.metrics_host, settings.metrics_port
    if port is None:
        yield
        return
    try:
        server, thread = start_http_server(port, host, exposition.all)
    except OSError as error:
        raise MetricsNotShown(
            f"cannot show metrics at {host}:{port} ({error.strerror}): "
            "give every worker of a machine a SARA_METRICS_PORT of its own"
        ) from error
    try:
        yield
    finally:
        await asyncio.to_thread(server.shutdown)
        server.server_close()
        thread.join(1)
