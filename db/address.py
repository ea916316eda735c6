"""The database's address with what lets both ends notice within seconds that the other one is gone.

A host that is cut off sends no farewell. Without more, a worker would wait on a dead connection for as long
as TCP goes on repeating (a quarter of an hour), and PostgreSQL would keep the dead worker's transaction, and
with it the conversation it holds, until the kernel asks after two hours of silence.
"""

import psycopg
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from db.errors import DatabaseUnavailable

IDLE_S, BETWEEN_S, PROBES = 4, 2, 3
GONE_S = IDLE_S + BETWEEN_S * PROBES
"""Seconds of silence after which the other end counts as gone."""

# https://www.postgresql.org/docs/current/libpq-connect.html#LIBPQ-KEEPALIVES
_OURS = {
    "connect_timeout": 5,
    "keepalives": 1,
    "keepalives_idle": IDLE_S,
    "keepalives_interval": BETWEEN_S,
    "keepalives_count": PROBES,
    "tcp_user_timeout": GONE_S * 1000,
}
# https://www.postgresql.org/docs/current/runtime-config-connection.html#RUNTIME-CONFIG-TCP-SETTINGS
# The last one is for a session that works or waits for a lock: it does not read from its connection then.
_THEIRS = {
    "tcp_keepalives_idle": f"{IDLE_S}s",
    "tcp_keepalives_interval": f"{BETWEEN_S}s",
    "tcp_keepalives_count": f"{PROBES}",
    "tcp_user_timeout": f"{GONE_S}s",
    "client_connection_check_interval": f"{GONE_S}s",
}


def watchful(dsn: str, *, pooled: bool = False) -> str:
    """`dsn` with time-outs and keepalives at both ends; what it says of them itself stays.

    `pooled` leaves out what is meant for the server: a pooler would refuse it, and watches over its own
    connections. Raises DatabaseUnavailable for what is no connection string.
    """
    try:
        given = conninfo_to_dict(dsn)
    except psycopg.ProgrammingError as error:
        raise DatabaseUnavailable(f"SARA_DATABASE_URL is no connection string: {error}") from error
    wanted: dict[str, str | int | None] = {**_OURS, **given}
    if not pooled:
        ours = " ".join(f"-c {name}={value}" for name, value in _THEIRS.items())
        # Of two settings of one name the later one holds.
        wanted["options"] = f"{ours} {given.get('options') or ''}".strip()
    return make_conninfo("", **wanted)
