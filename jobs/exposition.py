"""The figures of a process as Prometheus reads them."""

from pathlib import Path

from prometheus_client import (
    CollectorRegistry,
    PlatformCollector,
    ProcessCollector,
    disable_created_metrics,
    generate_latest,
)
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector

from jobs.looks import Pools, Stats


class Exposition:
    """What one process shows.

    `counted` takes counters and histograms, `look_at` what is looked at when somebody asks: memory, the
    database. `pools` are its connections to the database, by purpose. With `shared`, the directory of
    PROMETHEUS_MULTIPROC_DIR, every process that counts into it shows the sums of all of them;
    prometheus_client reads that variable when it is imported.
    """

    def __init__(self, *, shared: Path | None = None) -> None:
        # As many series again, for a time that Prometheus does not ask for.
        disable_created_metrics()  # type: ignore[no-untyped-call]
        self.counted = CollectorRegistry()
        self.pools: dict[str, Stats] = {}
        self._local = CollectorRegistry()
        self.all = CollectorRegistry()
        if shared is None:
            self.all.register(self.counted)
        else:
            MultiProcessCollector(self.all, str(shared))  # type: ignore[no-untyped-call]
        self.all.register(self._local)
        ProcessCollector(registry=self._local)
        PlatformCollector(registry=self._local)
        self.look_at(Pools(self.pools))

    def look_at(self, collector: Collector) -> None:
        """One more thing that is looked at when somebody asks."""
        self._local.register(collector)

    def text(self) -> bytes:
        """Everything in the text format, version 0.0.4."""
        return generate_latest(self.all)
