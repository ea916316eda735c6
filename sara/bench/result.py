"""The form in which every benchmark's figures are kept: one JSON document for a run of any of them."""

from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, ValidationError


class NoReport(Exception):
    """This file holds no figures of `sara bench --json`."""


class _Kept(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Target(_Kept):
    """What a figure is wanted to be: `of` it (median, p95, p99, value, ratio) at most or at least `limit`."""

    of: str
    op: Literal["<=", ">="]
    limit: float
    holds: bool | None
    """None where that was not measured."""


class Figure(_Kept):
    """Something measured often (median, p95, p99, how many) or once (value), in `unit`.

    `ratio` is the median or value divided by that of what `ratio_to` names, measured in the same run.
    """

    key: str
    name: str
    unit: str
    median: float | None = None
    p95: float | None = None
    p99: float | None = None
    n: int | None = None
    value: float | None = None
    ratio: float | None = None
    ratio_to: str | None = None
    targets: tuple[Target, ...] = ()
    holds: bool | None = None
    """Whether every target does; None without targets, or where they were not measured."""


class Measured(_Kept):
    """One benchmark: its figures, or why there are none."""

    name: str
    about: str = ""
    command: str
    seconds: float
    figures: tuple[Figure, ...] = ()
    skipped: str | None = None
    failed: str | None = None


class Machine(_Kept):
    """What a run was measured on; load averages are over one minute, before and after."""

    processor: str
    cores: int
    ram_gb: float
    system: str
    python: str
    postgresql: str
    load_before: float
    load_after: float


class Report(_Kept):
    """A run of benchmarks. `commit` ends with a plus where files had been changed since."""

    format: Literal[1] = 1
    commit: str
    when: str
    quick: bool
    machine: Machine
    benches: tuple[Measured, ...]


def read(path: Path) -> Report:
    """A kept run. Raises NoReport."""
    try:
        return Report.model_validate_json(path.read_bytes())
    except (OSError, ValidationError) as error:
        reason = str(error).splitlines()[0] if isinstance(error, ValidationError) else error.strerror
        raise NoReport(f"{path} holds no figures of `sara bench --json` ({reason})") from error


def written(report: Report) -> str:
    """A run as JSON."""
    return report.model_dump_json(indent=1) + "\n"
