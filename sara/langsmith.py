"""LangSmith, where its own variables name it. Without them nothing here opens a connection.

What leaves is masked by `inference.masking` before it is given to LangSmith's client. The client sends when
told to and keeps no thread: `graph.langsmith_sender` has the only one.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import structlog
from langchain_core.tracers.schemas import Run
from langsmith import Client
from langsmith.schemas import LangSmithInfo
from urllib3.util import Retry

from graph.build import Machine
from graph.langsmith import Tracer, records
from graph.langsmith_sender import Sender, TraceRefused
from sara.settings import LangSmith

log = structlog.get_logger(__name__)

_CONNECT_MS, _READ_MS = 3000, 10_000


def opened(options: LangSmith, failed: Callable[[Exception], None] | None = None) -> Client:
    """LangSmith's client; `failed` hears of traces that were not taken."""
    return Client(
        api_url=options.endpoint,
        api_key=options.api_key.get_secret_value() if options.api_key else "",
        info=LangSmithInfo(),  # else it is asked for, before anything is sent
        auto_batch_tracing=False,
        tracing_mode="langsmith",
        retry_config=Retry(0),
        timeout_ms=(_CONNECT_MS, _READ_MS),
        omit_traced_runtime_info=True,
        disable_prompt_cache=True,
        tracing_error_callback=failed,
    )


@asynccontextmanager
async def traced(machine: Machine, options: LangSmith) -> AsyncIterator[Machine]:
    """The machine with its turns traced where LANGSMITH_TRACING is on, else the machine as it is."""
    if not options.tracing:
        yield machine
        return
    if options.api_key is None:
        log.warning("tracing_without_key", problem="LANGSMITH_TRACING needs LANGSMITH_API_KEY: no traces")
        yield machine
        return
    sender = await asyncio.to_thread(_sender, options)
    try:
        yield machine.with_config(callbacks=[Tracer(sender.put)])
    finally:
        await asyncio.to_thread(sender.close)


def _sender(options: LangSmith) -> Sender:
    problems: list[Exception] = []
    client = opened(options, problems.append)

    def send(turn: Run) -> None:
        problems.clear()
        client.multipart_ingest(create=records(turn, options.project))
        if problems:
            raise TraceRefused(str(problems[-1]))

    return Sender(send)
