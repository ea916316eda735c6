"""The processes: serve, worker, migrate."""

import asyncio
import logging
import signal
import socket
from contextlib import AsyncExitStack, suppress
from typing import Annotated, Literal

import typer

from db import embedded
from db.migrate import migrate as bring_up_to_date
from db.migrate import require_current
from sara import services
from sara.commands.failures import CommandFailed, listening
from sara.commands.loop import configure_logging
from sara.commands.loop import run as run_loop
from sara.connections import unshared
from sara.memory import frugal, settle
from sara.priority import step_back
from sara.settings import Settings, load
from sara.watching import shown, watching

LOG_LEVELS = ("critical", "error", "warning", "info", "debug")


def serve(
    host: Annotated[str, typer.Option(help="address to bind")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="port to bind")] = 8000,
    with_worker: Annotated[bool, typer.Option("--worker", help="also run a worker in this process")] = False,
) -> None:
    """API and webhooks. Turns are run by `sara worker` (or here, with --worker)."""
    import uvicorn

    from sara import asgi

    settings = load()
    level = settings.log_level.lower()
    if level not in LOG_LEVELS:
        raise CommandFailed(f"SARA_LOG_LEVEL={settings.log_level!r} is not one of {', '.join(LOG_LEVELS)}")
    configure_logging(level)
    if settings.database_url:  # said in one line here, instead of in the traceback of a failed start
        run_loop(require_current(unshared(settings)), log_level=level)
    frugal()
    app = asgi.make_app(settings, with_worker=with_worker)
    config = uvicorn.Config(
        app,
        log_level=level,
        log_config=None,  # its lines go where all go, as JSON
        access_log=False,
        timeout_graceful_shutdown=10,
        backlog=2048,
        loop=_loop(),
    )
    server = uvicorn.Server(config)
    with listening(port), _bound(host, port) as listener:
        # uvicorn names the address only of sockets it binds itself.
        logging.getLogger("uvicorn.error").info("Listening on http://%s:%d", host, listener.getsockname()[1])
        server.run(sockets=[listener])
    if not server.started:
        raise CommandFailed("the service did not start: the log above says why, `sara doctor` what to mend")


def _bound(host: str, port: int) -> socket.socket:
    """A socket on the address; bound before anything is opened, so that a taken port costs nothing."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
    except OSError:
        listener.close()
        raise
    return listener


def _loop() -> Literal["uvloop", "asyncio"]:
    with suppress(ImportError):
        import uvloop  # noqa: F401

        return "uvloop"
    return "asyncio"


def worker() -> None:
    """Runs turns and deliveries until stopped; start as many as needed, on any machine."""
    settings = load()
    frugal()
    run_loop(_worker(settings), log_level=settings.log_level)


async def _worker(settings: Settings) -> None:
    from jobs.app import run_worker
    from sara.worker import open_worker

    async with AsyncExitStack() as stack:
        watched = await stack.enter_async_context(watching(settings, "sara-worker"))
        await stack.enter_async_context(shown(settings, watched.exposition))
        dsn = await stack.enter_async_context(services.database(settings))
        step_back(settings.worker_nice)
        crm = await stack.enter_async_context(services.record(settings, dsn))
        opened = await stack.enter_async_context(open_worker(settings, dsn, crm, watched))
        settle()
        work = asyncio.create_task(
            run_worker(
                opened.app,
                opened.services,
                concurrency=settings.worker_concurrency,
                deliveries=settings.worker_deliveries,
                name="worker",
            )
        )
        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, work.cancel)
        with suppress(asyncio.CancelledError):
            await work


def migrate() -> None:
    """Creates or updates every table: record, queue, checkpoints, passages. Safe to start many at once."""
    done = run_loop(_migrate(load()))
    print("applied " + ", ".join(done) if done else "up to date")


async def _migrate(settings: Settings) -> list[str]:
    if settings.database_url:
        return await bring_up_to_date(unshared(settings))
    server = await asyncio.to_thread(embedded.start, settings.data_dir.resolve())
    try:
        return await bring_up_to_date(server.dsn)
    finally:
        server.stop()
