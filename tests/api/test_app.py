"""What operators and developers ask the application."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

import httpx
import psycopg
import pytest
from prometheus_client.parser import text_string_to_metric_families
from pydantic import SecretStr

from api import webhook
from api.app import create_app
from api.state import ApiServices
from channels.whatsapp.signature import sign
from crm.record import Crm
from db.pool import open_pool
from sara import services
from sara.local import Local
from sara.settings import Settings


async def get(whole: Local, path: str) -> httpx.Response:
    async with httpx.AsyncClient(base_url=whole.url) as client:
        return await client.get(path)


async def test_it_is_alive_and_ready(whole: Local) -> None:
    alive, ready = await asyncio.gather(get(whole, "/healthz"), get(whole, "/readyz"))
    assert (alive.status_code, alive.json()) == (200, {"status": "ok"})
    assert (ready.status_code, ready.json()) == (200, {"status": "ready"})


async def test_without_a_database_it_is_alive_and_not_ready(settings: Settings, dsn: str) -> None:
    pool = await open_pool(dsn, max_size=1)
    await pool.close()

    @asynccontextmanager
    async def lifespan() -> AsyncIterator[ApiServices]:
        yield services.api_services(settings, Crm(pool))

    app = create_app(lifespan)
    async with app.router.lifespan_context(app):
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url="http://sara") as client:
            assert (await client.get("/healthz")).status_code == 200
            ready = await client.get("/readyz")
            assert ready.status_code == 503
            assert "RecordUnavailable" in ready.json()["detail"]
            answer = await client.get(
                "/api/businesses/aurora/handoffs", headers={"Authorization": "Bearer some"}
            )
            assert answer.status_code == 503
            assert answer.json()["error"] == "RecordUnavailable"
            assert answer.headers["retry-after"]
            assert "postgres" not in answer.text.lower()


async def test_requests_are_counted_by_route_and_not_by_path(whole: Local) -> None:
    await get(whole, "/healthz")
    await get(whole, "/api/businesses/aurora/handoffs/123456789")
    answer = await get(whole, "/metrics")
    assert answer.status_code == 200
    samples = [s for family in text_string_to_metric_families(answer.text) for s in family.samples]
    routes = {sample.labels["route"] for sample in samples if "route" in sample.labels}
    assert {"/healthz", "/api/businesses/{business}/handoffs/{handoff_id}"} <= routes
    assert "123456789" not in answer.text


async def test_a_webhook_that_fails_is_counted_as_answered_500(
    settings: Settings, dsn: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else the alert about it could never fire: the answer is written outside of what measures."""

    async def broken(*_: object) -> dict[str, int]:
        raise RuntimeError("a defect")

    monkeypatch.setattr(webhook, "take_in", broken)
    settings = settings.model_copy(update={"whatsapp_app_secret": SecretStr("secret")})
    pool = await open_pool(dsn, max_size=2)

    @asynccontextmanager
    async def lifespan() -> AsyncIterator[ApiServices]:
        yield services.api_services(settings, Crm(pool))

    app = create_app(lifespan)
    async with pool, app.router.lifespan_context(app):
        transport = httpx.ASGITransport(app, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="http://sara") as client:
            signed = {"X-Hub-Signature-256": sign("secret", b"{}")}
            answer = await client.post("/webhooks/whatsapp", content=b"{}", headers=signed)
            told = (await client.get("/metrics")).text
    assert answer.status_code == 500
    counted = {
        (sample.labels["route"], sample.labels["status"]): sample.value
        for family in text_string_to_metric_families(told)
        for sample in family.samples
        if sample.name == "sara_http_seconds_count"
    }
    assert counted == {("/webhooks/whatsapp", "500"): 1}


@pytest.mark.parametrize("path", ["/docs", "/openapi.json"])
async def test_it_documents_itself(whole: Local, path: str) -> None:
    assert (await get(whole, path)).status_code == 200


async def test_every_route_of_the_desk_is_documented(whole: Local) -> None:
    paths = (await get(whole, "/openapi.json")).json()["paths"]
    base = "/api/businesses/{business}/handoffs"
    wanted = {base, f"{base}/{{handoff_id}}"} | {
        f"{base}/{{handoff_id}}/{act}" for act in ("claim", "reply", "back", "resolve")
    }
    assert wanted <= set(paths)
    assert all(operation["security"] for path in wanted for operation in paths[path].values()), (
        "each of them asks for a token"
    )
    assert all(operation["description"] for path in wanted for operation in paths[path].values())


async def test_what_is_not_there_is_said_so(whole: Local) -> None:
    assert (await get(whole, "/api/nothing")).status_code == 404


async def test_it_notes_when_webhooks_are_taken_in(whole: Local) -> None:
    async with whole.crm.outside() as tx:
        lately = tx.now - timedelta(seconds=5)
        cursor = await tx.connection.execute(
            "SELECT count(*) AS beating FROM web_uptime WHERE seen_at > %s", (lately,)
        )
        row = await cursor.fetchone()
    assert row is not None
    assert row["beating"] >= 1


async def test_what_came_while_nothing_was_noted_was_not_taken_in(whole: Local) -> None:
    """Whatever stood still, a webhook may have met it: from then on it is noted as another process."""
    async with await psycopg.AsyncConnection.connect(whole.dsn) as owner:
        before = await (await owner.execute("SELECT process FROM web_uptime")).fetchall()
        await owner.execute("LOCK TABLE web_uptime IN ACCESS EXCLUSIVE MODE")
        await asyncio.sleep(6.5)
    for _ in range(100):
        async with await psycopg.AsyncConnection.connect(whole.dsn) as owner:
            now = await (await owner.execute("SELECT process FROM web_uptime")).fetchall()
        if len(now) > len(before):
            return
        await asyncio.sleep(0.1)
    pytest.fail("it went on as if nothing had been")
