"""How measured times are summed up and shown."""

import os
import statistics
from collections.abc import Mapping, Sequence
from pathlib import Path


def spread(values: Sequence[float]) -> dict[str, float]:
    """Median, 95th and 99th percentile of measured values, in their own unit, and how many there are."""
    ordered = sorted(values)
    return {
        "median": round(statistics.median(ordered), 2),
        "p95": round(_below(ordered, 0.95), 2),
        "p99": round(_below(ordered, 0.99), 2),
        "n": len(ordered),
    }


def _below(ordered: Sequence[float], share: float) -> float:
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def shown(times: Mapping[str, float]) -> tuple[float, float]:
    """Median and 95th percentile, for a line of a table."""
    return times["median"], times["p95"]


def rss_mb() -> float:
    """Memory of this process in MiB; 0 where the system does not say."""
    pages = int(Path("/proc/self/statm").read_text().split()[1]) if Path("/proc/self/statm").exists() else 0
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


def row(name: str, *cells: object) -> str:
    """One line of a table for a terminal."""
    return f"{name:<40}" + "".join(f"{cell!s:>12}" for cell in cells)
