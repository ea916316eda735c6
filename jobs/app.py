"""The job queue: Procrastinate on our own database."""

import asyncio
from collections.abc import Sequence

import structlog
from procrastinate import App

from crm import queue
from jobs import (
    agenda,
    alerts,
    analytics,
    attend,
    brief,
    calendars,
    campaigns,
    digest,
    drain,
    expiry,
    file,
    halts,
    hooks,
    nps,
    outward,
    partitions,
    retention,
    send,
    sweep,
    watch,
)
from jobs.connector import connector
from jobs.punctual import PunctualWorker
from jobs.services import KEY, Services

log = structlog.get_logger(__name__)

NAMESPACE = "sara"
TURNING = (queue.TURNS, queue.HOOKS, queue.OUTWARD)
SENDING = (queue.SENDS,)
_GRACE_S = 5  # that running jobs have to end when the worker stops


def build_app(dsn: str, *, connections: int = 6, pooled: bool = False, listen_at: str | None = None) -> App:
    """The queue with its tasks; open it before use (`async with app.open_async()`).

    `pooled`: as for `db.pool.open_pool`; workers are then told of new jobs over `listen_at`.
    """
    app = App(connector=connector(dsn, connections=connections, pooled=pooled, listen_at=listen_at))
    for room in (
        campaigns,
        drain,
        send,
        hooks,
        sweep,
        retention,
        expiry,
        alerts,
        outward,
        partitions,
        watch,
        attend,
        brief,
        agenda,
        calendars,
        file,
        halts,
        nps,
        digest,
        analytics,
    ):
        app.add_tasks_from(room.blueprint(), namespace=NAMESPACE)
    return app


async def run_worker(
    app: App, services: Services, *, concurrency: int, deliveries: int = 8, name: str
) -> None:
    """Works until cancelled: `concurrency` jobs at once, and beside them as many `deliveries`, which mostly
    wait for the channel and for their turn, and must never wait for turns."""
    lanes = ((TURNING, concurrency, name), (SENDING, deliveries, f"{name}-sends"))
    working = {asyncio.create_task(_work_on(app, services, *lane)) for lane in lanes}
    try:
        ended, _ = await asyncio.wait(working, return_when=asyncio.FIRST_COMPLETED)
        for lane in ended:
            await lane
    finally:
        # Before Python 3.12 `wait_for`, which pools of connections use, can lose a cancellation (issue 86296
        # of CPython): each lane is asked again once a graceful end would be over.
        while working := {lane for lane in working if not lane.done()}:
            for lane in working:
                lane.cancel()
            await asyncio.wait(working, timeout=_GRACE_S + 2)


async def _work_on(app: App, services: Services, queues: Sequence[str], concurrency: int, name: str) -> None:
    """Procrastinate's worker ends when its database goes away for a moment (a heartbeat fails) or when
    another worker took it for dead (its row is gone, and every fetch then breaks a foreign key). Both
    pass, so it is started again."""
    while True:
        try:
            await sweep.sweep_once(services)
            await _work(app, services, queues=queues, concurrency=concurrency, name=name)
            log.warning("worker_ended", next="starting again")
        except Exception as error:
            log.warning("worker_failed", error=f"{type(error).__name__}: {error}", next="starting again")
        await asyncio.sleep(services.patience.restart_s)


async def _work(app: App, services: Services, *, queues: Sequence[str], concurrency: int, name: str) -> None:
    """Finished jobs are deleted, since a queue full of them halves its speed."""

    async def due_in() -> float | None:
        return await queue.due_in(services.crm, queues)

    app.perform_import_paths()  # type: ignore[no-untyped-call]
    worker = PunctualWorker(
        due_in=due_in,
        app=app,
        name=name,
        queues=list(queues),
        concurrency=concurrency,
        additional_context={KEY: services},
        install_signal_handlers=False,
        shutdown_graceful_timeout=_GRACE_S,
        update_heartbeat_interval=services.patience.heartbeat_s,
        stalled_worker_timeout=services.patience.dead_after_s,
        delete_jobs="always",
    )
    await worker.run()  # type: ignore[no-untyped-call]
