"""What the database says of the installation, as gauges.

Every `sara serve` shows them, all the same: take the highest (`max by (queue)`), not the sum.
"""

import asyncio
import time
from collections.abc import Iterable

import structlog
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from crm import operating
from crm.errors import RecordUnavailable
from crm.operating import Operating
from crm.record import Crm

log = structlog.get_logger(__name__)

_PATIENCE_S = 3.0  # whoever scrapes waits no longer than some seconds

# Figure of operating_figures(): name, help, label.
_GAUGES = {
    "jobs_due": ("sara_queue_jobs", "Jobs that are due and wait for a worker", "queue"),
    "jobs_oldest": ("sara_queue_oldest_seconds", "How long the oldest of them has been due", "queue"),
    "jobs_doing": ("sara_queue_running", "Jobs at work", "queue"),
    "lanes": ("sara_worker_lanes", "Lanes of workers that say that they live; a worker has two", None),
    "lanes_lost": ("sara_worker_lanes_lost", "Lanes that have stopped saying so", None),
    "serving": ("sara_serving", "Processes that take webhooks in", None),
    "events": ("sara_inbox_events", "Messages and acts that no turn has taken in", None),
    "events_oldest": ("sara_inbox_oldest_seconds", "Age of the oldest of them", None),
    "outbox": ("sara_outbox_messages", "Messages that are not out, by state", "state"),
    "outbox_oldest": (
        "sara_outbox_oldest_seconds",
        "Age of the oldest that may go out, without campaigns",
        "state",
    ),
    "handoffs": ("sara_handoffs", "Hand-overs to people, open and claimed", "status"),
    "handoffs_oldest": ("sara_handoff_oldest_seconds", "Age of the oldest that nobody has claimed", None),
    "dead": ("sara_dead_letters", "What was given up and waits for a person to look at it", "kind"),
    "numbers": ("sara_numbers", "Numbers: working, halted, and those of them whose token expired", "state"),
    "governor_ahead": ("sara_governor_ahead_seconds", "How far ahead the busiest number is booked", None),
    "campaigns": ("sara_campaigns", "Campaigns that are scheduled or running", "state"),
    "campaign_recipients": ("sara_campaign_recipients", "Recipients of running campaigns", "state"),
    "database_bytes": ("sara_database_bytes", "Size of the database", None),
    "database_connections": ("sara_database_connections", "Connections of everybody to the server", None),
    "database_connections_most": ("sara_database_connections_most", "How many it takes", None),
}


class DatabaseGauges(Collector):
    """The last figures read. `refresh` before they are collected: collecting cannot wait."""

    def __init__(self, fresh_s: float = 5.0) -> None:
        """Who asks within `fresh_s` seconds of another is shown the same."""
        self._fresh_s = fresh_s
        self._read: Operating | None = None
        self._at = float("-inf")
        self._reading = asyncio.Lock()

    async def refresh(self, crm: Crm) -> None:
        """Reads them anew unless that was done a moment ago. A database that is away leaves none."""
        async with self._reading:
            if time.monotonic() - self._at < self._fresh_s:
                return
            try:
                async with asyncio.timeout(_PATIENCE_S):
                    self._read = await operating.read(crm)
            except (RecordUnavailable, TimeoutError) as error:
                log.warning("figures_not_read", error=type(error).__name__)
                self._read = None
            self._at = time.monotonic()

    def describe(self) -> Iterable[Metric]:
        """Their names."""
        return [*_empty().values(), *_of_the_connection(None)]

    def collect(self) -> Iterable[Metric]:
        """The figures read last; without a database only that there is none."""
        yield from _of_the_connection(self._read)
        if self._read is None:
            return
        families = _empty()
        for (figure, label), value in self._read.figures.items():
            if family := families.get(figure):
                family.add_metric([label] if _GAUGES[figure][2] else [], value)
        yield from families.values()


def _empty() -> dict[str, GaugeMetricFamily]:
    return {
        figure: GaugeMetricFamily(name, help_, labels=[label] if label else [])
        for figure, (name, help_, label) in _GAUGES.items()
    }


def _of_the_connection(read: Operating | None) -> list[GaugeMetricFamily]:
    up = GaugeMetricFamily("sara_database_up", "Whether the database answers", value=float(read is not None))
    skew = GaugeMetricFamily("sara_clock_skew_seconds", "How far this clock is ahead of the database's")
    if read is not None:
        skew.add_metric([], read.skew_s)
    return [up, skew]
