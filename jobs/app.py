"""The job queue: Procrastinate on our own database."""

import asyncio

import structlog
from procrastinate import App, PsycopgConnector

from jobs import (
    agenda,
    alerts,
    attend,
    brief,
    calendars,
    campaigns,
    drain,
    expiry,
    file,
    halts,
    hooks,
    outward,
    retention,
    send,
    sweep,
    watch,
)
from jobs.services import KEY, Services

log = structlog.get_logger(__name__)

NAMESPACE = "sara"


def build_app(dsn: str, *, connections: int = 4) -> App:
    """The queue with its tasks; open it before use (`async with app.open_async()`)."""
    app = App(connector=PsycopgConnector(conninfo=dsn, min_size=1, max_size=connections))
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
        watch,
        attend,
        brief,
        agenda,
        calendars,
        file,
        halts,
    ):
        app.add_tasks_from(room.blueprint(), namespace=NAMESPACE)
    return app


async def run_worker(app: App, services: Services, *, concurrency: int, name: str) -> None:
    """Works until cancelled.

    Procrastinate's worker ends when its database goes away for a moment (a heartbeat fails) or when
    another worker took it for dead (its row is gone, and every fetch then breaks a foreign key). Both
    pass, so it is started again. A cancellation in the middle of a query can come back as the query's error:
    the task knows better whether it was asked to end.
    """
    while not _asked_to_end():
        try:
            await sweep.sweep_once(services)
            await _work(app, services, concurrency=concurrency, name=name)
            log.warning("worker_ended", next="starting again")
        except Exception as error:
            log.warning("worker_failed", error=f"{type(error).__name__}: {error}", next="starting again")
        await asyncio.sleep(services.patience.restart_s)


def _asked_to_end() -> bool:
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0


async def _work(app: App, services: Services, *, concurrency: int, name: str) -> None:
    """Scheduled jobs get no notification when they fall due, so the queue is looked at twice a second;
    finished jobs are deleted, since a queue full of them halves its speed."""
    await app.run_worker_async(
        name=name,
        concurrency=concurrency,
        additional_context={KEY: services},
        install_signal_handlers=False,
        fetch_job_polling_interval=0.5,
        shutdown_graceful_timeout=5,
        update_heartbeat_interval=services.patience.heartbeat_s,
        stalled_worker_timeout=services.patience.dead_after_s,
        delete_jobs="always",
    )
