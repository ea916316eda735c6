"""What a process that runs turns is watched by: its counters, and what records the steps of traces."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property

from db.trace import Spans, Unrecorded
from jobs.exposition import Exposition
from jobs.metrics import WorkMetrics


@dataclass(frozen=True)
class Watching:
    """Opened once per process by sara.services; without arguments it counts for nobody."""

    exposition: Exposition = field(default_factory=Exposition)
    spans: Spans = field(default_factory=Unrecorded)

    @cached_property
    def metrics(self) -> WorkMetrics:
        """The counters; a process that only serves has none."""
        return WorkMetrics(self.exposition.counted)

    def at_work(self) -> "Watching":
        """The same, its counters at zero from the start: one that first appears with a 1 has not risen."""
        self.metrics.begin()
        return self

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        """One node of a turn."""
        with self.spans.span(name):
            started = time.perf_counter()
            try:
                yield
            finally:
                self.metrics.node(name, time.perf_counter() - started)
