"""One trace from a webhook to the message that answers it, in spans and in log lines."""

import json
import re
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from channels.simulator.settings import Faults
from db import trace
from db.trace import Spans
from jobs.drain import drain
from jobs.services import KEY
from jobs.watching import Watching
from sara.commands.loop import configure_logging
from sara.services import chat_model
from sara.settings import load
from sara.tracing import tracing
from tests.chaos.town import NUMBER, free_port
from tests.jobs.collector import Collector, Received, collecting
from tests.jobs.shop import Shop
from tests.jobs.test_drain import POISON, all_taken_in
from tests.jobs.test_send import settled

ROOT = Path(__file__).parents[2]
SECRET_WORD = "Melisenda"


def webhook(wa_id: str, *texts: str, number: str = NUMBER) -> bytes:
    at = str(int(time.time()))
    items = [
        {
            "from": wa_id,
            "id": f"wamid.{time.monotonic_ns()}",
            "timestamp": at,
            "type": "text",
            "text": {"body": text},
        }
        for text in texts
    ]
    value = {
        "messaging_product": "whatsapp",
        "metadata": {"phone_number_id": number},
        "contacts": [{"wa_id": wa_id, "profile": {"name": SECRET_WORD}}],
        "messages": items,
    }
    entry = {"id": "1", "changes": [{"field": "messages", "value": value}]}
    return json.dumps({"object": "whatsapp_business_account", "entry": [entry]}).encode()


@asynccontextmanager
async def traced(shop: Shop) -> AsyncIterator[Shop]:
    """The shop with API and worker as two services of one installation, both traced."""
    before = shop.web.state.services
    async with tracing("sara-serve") as serving, tracing("sara-worker") as working:
        try:
            shop.web.state.services = replace(before, spans=serving)
            yield with_spans(shop, working)
        finally:
            shop.web.state.services = before


def with_spans(shop: Shop, spans: Spans) -> Shop:
    watching = Watching(spans=spans)
    chat = chat_model(load(llm="extractive", llm_fallback=None), watching)
    context = replace(shop.services.context, watch=watching.step, chat=chat)
    return replace(shop, services=replace(shop.services, watching=watching, context=context))


async def conversation_of(shop: Shop, wa_id: str) -> int:
    (row,) = await shop.rows(
        "SELECT conversation_id FROM conversation JOIN contact USING (contact_id) WHERE wa_id = %s", wa_id
    )
    return int(row["conversation_id"])


def names(spans: list[Received]) -> list[str]:
    return [span.name for span in spans]


