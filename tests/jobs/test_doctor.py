"""What can be wrong, made so, and what the doctor says of it."""

import asyncio
import re
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import pytest_asyncio

from channels.simulator.settings import Faults
from crm import conversations, halts, operating
from db import probe
from sara.commands import doctor
from sara.commands.doctor_work import of_the_work
from sara.commands.findings import Finding
from sara.settings import Settings, load
from tests.chaos.town import NUMBER, free_port
from tests.inference.fake_ollama import Refuses, Says, engine
from tests.jobs.shop import Shop
from tests.jobs.test_drain import POISON
from tests.jobs.test_send import settled
from tests.jobs.test_tracing import webhook

LANES = "INSERT INTO procrastinate_workers (last_heartbeat) VALUES (now()), (now())"


async def found(shop: Shop) -> dict[str, Finding]:
    """What the doctor says of the work, by name; of dead letters by what they are."""
    findings = of_the_work(await operating.read(shop.crm))
    assert all(finding.mend for finding in findings if finding.state != "ok")
    return {
        f"{one.name}: {one.detail.partition(' ')[2]}"
        if " " in one.detail and one.name == "dead letters"
        else one.name: one
        for one in findings
    }


@pytest_asyncio.fixture(loop_scope="session")
async def late(shop: Shop) -> AsyncIterator[Shop]:
    """A message whose job has been due for five minutes."""
    conversation = await shop.open_conversation("393877000001")
    await shop.customer_writes(conversation, "Dove siete?")
    await shop.rows(
        "UPDATE procrastinate_events SET at = at - interval '5 min'"
        " WHERE job_id IN (SELECT id FROM procrastinate_jobs WHERE status = 'todo')"
    )
    yield shop
    await shop.rows("DELETE FROM procrastinate_workers")
    await shop.work_until(lambda: settled(shop, conversation))


async def test_messages_that_no_worker_answers(late: Shop) -> None:
    said = await found(late)
    assert said["workers"].state == "failed"
    assert re.fullmatch(r"none at work, \d+ jobs wait", said["workers"].detail)
    assert "sara worker" in said["workers"].mend
    assert (said["queue"].state, said["queue"].mend) == ("failed", "no worker takes them: see workers")


async def test_workers_that_cannot_keep_up(late: Shop) -> None:
    await late.rows(LANES)
    said = await found(late)
    assert (said["workers"].state, said["workers"].detail) == ("ok", "1 at work")
    assert said["queue"].state == "failed"
    assert re.match(r"turns: \d+ jobs wait, the oldest for \d+ min, 0 at work", said["queue"].detail)
    assert "start more" in said["queue"].mend


async def test_an_installation_at_rest_is_no_failure(late: Shop) -> None:
    await late.rows("UPDATE web_uptime SET seen_at = now() - interval '1 h'")
    try:
        said = await found(late)
    finally:
        await late.rows("DELETE FROM web_uptime")
        await late.webhooks_were_taken_in()
    assert said["workers"].state == "warning"
    assert "queue" not in said


async def test_a_worker_that_was_killed(shop: Shop) -> None:
    await shop.rows(LANES)
    await shop.rows("INSERT INTO procrastinate_workers (last_heartbeat) VALUES (now() - interval '1 min')")
    try:
        said = await found(shop)
    finally:
        await shop.rows("DELETE FROM procrastinate_workers")
    assert said["workers"].detail == "1 at work; 1 ended without a word, others have their jobs"


async def test_an_expired_token(shop: Shop) -> None:
    conversation = await shop.open_conversation("393877000002")
    shop.simulator.faults.now = Faults(token_expired=True)
    await shop.bot_says(conversation, "eccomi")
    await shop.work()
    try:
        said = await found(shop)
        assert said["numbers"].state == "failed"
        assert "SARA_WHATSAPP_ACCESS_TOKEN" in said["numbers"].mend
        mine = f" WHERE conversation_id = {conversation}"
        await shop.rows("UPDATE outbox SET created_at = created_at - interval '2 h'" + mine)
        assert "2 h" not in (await found(shop))["deliveries"].detail, "what has to wait is not late"
        await shop.rows("UPDATE outbox SET next_attempt_at = now() - interval '1 h'" + mine)
        assert (await found(shop))["deliveries"].detail.endswith("the oldest for 2 h")
    finally:
        shop.simulator.faults.now = Faults()
        async with shop.crm.transaction(shop.business_id) as tx:
            await halts.lift(tx, NUMBER)
    await shop.work_until(lambda: settled(shop, conversation))


async def test_what_was_given_up(shop: Shop) -> None:
    conversation = await shop.open_conversation("393877000003")
    await shop.rows(POISON.format(conversation))
    try:
        await shop.customer_writes(conversation, "Dove siete?")

        async def with_a_person() -> bool:
            async with shop.crm.transaction(shop.business_id) as tx:
                return (await conversations.get(tx, conversation)).owner == "human"

        await shop.work_until(with_a_person)
    finally:
        await shop.rows("DROP TRIGGER poison ON outbox; DROP FUNCTION poison")
    await shop.post(webhook("393877000004", "Pronto?", number="404405"))
    late_one = await shop.open_conversation("393877000005")
    await shop.rows(
        "UPDATE conversation SET last_customer_at = now() - interval '25 h' WHERE conversation_id = %s",
        late_one,
    )
    await shop.bot_says(late_one, "eccomi")
    await shop.work_until(lambda: settled(shop, late_one))
    said = await found(shop)
    for what, mend in {
        "turns that failed every time": "sara handoff list",
        "messages held back": "sara outbox list",
        "items of WhatsApp's webhooks": "sara webhook replay",
    }.items():
        finding = said[f"dead letters: {what}"]
        assert finding.state == "warning"
        assert mend in finding.mend


