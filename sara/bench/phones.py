"""Customers' phones at the simulator: each asks, and knows when it was answered."""

import asyncio
import itertools
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, suppress

from channels.simulator.simulator import Simulator
from sara.bench.channel import NUMBER

_PATIENCE_S = 60.0


class Phones:
    """Made by `listening`."""

    def __init__(self, simulator: Simulator) -> None:
        self._simulator = simulator
        self._waiting: dict[str, asyncio.Future[float]] = {}
        self.unanswered = 0

    async def asks(self, wa_id: str, text: str) -> float | None:
        """Milliseconds from the moment a customer writes until the next message to that customer is on the
        phone; None when none comes."""
        answer, began = self.expect(wa_id), time.perf_counter()
        await self._simulator.customer_sends(NUMBER, wa_id, text=text)
        try:
            answered = await asyncio.wait_for(answer, _PATIENCE_S)
        except TimeoutError:
            self.unanswered += 1
            return None
        return (answered - began) * 1000

    def expect(self, wa_id: str) -> asyncio.Future[float]:
        """The moment of the next message to a customer, on the clock of time.perf_counter."""
        answer: asyncio.Future[float] = asyncio.get_running_loop().create_future()
        self._waiting[wa_id] = answer
        return answer

    async def hear(self) -> None:
        """Tells whoever waits; for ever."""
        with self._simulator.world.listen() as changes:
            while True:
                message = (await changes.get()).message
                if message is None or message.direction != "out" or message.status != "sent":
                    continue
                answer = self._waiting.pop(message.customer, None)
                if answer is not None and not answer.done():
                    answer.set_result(time.perf_counter())


@asynccontextmanager
async def listening(simulator: Simulator) -> AsyncIterator[Phones]:
    """Phones that hear what the simulator is told to deliver."""
    phones = Phones(simulator)
    hearing = asyncio.create_task(phones.hear())
    await asyncio.sleep(0)
    try:
        yield phones
    finally:
        hearing.cancel()
        with suppress(asyncio.CancelledError):
            await hearing


def people(prefix: str) -> Iterator[str]:
    """Phone numbers of customers nobody has met."""
    return (f"{prefix}{number:07d}" for number in itertools.count())
