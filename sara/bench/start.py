"""What `sara serve` and `sara worker` weigh, and how soon after their start a customer has a first answer.

Both are processes of their own, started together on a database that is set up and runs; a customer writes as
soon as the API takes webhooks. Memory is read from the kernel: RSS counts every page a process can touch, PSS
divides those it shares with others.
"""

import asyncio
import itertools
import os
import statistics
import time
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from channels.simulator.simulator import Simulator
from crm.record import Crm
from evals.dataset import DATASETS
from sara.bench import processes
from sara.bench.channel import NUMBER, installed
from sara.bench.figures import row, spread
from sara.local import HOST, listen
from sara.settings import Settings

SERVE_MB, WORKER_MB, FIRST_REPLY_S = 150, 700, 8
"""What is wanted: resident memory at most, seconds at most."""
_KINDS = ("serve", "worker")
_SAID = (
    "Buongiorno, quanto costa un massaggio rilassante?",
    "Hello, what are your opening hours on Saturday?",
    "Hola, ¿puedo reservar una cita para mañana por la tarde?",
    "Olá, vocês têm estacionamento?",
)
_NOTES = tuple(f"{language}_test_00_clean.ogg" for language in ("it", "en", "es", "pt"))
_TURNS = 20
_PATIENCE_S = 90.0
_REST_S = 15.0  # after which a worker has given back what its last voice note took


@dataclass(frozen=True)
class Started:
    """Seconds from the moment both processes were started."""

    api_ready: float
    worker_ready: float
    first_reply: float


async def measure(settings: Settings, rounds: int) -> dict[str, Any]:
    """`rounds` starts, each with memory as it is after the first answer; in one more start memory at rest
    after texts and voice notes in four languages. MiB and seconds."""
    people = (f"39240{number:07d}" for number in itertools.count())
    starts, idle = [], []
    async with installed(settings) as (own, dsn, crm):
        await _once(own, dsn, crm, people)  # lays out weights, as the first set-up does
        for _ in range(rounds):
            async with _started(own, dsn, crm, people) as (started, _simulator):
                starts.append(started)
                idle.append(await asyncio.to_thread(memory))
        async with _started(own, dsn, crm, people) as (_, simulator):
            spoken = await _talk(simulator, people)
            await asyncio.sleep(_REST_S)
            worked = await asyncio.to_thread(memory)
    return {
        "starts": len(starts),
        "api_ready_s": spread([start.api_ready for start in starts]),
        "worker_ready_s": spread([start.worker_ready for start in starts]),
        "first_reply_s": spread([start.first_reply for start in starts]),
        "gather_s": settings.gather_seconds,
        "turns": spoken,
        "idle_mb": _typical(idle),
        "worked_mb": worked,
    }


async def _once(settings: Settings, dsn: str, crm: Crm, people: Iterator[str]) -> None:
    async with _started(settings, dsn, crm, people):
        pass


@asynccontextmanager
async def _started(
    settings: Settings, dsn: str, crm: Crm, people: Iterator[str]
) -> AsyncIterator[tuple[Started, Simulator]]:
    """Both processes, after their first answer. Raises NotStarted, NoReply."""
    with listen(0) as free:
        port = free.getsockname()[1]
    async with AsyncExitStack() as stack:
        simulator, graph_url = await stack.enter_async_context(
            processes.whatsapp(settings, crm, f"http://{HOST}:{port}")
        )
        own = settings.model_copy(update={"whatsapp_base_url": graph_url})
        began = time.perf_counter()

        async def first_reply() -> tuple[float, float]:
            await stack.enter_async_context(processes.api(own, dsn, port=port))
            ready = time.perf_counter() - began
            await _answered(simulator, next(people), text=_SAID[0])
            return ready, time.perf_counter() - began

        async def at_work() -> float:
            await stack.enter_async_context(processes.worker(own, dsn, crm))
            return time.perf_counter() - began

        (api_ready, replied), working = await asyncio.gather(first_reply(), at_work())
        yield Started(api_ready, working, replied), simulator


async def _talk(simulator: Simulator, people: Iterator[str]) -> int:
    """Texts and voice notes in turn, two customers at once; how many there were."""
    notes = [await asyncio.to_thread((DATASETS / "voice" / name).read_bytes) for name in _NOTES]
    for number in range(_TURNS):
        await asyncio.gather(
            _answered(simulator, next(people), text=_SAID[number % len(_SAID)]),
            _answered(simulator, next(people), voice=notes[number % len(notes)]),
        )
    return 2 * _TURNS


async def _answered(simulator: Simulator, wa_id: str, **said: Any) -> None:
    await simulator.customer_sends(NUMBER, wa_id, **said)
    await simulator.wait_for_reply(wa_id, timeout=_PATIENCE_S)


def memory(parent: int | None = None) -> dict[str, dict[str, int]]:
    """RSS and PSS in MiB of the `sara serve` and `sara worker` that `parent` began, this process unless said;
    empty where /proc is not.
    """
    found, parent = {}, parent or os.getpid()
    for pid in map(int, filter(str.isdigit, (path.name for path in Path("/proc").glob("[0-9]*")))):
        with suppress(OSError, ValueError, KeyError):
            status = dict(line.split(":", 1) for line in Path(f"/proc/{pid}/status").read_text().splitlines())
            words = Path(f"/proc/{pid}/cmdline").read_text().split("\0")
            kind = next((kind for kind in _KINDS if kind in words), None)
            if kind is not None and int(status["PPid"]) == parent:
                found[kind] = _weight(pid)
    return found


def _weight(pid: int) -> dict[str, int]:
    rollup = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()[1:]
    kib = {name: int(value.split()[0]) for name, _, value in (line.partition(":") for line in rollup)}
    return {"rss": round(kib["Rss"] / 1024), "pss": round(kib["Pss"] / 1024)}


def _typical(found: Sequence[Mapping[str, Mapping[str, int]]]) -> dict[str, dict[str, int]]:
    return {
        kind: {
            unit: round(statistics.median(one[kind][unit] for one in found if kind in one))
            for unit in ("rss", "pss")
        }
        for kind in _KINDS
        if any(kind in one for one in found)
    }


def table(figures: Mapping[str, Any]) -> str:
    """The figures for a terminal."""
    wanted = {"serve": SERVE_MB, "worker": WORKER_MB}
    lines = [row("", "RSS", "PSS", "wanted RSS")]
    for when, name in (("idle_mb", "at rest"), ("worked_mb", f"after {figures['turns']} turns")):
        lines += [
            row(f"sara {kind} {name}, MB", weight["rss"], weight["pss"], f"<= {wanted[kind]}")
            for kind, weight in figures[when].items()
        ]
    lines.append(row(f"{figures['starts']} starts, s", "median", "p95"))
    for key, name, most in (
        ("api_ready_s", "webhooks taken in", ""),
        ("worker_ready_s", "worker at work", ""),
        ("first_reply_s", f"first answer ({figures['gather_s']:g} s gathered)", f"<= {FIRST_REPLY_S}"),
    ):
        lines.append(row(f"… {name}", figures[key]["median"], figures[key]["p95"], most))
    return "\n".join(lines)
