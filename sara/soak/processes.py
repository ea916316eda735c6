"""The installation a soak torments: its own database and `sara` processes that are killed and come back."""

import asyncio
import contextlib
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import httpx

from crm import queue
from crm.errors import RecordUnavailable
from crm.record import Crm
from db.embedded import Embedded
from sara.local import HOST
from sara.settings import environment_with
from sara.soak.plan import Breakage

_START_S = 300.0
_STOP_S = 30.0
_ALIVE_S = 5.0  # since the last sign of a worker's life
_DOWN_S = 1.0  # how long what was killed stays away
_RUN = (sys.executable, "-c", "from sara.cli import main; main()")


class NotStarted(RuntimeError):
    """A process ended or stayed silent before it was ready; the last lines of its log say why."""


@dataclass
class Process:
    """One `sara` process by its name in the report, started again and again; its output goes to a file."""

    name: str
    arguments: tuple[str, ...]
    environment: Mapping[str, str]
    log: Path
    running: subprocess.Popen[bytes] | None = None
    incarnation: int = 0
    failures: list[str] = field(default_factory=list)
    """What it did wrong: ended by itself, or would not stop."""

    def start(self) -> None:
        """Starts it."""
        with self.log.open("ab") as out:
            self.running = subprocess.Popen(  # noqa: S603 - ourselves
                [*_RUN, *self.arguments],
                env=dict(self.environment),
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=out,
                start_new_session=True,
            )
        self.incarnation += 1

    def kill(self) -> None:
        """kill -9: nothing of it gets a chance to tidy up."""
        if self.running is not None and not self._ended():
            self.running.kill()
            self.running.wait()
        self.running = None

    async def stop(self) -> None:
        """SIGTERM, as a service manager does; one that does not end in time is killed, and that is noted."""
        ended = self.running is None or self._ended()
        # Nobody is to see it end and think that it did so by itself.
        running, self.running = self.running, None
        if running is None or ended:
            return
        running.send_signal(signal.SIGTERM)
        try:
            code = await asyncio.to_thread(running.wait, _STOP_S)
        except subprocess.TimeoutExpired:
            self.failures.append(f"{self.name} did not stop within {_STOP_S:g} s of SIGTERM")
            running.kill()
            running.wait()
        else:
            if code not in (0, -signal.SIGTERM, 128 + signal.SIGTERM):  # the last: before it was at work
                self.failures.append(f"{self.name} ended with {code} after SIGTERM")

    def alive(self) -> bool:
        """Whether it runs; one that ended by itself is noted."""
        return self.running is not None and not self._ended()

    def _ended(self) -> bool:
        code = self.running.poll() if self.running is not None else None
        if code is None:
            return False
        told = f"{self.name} (start {self.incarnation}) ended by itself with {code}"
        if told not in self.failures:
            self.failures.append(told)
        return True


@dataclass
class Installation:
    """One `sara serve`, two `sara worker`, their database."""

    database: Embedded
    crm: Crm
    url: str
    serve: Process
    workers: tuple[Process, Process]
    broken: list[tuple[float, Breakage]] = field(default_factory=list)
    """What was done, and at which second of the run."""

    @property
    def processes(self) -> tuple[Process, ...]:
        """All of them."""
        return (self.serve, *self.workers)

    async def start(self) -> None:
        """Starts all; waits until webhooks are taken in and both workers are at work. Raises NotStarted."""
        for process in self.processes:
            process.start()
        await self.ready()

    async def ready(self) -> None:
        """Waits until everything that was started works. Raises NotStarted."""
        try:
            async with asyncio.timeout(_START_S):
                await self._answers()
                while all(process.alive() for process in self.processes):
                    with contextlib.suppress(RecordUnavailable):
                        async with self.crm.outside() as tx:
                            # Each worker enters one row for turns and one for deliveries.
                            if await queue.workers_alive(tx, within_s=_ALIVE_S) >= 2 * len(self.workers):
                                return
                    await asyncio.sleep(0.3)
        except TimeoutError:
            pass
        told = [f"{process.name}: {_tail(process.log)}" for process in self.processes]
        ended = [one for process in self.processes for one in process.failures]
        why = "; ".join(ended) or f"not everything works within {_START_S:g} s"
        raise NotStarted(f"{why}\n" + "\n".join(told))

    async def _answers(self) -> None:
        async with httpx.AsyncClient() as http:
            while self.serve.alive():
                with contextlib.suppress(httpx.HTTPError):
                    if (await http.get(f"{self.url}/readyz")).is_success:
                        return
                await asyncio.sleep(0.1)

    async def suffer(self, what: Breakage, began: float) -> None:
        """Breaks something and mends it; `began` is when the run began, by the monotonic clock."""
        self.broken.append((round(time.monotonic() - began, 1), what))
        match what:
            case "worker killed":
                await self._killed(self.workers[0])
            case "serve killed":
                await self._killed(self.serve)
            case "database crashed" | "database restarted":
                await asyncio.to_thread(self.database.halt, crash=what == "database crashed")
                await asyncio.sleep(_DOWN_S)
                await asyncio.to_thread(self.database.resume)
            case "rolling restart":
                for process in (*self.workers, self.serve):
                    await process.stop()
                    process.start()
                    await self.ready()

    async def _killed(self, process: Process) -> None:
        process.kill()
        await asyncio.sleep(_DOWN_S)
        process.start()
        await asyncio.sleep(_ALIVE_S)  # the dead one's last sign of life is not taken for the new one's

    async def stop(self) -> None:
        """Ends all in order: first what takes work in, then who does it."""
        await self.serve.stop()
        await asyncio.gather(*(worker.stop() for worker in self.workers))

    def kill(self) -> None:
        """Whatever still runs is killed."""
        for process in self.processes:
            process.kill()


def environment(
    dsn: str, folder: Path, graph_url: str, secrets: Mapping[str, str], gather_s: float
) -> dict[str, str]:
    """What the processes run with: this process's environment, but nothing of theirs leaves the machine."""
    return environment_with(
        {
            "SARA_DATABASE_URL": dsn,
            "SARA_DATA_DIR": str(folder),
            "SARA_LLM": "extractive",
            "SARA_GATHER_SECONDS": str(gather_s),
            "SARA_LOG_LEVEL": "warning",
            "SARA_WHATSAPP_BASE_URL": graph_url,
            "LANGSMITH_TRACING": "false",
            "OTEL_SDK_DISABLED": "true",
            **secrets,
        }
    )


def installation(
    database: Embedded, crm: Crm, port: int, given: Mapping[str, str], folder: Path
) -> Installation:
    """The installation, not started yet; the API will be on `port` of loopback."""
    serve = Process("serve", ("serve", "--host", HOST, "--port", str(port)), given, folder / "serve.log")
    first, second = (
        Process(f"worker {number}", ("worker",), given, folder / f"worker-{number}.log") for number in (1, 2)
    )
    return Installation(database, crm, f"http://{HOST}:{port}", serve, (first, second))


def _tail(log: Path) -> str:
    try:
        return " / ".join(log.read_text(encoding="utf-8", errors="replace").splitlines()[-3:])[-600:]
    except OSError:
        return ""
