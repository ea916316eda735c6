"""The database moves to another address, stands still, is slow or full: nothing is lost or restarted."""

import asyncio
import contextlib
import json
import os
import random
import secrets
import subprocess
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, nullcontext
from pathlib import Path

import httpx
import psycopg
import pytest
from psycopg.conninfo import make_conninfo

from api.app import create_app
from channels.whatsapp.signature import sign
from db import embedded
from db.migrate import migrate
from sara import audio_key, seed, services
from sara.commands.doctor_faults import of_writing
from sara.settings import load
from tests.chaos.crowd import Crowd, assert_nothing_lost_or_doubled
from tests.chaos.town import NUMBER, SECRETS, Town

pytestmark = pytest.mark.chaos

STILL_S = 3.0
SLOW_COMMIT_US = 100_000  # the most that PostgreSQL delays a commit by
_SMALL = "220m"


@asynccontextmanager
async def writing(town: Town, seed_: int, prefix: str) -> AsyncIterator[Crowd]:
    """Customers who write inside the block, and a worker that answers them and survives it."""
    crowd = Crowd(town, random.Random(seed_), prefix=prefix, customers=12)
    await town.light_at_work()
    task = asyncio.create_task(crowd.write(every_s=0.3))
    try:
        yield crowd
        task.cancel()
        await town.simulator.settle()  # what was written a moment ago may still be on its way in
        await town.all_done(90)
        await town.simulator.settle()
        await assert_nothing_lost_or_doubled(town, crowd)
        for process in (town.light, town.serve):
            assert process.running is not None
            assert process.running.poll() is None, "it was restarted by nobody"
    finally:
        task.cancel()


async def test_the_database_moves_to_another_address(town: Town, chaos_seed: int) -> None:
    """Its data start at the second address that SARA_DATABASE_URL names, and later at the first one again."""
    async with writing(town, chaos_seed + 3, "39356") as crowd:
        await asyncio.sleep(1.0)
        await town.fail_over()
        try:
            there = len(crowd.wamids)
            await asyncio.sleep(2.0)
            assert len(crowd.wamids) > there
        finally:
            await town.crash_database()
        await asyncio.sleep(1.0)


async def test_a_server_that_takes_no_writing(town: Town) -> None:
    """A standby that has not taken over yet: a webhook is 503, and comes again; the doctor says so."""
    body = webhook("393570000001", "Dove siete?")
    read_only = make_conninfo(town.database.dsn, options="-c default_transaction_read_only=on")
    async with api_on(read_only) as api:
        assert await post(api, body) == 503
        assert (await api.get("/healthz")).status_code == 200
    [finding] = await of_writing(read_only)
    assert (finding.name, finding.state, finding.detail) == ("commits", "failed", "the database is read-only")
    async with api_on(town.dsn) as api:
        assert await post(api, body) == 200
    query = "SELECT count(*) FROM message JOIN contact USING (contact_id) WHERE wa_id = '393570000001'"
    assert await town.value(query) == 1
    await town.light_at_work()
    await town.all_done(60)


async def test_a_disk_that_stands_still(town: Town, chaos_seed: int) -> None:
    """Nothing is refused and nothing is cut: everything waits, and goes on."""
    async with writing(town, chaos_seed + 4, "39358") as crowd:
        await asyncio.sleep(1.0)
        with town.frozen_database():
            await asyncio.sleep(STILL_S)
        assert crowd.wamids
        await asyncio.sleep(0.5)


async def test_a_disk_that_is_slow(town: Town, chaos_seed: int) -> None:
    """Each commit takes a tenth of a second more."""
    await town.rows(f"ALTER SYSTEM SET commit_delay = {SLOW_COMMIT_US}")
    await town.rows("ALTER SYSTEM SET commit_siblings = 0")
    await town.rows("SELECT pg_reload_conf()")
    try:
        async with writing(town, chaos_seed + 5, "39359"):
            for _ in range(20):  # a commit that another one's wait takes along is quick
                [finding] = await of_writing(town.dsn)
                if finding.state != "ok":
                    break
            assert (finding.name, finding.state) == ("commits", "warning")
    finally:
        await town.rows("ALTER SYSTEM RESET commit_delay")
        await town.rows("ALTER SYSTEM RESET commit_siblings")
        await town.rows("SELECT pg_reload_conf()")


