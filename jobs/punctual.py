"""A worker that looks at its queue when the next job falls due, not only twice a second.

PostgreSQL tells workers when a job is put into the queue; nobody tells them when one that was put there for
later falls due. A customer whose burst has been gathered would wait a quarter of a second more for the next
look, on average.
"""

import math
import time
from collections.abc import Awaitable, Callable
from typing import Any

from procrastinate.worker import Worker

LOOK_S = 0.5
_ASK_S = 0.1  # between two questions; those who put a job into the queue for later mean later than that
_MARGIN_S = 0.002  # past the moment, lest the look come just before it


class PunctualWorker(Worker):
    """Procrastinate's worker, whose polling interval is the time until the next job falls due.

    `due_in` gives the seconds until then, or None when no job of its queues waits for a later time.
    `look_s` is the longest it sleeps without being told of a job.
    """

    def __init__(
        self,
        *,
        due_in: Callable[[], Awaitable[float | None]],
        look_s: float = LOOK_S,
        monotonic: Callable[[], float] = time.monotonic,
        **options: Any,
    ) -> None:
        super().__init__(fetch_job_polling_interval=look_s, **options)
        self._due_in = due_in
        self._look_s = look_s
        self._monotonic = monotonic
        self._due, self._asked = math.inf, -math.inf

    async def _fetch_and_process_jobs(self) -> None:
        await super()._fetch_and_process_jobs()  # type: ignore[no-untyped-call]
        self.fetch_job_polling_interval = await self.until_next()

    async def until_next(self) -> float:
        """Seconds to sleep, were there no news."""
        now = self._monotonic()
        if now < self._due <= now + self._look_s:
            return self._due - now
        if now - self._asked < _ASK_S:
            return self._asked + _ASK_S - now
        self._asked = now
        seconds = await self._due_in()
        self._due = math.inf if seconds is None else now + seconds + _MARGIN_S
        return min(self._look_s, self._due - now)
