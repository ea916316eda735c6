"""Agent Inbox answers a hand-over: its four responses, exactly as it sends them, resume the thread."""

from typing import Any

import pytest
from langgraph.types import Command

from db.tenancy import tenant
from graph import agent_inbox
from graph.run import thread_config
from nodes import open_handoff as module
from tests.nodes.stage import Stage, Thread

WANTS = "Vorrei parlare con una persona"
DRAFT = "Costa 65,00 €."
QUESTION = "Quanto costa un massaggio rilassante?"


@pytest.fixture
def drafted(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every hand-over opens with a draft, as one does whose answer was checked before it left for a human."""
    packed = module._packet
    monkeypatch.setattr(module, "_packet", lambda *given: {**packed(*given), "draft": DRAFT})


async def paused(stage: Stage) -> Thread:
    thread = await stage.customer()
    await thread.say(WANTS)
    return thread


async def shown(thread: Thread) -> dict[str, Any]:
    """What the inbox shows: the interrupt's value."""
    value = (await thread.snapshot()).tasks[0].interrupts[0].value
    assert isinstance(value, dict)
    return value


async def resumes(stage: Stage, thread: Thread, resumed: Any) -> dict[str, Any]:
    """Resumes as the LangGraph server does for the inbox."""
    with tenant(thread.business_id):
        values = await stage.machine.ainvoke(
            Command(resume=resumed),
            thread_config(thread.thread_id),
            context=thread.context,
            durability="sync",
        )
    assert isinstance(values, dict)
    return values


def stringed(request: dict[str, Any]) -> dict[str, Any]:
    """The request as the inbox sends it back: every argument a string."""
    args = {
        key: value if isinstance(value, str) else str(value).replace("'", '"')
        for key, value in request["args"].items()
    }
    return {"action": request["action"], "args": args}


@pytest.mark.usefixtures("drafted")
async def test_the_interrupt_is_one_the_inbox_can_show(stage: Stage) -> None:
    thread = await paused(stage)
    value = await shown(thread)
    assert value["action_request"] == {
        "action": "answer_customer",
        "args": {"reply": DRAFT, "note": "", "facts": {}, "promises": []},
    }
    assert value["config"] == {
        "allow_accept": True,
        "allow_edit": True,
        "allow_respond": True,
        "allow_ignore": True,
    }
    assert WANTS in value["description"]
    assert value["reason"] == "customer_request"  # the packet is there as before


async def test_without_a_draft_there_is_nothing_to_accept(stage: Stage) -> None:
    assert (await shown(await paused(stage)))["config"]["allow_accept"] is False


@pytest.mark.usefixtures("drafted")
async def test_accept_sends_the_draft_and_hands_back(stage: Stage) -> None:
    thread = await paused(stage)
    accepted = [{"type": "accept", "args": stringed((await shown(thread))["action_request"])}]
    values = await resumes(stage, thread, accepted)
    assert [row.body for row in await thread.spoken("agent")] == [DRAFT]
    assert (await thread.conversation()).owner == "bot"
    assert (await thread.handoffs())[0]["status"] == "returned"
    assert values["handoff"]["open"] is False
    assert (await thread.snapshot()).next == ()
    assert values["window"][-1]["text"] == DRAFT


async def test_edit_sends_what_was_edited_and_keeps_facts_that_came_as_strings(stage: Stage) -> None:
    thread = await paused(stage)
    args = {
        "reply": " Costa 60 € per lei. ",
        "note": "Sconto concordato",
        "facts": '{"sconto": "5 euro"}',
        "promises": '["Chiamare lunedì"]',
    }
    values = await resumes(
        stage, thread, [{"type": "edit", "args": {"action": "answer_customer", "args": args}}]
    )
    assert [row.body for row in await thread.spoken("agent")] == ["Costa 60 € per lei."]
    returned = values["handoff"]["returned"]
    assert (returned["note"], returned["facts"]) == ("Sconto concordato", {"sconto": "5 euro"})
    assert returned["promises"] == ["Chiamare lunedì"]
    told = await stage.rows(
        "SELECT kind, key, body FROM handoff_fact"
        " WHERE handoff_id = %s AND kind IN ('fact', 'promise') ORDER BY 1",
        (await thread.handoffs())[0]["handoff_id"],
    )
    assert [tuple(row.values()) for row in told] == [
        ("fact", "sconto", "5 euro"),
        ("promise", "", "Chiamare lunedì"),
    ]


async def test_response_is_a_note_and_sara_answers_what_waited(stage: Stage) -> None:
    thread = await paused(stage)
    await thread.say(QUESTION)
    values = await resumes(stage, thread, [{"type": "response", "args": "Puoi dire il prezzo"}])
    assert values["handoff"]["returned"]["note"] == "Puoi dire il prezzo"
    assert await thread.spoken("agent") == []
    assert "65,00" in (await thread.spoken())[-1].body


async def test_ignore_closes(stage: Stage) -> None:
    thread = await paused(stage)
    await resumes(stage, thread, [{"type": "ignore", "args": None}])
    assert (await thread.conversation()).status == "closed"
    assert (await thread.handoffs())[0]["status"] == "resolved"


@pytest.mark.parametrize(
    "resumed",
    [
        [{"type": "accept", "args": None}],  # there is no draft
        [{"type": "edit", "args": None}],
        [{"type": "edit", "args": {"action": "drop_tables", "args": {"reply": "x"}}}],
        [{"type": "edit", "args": {"action": "answer_customer", "args": {"facts": "not json"}}}],
        [{"type": "edit", "args": {"action": "answer_customer", "args": {"facts": '{"a": {"b": 1}}'}}}],
        [{"type": "edit", "args": {"action": "answer_customer", "args": {"promises": '"one"'}}}],
        [{"type": "edit", "args": {"action": "answer_customer", "args": {"reply": "x" * 20_001}}}],
        [{"type": "response", "args": ""}],
        [{"type": "response", "args": {"text": "x"}}],
        [{"type": "ignore", "args": "x"}],
        [{"type": "approve", "args": None}],
        [],
        "yes",
        None,
    ],
)
async def test_what_makes_no_sense_leaves_the_thread_waiting(stage: Stage, resumed: Any) -> None:
    thread = await paused(stage)
    await resumes(stage, thread, resumed if resumed is not None else {"type": None})
    assert (await thread.snapshot()).next == ("await_human",)
    assert "expected" in await shown(thread)
    assert (await thread.handoffs())[0]["status"] == "open"
    assert await thread.spoken("agent") == []


def test_the_schema_is_the_inboxs() -> None:
    """Its own guard: https://github.com/langchain-ai/agent-inbox, utils/schema-validation.ts."""
    value = agent_inbox.request({"reason": "x"})
    assert "action" in value["action_request"]
    assert isinstance(value["config"], dict)
    assert isinstance(value["description"], str)
    assert all(isinstance(allowed, bool) for allowed in value["config"].values())
