"""What is looked at in a process when somebody asks: its database connections, its disk."""

import shutil
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

Stats = Callable[[], Mapping[str, int]]


class Pools(Collector):
    """Use of the pools of connections, from psycopg_pool's own statistics."""

    def __init__(self, pools: Mapping[str, Stats]) -> None:
        """`pools`: what tells the statistics of each (`AsyncConnectionPool.get_stats`), by its name."""
        self._pools = pools

    def collect(self) -> Iterable[Metric]:
        """How many connections there are, are free and are waited for."""
        size = GaugeMetricFamily("sara_pool_connections", "Connections of a pool", labels=["pool"])
        most = GaugeMetricFamily("sara_pool_connections_most", "How many it may have", labels=["pool"])
        free = GaugeMetricFamily("sara_pool_free", "Connections that nobody uses", labels=["pool"])
        waiting = GaugeMetricFamily("sara_pool_waiting", "Who waits for one", labels=["pool"])
        waited = CounterMetricFamily("sara_pool_wait_seconds", "Time waited for one", labels=["pool"])
        failed = CounterMetricFamily("sara_pool_failures", "Who waited in vain", labels=["pool"])
        for name, stats in self._pools.items():
            now = stats()
            size.add_metric([name], now.get("pool_size", 0))
            most.add_metric([name], now.get("pool_max", 0))
            free.add_metric([name], now.get("pool_available", 0))
            waiting.add_metric([name], now.get("requests_waiting", 0))
            waited.add_metric([name], now.get("requests_wait_ms", 0) / 1000)
            failed.add_metric([name], now.get("requests_errors", 0))
        return [size, most, free, waiting, waited, failed]


class Disk(Collector):
    """Room on the disk of a folder, which may not be there yet."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def collect(self) -> Iterable[Metric]:
        """Bytes that are free and that there are."""
        folder = next(path for path in (self._folder, *self._folder.absolute().parents) if path.exists())
        usage = shutil.disk_usage(folder)
        return [
            GaugeMetricFamily("sara_disk_free_bytes", "Free on the disk of SARA_DATA_DIR", value=usage.free),
            GaugeMetricFamily("sara_disk_bytes", "Size of that disk", value=usage.total),
        ]
