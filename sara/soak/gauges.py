"""Memory of every process and connections to the database over time, and whether memory grows."""

import asyncio
import os
import statistics
import time
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

from crm import soak
from crm.errors import RecordUnavailable
from sara.soak.processes import Installation


@dataclass(frozen=True)
class Judged:
    """When memory is judged: after `warm_up_s` of a life, where it goes on for `least_s` at least."""

    warm_up_s: float
    least_s: float


JUDGED = {"serve": Judged(90.0, 180.0), "worker": Judged(300.0, 500.0)}
"""What a process does first fills its pools and caches. A worker's models take their working memory at the
first long text and the first voice note, some minutes into a run, and its caches fill with words."""
MOST_GROWTH_MB_PER_MIN = 1.0
"""Flat is: no steeper than this. A message lost to memory by each turn, of some 10 kB, is steeper at five
messages a second."""


@dataclass(frozen=True)
class Sample:
    """Resident memory of one life of a process, `at_s` into the run."""

    at_s: float
    process: str
    incarnation: int
    mb: float


@dataclass(frozen=True)
class Life:
    """One life of a process: how its memory went after its warm-up.

    `slope` in MB a minute by Theil and Sen, None where it lived too short a time to be judged. `by_minute` is
    the median of each minute: whether it crept or took a step.
    """

    process: str
    incarnation: int
    seconds: float
    first_mb: float
    last_mb: float
    most_mb: float
    slope: float | None
    by_minute: Sequence[float] = ()

    @property
    def grows(self) -> bool:
        """Whether its memory is not flat."""
        return self.slope is not None and self.slope > MOST_GROWTH_MB_PER_MIN


@dataclass
class Gauges:
    """Everything that was read."""

    samples: list[Sample]
    connections: list[tuple[float, int]]
    database_mb: list[tuple[float, float]]


async def watch(installation: Installation, gauges: Gauges, began: float, *, every_s: float) -> None:
    """Reads again and again, until cancelled. A process that dies meanwhile is left out."""
    while True:
        at = time.monotonic() - began
        for process in installation.processes:
            running = process.running
            mb = resident_mb(running.pid) if running is not None and process.alive() else None
            if mb is not None:
                gauges.samples.append(Sample(round(at, 1), process.name, process.incarnation, round(mb, 1)))
        database = await asyncio.to_thread(family_mb, installation.database.server.get_pid())
        gauges.database_mb.append((round(at, 1), round(database, 1)))
        try:
            async with installation.crm.as_owner() as tx:
                gauges.connections.append((round(at, 1), await soak.connections(tx)))
        except RecordUnavailable:
            pass
        await asyncio.sleep(every_s)


def lives(samples: Sequence[Sample]) -> list[Life]:
    """The samples by life, in the order in which they began."""
    by_life: dict[tuple[str, int], list[Sample]] = {}
    for sample in samples:
        by_life.setdefault((sample.process, sample.incarnation), []).append(sample)
    return [_life(name, number, found) for (name, number), found in by_life.items()]


def _life(name: str, number: int, samples: Sequence[Sample]) -> Life:
    born, last = samples[0].at_s, samples[-1].at_s
    when = JUDGED[name.split(maxsplit=1)[0]]
    warm = [sample for sample in samples if sample.at_s - born >= when.warm_up_s]
    judged = bool(warm) and last - warm[0].at_s >= when.least_s
    return Life(
        process=name,
        incarnation=number,
        seconds=round(last - born, 1),
        first_mb=(warm or samples)[0].mb,
        last_mb=samples[-1].mb,
        most_mb=max(sample.mb for sample in samples),
        slope=round(theil_sen([(s.at_s / 60, s.mb) for s in warm]), 3) if judged else None,
        by_minute=[
            round(statistics.median(s.mb for s in some), 1)
            for _, some in groupby(samples, lambda s: int((s.at_s - born) // 60))
        ],
    )


def theil_sen(points: Sequence[tuple[float, float]]) -> float:
    """The median of the slopes between all pairs of points: what a few outliers do not move.

    0 for fewer than two points (Sen, JASA 63, 1968).
    """
    slopes = [
        (later[1] - earlier[1]) / (later[0] - earlier[0])
        for n, earlier in enumerate(points)
        for later in points[n + 1 :]
        if later[0] != earlier[0]
    ]
    return statistics.median(slopes) if slopes else 0.0


def resident_mb(pid: int) -> float | None:
    """Resident memory of a process in MiB; None when it is gone or the system does not say."""
    try:
        pages = int(Path(f"/proc/{pid}/statm").read_text(encoding="ascii").split()[1])
    except OSError:
        return None
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


def family_mb(pid: int | None) -> float:
    """Memory of a process and its children in MiB, what they share counted once; 0 where it is not told."""
    if pid is None:
        return 0.0
    return sum(map(_proportional_mb, (pid, *_children(pid))))


def _proportional_mb(pid: int) -> float:
    for line in _read(Path(f"/proc/{pid}/smaps_rollup")).splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1]) / 1024
    return 0.0


def _children(pid: int) -> list[int]:
    stats = ((file.parent.name, _read(file)) for file in Path("/proc").glob("[0-9]*/stat"))
    return [int(name) for name, stat in stats if stat and int(stat.rpartition(")")[2].split()[1]) == pid]


def _read(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