async def test_the_spans_of_one_message_are_one_tree(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    wa_id = "393860000001"
    with collecting() as collector:
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", collector.endpoint)
        async with traced(shop) as shop_:
            await shop.simulator.customer_sends(NUMBER, wa_id, text="Ciao")
            assert (await shop_.post(webhook(wa_id, f"Dove siete? Sono {SECRET_WORD}"))).status_code == 200
            conversation = await conversation_of(shop, wa_id)
            await shop_.work_until(lambda: all_taken_in(shop, conversation))
            await shop_.work_until(lambda: settled(shop, conversation))
    thread = f"{shop.business_id}:{conversation}"
    (webhook_span,) = [span for span in collector.spans if span.name == "webhook"]
    # Other tests leave work behind: their spans are of other traces.
    spans = [span for span in collector.spans if span.trace_id == webhook_span.trace_id]
    ours = [span for span in collector.spans if span.attributes.get("sara.thread_id") == thread]
    assert all(span in spans for span in ours), names(ours)
    by_id = {span.span_id: span for span in spans}
    roots = [span for span in spans if not span.parent_id]
    assert names(roots) == ["webhook"]
    assert all(span.parent_id in by_id for span in spans if span not in roots), "no step hangs in the air"

    def path(name: str) -> list[str]:
        span, steps = next(span for span in spans if span.name == name), [name]
        while span.parent_id:
            span = by_id[span.parent_id]
            steps.append(span.name)
        return steps

    assert path("send") == ["send", "reply", "turn", "drain", "webhook"]
    assert path("chat") == ["chat", "generate", "turn", "drain", "webhook"]
    nodes = {
        "transcribe",
        "load_contact",
        "triage",
        "score_sensitivity",
        "retrieve",
        "generate",
        "check_grounding",
    }
    assert nodes | {"execute_intent"} <= set(names(spans))
    assert {span.service for span in roots} == {"sara-serve"}
    assert {span.service for span in spans if span not in roots} == {"sara-worker"}
    turn = next(span for span in spans if span.name == "turn")
    assert turn.attributes["sara.thread_id"] == thread
    assert str(turn.attributes["sara.turn_id"]).startswith(f"{conversation}:")
    assert not any(span.failed for span in spans)
    for words in (wa_id, SECRET_WORD, "Dove siete"):
        assert words.encode() not in b"".join(collector.bodies)


async def test_a_burst_of_several_webhooks_is_one_turn_linked_to_all_of_them(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    wa_id = "393860000002"
    collector = await _exported(
        shop, monkeypatch, [webhook(wa_id, "Buongiorno"), webhook(wa_id, "dove siete?")]
    )
    webhooks = [span.trace_id for span in collector.spans if span.name == "webhook"]
    thread = f"{shop.business_id}:{await conversation_of(shop, wa_id)}"
    ours = [span for span in collector.spans if span.attributes.get("sara.thread_id") == thread]
    (drain,) = [span for span in ours if span.name == "drain"]
    assert len(set(webhooks)) == 2
    assert drain.trace_id == webhooks[0]
    assert drain.links == (webhooks[1],)


async def _exported(shop: Shop, monkeypatch: pytest.MonkeyPatch, bodies: list[bytes]) -> Collector:
    with collecting() as collector:
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", f"{collector.endpoint}/v1/traces")
        async with traced(shop) as shop_:
            for body in bodies:
                await shop_.post(body)
            wa_id = json.loads(bodies[0])["entry"][0]["changes"][0]["value"]["contacts"][0]["wa_id"]
            conversation = await conversation_of(shop, wa_id)
            await shop_.work_until(lambda: all_taken_in(shop, conversation))
    return collector


async def test_a_turn_that_fails_is_marked_and_says_nothing_of_its_words(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    wa_id = "393860000003"
    conversation = await shop.open_conversation(wa_id)
    await shop.rows(POISON.format(conversation))
    try:
        collector = await _exported(shop, monkeypatch, [webhook(wa_id, f"Sono {SECRET_WORD}")])
    finally:
        await shop.rows("DROP TRIGGER poison ON outbox; DROP FUNCTION poison")
    failed = {span.name: span.attributes.get("error.type") for span in collector.spans if span.failed}
    assert {"turn", "drain", "reply"} <= set(failed)
    assert failed["reply"] == "RaiseException"
    assert SECRET_WORD.encode() not in b"".join(collector.bodies)


async def test_a_collector_that_is_away_costs_spans_and_nothing_else(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", f"http://127.0.0.1:{free_port()}")
    wa_id = "393860000004"
    await shop.simulator.customer_sends(NUMBER, wa_id, text="Ciao")
    async with traced(shop) as shop_:
        await shop_.post(webhook(wa_id, "Dove siete?"))
        conversation = await conversation_of(shop, wa_id)
        await shop_.work_until(lambda: all_taken_in(shop, conversation))
        await shop_.work_until(lambda: settled(shop, conversation))
    assert shop.simulator.sent_to(wa_id, NUMBER)


OFF = """
import asyncio, sys
import sara.asgi
from sara.tracing import tracing
async def work():
    async with tracing("sara-worker") as spans:
        with spans.span("turn"):
            pass
asyncio.run(work())
heavy = ("opentelemetry.sdk.trace.export", "opentelemetry.exporter", "opentelemetry.proto", "google.protobuf")
print([name for name in sys.modules if name.startswith(heavy)])
"""


def test_without_a_collector_nothing_that_sends_is_imported() -> None:
    """FastAPI and LangSmith's client import OpenTelemetry's interface by themselves; nothing else may."""
    ran = subprocess.run([sys.executable, "-c", OFF], cwd=ROOT, capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == "[]"


@pytest.mark.parametrize(
    "environment", [{"OTEL_SDK_DISABLED": "true"}, {"OTEL_TRACES_EXPORTER": "none"}], ids=["sdk", "exporter"]
)
async def test_the_standard_switches_switch_it_off(
    monkeypatch: pytest.MonkeyPatch, environment: dict[str, str]
) -> None:
    for name, value in {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:9", **environment}.items():
        monkeypatch.setenv(name, value)
    async with tracing("sara") as spans:
        with spans.span("turn"):
            unsampled = trace.current()
    assert unsampled is not None
    assert unsampled.endswith("-00")


def lines(text: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in text.splitlines() if line.strip()]


async def test_log_lines_of_a_delivery_carry_the_ids_of_turn_thread_business_and_trace(
    shop: Shop, capsys: pytest.CaptureFixture[str]
) -> None:
    """A webhook, its failed turn and its failed delivery: one trace id in the lines of both processes."""
    wa_id = "393860000005"
    conversation = await shop.open_conversation(wa_id)
    await shop.rows(POISON.format(conversation))
    configure_logging("info")
    try:
        # The second number is nobody's: its item is left out, and the API says so.
        both = json.loads(webhook(wa_id, "Dove siete?"))
        both["entry"] += json.loads(webhook(wa_id, "Pronto?", number="404404"))["entry"]
        await shop.post(json.dumps(both).encode())
        await shop.work()
        await shop.rows("DROP TRIGGER poison ON outbox; DROP FUNCTION poison")
        worker: Any = SimpleNamespace(additional_context={KEY: shop.services})
        await drain(worker, business_id=shop.business_id, conversation_id=conversation, attempt=1)
        shop.simulator.faults.now = Faults(burst_5xx=1)
        await shop.work_until(lambda: settled(shop, conversation))
    finally:
        configure_logging("critical")
    said = lines(capsys.readouterr().err)
    (left_out,) = [line for line in said if line["event"] == "webhook_unparsed"]
    failed = next(line for line in said if line["event"] == "turn_failed")
    refused = next(line for line in said if line["event"] == "not_sent")
    assert re.fullmatch("[0-9a-f]{32}", left_out["trace_id"])
    for line in (failed, refused):
        assert line["thread_id"] == f"{shop.business_id}:{conversation}"
        assert line["business_id"] == shop.business_id
        assert line["turn_id"].startswith(f"{conversation}:")
        assert line["trace_id"] == left_out["trace_id"]


LIBRARY = """
import logging, sys
import structlog
from db import trace
from sara.commands.loop import configure_logging
configure_logging("info")
with trace.following("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"):
    with structlog.contextvars.bound_contextvars(turn_id="7:9"):
        logging.getLogger("uvicorn.error").setLevel("INFO")
        logging.getLogger("uvicorn.error").info("Listening on http://%s:%d", "127.0.0.1", 8000)
        try:
            raise ValueError("of a library")
        except ValueError:
            logging.getLogger("psycopg.pool").exception("broken")
        structlog.get_logger().info("ours")
"""


def test_lines_of_libraries_are_json_too_and_carry_the_same_ids() -> None:
    ran = subprocess.run(
        [sys.executable, "-c", LIBRARY], cwd=ROOT, capture_output=True, text=True, check=True
    )
    listening, broken, ours = lines(ran.stderr)
    assert (listening["event"], listening["level"]) == ("Listening on http://127.0.0.1:8000", "info")
    assert listening["logger"] == "uvicorn.error"
    assert "ValueError: of a library" in broken["exception"]
    for line in (listening, broken, ours):
        assert line["turn_id"] == "7:9"
        assert line["trace_id"] == "0af7651916cd43dd8448eb211c80319c"
        assert line["timestamp"]
