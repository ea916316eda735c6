"""What is counted and shown of turns, deliveries and the installation, as Prometheus reads it."""

import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import httpx
import pytest
from prometheus_client import Metric
from prometheus_client.parser import text_string_to_metric_families

from api.metrics import Metrics
from channels.simulator.settings import Faults
from channels.whatsapp.errors import from_code
from crm import halts
from crm.record import Crm
from db.pool import open_pool
from inference.errors import BadModelOutput
from jobs.exposition import Exposition
from jobs.metrics import WorkMetrics
from jobs.watching import Watching
from sara.metered import MeteredChat
from sara.settings import load
from sara.watching import MetricsNotShown, shown
from tests.chaos.town import free_port
from tests.inference.test_chat import request
from tests.jobs.shop import Shop
from tests.jobs.test_drain import all_taken_in
from tests.jobs.test_send import settled
from tests.nodes.stage import Scripted

ROOT = Path(__file__).parents[2]
LABELS = {
    "outcome",
    "intent",
    "language",
    "node",
    "result",
    "code",
    "reason",
    "model",
    "kind",
    "status",
    "route",
    "queue",
    "state",
    "pool",
    "le",
    "implementation",
    "major",
    "minor",
    "patchlevel",
    "version",
}


class Shown:
    """The samples of an exposition."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.families: list[Metric] = list(text_string_to_metric_families(text))

    def of(self, name: str, **labels: str) -> float:
        """The sum of the samples of that name with those labels; 0 where there is none."""
        return sum(
            sample.value
            for family in self.families
            for sample in family.samples
            if sample.name == name and labels.items() <= sample.labels.items()
        )


@pytest.fixture
def watched(shop: Shop) -> Iterator[Shop]:
    """The shop with counters of its own, at work and at its API."""
    watching = Watching()
    context = replace(shop.services.context, watch=watching.step)
    services = replace(shop.services, watching=watching, context=context)
    before = shop.web.state.services
    shop.web.state.services = replace(before, metrics=Metrics(watching.exposition, fresh_s=0))
    yield replace(shop, services=services)
    shop.web.state.services = before


async def answered(shop: Shop, conversation_id: int) -> None:
    """What the customer wrote is taken in, and what is to be said is out."""
    await shop.work_until(lambda: all_taken_in(shop, conversation_id))
    await shop.work_until(lambda: settled(shop, conversation_id))


async def scraped(shop: Shop) -> Shown:
    answer = await shop.api.get("/metrics")
    assert answer.status_code == 200
    return Shown(answer.text)


async def test_tokens_of_an_answer_of_no_use_are_counted_too() -> None:
    watching = Watching()
    mad = Scripted(BadModelOutput("not a proposal", usage={"input_tokens": 700, "output_tokens": 60}))
    with pytest.raises(BadModelOutput):
        await MeteredChat(mad, watching).propose(request())
    metrics = Shown(watching.exposition.text().decode())
    assert metrics.of("sara_model_calls_total", result="bad_output") == 1
    read, written = (metrics.of("sara_model_tokens_total", kind=kind) for kind in ("input", "output"))
    assert (read, written) == (700, 60)


async def test_a_turn_is_counted_from_end_to_end_and_tells_of_nobody(watched: Shop) -> None:
    wa_id = "393870000001"
    conversation = await watched.open_conversation(wa_id)
    before = await scraped(watched)  # other tests leave work behind
    await watched.customer_writes(conversation, "Buongiorno, dove siete? Sono Fioralba")
    waiting = await scraped(watched)
    assert waiting.of("sara_queue_jobs", queue="turns") >= 1
    assert waiting.of("sara_inbox_events") == before.of("sara_inbox_events") + 1
    await answered(watched, conversation)
    metrics = watched.services.watching.exposition.text().decode()
    shown_ = Shown(metrics)
    assert shown_.of("sara_turns_total", language="it") >= 1
    assert shown_.of("sara_turn_seconds_count") == shown_.of("sara_turns_total")
    ran = {
        "transcribe",
        "load_contact",
        "triage",
        "score_sensitivity",
        "retrieve",
        "generate",
        "check_grounding",
    }
    for node in (*ran, "execute_intent", "reply"):
        assert shown_.of("sara_node_seconds_count", node=node) >= 1, node
    assert shown_.of("sara_sends_total", result="accepted", code="") >= 1
    assert shown_.of("sara_send_seconds_count") >= 1
    done = await scraped(watched)
    assert done.of("sara_inbox_events") < waiting.of("sara_inbox_events")
    for word in (wa_id, "Fioralba", f"conv:{conversation}"):
        assert word not in done.text
    names = {label for family in done.families for sample in family.samples for label in sample.labels}
    assert names <= LABELS


async def test_a_turn_with_a_person_is_not_counted_as_answered(watched: Shop) -> None:
    conversation = await watched.open_conversation("393870000002")
    await watched.customer_writes(conversation, "Vorrei parlare con una persona")
    await answered(watched, conversation)
    await watched.customer_writes(conversation, "Ci siete?")
    await answered(watched, conversation)
    counted = Shown(watched.services.watching.exposition.text().decode())
    assert counted.of("sara_turns_total", outcome="handed_over") >= 1
    assert counted.of("sara_turns_total", outcome="with_person") >= 1
    shown_ = await scraped(watched)
    assert shown_.of("sara_handoffs", status="open") >= 1


async def test_what_whatsapp_refuses_is_counted_by_its_code_and_a_dead_token_is_shown(watched: Shop) -> None:
    conversation = await watched.open_conversation("393870000003")
    watched.simulator.faults.now = Faults(token_expired=True)
    await watched.bot_says(conversation, "eccomi")
    await watched.work()
    try:
        counted = Shown(watched.services.watching.exposition.text().decode())
        assert counted.of("sara_sends_total", result="again", code="190") >= 1
        shown_ = await scraped(watched)
        assert shown_.of("sara_numbers", state="token_expired") == 1
        assert shown_.of("sara_numbers", state="halted") == 1
        assert shown_.of("sara_outbox_messages", state="queued") >= 1
    finally:
        watched.simulator.faults.now = Faults()
        async with watched.crm.transaction(watched.business_id) as tx:
            await halts.lift(tx, "1001")
    await watched.work_until(lambda: settled(watched, conversation))


async def test_without_a_database_there_is_one_figure_that_says_so(shop: Shop) -> None:
    pool = await open_pool(shop.dsn, max_size=1)
    await pool.close()
    metrics = Metrics()
    text = Shown((await metrics.text(Crm(pool))).decode())
    assert text.of("sara_database_up") == 0
    assert not [family for family in text.families if family.name == "sara_queue_jobs"]
    assert Shown((await Metrics().text(shop.crm)).decode()).of("sara_database_up") == 1


async def test_the_database_is_asked_once_in_a_while_however_often_it_is_scraped(shop: Shop) -> None:
    asked = 0

    class Counting(Crm):
        def outside(self):  # type: ignore[no-untyped-def]
            nonlocal asked
            asked += 1
            return super().outside()

    pool = await open_pool(shop.dsn, max_size=1)
    try:
        crm, metrics = Counting(pool), Metrics()
        for _ in range(5):
            await metrics.text(crm)
    finally:
        await pool.close()
    assert asked == 1


def test_labels_have_an_end_whatever_they_are_given() -> None:
    exposition = Exposition()
    metrics = WorkMetrics(exposition.counted)
    for number in range(200):
        after = {"outcome": {"kind": f"kind {number}", "intent": f"39380{number}"}, "language": f"x{number}"}
        metrics.turn("customer_message", {}, after, 0.1)
        metrics.settled("refused", from_code(900_000 + number))
    series = [
        sample.labels
        for family in text_string_to_metric_families(exposition.text().decode())
        for sample in family.samples
        if sample.name in ("sara_turns_total", "sara_sends_total")
    ]
    assert len(series) < 50
    assert {labels["code"] for labels in series if "code" in labels} == {"other"}
    assert {labels["language"] for labels in series if "language" in labels} == {"other"}


async def test_a_worker_shows_its_metrics_on_its_own_port(watched: Shop) -> None:
    port = free_port()
    settings, exposition = load(metrics_port=port), watched.services.watching.exposition
    exposition.pools["record"] = watched.crm.pool_stats
    async with shown(settings, exposition), httpx.AsyncClient() as http:
        answer = await http.get(f"http://127.0.0.1:{port}/metrics")
        text = Shown(answer.text)
        assert text.of("sara_pool_connections", pool="record") >= 1
        assert text.of("process_resident_memory_bytes") > 2**20
        with pytest.raises(MetricsNotShown, match="SARA_METRICS_PORT"):
            async with shown(settings, Exposition()):
                pass
    with pytest.raises(httpx.ConnectError):
        async with httpx.AsyncClient() as http:
            await http.get(f"http://127.0.0.1:{port}/metrics")


COUNTS = """
from pathlib import Path
from jobs.exposition import Exposition
from jobs.metrics import WorkMetrics
metrics = WorkMetrics(Exposition(shared=Path({folder!r})).counted)
for _ in range({times}):
    metrics.turn("customer_message", {{}}, {{"outcome": {{"kind": "answered"}}, "language": "it"}}, 0.07)
    metrics.node("reply", 0.003)
"""


def test_two_workers_of_one_machine_are_summed(tmp_path: Path) -> None:
    """Counters and histograms of processes that share a directory, also of those that have ended."""
    environment = {**os.environ, "PROMETHEUS_MULTIPROC_DIR": str(tmp_path)}
    workers = [
        subprocess.Popen(
            [sys.executable, "-c", COUNTS.format(folder=str(tmp_path), times=times)],
            env=environment,
            cwd=ROOT,
        )
        for times in (3, 4)
    ]
    assert [worker.wait() for worker in workers] == [0, 0]
    summed = Shown(Exposition(shared=tmp_path).text().decode())
    assert summed.of("sara_turns_total", outcome="answered", language="it") == 7
    assert summed.of("sara_node_seconds_count", node="reply") == 7
    assert summed.of("sara_turn_seconds_bucket", le="0.05") == 0
    assert summed.of("sara_turn_seconds_bucket", le="0.1") == 7
    assert summed.of("sara_turn_seconds_sum") == pytest.approx(7 * 0.07)
