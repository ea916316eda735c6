"""What requests and webhooks are counted by, and what Prometheus reads at /metrics."""

import time
from collections.abc import Mapping

from prometheus_client import Counter, Histogram
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.gauges import DatabaseGauges
from crm.record import Crm
from jobs.exposition import Exposition

WEBHOOKS = "/webhooks/whatsapp"
_READING = ("GET", "HEAD", "OPTIONS")


class Metrics:
    """Counters of one process. In one that also works, `exposition` is the worker's.

    The database is asked at most once in `fresh_s` seconds, however many scrape.
    """

    def __init__(self, exposition: Exposition | None = None, *, fresh_s: float = 5.0) -> None:
        self._exposition = exposition or Exposition()
        self._items = Counter(
            "sara_webhook_items",
            "Items taken in from webhooks",
            ["kind"],
            registry=self._exposition.counted,
        )
        self._seconds = Histogram(
            "sara_http_seconds",
            "Time to answer a request",
            ["route", "status"],
            buckets=(0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10),
            registry=self._exposition.counted,
        )
        self._limited = Counter(
            "sara_http_limited",
            "Requests held back because there were too many",
            ["reason"],
            registry=self._exposition.counted,
        )
        self._gauges = DatabaseGauges(fresh_s)
        self._exposition.look_at(self._gauges)

    def webhook(self, counts: Mapping[str, int]) -> None:
        """Adds what one webhook carried, by kind."""
        for kind, count in counts.items():
            if count:
                self._items.labels(kind).inc(count)

    def request(self, route: str, status: int, seconds: float) -> None:
        """Adds one answered request."""
        self._seconds.labels(route, str(status)).observe(seconds)

    def limited(self, by: str) -> None:
        """Adds one request held back, by the limit it ran into: `caller` or `address`."""
        self._limited.labels(by).inc()

    async def text(self, crm: Crm) -> bytes:
        """The exposition format, with what the database says of the installation at most some seconds ago."""
        await self._gauges.refresh(crm)
        return self._exposition.text()


class Timed:
    """ASGI middleware that measures each request up to the start of its answer; one that fails before it has
    begun is answered 500 outside of this, and counted as that.

    What changes something (an agent's reply, a hand-back) begins a trace; webhooks begin their own.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Passes the request on; anything but HTTP unmeasured."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        services = scope["app"].state.services
        if scope["method"] in _READING or scope["path"] == WEBHOOKS:
            await self._measured(scope, receive, send, services.metrics)
            return
        with services.spans.span("request", kind="server", method=scope["method"]) as span:
            await self._measured(scope, receive, send, services.metrics)
            span.note(route=_route(scope))

    async def _measured(self, scope: Scope, receive: Receive, send: Send, metrics: Metrics) -> None:
        started, answering = time.perf_counter(), False

        async def measured(message: Message) -> None:
            nonlocal answering
            if message["type"] == "http.response.start":
                answering = True
                metrics.request(_route(scope), message["status"], time.perf_counter() - started)
            await send(message)

        try:
            await self._app(scope, receive, measured)
        except ClientDisconnect:  # who hung up is answered nothing
            raise
        except Exception:
            if not answering:
                metrics.request(_route(scope), 500, time.perf_counter() - started)
            raise


def _route(scope: Scope) -> str:
    """The route that answers, never the path: paths hold ids."""
    return getattr(scope.get("route"), "path", "other")
