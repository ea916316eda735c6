"""Benchmarks one after the other, each in a process of its own, within a time."""

import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Coroutine, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sara.bench.catalogue import Section, catalogue, figures
from sara.bench.result import Measured, NoReport, read

_SARA = "from sara.cli import main; main()"
_TIDY_S = 60.0
"""How long a benchmark that is out of time has to stop its servers and remove its files."""
OUT_OF_TIME = "out of time: give it more with --minutes"


@dataclass(frozen=True)
class Bench:
    """A benchmark: `measure(settings, rounds)` gives its figures, `table` shows them to a person.

    `rounds` is how often it measures unless told otherwise, `quick` how often in a quick run.
    """

    measure: Callable[..., Coroutine[Any, Any, dict[str, Any]]]
    table: Callable[[Mapping[str, Any]], str]
    rounds: int
    quick: int | None = None

    def times(self, *, quick: bool) -> int:
        """How often it measures."""
        return self.quick if quick and self.quick is not None else self.rounds


@dataclass(frozen=True)
class Order:
    """One benchmark to be run."""

    name: str
    rounds: int

    @property
    def arguments(self) -> tuple[str, ...]:
        """Of `sara`."""
        return ("bench", self.name, "--rounds", str(self.rounds))

    @property
    def command(self) -> str:
        """As a person would write it."""
        return " ".join(("sara", *self.arguments))


def measured(order: Order, found: Mapping[str, Any], seconds: float) -> Measured:
    """What a benchmark found, in the common form."""
    section = catalogue().get(order.name, Section())
    skipped = found.get("skipped")
    return Measured(
        name=order.name,
        about=section.about,
        command=order.command,
        seconds=round(seconds, 1),
        figures=() if skipped else figures(section, found),
        skipped=skipped,
    )


def each(orders: Sequence[Order], *, within_s: float) -> Iterator[Measured]:
    """Runs them in order. One that fails, or is not done when the time is over, has no figures, and says why;
    the others go on."""
    ends = time.monotonic() + within_s
    for order in orders:
        began = time.monotonic()
        try:
            yield _alone(order, within_s=ends - began)
        except _Failed as failed:
            about = catalogue().get(order.name, Section()).about
            seconds = round(time.monotonic() - began, 1)
            yield Measured(
                name=order.name, about=about, command=order.command, seconds=seconds, failed=str(failed)
            )


class _Failed(Exception):
    pass


def _alone(order: Order, *, within_s: float) -> Measured:
    """In a process of its own: memory, caches and frozen garbage of one do not become another's figures."""
    if within_s <= 0:
        raise _Failed(OUT_OF_TIME)
    with tempfile.TemporaryDirectory(prefix="sara-bench-") as folder:
        kept = Path(folder) / "figures.json"
        command = [sys.executable, "-c", _SARA, *order.arguments, "--json", str(kept)]
        with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:  # noqa: S603 - our own
            try:
                _, complaints = process.communicate(timeout=within_s)
            except subprocess.TimeoutExpired as late:
                _stop(process)
                raise _Failed(OUT_OF_TIME) from late
            except BaseException:
                _stop(process)
                raise
        if process.returncode:
            raise _Failed(_last_words(complaints) or f"ended with code {process.returncode}")
        try:
            [one] = read(kept).benches
        except (NoReport, ValueError) as error:
            raise _Failed(f"left no figures: {error}") from error
        return one


def _last_words(complaints: str) -> str:
    """The last line that says something, or all of the frame in which a mistaken command line is told of."""
    lines = [line for line in complaints.splitlines() if any(map(str.isalnum, line))]
    framed = [line.strip("│ ") for line in lines if line.startswith("│")]
    return (" ".join(framed) or "".join(lines[-1:]))[:300]


def _stop(process: subprocess.Popen[str]) -> None:
    """As a person would stop it, so that it takes its own processes and files with it."""
    process.send_signal(signal.SIGINT)
    try:
        process.communicate(timeout=_TIDY_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.communicate()
