"""The doctor's look for faults that show only in their effects; docs/troubleshooting.md names each.

A database that takes no writing or takes long for it, turns that end workers, an engine that takes questions
and never answers.
"""

import asyncio
import statistics
import time

import httpx
import psycopg

from crm import quarantine
from crm.record import Crm
from jobs.services import Patience
from sara.commands.findings import BAD, OK, WARN, Finding
from sara.settings import Settings

SLOW_COMMIT_S = 0.1
ANSWER_S = 20.0  # for one word; a model that is being loaded may take as long
_COMMITS = 5
_WRITABLE = "SELECT pg_is_in_recovery(), current_setting('transaction_read_only')::boolean"
# Written ahead and flushed like any other change, and kept nowhere.
_COMMIT = "SELECT pg_logical_emit_message(true, 'sara', '')"


async def of_writing(dsn: str) -> list[Finding]:
    """Whether the database takes what is written, and how fast."""
    try:
        async with await psycopg.AsyncConnection.connect(dsn, autocommit=True) as connection:
            row = await (await connection.execute(_WRITABLE)).fetchone()
            if row is not None and row[0]:
                mend = "name its hosts in SARA_DATABASE_URL with target_session_attrs=read-write"
                return [Finding("commits", BAD, "this is a standby: nothing can be written", mend)]
            if row is not None and row[1]:
                mend = "end default_transaction_read_only, or the reason why somebody set it"
                return [Finding("commits", BAD, "the database is read-only", mend)]
            seconds = statistics.median([await _commit(connection) for _ in range(_COMMITS)])
    except psycopg.errors.DiskFull as error:
        mend = "make room where its data are; webhooks are answered 503 and come again"
        return [Finding("commits", BAD, f"the database's disk is full ({error})", mend)]
    detail = f"{seconds * 1000:.0f} ms each"
    if seconds > SLOW_COMMIT_S:
        mend = "its disk is slow or busy: every answer to WhatsApp waits for one commit"
        return [Finding("commits", WARN, detail, mend)]
    return [Finding("commits", OK, detail)]


async def _commit(connection: psycopg.AsyncConnection[tuple[object, ...]]) -> float:
    started = time.perf_counter()
    await connection.execute(_COMMIT)
    return time.perf_counter() - started


async def of_suspects(crm: Crm) -> list[Finding]:
    """Turns in which workers died, and that are tried alone now; nothing where there are none."""
    async with crm.outside() as tx:
        count = await quarantine.suspects(tx, deaths=Patience().suspect_after)
    if not count:
        return []
    detail = f"workers died in {count} turns, which are tried alone now"
    mend = "`suspect_tried_alone` in the logs names them; one that goes on goes to a person"
    return [Finding("suspects", WARN, detail, mend)]


async def answering(settings: Settings, found: Finding) -> Finding:
    """What was found of an engine that says that it is there, or that it does not answer all the same."""
    if found.state != OK:
        return found
    kind, _, name = settings.llm.partition(":")
    limit = min(ANSWER_S, settings.llm_timeout_s)
    said = [{"role": "user", "content": "Hi"}]
    if kind == "ollama":
        url = f"{settings.ollama_base_url.rstrip('/')}/api/chat"
        body = {"model": name, "messages": said, "stream": False, "options": {"num_predict": 1}}
    else:
        url = f"{(settings.llm_base_url or 'https://api.openai.com/v1').rstrip('/')}/chat/completions"
        body = {"model": name, "messages": said, "max_completion_tokens": 1}
    key = settings.llm_api_key.get_secret_value() if settings.llm_api_key else "none"
    try:
        async with (
            asyncio.timeout(limit),
            httpx.AsyncClient(timeout=limit, headers={"Authorization": f"Bearer {key}"}) as http,
        ):
            reply = await http.post(url, json=body)
    except (TimeoutError, httpx.HTTPError) as error:
        why = "nothing" if isinstance(error, TimeoutError | httpx.TimeoutException) else type(error).__name__
        detail = f"{name} is there, and answers a question with {why} within {limit:g} s"
        mend = "restart it; until then answers are quoted, not worded"
        return Finding(found.name, WARN, detail, mend)
    if reply.is_error:
        said_why = " ".join(reply.text.split())[:200]
        detail = f"{name} is there, and answers a question with {reply.status_code}: {said_why}"
        mend = "the engine's own log says more; until then answers are quoted, not worded"
        return Finding(found.name, WARN, detail, mend)
    return found
