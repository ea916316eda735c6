"""SARA through pgbouncer in transaction mode: every transaction may have another session."""

import asyncio
import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from configparser import ConfigParser
from contextlib import suppress
from pathlib import Path

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict

from api.live import Change, Live
from crm import businesses
from db.address import watchful
from jobs.app import build_app
from knowledge import ingest
from knowledge.business_file import seed_documents
from sara import connections, services
from sara.commands.doctor_connections import of_pooler
from sara.local import local_on
from sara.play import play, read
from sara.settings import Settings, load
from tests.chaos.town import free_port
from tests.scale.ground import Ground

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "deploy"
JOURNEY = ROOT / "sara/journeys/1-aurora.yaml"
PGBOUNCER = shutil.which("pgbouncer", path=f"{os.environ.get('PATH', os.defpath)}:/usr/sbin:/usr/local/sbin")

pytestmark = pytest.mark.skipif(PGBOUNCER is None, reason="pgbouncer is not installed")

DOCUMENTS = {"listino.md", "come-arrivare-e-parcheggio.html", "domande-frequenti.md"}
SESSIONS = 12  # few for many clients, so that each of them comes by the sessions of others


@pytest.fixture(scope="module")
def through(soil: Ground, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Settings]:
    """Settings of an installation behind pgbouncer, which is set as in deploy/."""
    assert PGBOUNCER is not None
    folder, port = tmp_path_factory.mktemp("pgbouncer"), free_port()
    given = conninfo_to_dict(soil.database.dsn)
    wanted = ConfigParser()
    wanted.read(DEPLOY / "pgbouncer/pgbouncer.ini")
    wanted["databases"]["sara"] = " ".join(
        f"{name}={given[name]}" for name in ("host", "port", "dbname", "user") if given.get(name)
    )
    del wanted["pgbouncer"]["auth_file"]
    wanted["pgbouncer"].update(
        listen_port=str(port), unix_socket_dir="", auth_type="any", default_pool_size=str(SESSIONS)
    )
    file, said = folder / "pgbouncer.ini", folder / "log"
    with file.open("w") as lines:
        wanted.write(lines)
    command = [PGBOUNCER, str(file)]
    if (user := soil.database.server.system_user) is not None:  # it refuses to be root, as PostgreSQL does
        shutil.chown(file, user)
        for parent in (*list(folder.parents)[:2], folder):
            parent.chmod(0o711)
        command[1:1] = ["-u", user]
    with said.open("wb") as log:
        running = subprocess.Popen(command, stdout=log, stderr=log)
    url = f"postgresql://{given['user']}@127.0.0.1:{port}/sara"
    try:
        _wait_for(url, running, said)
        yield load(
            data_dir=soil.folder,
            database_url=url,
            database_direct_url=soil.database.dsn,
            llm="extractive",
            llm_fallback=None,
            gather_seconds=0.0,
            worker_concurrency=3,
            worker_deliveries=3,
        )
    finally:
        running.terminate()
        running.wait()


def _wait_for(url: str, running: "subprocess.Popen[bytes]", said: Path) -> None:
    until = time.monotonic() + 10
    while running.poll() is None and time.monotonic() < until:
        with suppress(psycopg.OperationalError), psycopg.connect(url) as connection:
            connection.execute("SELECT 1")
            return
        time.sleep(0.05)
    pytest.fail(f"pgbouncer does not answer:\n{said.read_text()}")


async def test_the_demo_is_played_through_it(through: Settings, tmp_path: Path) -> None:
    """Documents read in, questions answered from them, a voice note, an appointment, a hand-over and back."""
    for document in seed_documents("aurora"):
        if document.name in DOCUMENTS:
            await asyncio.to_thread(shutil.copy, document, tmp_path)
    async with services.database(through) as dsn:
        async with services.record(through, dsn) as crm, crm.outside() as tx:
            business_id = await businesses.of_slug(tx, "aurora")
        model = services.embedder(through)
        async with services.knowledge(through, dsn, model, create=True) as store:
            done = await ingest.ingest(
                [tmp_path],
                business_id=business_id,
                store=store,
                detect=services.telling_languages(),
            )
        assert (done.added, done.failed) == (len(DOCUMENTS), ())
        async with local_on(through, dsn) as local:
            journey = await play(local, read(JOURNEY), base=JOURNEY.parent)
    assert [(step.said, step.problems) for step in journey.steps if step.problems] == []


async def test_live_updates_come_past_it(through: Settings) -> None:
    dsn = watchful(through.database_url or "", pooled=True)
    live = Live(connections.listening_at(through, dsn))
    listening = asyncio.create_task(live.run())
    try:
        with live.listen(1) as changes:
            await asyncio.wait_for(changes.get(), 10)  # listening has begun
            async with await psycopg.AsyncConnection.connect(dsn, autocommit=True) as telling:
                await telling.execute("SELECT pg_notify('sara_live', '1:7:message')")
            assert await asyncio.wait_for(changes.get(), 10) == Change(7, "message")
    finally:
        listening.cancel()


async def test_a_job_is_taken_up_when_it_is_told(through: Settings) -> None:
    """Workers listen past the pooler: procrastinate's own way is a session that would be somebody else's."""
    dsn = watchful(through.database_url or "", pooled=True)
    told: asyncio.Queue[str] = asyncio.Queue()

    async def heard(*, channel: str, payload: str) -> None:
        told.put_nowait(channel)

    app = build_app(dsn, pooled=True, listen_at=connections.listening_at(through, dsn))
    async with app.open_async():
        listening = asyncio.create_task(
            app.connector.listen_notify(on_notification=heard, channels=["sara_test_jobs"])
        )
        for _ in range(100):
            await app.connector.execute_query_async("SELECT pg_notify('sara_test_jobs', '')")
            with suppress(TimeoutError):
                assert await asyncio.wait_for(told.get(), 0.1) == "sara_test_jobs"
                break
        else:
            pytest.fail("nothing was heard")
        listening.cancel()
        with suppress(asyncio.CancelledError):
            await listening


async def test_the_doctor_sees_whether_there_is_a_way_past_it(through: Settings) -> None:
    dsn = watchful(through.database_url or "", pooled=True)
    [finding] = await of_pooler(through, dsn)
    assert (finding.name, finding.state) == ("pooler", "ok")
    twice = through.model_copy(update={"database_direct_url": through.database_url})
    [finding] = await of_pooler(twice, dsn)
    assert finding.state == "failed"
    assert "SARA_DATABASE_DIRECT_URL" in finding.mend
    alone = through.model_copy(update={"database_direct_url": None})
    assert await of_pooler(alone, dsn) == []
