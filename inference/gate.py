"""So many answers of one engine at once, and no business before all others.

An engine that is asked for more than it has places for makes everybody wait. Here the waiting is short and
fair; who gets no place in time is told so and goes to the next model of the chain.
"""

import asyncio
import time
from collections import Counter, deque
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from inference.errors import EngineBusy

_AGAIN_S = 1.0  # an engine that does not say when to come again
_LEAST_AGAIN_S = 0.1
_CLOCK_S = 0.005  # a loop's timers may ring a moment early
_NO_MONEY = "insufficient_quota"  # OpenAI's 429 for an account without means: waiting does not help

Tenant = int | None


def too_busy(error: Exception, reason: str) -> EngineBusy | None:
    """What a client's error is when the engine only has too much to do; None for any other.

    429 from OpenAI-compatible engines, 503 from Ollama whose queue is full, 503 with Retry-After of proxies.
    https://platform.openai.com/docs/guides/error-codes,
    https://docs.ollama.com/faq (How does Ollama handle concurrent requests?)
    """
    status = getattr(error, "status_code", None)
    if status not in (429, 503) or getattr(error, "code", None) == _NO_MONEY:
        return None
    headers = getattr(getattr(error, "response", None), "headers", {})
    said = _seconds(headers.get("retry-after"))
    if status == 503 and said is None and "busy" not in str(error).casefold():
        return None
    return EngineBusy(reason, again_s=said)


def _seconds(header: str | None) -> float | None:
    try:
        return max(0.0, float(header)) if header else None
    except ValueError:  # a date: engines do not send one
        return None


class Gate:
    """The places of one engine in this process.

    A place that becomes free goes to the business that holds fewest, then to who has waited longest. No
    business holds all of them where there are two or more, so that one place is never far for the others.
    """

    def __init__(self, name: str, *, most: int, patience_s: float) -> None:
        """`most` answers at once; nobody waits longer than `patience_s` for a place."""
        if most < 1:
            raise ValueError("an engine without places answers nobody")
        self.name = name
        self._most = most
        self._most_each = max(1, most - 1)
        self._patience_s = patience_s
        self._held: Counter[Tenant] = Counter()
        self._waiting: dict[Tenant, deque[asyncio.Future[None]]] = {}
        self._closed_until = 0.0

    @property
    def taken(self) -> int:
        """How many answers are under way."""
        return self._held.total()

    def deadline(self) -> float:
        """Until when somebody who comes now waits, on the monotonic clock."""
        return time.monotonic() + self._patience_s

    def close(self, again_s: float | None) -> None:
        """The engine takes nobody for so many seconds."""
        pause = max(_LEAST_AGAIN_S, _AGAIN_S if again_s is None else again_s)
        self._closed_until = max(self._closed_until, time.monotonic() + pause)
        asyncio.get_running_loop().call_later(pause + _CLOCK_S, self._hand_out)

    @asynccontextmanager
    async def place(self, tenant: Tenant, deadline: float) -> AsyncIterator[None]:
        """A place for the time of the block. Raises EngineBusy when there is none before `deadline`."""
        await self._take(tenant, deadline)
        try:
            yield
        finally:
            self._give_back(tenant)

    async def _take(self, tenant: Tenant, deadline: float) -> None:
        if self._free_for(tenant):
            self._held[tenant] += 1
            return
        left = deadline - time.monotonic()
        if left <= 0 or self._closed_until > deadline:
            raise EngineBusy(f"{self.name} has no place for one more answer")
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(tenant, deque()).append(turn)
        try:
            async with asyncio.timeout(left):
                await turn
        except BaseException as error:
            if turn.done() and not turn.cancelled():  # it came at the moment of giving up
                self._give_back(tenant)
            self._forget(tenant, turn)
            if isinstance(error, TimeoutError):
                raise EngineBusy(f"{self.name} had no place within {self._patience_s:g} s") from error
            raise

    def _free_for(self, tenant: Tenant) -> bool:
        return (
            self._held.total() < self._most
            and self._held[tenant] < self._most_each
            and time.monotonic() >= self._closed_until
        )

    def _give_back(self, tenant: Tenant) -> None:
        self._held[tenant] -= 1
        if not self._held[tenant]:
            del self._held[tenant]
        self._hand_out()

    def _hand_out(self) -> None:
        while able := [tenant for tenant in self._waiting if self._free_for(tenant)]:
            # Who waits longest stands first among equals: the dict keeps the order in which they came.
            tenant = min(able, key=lambda one: self._held[one])
            turn = self._waiting[tenant].popleft()
            later = self._waiting.pop(tenant)
            if later:
                self._waiting[tenant] = later  # behind the others
            if not turn.done():
                self._held[tenant] += 1
                turn.set_result(None)

    def _forget(self, tenant: Tenant, turn: asyncio.Future[None]) -> None:
        queue = self._waiting.get(tenant)
        if queue is None:
            return
        if turn in queue:
            queue.remove(turn)
        if not queue:
            del self._waiting[tenant]


def nobody() -> Tenant:
    """For work that belongs to no business."""
    return None


Whose = Callable[[], Tenant]
