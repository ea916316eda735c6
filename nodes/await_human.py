"""The thread waits here for people. `interrupt` is the first statement: on resume the node runs again
from its top, so nothing with an effect may stand before it."""

from typing import Any, Literal, cast

from langgraph.types import Command, interrupt
from pydantic import BaseModel, ValidationError

from graph import agent_inbox
from graph.state import (
    Event,
    Kind,
    Line,
    Said,
    State,
    extend,
    given_back,
    nothing_asked,
    spoken_over,
    taken_back,
    together,
    unanswered,
)

Route = Command[Literal["await_human", "transcribe", "load_contact", "__end__"]]

_CONVERSATION = ("business_id", "conversation_id", "contact_id", "business", "sender")


EXPECTED = (
    'Resume with {"kind": "hand_back", "handoff": {"note": "…"}} to give it back to SARA, '
    '{"kind": "agent_message", "text": "…"} or {"kind": "customer_message", "text": "…"} to add to it, '
    '{"kind": "resolve"} to end it; or with a list of one Agent Inbox answer.'
)


async def await_human(state: State) -> Route:
    """Customer and agent messages join the thread and the wait goes on; hand_back and resolve end it.

    A resume that is none of these leaves the thread waiting, with what it expects in its packet.
    """
    event: object = interrupt(agent_inbox.request(state["handoff"]["packet"]))
    return after(state, event)


def after(state: State, resumed: object) -> Route:
    """Where what arrived during the pause leads."""
    if agent_inbox.is_answer(resumed):
        resumed = agent_inbox.as_event(resumed, state["handoff"]["packet"])
    event = cast(Event, resumed)
    if not _usable(event):
        # An error raised here would stay: LangGraph gives the node the same answer again on every run.
        handoff = {**state["handoff"], "packet": {**state["handoff"]["packet"], "expected": EXPECTED}}
        return Command(goto="await_human", update={"handoff": handoff})
    event = _whole(state, event)
    update: dict[str, Any] = {"event": event, "last_event_id": event["last_event_id"]}
    match event["kind"]:
        case "customer_message":
            return Command(goto="transcribe", update=update)
        case "agent_message":
            lines: list[Line] = [
                Line(author="agent", text=m.get("text", ""), at=m.get("sent_at", ""))
                for m in event["messages"]
            ]
            # The agent has read what was waiting: it is no longer SARA's to answer.
            handoff = {**state["handoff"], "waiting": []}
            update |= {"window": extend(state.get("window", []), lines), "handoff": handoff}
            update |= spoken_over(event)
            return Command(goto="await_human", update=update)
        case "hand_back":
            return _handed_back(state, event, update)
        case _:
            update |= {"handoff": {"open": False}, **nothing_asked()}
            return Command(goto=_onward(event), update=update)


class _Given(BaseModel):
    """What a hand-back may hold. Lists and texts may be left out, or be null."""

    note: str | None = None
    say: str | None = None
    facts: dict[str, Any] | None = None
    promises: list[str] | None = None
    done: list[str] | None = None


class _Resumed(BaseModel):
    """What a thread can go on with."""

    kind: Kind
    text: str | None = None
    messages: list[dict[str, Any]] | None = None
    handoff: _Given | None = None


def _usable(event: object) -> bool:
    try:
        _Resumed.model_validate(event)
    except ValidationError:
        return False
    return True


def _whole(state: State, event: Event) -> Event:
    """The event with what a resume by hand (Studio, a notebook) leaves out: whose it is and its messages.

    It gets no turn id and no epoch here: load_contact gives them, and knows by their absence that the
    record has not heard of the event.
    """
    if "turn_id" in event:
        return event
    before = state.get("event", {})
    author: Literal["customer", "agent"] = "agent" if event["kind"] == "agent_message" else "customer"
    typed = [Said(author=author, kind="text", text=event["text"])] if event.get("text") else []
    known: dict[str, Any] = {key: before[key] for key in _CONVERSATION if key in before}  # type: ignore[literal-required]
    known |= {"last_event_id": state.get("last_event_id", 0), "messages": typed, "handoff": None}
    return cast(Event, {**known, **event})


def _onward(event: Event) -> Literal["load_contact", "__end__"]:
    """An end that the record has not heard of goes through load_contact, which tells it."""
    return "__end__" if "turn_id" in event else "load_contact"


def _handed_back(state: State, event: Event, update: dict[str, Any]) -> Route:
    """The bot speaks again, knowing what the human learned; it answers what nobody has answered yet."""
    waiting = together(unanswered(event), state["handoff"].get("waiting", []))
    given = given_back(event)
    said = given.get("say")
    if said:  # with the hand-back the customer was answered
        waiting = []
        line = Line(author="agent", text=str(said), at="")
        update["window"] = extend(state.get("window", []), [line])
    returned = {
        **given,
        "reason": state["handoff"].get("reason"),
        "label": state["handoff"].get("label"),
    }
    update |= taken_back(state, event, returned)
    update["event"] = Event(**{**event, "messages": waiting})
    return Command(goto="transcribe" if waiting else _onward(event), update=update)  # notes may be among them
