"""How a command enters the event loop."""

import asyncio
import logging
import signal
import sys
from collections.abc import Callable, Coroutine
from contextlib import suppress
from typing import Any, TypeVar

import structlog
from structlog.typing import EventDict

from db import trace
from inference import masking

_IDS = frozenset(
    {"timestamp", "level", "logger", "trace_id", "span_id", "turn_id", "thread_id", "phone_number_id"}
)

Result = TypeVar("Result")


def run(work: Coroutine[Any, Any, Result], *, log_level: str = "warning") -> Result:
    """Runs a command's coroutine, on uvloop where it is installed.

    SIGTERM ends it as Ctrl-C does: what it opened is closed, the embedded database with it, and the process
    exits with 143.
    """
    configure_logging(log_level)
    try:
        with asyncio.Runner(loop_factory=_loop_factory()) as runner:
            return runner.run(_ended_by_sigterm(work))
    except asyncio.CancelledError:
        raise SystemExit(128 + signal.SIGTERM) from None


def _loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    try:
        import uvloop
    except ImportError:
        return None
    return uvloop.new_event_loop


async def _ended_by_sigterm(work: Coroutine[Any, Any, Result]) -> Result:
    task = asyncio.current_task()
    if task is not None:
        with suppress(NotImplementedError, RuntimeError, ValueError):  # not everywhere, nor in every thread
            asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
    return await work


def configure_logging(level: str) -> None:
    """JSON lines on standard error, so that output on standard output stays clean.

    Every line carries the ids bound around it (business_id, thread_id, turn_id …) and its trace's. What is
    somebody's by its form is masked in them, as in traces (inference/masking.py).
    """
    number = logging.getLevelNamesMapping().get(level.upper(), logging.INFO)
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        _add_trace,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
        _mask,
    ]
    last = structlog.processors.JSONRenderer(ensure_ascii=False)
    _configure_libraries(number, shared, last)
    structlog.configure(
        processors=[*shared, last],
        wrapper_class=structlog.make_filtering_bound_logger(number),
        logger_factory=structlog.PrintLoggerFactory(file=sys.stderr),
    )


def _configure_libraries(
    number: int, shared: list[structlog.typing.Processor], last: structlog.typing.Processor
) -> None:
    """What libraries log through `logging` becomes the same lines, with the name of whoever says it."""
    lines = logging.StreamHandler()
    lines.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[structlog.stdlib.add_logger_name, *shared],
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, last],
        )
    )
    logging.basicConfig(level=max(number, logging.WARNING), handlers=[lines])
    for chatty in ("procrastinate", "httpx", "langchain_postgres"):
        logging.getLogger(chatty).setLevel(max(number, logging.WARNING))


def _mask(logger: object, method: str, event: EventDict) -> EventDict:
    """Nobody's numbers, addresses and codes in the lines, whoever wrote them into a message or an error."""
    return {k: v if k in _IDS or k.startswith("_") else masking.shown(v) for k, v in event.items()}


def _add_trace(logger: object, method: str, event: EventDict) -> EventDict:
    if (trace_id := trace.trace_id()) is not None:
        event["trace_id"] = trace_id
    return event
