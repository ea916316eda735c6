"""Traces for OpenTelemetry, where OTEL_EXPORTER_OTLP_ENDPOINT (or its form for traces) names a collector.

The standard OTEL_* variables say the rest: headers, time-outs, sampling, name and attributes of the service.
Set them on every process alike, or a trace has holes. Without an endpoint nothing is recorded, no exporter is
imported; FastAPI and LangSmith's client import OpenTelemetry's bare interface all the same.

https://opentelemetry.io/docs/specs/otel/protocol/exporter/
https://opentelemetry.io/docs/specs/otel/configuration/sdk-environment-variables/
"""

import asyncio
import threading
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, asynccontextmanager, contextmanager
from typing import TYPE_CHECKING

from db import trace
from db.trace import Attribute, Kind, Span, Spans, Unrecorded
from sara.settings import otlp_wanted

if TYPE_CHECKING:
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.trace import Span as OtelSpan
    from opentelemetry.trace import SpanContext

_LEAVING_S = 3.0  # how long the last spans may take to leave when a process stops


@asynccontextmanager
async def tracing(service: str) -> AsyncIterator[Spans]:
    """What records spans, while the block lasts; `service` is its name unless OTEL_SERVICE_NAME gives one.

    A collector that is away, slow or full costs spans, never a turn: they leave in a thread of their own,
    from a bounded queue.
    """
    if not otlp_wanted():
        yield Unrecorded()
        return
    provider, exporter = await asyncio.to_thread(_opened, service)
    try:
        yield OtelSpans(provider)
    finally:
        await _closed(provider, exporter)


def _opened(service: str) -> "tuple[TracerProvider, OTLPSpanExporter]":
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor

    resource = Resource.create()  # of the environment
    if str(resource.attributes["service.name"]).startswith("unknown_service"):
        resource = resource.merge(Resource({"service.name": service}))
    provider, exporter = TracerProvider(resource=resource, shutdown_on_exit=False), OTLPSpanExporter()
    provider.add_span_processor(BatchSpanProcessor(exporter))
    return provider, exporter


async def _closed(provider: "TracerProvider", exporter: "OTLPSpanExporter") -> None:
    """Sends what is left, for a moment: the SDK would wait half a minute for a collector that is away."""
    leaving = threading.Thread(target=provider.shutdown, daemon=True, name="last-spans")
    leaving.start()
    await asyncio.to_thread(leaving.join, _LEAVING_S)
    if leaving.is_alive():
        exporter.shutdown()  # type: ignore[no-untyped-call]


class OtelSpans:
    """Spans of OpenTelemetry. Errors are told by their class: their words may be a customer's."""

    def __init__(self, provider: "TracerProvider") -> None:
        self._tracer = provider.get_tracer("sara")

    def span(
        self,
        name: str,
        *,
        kind: Kind = "internal",
        parent: str | None = None,
        links: Sequence[str] = (),
        **attributes: Attribute,
    ) -> AbstractContextManager[Span]:
        """As `db.trace.Spans.span`."""
        return self._recorded(name, kind, parent or trace.current(), links, attributes)

    @contextmanager
    def _recorded(
        self,
        name: str,
        kind: Kind,
        parent: str | None,
        links: Sequence[str],
        attributes: Mapping[str, Attribute],
    ) -> Iterator[Span]:
        from opentelemetry.context import Context
        from opentelemetry.trace import Link, NonRecordingSpan, SpanKind, Status, StatusCode
        from opentelemetry.trace import set_span_in_context as within

        cause = _context(parent) if parent is not None and trace.is_traceparent(parent) else None
        span = self._tracer.start_span(
            name,
            context=Context() if cause is None else within(NonRecordingSpan(cause), Context()),
            kind=SpanKind[kind.upper()],
            links=[Link(_context(link)) for link in links if trace.is_traceparent(link)],
            attributes=_named(attributes),
            record_exception=False,
            set_status_on_exception=False,
        )
        try:
            with trace.following(_traceparent(span)):
                yield _Recording(span)
        except Exception as error:
            span.set_attribute("error.type", type(error).__name__)
            span.set_status(Status(StatusCode.ERROR))
            raise
        finally:
            span.end()


class _Recording:
    def __init__(self, span: "OtelSpan") -> None:
        self._span = span

    def note(self, **attributes: Attribute) -> None:
        self._span.set_attributes(_named(attributes))


def _named(attributes: Mapping[str, Attribute]) -> dict[str, Attribute]:
    return {f"sara.{name}": value for name, value in attributes.items()}


def _context(traceparent: str) -> "SpanContext":
    from opentelemetry.trace import SpanContext, TraceFlags

    _, trace_id, span_id, flags = traceparent.split("-")
    return SpanContext(
        int(trace_id, 16), int(span_id, 16), is_remote=True, trace_flags=TraceFlags(int(flags, 16))
    )


def _traceparent(span: "OtelSpan") -> str:
    context = span.get_span_context()
    return f"00-{context.trace_id:032x}-{context.span_id:016x}-{int(context.trace_flags):02x}"