def settings_of(shop: Shop, **changed: object) -> Settings:
    return load(database_url=shop.dsn, llm="extractive", **changed)


async def test_a_database_that_is_down(shop: Shop) -> None:
    gone = f"postgresql://nobody@127.0.0.1:{free_port()}/sara"
    [finding] = await doctor._database(load(database_url=gone))
    assert (finding.name, finding.state) == ("database", "failed")
    assert "start PostgreSQL" in finding.mend


async def test_a_database_that_is_made_by_looking(tmp_path: Path) -> None:
    """Where the settings are not those of the services, nothing is found in an empty one."""
    for new in (True, False):
        [first, *_] = await doctor._database(load(database_url=None, data_dir=tmp_path, llm="extractive"))
        assert (first.name, first.state) == ("database", "ok")
        assert ("a new one" in first.detail) is new
        assert f"embedded in {tmp_path}" in first.detail


async def test_the_whole_of_a_database_that_is_up(shop: Shop) -> None:
    said = {finding.name: finding for finding in await doctor._database(settings_of(shop))}
    assert {"database", "pgvector", "clock", "businesses", "workers", "deliveries"} <= set(said)
    assert said["clock"].state == "ok"


async def test_clocks_that_are_apart(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    class Ahead(datetime):
        @classmethod
        def now(cls, tz=None):  # type: ignore[no-untyped-def, override]
            return datetime.now(tz or UTC) + timedelta(minutes=2)

    monkeypatch.setattr(probe, "datetime", Ahead)
    said = {finding.name: finding for finding in await doctor._database(settings_of(shop))}
    assert (said["clock"].state, said["clock"].detail) == ("failed", "120 s away from the database's")
    assert "NTP" in said["clock"].mend


@pytest.mark.parametrize(
    ("free", "state", "detail"), [(2**30, "warning", "1.0 GiB free"), (2**20, "failed", "1 MiB free")]
)
async def test_a_disk_that_is_nearly_full(
    shop: Shop, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, free: int, state: str, detail: str
) -> None:
    usage = shutil.disk_usage(tmp_path)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage._replace(free=free))
    [finding] = await doctor._disk(settings_of(shop, data_dir=tmp_path))
    assert (finding.state, finding.detail) == (state, f"{detail} at {tmp_path}")


async def test_a_disk_that_cannot_be_looked_at(
    shop: Shop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    [below] = await doctor._disk(settings_of(shop, data_dir=tmp_path / "not" / "yet"))
    assert below.state != "failed"
    assert str(tmp_path) in below.detail

    def denied(_: Path) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(shutil, "disk_usage", denied)
    [finding] = await doctor._disk(settings_of(shop, data_dir=tmp_path))
    assert finding.state == "warning"
    assert "Permission denied" in finding.detail
    assert finding.mend


@asynccontextmanager
async def answering(status: str, body: str) -> AsyncIterator[str]:
    """A server that answers everything with that; its base URL."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(f"HTTP/1.1 {status}\r\nContent-Length: {len(body)}\r\n\r\n{body}".encode())
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    async with server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1"


@pytest.mark.parametrize(
    ("status", "body", "state", "detail", "mend"),
    [
        ("200 OK", '{"data": [{"id": "llama"}]}', "ok", "llama", ""),
        ("200 OK", '{"data": [{"id": "qwen"}]}', "warning", "has no model llama", "qwen"),
        ("401 No", "{}", "warning", "answers 401", "SARA_LLM_API_KEY"),
        ("200 OK", "<html>", "warning", "does not answer", "SARA_LLM_BASE_URL"),
    ],
    ids=["there", "another model", "wrong key", "no engine"],
)
async def test_an_engine_of_language_models(
    shop: Shop, status: str, body: str, state: str, detail: str, mend: str
) -> None:
    async with answering(status, body) as url:
        settings = load(database_url=shop.dsn, llm="openai:llama", llm_base_url=url)
        _, found = await doctor._engines(settings)
    assert found.state == state
    assert detail in found.detail
    assert mend in found.mend


async def test_an_engine_that_is_away(shop: Shop) -> None:
    url = f"http://127.0.0.1:{free_port()}/v1"
    _, found = await doctor._engines(load(database_url=shop.dsn, llm="openai:llama", llm_base_url=url))
    assert (found.state, found.detail) == ("warning", f"{url} does not answer (ConnectError)")


@pytest.mark.parametrize(
    ("llm", "answer", "detail"),
    [
        ("ollama:fake", Refuses(500, "model requires more system memory"), "500: .*more system memory"),
        ("openai:fake", Refuses(400, "does not support chat"), "400: .*does not support chat"),
        ("ollama:qwen3", Says("ready"), "qwen3 is not pulled: write ollama:qwen3:8b"),
        ("ollama:mistral", Says("ready"), "mistral is not pulled$"),
        ("ollama:fake", Says("ready"), "^fake$"),
    ],
)  # fmt: skip
async def test_an_engine_that_is_there_and_does_not_answer(
    shop: Shop, llm: str, answer: Refuses | Says, detail: str
) -> None:
    async with engine("qwen3:8b" if "qwen3" in llm else "fake") as fake:
        fake.will(answer)
        settings = load(
            database_url=shop.dsn, llm=llm, llm_base_url=f"{fake.url}/v1", ollama_base_url=fake.url
        )
        _, found = await doctor._engines(settings)
    assert re.search(detail, found.detail)
    assert found.state == ("ok" if detail == "^fake$" else "warning")
