"""The doctor's look at connections: whether there are enough, and whether a pooler is in the right place."""

import secrets

import psycopg
from psycopg import sql

from crm.operating import Operating
from sara import connections
from sara.commands.findings import BAD, OK, WARN, Finding
from sara.settings import Settings

_PATIENCE_S = 3.0
_SPARE = 10  # for backups, migrations and people, beside those PostgreSQL keeps for superusers


def of_budget(settings: Settings, operating: Operating) -> Finding:
    """Whether all processes at work could open every connection they may."""
    serve, worker = connections.of_serve(settings), connections.of_worker(settings)
    serving, working = int(operating.of("serving")), (int(operating.of("lanes")) + 1) // 2
    most = int(operating.of("database_connections_most")) - _SPARE
    if settings.pooled:
        needed = serving * serve.sessions + working * worker.sessions
        each = f"serve {serve.sessions}, a worker {worker.sessions} past the pooler"
    else:
        needed = serving * serve.whole + working * worker.whole
        each = f"serve up to {serve.whole}, a worker up to {worker.whole}"
    detail = f"{each}; {needed} for the {serving} and {working} at work, {most} to be had"
    if needed <= most:
        return Finding("budget", OK, detail)
    mend = (
        f"max_connections = {needed + _SPARE} or more, a pooler (docs/scale.md), or a lower"
        " SARA_WORKER_CONCURRENCY and SARA_WORKER_DELIVERIES"
    )
    return Finding("budget", WARN, detail, mend)


async def of_pooler(settings: Settings, dsn: str) -> list[Finding]:
    """Whether what is told through the pooler is heard past it: the same database, and sessions that last."""
    if not settings.pooled:
        return []
    mend = "SARA_DATABASE_DIRECT_URL must be PostgreSQL itself, and the database that the pooler leads to"
    channel = f"sara_doctor_{secrets.token_hex(8)}"
    try:
        async with await psycopg.AsyncConnection.connect(
            connections.unshared(settings), autocommit=True
        ) as listening:
            await listening.execute(sql.SQL("LISTEN {}").format(sql.Identifier(channel)))
            async with await psycopg.AsyncConnection.connect(
                dsn, autocommit=True, prepare_threshold=None
            ) as telling:
                await telling.execute("SELECT pg_notify(%s, '')", (channel,))
            async for _ in listening.notifies(timeout=_PATIENCE_S, stop_after=1):
                return [Finding("pooler", OK, "what is told through it is heard past it")]
    except (TimeoutError, psycopg.Error) as error:
        return [Finding("pooler", BAD, " ".join(str(error).split()), mend)]
    return [Finding("pooler", BAD, f"nothing was heard past it within {_PATIENCE_S:g} s", mend)]
