"""What a suite found, in one shape for all of them."""

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

GATES = Path(__file__).parent / "gates.yaml"


@dataclass(frozen=True)
class Table:
    """A table of figures: one row per group, such as a language."""

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str | float | int, ...], ...]


@dataclass(frozen=True)
class Gate:
    """A figure that must not fall under `at_least` or rise over `at_most`."""

    figure: str
    value: float
    at_least: float | None
    at_most: float | None

    @property
    def holds(self) -> bool:
        """A figure that could not be measured holds nothing."""
        if math.isnan(self.value):
            return False
        over = self.at_least is None or self.value >= self.at_least
        return over and (self.at_most is None or self.value <= self.at_most)


@dataclass(frozen=True)
class Played:
    """A row of the dataset: what was given, what was wanted of it, and what came of it."""

    given: Mapping[str, Any]
    wanted: Mapping[str, Any]
    found: Mapping[str, Any]


@dataclass(frozen=True)
class Result:
    """One suite's run: its figures by name, tables for people, and every row that went wrong.

    `about` says on what it was run (rows, models, hashes); `broken` are rows that could not be used,
    `of_other_splits` how many could but are of a split that was not asked for.
    `samples` are the figures' single rows, value by row: what two runs are compared on, row against row.
    `played` are the rows themselves, by the names that `samples` has for them.
    """

    suite: str
    figures: Mapping[str, float]
    tables: tuple[Table, ...] = ()
    failures: tuple[Mapping[str, Any], ...] = ()
    about: Mapping[str, Any] = field(default_factory=dict)
    broken: tuple[str, ...] = ()
    samples: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    played: Mapping[str, Played] = field(default_factory=dict)
    of_other_splits: int = 0

    def gates(self, path: Path = GATES) -> list[Gate]:
        """The gates of this suite. A gate on a figure the run does not have fails."""
        wanted = yaml.safe_load(path.read_text(encoding="utf-8")).get(self.suite, {})
        return [
            Gate(name, self.figures.get(name, math.nan), limit.get("at_least"), limit.get("at_most"))
            for name, limit in wanted.items()
        ]


def played(
    rows: Iterable[tuple[str, Mapping[str, Any], Mapping[str, Any]]], wanted: Sequence[str]
) -> dict[str, Played]:
    """Rows by name, out of (name, row, what came of it); `wanted` are the row's fields that are no question.

    Names that come twice are told apart as in `evals.measures.sampled`.
    """
    found: dict[str, Played] = {}
    times: Counter[str] = Counter()
    for name, row, came in rows:
        times[name] += 1
        given = {key: value for key, value in row.items() if key not in wanted}
        asked = {key: row[key] for key in wanted if key in row}
        found[name if times[name] == 1 else f"{name} ({times[name]})"] = Played(given, asked, came)
    return found


def shown(result: Result, gates: Sequence[Gate], most_failures: int = 20) -> str:
    """The result for a terminal."""
    text = [f"== {result.suite}: " + ", ".join(f"{key} {value}" for key, value in result.about.items())]
    for table in result.tables:
        text += ["", table.title, *lines(table)]
    text += ["", *(_gate_line(gate) for gate in gates)]
    if result.of_other_splits:
        text += ["", f"{result.of_other_splits} rows of other splits left out"]
    if result.broken:
        text += ["", f"{len(result.broken)} broken rows left out:", *result.broken[:most_failures]]
    if result.failures:
        text += ["", f"{len(result.failures)} misses, the first {min(most_failures, len(result.failures))}:"]
        text += [
            "  " + " | ".join(f"{value}" for value in row.values()) for row in result.failures[:most_failures]
        ]
    return "\n".join(text)


def lines(table: Table) -> list[str]:
    """A table for a terminal, its columns aligned."""
    cells = [table.columns, *(tuple(cell(value) for value in row) for row in table.rows)]
    widths = [max(len(row[n]) for row in cells) for n in range(len(table.columns))]
    return [
        "  ".join(
            value.ljust(width) if n == 0 else value.rjust(width)
            for n, (value, width) in enumerate(zip(row, widths, strict=True))
        )
        for row in cells
    ]


def cell(value: str | float | int) -> str:
    """A value as tables show it: "-" for what could not be measured."""
    if isinstance(value, float):
        return "-" if math.isnan(value) else f"{value:.3f}"
    return str(value)


def _gate_line(gate: Gate) -> str:
    wanted = f">= {gate.at_least}" if gate.at_least is not None else f"<= {gate.at_most}"
    return f"{'ok  ' if gate.holds else 'FAIL'} {gate.figure} = {cell(gate.value)} (wanted {wanted})"
