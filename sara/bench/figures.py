"""How measured times are summed up and shown."""

import os
import statistics
from collections.abc import Sequence
from pathlib import Path


def spread(values: Sequence[float]) -> dict[str, float]:
    """Median and 95th percentile of measured values, in their own unit."""
    ordered = sorted(values)
    p95 = ordered[min(len(ordered) - 1, int(0.95 * len(ordered)))]
    return {"median": round(statistics.median(ordered), 2), "p95": round(p95, 2)}


def rss_mb() -> float:
    """Memory of this process in MiB; 0 where the system does not say."""
    pages = int(Path("/proc/self/statm").read_text().split()[1]) if Path("/proc/self/statm").exists() else 0
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


def row(name: str, *cells: object) -> str:
    """One line of a table for a terminal."""
    return f"{name:<40}" + "".join(f"{cell!s:>12}" for cell in cells)
