"""Traces on their way out, on a thread of their own: whatever happens there, turns do not wait for it.

What waits is bounded, and what does not fit is dropped and counted. While the other side does not answer
nothing is even masked. The thread keeps no process alive, and one that ends waits for it a moment only.
"""

import time
from collections.abc import Callable
from contextlib import suppress
from queue import Empty, Full, Queue
from threading import Thread

import structlog
from langchain_core.tracers.schemas import Run

log = structlog.get_logger(__name__)

MOST_WAITING = 64  # finished turns; each holds on to what its nodes were given
PATIENCE_S = 2.0  # that a process which ends waits for the last ones
REST_S = 30.0  # after a failure


class TraceRefused(Exception):
    """LangSmith did not take a trace: unreachable, too many at once, or out of order."""


class Sender:
    """Takes finished turns from the tracer and gives them to `send`, one after another."""

    def __init__(
        self, send: Callable[[Run], None], *, most_waiting: int = MOST_WAITING, rest_s: float = REST_S
    ) -> None:
        self._send = send
        self._rest_s = rest_s
        self._resting_until = 0.0
        self._waiting: Queue[Run | None] = Queue(most_waiting)
        self.sent = 0
        self.dropped = 0
        self._thread = Thread(target=self._work, name="langsmith", daemon=True)
        self._thread.start()

    def put(self, turn: Run) -> None:
        """Never waits, never raises."""
        if time.monotonic() < self._resting_until:
            self.dropped += 1
            return
        try:
            self._waiting.put_nowait(turn)
        except Full:
            self.dropped += 1

    def close(self, patience_s: float = PATIENCE_S) -> None:
        """Sends what waits, for `patience_s` seconds at most."""
        while True:
            try:
                self._waiting.put_nowait(None)
                break
            except Full:
                with suppress(Empty):
                    self._waiting.get_nowait()
                    self.dropped += 1
        self._thread.join(patience_s)
        if self.dropped:
            log.warning("traces_dropped", dropped=self.dropped, sent=self.sent)

    def _work(self) -> None:
        while (turn := self._waiting.get()) is not None:
            self._deliver(turn)
            self._waiting.task_done()

    def _deliver(self, turn: Run) -> None:
        if time.monotonic() < self._resting_until:
            self.dropped += 1
            return
        try:
            self._send(turn)
            self.sent += 1
        except Exception as error:  # whatever it is, a later turn's trace may fare better
            self.dropped += 1
            self._resting_until = time.monotonic() + self._rest_s
            log.warning("trace_not_sent", error=f"{type(error).__name__}: {error}", rest_s=self._rest_s)
