"""Live updates of the console: one LISTEN per process, told on to every open stream of that business."""

import asyncio
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from db.listen import notifications

CHANNEL = "sara_live"
MOST_WAITING = 200  # changes that a slow stream may be behind before it is told to fetch all anew


@dataclass(frozen=True)
class Change:
    """Something in a conversation changed; without one anything may have: fetch again."""

    conversation_id: int | None
    what: str


ANYTHING = Change(None, "refetch")


class Live:
    """Who listens in this process. `run` is a background task of the application."""

    def __init__(self, dsn: str) -> None:
        self._dsn = dsn
        self._streams: dict[int, set[asyncio.Queue[Change]]] = defaultdict(set)

    async def run(self) -> None:
        """Hands on what the database tells, until cancelled."""
        async for payload in notifications(self._dsn, CHANNEL):
            if payload is None:
                for business_id in list(self._streams):
                    self._tell(business_id, ANYTHING)
                continue
            business, _, rest = payload.partition(":")
            conversation, _, what = rest.partition(":")
            if business.isdigit() and conversation.isdigit():
                self._tell(int(business), Change(int(conversation), what))

    @contextmanager
    def listen(self, business_id: int) -> Iterator[asyncio.Queue[Change]]:
        """The changes of one business, for as long as the block lasts."""
        queue: asyncio.Queue[Change] = asyncio.Queue(MOST_WAITING)
        self._streams[business_id].add(queue)
        try:
            yield queue
        finally:
            self._streams[business_id].discard(queue)
            if not self._streams[business_id]:
                del self._streams[business_id]

    @property
    def streams(self) -> int:
        """How many streams are open."""
        return sum(len(queues) for queues in self._streams.values())

    def _tell(self, business_id: int, change: Change) -> None:
        for queue in self._streams.get(business_id, ()):
            if queue.full():
                while not queue.empty():
                    queue.get_nowait()
                queue.put_nowait(ANYTHING)
            else:
                queue.put_nowait(change)
