"""Connections to the database: where they lead, and how many of them one process opens at most."""

from dataclasses import dataclass

from db.address import watchful
from sara.settings import Settings

HISTORY = 4  # reading what threads remember
QUEUE = 6  # fetching jobs, marking them done, heartbeats
PASSAGES = 5  # and as many again under load
_SPARE = 4  # of a worker, beside its jobs
_LANES = 2  # of a worker, each listening for jobs of its own


@dataclass(frozen=True)
class Budget:
    """`shared` are through SARA_DATABASE_URL, and for the length of a transaction each; `sessions` listen, as
    long as the process lives, at SARA_DATABASE_DIRECT_URL where that is set."""

    shared: int
    sessions: int

    @property
    def whole(self) -> int:
        """All of them, where there is no pooler."""
        return self.shared + self.sessions


def unshared(settings: Settings) -> str:
    """The given server itself, past its pooler if it has one: for what needs a session (migrations, backups).

    Raises ValueError without SARA_DATABASE_URL, DatabaseUnavailable.
    """
    if settings.database_url is None:
        raise ValueError("no server is given")
    return watchful(settings.database_direct_url or settings.database_url)


def listening_at(settings: Settings, dsn: str) -> str:
    """Where to LISTEN: `dsn`, which processes work with, unless that is a pooler."""
    return unshared(settings) if settings.pooled else dsn


def of_record(settings: Settings, *, jobs: bool) -> int:
    """To the record. Every job at work holds its conversation on a connection of its own, and needs another
    to work with."""
    if not jobs:
        return settings.database_connections
    at_work = settings.worker_concurrency + settings.worker_deliveries + _SPARE
    return max(settings.database_connections, at_work)


def of_checkpoints(settings: Settings) -> int:
    """To what threads remember, of a worker."""
    return settings.worker_concurrency + 2


def of_serve(settings: Settings) -> Budget:
    """`sara serve`, whose console takes documents in and tries questions out."""
    return Budget(of_record(settings, jobs=False) + HISTORY + 2 * PASSAGES, 1)


def of_worker(settings: Settings) -> Budget:
    """`sara worker`."""
    return Budget(
        of_record(settings, jobs=True) + of_checkpoints(settings) + QUEUE + 2 * PASSAGES,
        _LANES,
    )
