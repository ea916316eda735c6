"""A turn's runs become a trace without anybody in it; what happens to it on its way is no turn's business."""

import json
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypedDict

import pytest
from langchain_core.language_models.fake_chat_models import GenericFakeChatModel
from langchain_core.messages import AIMessage, HumanMessage
from langchain_core.runnables import RunnableLambda
from langchain_core.tracers.schemas import Run
from langgraph.graph import END, START, StateGraph

from graph.langsmith import Tracer, records, run_id_of, thread_of
from graph.langsmith_sender import Sender, TraceRefused

HOUSE = Path(__file__).parents[2]
NUMBER = "393331234567"
SECRETS = ("giulia", "bianchi", "3331234567", "1234567", "example.com", "RSSMRA80A01H501U", "ogg", "T2dn")
EVENT = {
    "turn_id": "7:41",
    "business_id": 1,
    "conversation_id": 7,
    "sender": f"+{NUMBER}",
    "messages": [{"text": "Sono Giulia, il mio codice è RSSMRA80A01H501U", "wamid": "wamid.HBgMMzkzMzM="}],
}
CARD = {"contact_id": 3, "name": "Giulia Bianchi", "lifecycle": "client"}


class Small(TypedDict, total=False):
    event: dict[str, Any]
    contact: dict[str, Any]
    said: str


def machine(then: Callable[[Small], Small] | None = None) -> Any:
    """A graph with a chat model in it that is given a sound, and sees and says what it should not."""
    model = GenericFakeChatModel(
        messages=iter([AIMessage(content="Cara Giulia, la chiamo al 333 1234567", name="Bianchi")])
    )

    async def think(state: Small) -> Small:
        sound = {"type": "media", "mime_type": "audio/ogg", "data": "T2dn" * 100}
        asked = HumanMessage(
            content=[{"type": "text", "text": f"{CARD['name']} scrive da giulia@example.com"}, sound],
            additional_kwargs={"raw": b"OggS\x00"},
        )
        answer = await model.ainvoke([asked], config={"tags": [NUMBER], "metadata": {"to": NUMBER}})
        return {"said": str(answer.content)}

    async def end(state: Small) -> Small:
        named = RunnableLambda(then or (lambda state: {})).with_config(run_name="answer Giulia Bianchi")
        return await named.ainvoke(state)

    graph = StateGraph(Small)
    graph.add_node("load", lambda state: {"contact": CARD})
    graph.add_node("think", think)
    graph.add_node("end", end)
    graph.add_edge(START, "load")
    graph.add_edge("load", "think")
    graph.add_edge("think", "end")
    graph.add_edge("end", END)
    return graph.compile(name="sara")


async def traced(machine: Any) -> Run:
    turns: list[Run] = []
    tracer = Tracer(turns.append)
    running = machine.with_config(callbacks=[tracer])
    try:
        await running.ainvoke({"event": EVENT}, config={"configurable": {"thread_id": "1:7"}})
    except ValueError:
        assert turns
    assert not tracer.run_map
    assert not tracer.order_map  # nothing is kept of a turn that is over
    [turn] = turns
    return turn


def fails(state: Small) -> Small:
    raise ValueError(f"{CARD['name']} hat keine Nummer +{NUMBER} bei giulia@example.com")


@pytest.mark.parametrize("then", [None, fails])
async def test_nothing_of_the_people_of_a_turn_is_in_its_trace(then: Any) -> None:
    found = records(await traced(machine(then)), "shop")
    shown = json.dumps(found, default=str, ensure_ascii=False)
    for secret in SECRETS:
        assert secret not in shown
        assert secret.casefold() not in shown.casefold()
    names = {one["name"] for one in found}
    assert {"sara", "load", "think", "end", "GenericFakeChatModel", "answer [name]"} <= names
    [chat] = [one for one in found if one["run_type"] == "llm"]
    assert "[name] scrive da [e-mail]" in json.dumps(chat["inputs"])
    assert "la chiamo al [number]" in json.dumps(chat["outputs"])
    if then is not None:
        assert all("ValueError" in one["error"] for one in found if one["name"] in ("sara", "end"))


async def test_a_trace_is_one_tree_under_the_turns_own_id() -> None:
    turn = await traced(machine())
    root, *below = records(turn, "shop")
    assert root["id"] == run_id_of("shop", 1, "7:41") != turn.id
    assert root["parent_run_id"] is None
    ids = {one["id"] for one in (root, *below)}
    assert all(one["parent_run_id"] in ids and one["trace_id"] == root["id"] for one in below)
    for one in (root, *below):
        assert one["dotted_order"].split(".")[0].endswith(str(root["id"]))
        assert one["dotted_order"].endswith(str(one["id"]))
        assert one["end_time"] >= one["start_time"]
        metadata = one["extra"]["metadata"]
        assert (metadata["turn_id"], metadata["thread_id"]) == ("7:41", thread_of("shop", "1:7"))
    assert run_id_of("other", 1, "7:41") != root["id"]


async def test_a_turn_that_failed_leaves_the_turns_id_to_its_second_attempt() -> None:
    turn = await traced(machine(fails))
    assert records(turn, "shop")[0]["id"] == turn.id
    assert records(await traced(machine()), "shop")[0]["id"] == run_id_of("shop", 1, "7:41")


@pytest.fixture
async def turn() -> Run:
    return await traced(machine())


def test_what_does_not_fit_is_dropped_and_nobody_waits(turn: Run) -> None:
    gate, began = threading.Event(), threading.Event()

    def slow(_: Run) -> None:
        began.set()
        gate.wait(30)

    sender = Sender(slow, most_waiting=2)
    sender.put(turn)
    assert began.wait(10)
    for _ in range(5):
        sender.put(turn)  # would hang here, were it to wait
    assert sender.dropped == 3
    sender.close(patience_s=0.01)  # LangSmith still has not answered
    assert sender._thread.is_alive()
    assert sender._thread.daemon  # so that the process may end all the same
    gate.set()


def test_after_a_failure_nothing_is_tried_for_a_while(turn: Run) -> None:
    tried = []

    def refused(one: Run) -> None:
        tried.append(one)
        raise TraceRefused("429")

    sender = Sender(refused, rest_s=3600)
    sender.put(turn)
    sender._waiting.join()
    for _ in range(100):
        sender.put(turn)
    sender.close()
    assert len(tried) == 1
    assert (sender.sent, sender.dropped) == (0, 101)


def test_what_waits_is_sent_before_the_end(turn: Run) -> None:
    taken: list[Run] = []
    sender = Sender(taken.append)
    for _ in range(10):
        sender.put(turn)
    sender.close(patience_s=10)
    assert len(taken) == sender.sent == 10


SILENT = """
import threading
from graph.langsmith_sender import Sender

sender = Sender(lambda turn: threading.Event().wait())
for turn in range(100):
    sender.put(turn)
sender.close(patience_s=0.1)
print("ends", sender.dropped)
"""


def test_a_process_ends_though_langsmith_never_answers() -> None:
    done = subprocess.run(
        [sys.executable, "-c", SILENT], cwd=HOUSE, capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1].startswith("ends ")
