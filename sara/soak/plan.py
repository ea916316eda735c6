"""What a soak does and when: how long, how much, and what is broken on the way."""

import random
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import cycle
from typing import Literal

Breakage = Literal[
    "worker killed", "serve killed", "database crashed", "database restarted", "rolling restart"
]

SEQUENCE: Sequence[Breakage] = (
    "worker killed",
    "database restarted",
    "worker killed",
    "serve killed",
    "worker killed",
    "database crashed",
    "worker killed",
    "rolling restart",
)
"""Of the two workers only one is killed: the other lives from one rolling restart to the next, long enough to
see whether its memory stays flat."""
LONG_MINUTES = 5.0
"""From here on every kind of thing must have happened."""
LASTING_MINUTES = 25.0
"""From here on a worker lives long enough for its memory to be judged, and it must have been."""
_SPACING = 14  # breakages in one run, as many as there is room for
_CLOSEST_S = 10.0


@dataclass(frozen=True)
class Due:
    """A breakage and the second of the run in which it is due."""

    at_s: float
    what: Breakage


@dataclass(frozen=True)
class Plan:
    """`minutes` of load at `rate` messages of customers a second; `seed` decides who does what.

    `gather_s` is how long a burst is gathered, `drain_s` how long everything may take to come to rest
    afterwards: an unknown delivery waits for five minutes of webhooks without a gap.
    """

    minutes: float = 30.0
    rate: float = 5.0
    seed: int = 1
    gather_s: float = 1.5
    drain_s: float = 480.0

    @property
    def seconds(self) -> float:
        """How long customers write."""
        return self.minutes * 60

    @property
    def long(self) -> bool:
        """Whether the run is long enough for everything to happen."""
        return self.minutes >= LONG_MINUTES

    @property
    def lasting(self) -> bool:
        """Whether it is long enough for the memory of every kind of process to be judged."""
        return self.minutes >= LASTING_MINUTES

    def breakages(self) -> list[Due]:
        """What is broken when. The last tenth of the run is left in peace."""
        spacing = max(_CLOSEST_S, self.seconds / _SPACING)
        chance, due, at = random.Random(self.seed), list[Due](), spacing  # noqa: S311 - guards nothing
        kinds = cycle(SEQUENCE)
        while at <= max(self.seconds * 0.9, spacing) and at < self.seconds:
            due.append(Due(round(at + chance.uniform(-0.2, 0.2) * spacing, 2), next(kinds)))
            at += spacing
        return due
