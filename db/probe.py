"""What an operator wants to know about a database."""

from dataclasses import dataclass
from datetime import UTC, datetime

import psycopg

from db.errors import DatabaseUnavailable

_PROBE = """
SELECT current_setting('server_version'),
       (SELECT extversion FROM pg_extension WHERE extname = 'vector'),
       extract(epoch FROM clock_timestamp())::float8"""


@dataclass(frozen=True)
class Probe:
    """Versions (pgvector's is None where it is missing) and how far the clocks are apart, in seconds."""

    version: str
    vector: str | None
    skew_s: float


async def probe(dsn: str) -> Probe:
    """Looks at a server. Raises DatabaseUnavailable."""
    try:
        async with await psycopg.AsyncConnection.connect(dsn) as connection:
            row = await (await connection.execute(_PROBE)).fetchone()
    except psycopg.OperationalError as error:
        raise DatabaseUnavailable(f"{DatabaseUnavailable.__doc__} ({str(error).strip()})") from error
    if row is None:
        raise DatabaseUnavailable("the server answered nothing")
    return Probe(str(row[0]), row[1], abs(datetime.now(UTC).timestamp() - float(row[2])))
