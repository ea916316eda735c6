"""The machine as drawn is the machine of the architecture."""

from graph.build import build, story
from graph.state import State

NODES = {
    "transcribe",
    "load_contact",
    "triage",
    "score_sensitivity",
    "retrieve",
    "generate",
    "check_grounding",
    "execute_intent",
    "reply",
    "open_handoff",
    "await_human",
}
ROAD = [
    ("__start__", "transcribe"),
    ("transcribe", "load_contact"),
    ("load_contact", "triage"),
    ("triage", "score_sensitivity"),
    ("score_sensitivity", "retrieve"),
    ("retrieve", "generate"),
    ("generate", "check_grounding"),
    ("check_grounding", "execute_intent"),
    ("execute_intent", "reply"),
    ("reply", "__end__"),
]
# What triage answers by itself, and what it knows to be about a pending question.
SHORTCUTS = [("triage", "reply"), ("triage", "execute_intent")]
AGAIN = [("check_grounding", "generate")]
TO_A_HUMAN = [
    (node, "open_handoff")
    for node in ("triage", "score_sensitivity", "generate", "check_grounding", "execute_intent")
]
PAUSE = [
    ("open_handoff", "await_human"),
    ("await_human", "await_human"),
    ("await_human", "transcribe"),
    ("transcribe", "await_human"),
    ("await_human", "load_contact"),
    ("load_contact", "await_human"),  # a conversation that a human took over outside the thread
    ("await_human", "__end__"),
    ("load_contact", "__end__"),  # an end told by hand, once the record knows of it
]
# None is opened: a human gave the same matter back a moment ago.
NOT_AGAIN = [("open_handoff", "reply")]


def test_its_nodes_are_those_of_the_architecture() -> None:
    assert set(story().nodes) == NODES


def test_its_edges_are_those_of_the_architecture() -> None:
    drawn = {(edge.source, edge.target) for edge in build(None).get_graph().edges}
    assert drawn == {*ROAD, *SHORTCUTS, *AGAIN, *TO_A_HUMAN, *PAUSE, *NOT_AGAIN}


def test_only_people_stand_behind_a_hand_over() -> None:
    """No edge leads from an opened hand-over back to the bot's thinking but through the pause."""
    drawn = [(edge.source, edge.target) for edge in build(None).get_graph().edges]
    assert [target for source, target in drawn if source == "open_handoff"] == [
        "await_human",
        "reply",
    ]


def test_its_channels_are_the_declared_state() -> None:
    machine = build(None)
    own = {name for name in machine.channels if ":" not in name and not name.startswith("__")}
    assert own == set(State.__annotations__)
