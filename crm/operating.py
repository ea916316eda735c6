"""Figures of the whole installation, over all tenants: counts and ages, nothing of one business or person."""

import time
from collections.abc import Mapping
from dataclasses import dataclass

from crm.record import Crm

QUEUES = ("turns", "sends", "hooks", "outward")


@dataclass(frozen=True)
class _FigureRow:
    figure: str
    label: str
    value: float


@dataclass(frozen=True)
class Operating:
    """What the database says of the installation at one moment.

    `figures` are by name and label ('' where a name has none), as `operating_figures()` in
    db/migrations/0027_observability.sql defines them; ages in seconds. `skew_s` is how far this machine's
    clock is ahead of the database's (negative: behind).
    """

    figures: Mapping[tuple[str, str], float]
    skew_s: float

    def of(self, name: str, label: str = "") -> float:
        """One figure. Raises KeyError for one that there is not."""
        return self.figures[name, label]

    def labelled(self, name: str) -> dict[str, float]:
        """A figure's values by label."""
        return {label: value for (figure, label), value in self.figures.items() if figure == name}


async def read(crm: Crm) -> Operating:
    """The figures now, in one query. Raises RecordUnavailable."""
    async with crm.outside() as tx:
        asked = time.time()
        rows = await tx.all(_FigureRow, "operating_figures")
        answered = time.time()
    figures = {(row.figure, row.label): row.value for row in rows}
    clock = figures.pop(("clock", ""))
    # The database read its clock between question and answer.
    skew = min((asked - clock, answered - clock), key=abs) if not asked <= clock <= answered else 0.0
    return Operating(figures, skew)
