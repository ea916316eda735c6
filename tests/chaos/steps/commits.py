"""A worker that stops at a commit: dead just before it or after it, or frozen for as long as a test likes.

Between two commits nothing of a job can be seen from outside, so its commits are all the places there are.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field, replace
from typing import Any

from langchain_core.runnables import RunnableConfig

from crm.record import Ask, Crm, Tx
from db.checkpoints import TenantSaver
from graph.build import build
from jobs.services import Services

_BESIDE = "_show_typing"  # runs beside the turn, which does not wait for it
_SETTLES_S = 0.005


@dataclass
class Life:
    """A job's life in commits: it stops at the commit number `stops_at`, counted from 0, or never."""

    stops_at: int | None = None
    before: bool = False
    """Whether it stops before that commit, which then never is, or after it."""
    commits: int = 0
    open: int = 0
    """Transactions under way."""
    dead: bool = False
    stopped: asyncio.Event = field(default_factory=asyncio.Event)
    goes_on: asyncio.Event = field(default_factory=asyncio.Event)

    async def reach(self, *, before: bool) -> None:
        """Called around every commit. The dead commit nothing more.

        Who is frozen holds no row: others would wait for it, and here nobody moves but by turns. So it
        freezes after a commit, when nothing else of it is under way, and what is beside it may end.
        """
        number = self.commits
        self.commits += not before
        due = self.stops_at is not None and before == self.before and number >= self.stops_at
        if due and (before or not self.open):
            self.stopped.set()
        while self.stopped.is_set() and before == self.before and not self.dead:
            await self.goes_on.wait()
        if self.dead:
            raise asyncio.CancelledError

    def release(self, stops_at: int | None) -> None:
        """A frozen one goes on, to its end or for so many commits more."""
        self.stops_at = None if stops_at is None else self.commits + stops_at
        self.before = False
        self.stopped.clear()
        self._wake()

    def end(self) -> None:
        """It is dead."""
        self.dead = True
        self._wake()

    def _wake(self) -> None:
        self.goes_on.set()
        self.goes_on = asyncio.Event()


_LIFE: ContextVar[Life | None] = ContextVar("life", default=None)


def _own() -> Life:
    """The life of the job at work here; one that never ends where commits do not count."""
    task = asyncio.current_task()
    beside = task is not None and getattr(task.get_coro(), "__name__", "") == _BESIDE
    return (None if beside else _LIFE.get()) or Life()


class MortalCrm(Crm):
    """The record as a mortal worker sees it."""

    @asynccontextmanager
    async def opening(
        self, business_id: int, asks: Sequence[Ask[Any]] = ()
    ) -> AsyncIterator[tuple[Tx, list[list[Any]]]]:
        life = _own() if business_id else Life()  # what is of no business, such as a hold, changes nothing
        life.open += 1
        try:
            async with super().opening(business_id, asks) as begun:
                yield begun
                await life.reach(before=True)
        finally:
            life.open -= 1
        await life.reach(before=False)

    async def at_once(self, business_id: int, asks: Sequence[Ask[Any]]) -> list[list[Any]]:
        life = _own() if business_id else Life()
        await life.reach(before=True)
        found = await super().at_once(business_id, asks)
        await life.reach(before=False)
        return found


class MortalSaver(TenantSaver):
    """Its threads' checkpoints."""

    async def aput(self, config: RunnableConfig, *given: Any) -> RunnableConfig:
        life = _own()
        await life.reach(before=True)
        written = await super().aput(config, *given)
        await life.reach(before=False)
        return written

    async def aput_writes(
        self, config: RunnableConfig, writes: Sequence[tuple[str, Any]], task_id: str, task_path: str = ""
    ) -> None:
        life = _own()
        await life.reach(before=True)
        await super().aput_writes(config, writes, task_id, task_path)
        await life.reach(before=False)


def mortal(services: Services) -> Services:
    """The same services for a worker whose commits are counted."""
    crm = MortalCrm(services.crm._pool, services.crm.clock, services.crm._queries)
    saver: Any = services.machine.checkpointer
    return replace(
        services,
        crm=crm,
        context=replace(services.context, crm=crm),
        machine=build(MortalSaver(saver._pool)),
    )


@dataclass
class Job:
    """A job that was begun; `frozen` while it waits to be told to go on or to die."""

    life: Life
    task: "asyncio.Task[None]"

    @property
    def frozen(self) -> bool:
        return self.life.stopped.is_set() and not self.task.done()

    async def rest(self) -> None:
        """Until it ends or stops."""
        stopped = asyncio.ensure_future(self.life.stopped.wait())
        try:
            await asyncio.wait({self.task, stopped}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            stopped.cancel()
        if self.task.done():
            self.task.result()
        else:
            await asyncio.sleep(_SETTLES_S)

    async def go_on(self, stops_at: int | None = None) -> None:
        """On from where it froze, to its end or for so many commits."""
        self.life.release(stops_at)
        await self.rest()

    async def die(self) -> None:
        """Its transaction is rolled back, nobody tidies up."""
        self.life.end()
        self.task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self.task


async def begin(job: Callable[..., Awaitable[None]], life: Life, *context: Any, **arguments: int) -> Job:
    """A worker takes a job up, and works until it ends or stops."""

    async def run() -> None:
        _LIFE.set(life)
        await job(*context, **arguments)

    begun = Job(life, asyncio.ensure_future(run()))
    await begun.rest()
    return begun
