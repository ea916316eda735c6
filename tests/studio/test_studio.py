"""LangGraph's server on SARA's graph, booted as `langgraph dev` and driven through its SDK.

The server joins the embedded database of the test session, so what it tells the record can be looked up.
"""

import asyncio
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from zlib import crc32

import httpx
import pytest
from langgraph_sdk import get_client
from langgraph_sdk.client import LangGraphClient

from crm import businesses, conversations, handoffs, messages
from crm.conversations import ConversationRow
from crm.handoffs import HandoffRow
from crm.record import Crm
from graph.build import build
from sara.settings import Settings

ROOT = Path(__file__).parents[2]
BOOT_S = 120.0
CHEST_PAIN = "Ho un forte dolore al petto e non respiro bene"
HAND_BACK = {"kind": "hand_back", "handoff": {"note": "ok"}}

pytestmark = pytest.mark.timeout(420)


@pytest.fixture(scope="module")
def url(settings: Settings, dsn: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A running server, in an own folder: there it keeps its checkpoints. `dsn`: the database is seeded."""
    folder = tmp_path_factory.mktemp("studio")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    environment = {k: v for k, v in os.environ.items() if k != "SARA_DATABASE_URL"} | {
        "SARA_DATA_DIR": str(settings.data_dir),
        "SARA_LLM": "extractive",
        "PYTHONPATH": str(ROOT),
    }
    command = [sys.executable, "-m", "langgraph_cli", "dev", "--config", str(ROOT / "langgraph.json")]
    command += ["--no-browser", "--no-reload", "--port", str(port)]
    log = folder / "server.log"
    with log.open("wb") as output:
        server = subprocess.Popen(
            command, cwd=folder, env=environment, stdout=output, stderr=output, start_new_session=True
        )
    try:
        _wait_for(f"http://127.0.0.1:{port}/ok", server, log)
        yield f"http://127.0.0.1:{port}"
    finally:
        _stop(server)


def _wait_for(address: str, server: subprocess.Popen[bytes], log: Path) -> None:
    until = time.monotonic() + BOOT_S
    while time.monotonic() < until and server.poll() is None:
        try:
            if httpx.get(address).status_code == 200:
                return
        except httpx.TransportError:
            time.sleep(0.3)
    pytest.fail(f"the server did not start:\n{log.read_text(errors='replace')[-4000:]}")


def _stop(server: subprocess.Popen[bytes]) -> None:
    """Ends the server's process group; the database is the session's and goes on."""
    for end in (signal.SIGTERM, signal.SIGKILL):
        try:
            os.killpg(server.pid, end)
            server.wait(20)
        except ProcessLookupError:
            return
        except subprocess.TimeoutExpired:
            continue


@pytest.fixture
def studio(url: str) -> LangGraphClient:
    return get_client(url=url, timeout=120)


class Thread:
    """One conversation, the way a person at Studio has it."""

    def __init__(self, client: LangGraphClient, thread_id: str, sender: str) -> None:
        self.client, self.thread_id, self.sender = client, thread_id, sender

    async def say(self, text: str) -> dict[str, Any]:
        event = {"business": "aurora", "sender": self.sender, "text": text}
        return await self._run(input={"event": event})

    async def resume(self, event: object, **where: Any) -> dict[str, Any]:
        return await self._run(command={"resume": event}, **where)

    async def _run(self, **given: Any) -> dict[str, Any]:
        values = await self.client.runs.wait(self.thread_id, "sara", **given)
        assert isinstance(values, dict)
        return values

    async def state(self) -> Any:
        return await self.client.threads.get_state(self.thread_id)


@pytest.fixture
async def thread(studio: LangGraphClient, request: pytest.FixtureRequest) -> Thread:
    """A new thread of a customer nobody knows yet, one for each test."""
    sender = f"+39333{crc32(request.node.name.encode()) % 10**7:07d}"
    return Thread(studio, (await studio.threads.create())["thread_id"], sender)


async def in_record(crm: Crm, values: dict[str, Any]) -> tuple[ConversationRow, list[HandoffRow]]:
    """The thread's conversation in the record and its hand-overs, open or not."""
    async with crm.outside() as tx:
        business_id = await businesses.of_slug(tx, "aurora")
    async with crm.transaction(business_id) as tx:
        conversation = await conversations.get(tx, values["event"]["conversation_id"])
        known = await handoffs.queue(tx, ("open", "claimed", "returned", "resolved"))
    return conversation, [row for row in known if row.conversation_id == conversation.conversation_id]


def reply_of(values: dict[str, Any]) -> str:
    return " ".join(part["text"] for part in values["outcome"]["replies"])


async def test_our_application_answers_on_the_same_server(url: str) -> None:
    async with httpx.AsyncClient(base_url=url) as http:
        assert (await http.get("/healthz")).json() == {"status": "ok"}
        assert (await http.get("/readyz")).json() == {"status": "ready"}
        assert (await http.get("/webhooks/whatsapp")).status_code in {400, 403, 422}


async def test_the_whole_graph_is_drawn(studio: LangGraphClient) -> None:
    drawn = await studio.assistants.get_graph("sara")
    ours = build(None).get_graph()
    assert {str(node["id"]) for node in drawn["nodes"]} == set(ours.nodes)
    edges = {(edge["source"], edge["target"]) for edge in drawn["edges"]}
    assert edges == {(edge.source, edge.target) for edge in ours.edges}
    assert {("__start__", "transcribe"), ("await_human", "await_human"), ("reply", "__end__")} <= edges
    assert all(edges & {(node, "open_handoff")} for node in ("triage", "score_sensitivity", "generate"))


async def test_a_client_is_asked_for_no_context(studio: LangGraphClient) -> None:
    assistant = (await studio.assistants.search(graph_id="sara"))[0]
    schemas = await studio.assistants.get_schemas(assistant["assistant_id"])
    assert schemas.get("context_schema") is None
    assert "event" in schemas["input_schema"]["properties"]


async def test_the_input_shows_an_example_that_works(studio: LangGraphClient, thread: Thread) -> None:
    assistant = (await studio.assistants.search(graph_id="sara"))[0]
    schema = (await studio.assistants.get_schemas(assistant["assistant_id"]))["input_schema"]
    assert schema is not None
    [example] = schema["$defs"]["Event"]["examples"]
    values = await thread._run(input={"event": {**example, "sender": thread.sender}})
    assert values["outcome"]["kind"] == "answered"
    assert set(example) <= set(schema["$defs"]["Event"]["properties"])


async def test_a_later_message_need_not_say_whose_it_is(thread: Thread) -> None:
    first = {"business": "costa-azul", "sender": thread.sender, "text": "Bom dia"}
    began = await thread._run(input={"event": first})
    values = await thread._run(input={"event": {"text": "Onde ficam?"}})
    kept = ("business", "sender", "business_id", "conversation_id", "contact_id")
    assert {key: values["event"][key] for key in kept} == {key: began["event"][key] for key in kept}
    assert values["event"]["turn_id"] != began["event"]["turn_id"]
    assert values["event"]["messages"][0]["text"] == "Onde ficam?"


async def test_a_question_is_answered(thread: Thread, crm: Crm) -> None:
    values = await thread.say("Quanto costa un massaggio rilassante?")
    assert values["outcome"]["kind"] == "answered"
    assert "65" in reply_of(values)
    assert [line["author"] for line in values["window"]] == ["customer", "bot"]
    conversation, opened = await in_record(crm, values)
    assert (conversation.owner, opened) == ("bot", [])
    visited = [past["next"] for past in await thread.client.threads.get_history(thread.thread_id, limit=50)]
    for node in ("transcribe", "load_contact", "triage", "score_sensitivity", "retrieve", "reply"):
        assert [node] in visited


async def test_any_program_can_run_a_thread_over_http(url: str) -> None:
    """The engine's own interface, as other programs use it: run, pause, resume; a second message waits its
    turn instead of running beside the first."""

    def asks(text: str) -> dict[str, Any]:
        event = {"business": "aurora", "sender": "+393339990001", "text": text}
        return {"assistant_id": "sara", "input": {"event": event}, "multitask_strategy": "enqueue"}

    async with httpx.AsyncClient(base_url=url, timeout=120) as http:
        thread = (await http.post("/threads", json={})).json()["thread_id"]
        both = await asyncio.gather(
            *(
                http.post(f"/threads/{thread}/runs/wait", json=asks(text))
                for text in ("Quanto costa un massaggio rilassante?", "A che ora aprite il sabato?")
            )
        )
        assert [answer.status_code for answer in both] == [200, 200]
        assert "65" in str(both[0].json()["outcome"]) + str(both[1].json()["outcome"])
        window = (await http.get(f"/threads/{thread}/state")).json()["values"]["window"]
        assert [line["author"] for line in window] == ["customer", "bot"] * 2

        await http.post(f"/threads/{thread}/runs/wait", json=asks(CHEST_PAIN))
        assert (await http.get(f"/threads/{thread}/state")).json()["next"] == ["await_human"]
        back = {"assistant_id": "sara", "command": {"resume": HAND_BACK}}
        await http.post(f"/threads/{thread}/runs/wait", json=back)
        assert (await http.get(f"/threads/{thread}/state")).json()["next"] == []


async def test_a_turn_can_be_streamed(thread: Thread) -> None:
    event = {"business": "aurora", "sender": thread.sender, "text": "A che ora aprite il sabato?"}
    steps = [
        name
        async for part in thread.client.runs.stream(
            thread.thread_id, "sara", input={"event": event}, stream_mode=["updates", "events"]
        )
        if part.event == "updates"
        for name in part.data
    ]
    assert steps[:3] == ["transcribe", "load_contact", "triage"]
    assert steps[-1] == "reply"


async def test_a_sensitive_message_waits_for_a_human_who_hands_back(thread: Thread, crm: Crm) -> None:
    paused = await thread.say(CHEST_PAIN)
    state = await thread.state()
    assert state["next"] == ["await_human"]
    packet = state["tasks"][0]["interrupts"][0]["value"]
    assert packet["reason"] == "sensitive"
    assert packet["sensitivity"]["label"] == "emergency"
    assert packet["wants"] == CHEST_PAIN
    conversation, opened = await in_record(crm, paused)
    assert (conversation.owner, [row.status for row in opened]) == ("human", ["open"])

    question = {"kind": "customer_message", "text": "Intanto, quanto costa un massaggio rilassante?"}
    waiting = await thread.resume(question)
    assert (await thread.state())["next"] == ["await_human"]
    assert [said["text"] for said in waiting["handoff"]["waiting"]] == [question["text"]]

    values = await thread.resume(HAND_BACK)
    assert (await thread.state())["next"] == []
    assert values["handoff"]["returned"]["note"] == "ok"
    assert values["outcome"]["kind"] == "answered"
    assert "65" in reply_of(values)
    conversation, opened = await in_record(crm, values)
    assert (conversation.owner, conversation.status) == ("bot", "open")
    assert [(row.status, row.note) for row in opened] == [("returned", "ok")]
    assert "65" in reply_of(await thread.say("Quanto costa un massaggio rilassante?"))


async def test_an_agent_answers_and_resolves(thread: Thread, crm: Crm) -> None:
    await thread.say(CHEST_PAIN)
    told = await thread.resume({"kind": "agent_message", "text": "Ha chiamato il 112?"})
    assert told["window"][-1]["author"] == "agent"
    assert (await thread.state())["next"] == ["await_human"]
    values = await thread.resume({"kind": "resolve", "handoff": {"note": "ambulanza arrivata"}})
    assert (await thread.state())["next"] == []
    conversation, opened = await in_record(crm, values)
    assert (conversation.owner, conversation.status) == ("bot", "closed")
    assert [(row.status, row.note) for row in opened] == [("resolved", "ambulanza arrivata")]


@pytest.mark.parametrize("nothing", [{"note": "ok"}, {"kind": "shrug"}, "ok", []])
async def test_a_resume_that_says_nothing_leaves_the_thread_waiting(thread: Thread, nothing: object) -> None:
    await thread.say(CHEST_PAIN)
    await thread.resume(nothing)
    state = await thread.state()
    assert state["next"] == ["await_human"]
    assert "hand_back" in state["tasks"][0]["interrupts"][0]["value"]["expected"]
    await thread.resume(HAND_BACK)
    assert (await thread.state())["next"] == []


async def test_the_past_can_be_forked(thread: Thread) -> None:
    """A past interrupt replays its old answer unless it is forked first: as_node `__copy__`."""
    await thread.say(CHEST_PAIN)
    await thread.resume(HAND_BACK)
    history = await thread.client.threads.get_history(thread.thread_id, limit=50)
    past = next(state for state in history if state["next"] == ["await_human"])
    fork = await thread.client.threads.update_state(
        thread.thread_id, None, as_node="__copy__", checkpoint=past["checkpoint"]
    )
    assert (await thread.state())["next"] == ["await_human"]

    returned = {"kind": "hand_back", "handoff": {"note": "un'altra storia", "facts": {"sconto": "10 %"}}}
    values = await thread.resume(returned, checkpoint=fork["checkpoint"])
    assert values["handoff"]["returned"]["note"] == "un'altra storia"
    assert values["handoff"]["returned"]["facts"] == {"sconto": "10 %"}
    assert (await thread.state())["next"] == []


async def test_a_state_is_edited_and_the_past_answers_otherwise(thread: Thread, crm: Crm) -> None:
    """Before `generate` the price is another one: the fork words that, and the record keeps what was said."""
    said = await thread.say("Quanto costa un massaggio rilassante?")
    assert "65" in reply_of(said)
    history = await thread.client.threads.get_history(thread.thread_id, limit=50)
    past = next(state for state in history if state["next"] == ["generate"])
    facts = [{**fact, "text": fact["text"].replace("65", "99")} for fact in past["values"]["facts"]]
    assert facts != past["values"]["facts"]
    fork = await thread.client.threads.update_state(
        thread.thread_id, {"facts": facts}, as_node="retrieve", checkpoint=past["checkpoint"]
    )
    assert (await thread.state())["next"] == ["generate"]
    values = await thread._run(input=None, checkpoint=fork["checkpoint"])
    assert "99" in reply_of(values)
    assert "65" not in reply_of(values)
    assert (await thread.state())["next"] == []
    async with crm.transaction(values["event"]["business_id"]) as tx:
        kept = await messages.of_contact(tx, values["event"]["contact_id"], most=8)
    told = [row.body for row in kept if row.author == "bot"]
    assert len(told) == 1
    assert "65" in told[0]


async def test_a_run_is_stepped_through_node_by_node(thread: Thread) -> None:
    event = {"business": "aurora", "sender": thread.sender, "text": "A che ora aprite il sabato?"}
    await thread._run(input={"event": event}, interrupt_before=["generate"])
    state = await thread.state()
    assert state["next"] == ["generate"]
    assert state["values"]["facts"]
    assert "outcome" not in state["values"] or not state["values"]["outcome"]
    values = await thread._run(input=None)
    assert values["outcome"]["kind"] == "answered"
