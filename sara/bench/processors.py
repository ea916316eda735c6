"""Who used the processors: the processes of a benchmark by kind, and the machine as a whole."""

import os
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path

import psutil  # type: ignore[import-untyped]

OWN, DATABASE, MACHINE = "load and simulator", "database", "whole machine"
KINDS = ("serve", "worker")


class Processors:
    """Cores that were busy since it was made, of this process, of its `sara` processes and of the embedded
    database in `data_dir`. A process that came or went meanwhile counts with what can still be read of it."""

    def __init__(self, data_dir: Path) -> None:
        self._data_dir = data_dir
        self._began, self._before = time.perf_counter(), self._seconds()

    def busy(self) -> dict[str, float]:
        """Cores by kind of process; the whole machine's are with what else ran on it."""
        wall, now = time.perf_counter() - self._began, self._seconds()
        return {kind: round(max(0.0, now[kind] - self._before.get(kind, 0.0)) / wall, 2) for kind in now}

    def _seconds(self) -> Mapping[str, float]:
        used: Counter[str] = Counter()
        for kind, process in self._processes():
            with suppress(psutil.Error):
                times = process.cpu_times()
                used[kind] += times.user + times.system
        whole = psutil.cpu_times()
        used[MACHINE] = sum(whole) - whole.idle - getattr(whole, "iowait", 0.0) - getattr(whole, "guest", 0.0)
        return used

    def _processes(self) -> Iterator[tuple[str, psutil.Process]]:
        own = psutil.Process(os.getpid())
        yield OWN, own
        for child in own.children():
            with suppress(psutil.Error):
                words = child.cmdline()
                yield from ((kind, child) for kind in KINDS if kind in words)
        with suppress(OSError, ValueError, IndexError, psutil.Error):
            pid = (self._data_dir / "postgres" / "postmaster.pid").read_text().split()[0]
            server = psutil.Process(int(pid))
            for process in (server, *server.children()):
                yield DATABASE, process
