"""A run as one HTML file that needs nothing from anywhere: gates, tables, plots and every failure."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from evals.compare import Difference, Run, compared, moved
from evals.plots import plot
from evals.result import Gate, Result, cell

_ROOM = Path(__file__).parent
_TEMPLATE = "report.html.jinja"


@dataclass(frozen=True)
class Reported:
    """A suite's result with the gates it was held against."""

    result: Result
    gates: Sequence[Gate]


def report(
    suites: Sequence[Reported],
    *,
    about: Mapping[str, Any],
    differences: Sequence[Difference] = (),
    other: Run = (),
) -> str:
    """The report as HTML. What customers and models wrote is escaped: rows hold attacks on purpose."""
    environment = Environment(
        loader=FileSystemLoader(_ROOM), autoescape=True, undefined=StrictUndefined, trim_blocks=True
    )
    environment.filters |= {"cell": cell, "plot": plot, "fields": _fields}
    return environment.get_template(_TEMPLATE).render(
        suites=suites,
        about=about,
        compared=compared(differences) if differences else None,
        moved=moved(differences),
        others=_told(suites, other),
    )


def _fields(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    """The columns of rows, in the order they come up."""
    return list(dict.fromkeys(name for row in rows for name in row))


def _told(suites: Sequence[Reported], other: Run) -> list[tuple[str, str, str]]:
    """On what both runs stood, where they differ."""
    before = {str(suite["suite"]): suite.get("about", {}) for suite in other}
    return [
        (f"{one.result.suite} {name}", _about(earlier.get(name)), _about(one.result.about.get(name)))
        for one in suites
        if (earlier := before.get(one.result.suite)) is not None
        for name in dict.fromkeys([*earlier, *one.result.about])
        if _about(earlier.get(name)) != _about(one.result.about.get(name))
    ]


def _about(value: Any) -> str:
    """ "-" for what is not told or could not be measured: null in a run that was written, nan in this one."""
    measured = value is not None and not (isinstance(value, float) and math.isnan(value))
    return str(value) if measured else "-"
