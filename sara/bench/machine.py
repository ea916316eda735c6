"""What a run of benchmarks was measured on, and of which code."""

import os
import platform
import subprocess
from importlib.metadata import version
from pathlib import Path

import psutil  # type: ignore[import-untyped]

from db import embedded
from sara.bench.result import Machine
from sara.settings import usable_cores

_ROOT = Path(__file__).parents[2]


def load_average() -> float:
    """Processes that ran or wanted to, on average over the last minute."""
    return round(os.getloadavg()[0], 2)


def machine(*, load_before: float) -> Machine:
    """This machine, after a run that began with a load average of `load_before`."""
    return Machine(
        processor=_processor(),
        cores=usable_cores(),
        ram_gb=round(psutil.virtual_memory().total / 2**30, 1),
        system=f"{platform.system()} {platform.machine()}",
        python=platform.python_version(),
        postgresql=embedded.version(),
        load_before=load_before,
        load_after=load_average(),
    )


def _processor() -> str:
    info = Path("/proc/cpuinfo")
    for line in info.read_text().splitlines() if info.exists() else []:
        name, _, value = line.partition(":")
        if name.strip() == "model name":
            return value.strip()
    return platform.processor() or "unknown processor"


def commit() -> str:
    """The commit of a checkout, with a plus where files were changed since; the version outside of one."""
    head = _git("rev-parse", "--short", "HEAD")
    if not head:
        return version("sara")
    return f"{head}+" if _git("status", "--porcelain", "--untracked-files=no") else head


def _git(*words: str) -> str:
    try:
        asked = subprocess.run(  # noqa: S603 - words of our own
            ["git", "-C", str(_ROOT), *words],  # noqa: S607
            capture_output=True,
            text=True,
            check=True,
        )
    except (OSError, subprocess.CalledProcessError):
        return ""
    return asked.stdout.strip()
