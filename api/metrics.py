"""What Prometheus reads at /metrics."""

import time
from collections.abc import Mapping

from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from starlette.types import ASGIApp, Message, Receive, Scope, Send


class Metrics:
    """Counters of one process, in a registry of its own."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        self._items = Counter(
            "sara_webhook_items", "Items taken in from webhooks", ["kind"], registry=self._registry
        )
        self._seconds = Histogram(
            "sara_http_seconds",
            "Time to answer a request",
            ["route", "status"],
            buckets=(0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10),
            registry=self._registry,
        )

    def webhook(self, counts: Mapping[str, int]) -> None:
        """Adds what one webhook carried, by kind."""
        for kind, count in counts.items():
            if count:
                self._items.labels(kind).inc(count)

    def request(self, route: str, status: int, seconds: float) -> None:
        """Adds one answered request."""
        self._seconds.labels(route, str(status)).observe(seconds)

    def text(self) -> bytes:
        """The exposition format."""
        return generate_latest(self._registry)


class Timed:
    """ASGI middleware that measures each request up to the start of its answer."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Passes the request on; anything but HTTP unmeasured."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started, metrics = time.perf_counter(), scope["app"].state.services.metrics

        async def measured(message: Message) -> None:
            if message["type"] == "http.response.start":
                route = getattr(scope.get("route"), "path", "other")
                metrics.request(route, message["status"], time.perf_counter() - started)
            await send(message)

        await self._app(scope, receive, measured)
