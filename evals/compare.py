"""Two runs side by side: what changed, and whether it is more than chance."""

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from evals.measures import interval
from evals.result import Table

Run = Sequence[Mapping[str, Any]]  # a run as `sara eval --json` writes it: one object a suite


class RunUnreadable(Exception):
    """The other run cannot be read: give --compare a file that `sara eval --json` wrote."""


@dataclass(frozen=True)
class Difference:
    """A figure in two runs. `low` and `high` are the 95 % bootstrap interval of the difference over the rows
    that both runs have, nan where a figure is not a mean of rows; `fell` and `rose` name the rows whose own
    value moved."""

    suite: str
    figure: str
    before: float
    after: float
    low: float = math.nan
    high: float = math.nan
    rows: int = 0
    fell: tuple[str, ...] = ()
    rose: tuple[str, ...] = ()

    @property
    def change(self) -> float:
        """After minus before."""
        return self.after - self.before

    @property
    def beyond_chance(self) -> bool:
        """Whether the interval leaves zero out; never where there is none."""
        return self.low > 0 or self.high < 0


def read_run(path: Path) -> list[dict[str, Any]]:
    """Raises RunUnreadable."""
    try:
        run = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise RunUnreadable(f"{path}: {error}; {RunUnreadable.__doc__}") from error
    if not isinstance(run, list) or not all(isinstance(s, dict) and "suite" in s for s in run):
        raise RunUnreadable(f"{path}: {RunUnreadable.__doc__}")
    return run


def differences(before: Run, after: Run) -> list[Difference]:
    """Every figure that both runs have, suite by suite; those measured on rows with their interval.

    The interval is paired: both runs answered the same rows, and only what they answered differently counts.
    A run written without its rows is compared by its figures alone.
    """
    earlier = {suite["suite"]: suite for suite in before}
    return [
        _difference(suite, earlier[suite["suite"]], figure)
        for suite in after
        if suite["suite"] in earlier
        for figure in suite["figures"]
        if figure in earlier[suite["suite"]]["figures"]
    ]


def _difference(after: Mapping[str, Any], before: Mapping[str, Any], figure: str) -> Difference:
    olds = before.get("samples", {}).get(figure, {})
    news = after.get("samples", {}).get(figure, {})
    moved = {
        name: float(value) - float(olds[name])
        for name, value in news.items()
        if value is not None and olds.get(name) is not None
    }
    low, high = interval(list(moved.values()))
    return Difference(
        suite=after["suite"],
        figure=figure,
        before=_number(before["figures"][figure]),
        after=_number(after["figures"][figure]),
        low=low,
        high=high,
        rows=len(moved),
        fell=tuple(name for name, change in moved.items() if change < 0),
        rose=tuple(name for name, change in moved.items() if change > 0),
    )


def _number(value: Any) -> float:
    """nan for null: what could not be measured."""
    return math.nan if value is None else float(value)


def compared(found: Sequence[Difference]) -> Table:
    """The differences for people: first what is more than chance."""
    ordered = sorted(found, key=lambda one: not one.beyond_chance)
    return Table(
        "compared with the other run",
        ("", "before", "after", "change", "95 % from", "to", "rows", "beyond chance"),
        tuple(
            (
                f"{one.suite} {one.figure}",
                one.before,
                one.after,
                one.change,
                one.low,
                one.high,
                one.rows,
                "yes" if one.beyond_chance else "no" if one.rows else "-",
            )
            for one in ordered
        ),
    )


def moved(found: Sequence[Difference]) -> list[dict[str, str]]:
    """The rows that two runs answer differently, by figure."""
    return [
        {"figure": f"{one.suite} {one.figure}", "moved": way, "row": name}
        for one in found
        for way, names in (("down", one.fell), ("up", one.rose))
        for name in names
    ]