@contextlib.contextmanager
def small_disk(folder: Path) -> Iterator[Path]:
    """A file system with little room. Skips where nobody may mount one."""
    place = folder / "small"
    place.mkdir()
    if os.geteuid() != 0:
        pytest.skip("only root mounts a small disk")
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={_SMALL},mode=755", "tmpfs", place],
        check=False,
        capture_output=True,
    )
    if mounted.returncode != 0:
        pytest.skip("no file system can be mounted here")
    try:
        yield place
    finally:
        subprocess.run(["umount", "--lazy", place], check=True)


def fill(place: Path) -> Path:
    """Takes all the room that is left."""
    ballast = place / "ballast"
    with ballast.open("wb", buffering=0) as out:
        for size in (2**20, 4096):
            with contextlib.suppress(OSError):
                while out.write(bytes(size)) == size:
                    pass
    return ballast


def webhook(wa_id: str, words: str) -> bytes:
    message = {
        "from": wa_id,
        "id": f"wamid.{secrets.token_hex(8)}",
        "timestamp": "1763500000",
        "type": "text",
        "text": {"body": words},
    }
    contacts = [{"wa_id": wa_id, "profile": {"name": "Anna"}}]
    value = {
        "messaging_product": "whatsapp",
        "metadata": {"phone_number_id": NUMBER},
        "contacts": contacts,
        "messages": [message],
    }
    entry = {"id": "1", "changes": [{"field": "messages", "value": value}]}
    return json.dumps({"object": "whatsapp_business_account", "entry": [entry]}).encode()


@asynccontextmanager
async def api_on(dsn: str) -> AsyncIterator[httpx.AsyncClient]:
    """The webhook's side of SARA."""
    settings = load(
        llm="extractive",
        database_url=dsn,
        whatsapp_app_secret=SECRETS["SARA_WHATSAPP_APP_SECRET"],
        audio_days=0,
    )
    async with AsyncExitStack() as stack:
        crm = await stack.enter_async_context(services.record(settings, dsn))
        web = create_app(lambda: nullcontext(opened))
        opened = web.state.services = services.api_services(settings, crm)
        transport = httpx.ASGITransport(web, raise_app_exceptions=False)
        yield await stack.enter_async_context(httpx.AsyncClient(transport=transport, base_url="http://sara"))


async def post(api: httpx.AsyncClient, body: bytes) -> int:
    """Delivers a webhook; the status it is answered."""
    signature = sign(SECRETS["SARA_WHATSAPP_APP_SECRET"], body)
    headers = {"X-Hub-Signature-256": signature, "Content-Type": "application/json"}
    return (await api.post("/webhooks/whatsapp", content=body, headers=headers)).status_code


async def test_a_full_disk(tmp_path: Path) -> None:
    """What could be stored is answered 200, what could not 503, and WhatsApp brings it again."""
    with small_disk(tmp_path) as place:
        database = await asyncio.to_thread(embedded.start, place)
        try:
            await migrate(database.dsn)
            async with services.record(load(llm="extractive"), database.dsn) as crm:
                await seed.enter_seeds(crm)
            async with api_on(database.dsn) as api:
                assert await post(api, webhook("393580000001", "prima")) == 200
                ballast = await asyncio.to_thread(fill, place)
                bodies = [webhook(f"39358100{n:04d}", secrets.token_hex(8000)) for n in range(60)]
                answers = {body: await post(api, body) for body in bodies}
                assert set(answers.values()) <= {200, 503}
                assert 503 in answers.values(), "the disk was not full"
                with pytest.raises(audio_key.KeyNotKept, match="No space left"):
                    audio_key.own_keys(place / "ballast-less")
                ballast.unlink()
                again = [body for body, status in answers.items() if status == 503]
                assert [await post(api, body) for body in again] == [200] * len(again)
                assert len(audio_key.own_keys(place / "ballast-less")) == 1
            async with await psycopg.AsyncConnection.connect(database.dsn) as owner:
                query = "SELECT count(*), count(DISTINCT wamid) FROM message"
                row = await (await owner.execute(query)).fetchone()
            assert row == (len(bodies) + 1, len(bodies) + 1), "each once"
        finally:
            await asyncio.to_thread(database.stop)
