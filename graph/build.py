"""The machine, drawn: nodes and the one fixed edge between those that do not choose their own way."""

from langgraph.checkpoint.base import BaseCheckpointSaver
from langgraph.graph import END, START, StateGraph
from langgraph.graph.state import CompiledStateGraph

from graph.context import Context
from graph.state import State
from graph.watched import watched
from nodes.await_human import await_human
from nodes.check_grounding import check_grounding
from nodes.execute_intent import execute_intent
from nodes.generate import generate
from nodes.load_contact import load_contact
from nodes.open_handoff import open_handoff
from nodes.reply import reply
from nodes.retrieve import retrieve
from nodes.score_sensitivity import score_sensitivity
from nodes.transcribe import transcribe
from nodes.triage import triage

Machine = CompiledStateGraph[State, Context, State, State]


def story() -> StateGraph[State, Context, State, State]:
    """START → transcribe → load_contact → triage → score_sensitivity → retrieve → generate →
    check_grounding → execute_intent → reply → END, with open_handoff → await_human beside it."""
    graph = StateGraph(State, context_schema=Context)
    graph.add_node("transcribe", watched(transcribe))
    graph.add_node("load_contact", watched(load_contact))
    graph.add_node("triage", watched(triage))
    graph.add_node("score_sensitivity", watched(score_sensitivity))
    graph.add_node("retrieve", watched(retrieve))
    graph.add_node("generate", watched(generate))
    graph.add_node("check_grounding", watched(check_grounding))
    graph.add_node("execute_intent", watched(execute_intent))
    graph.add_node("reply", watched(reply))
    graph.add_node("open_handoff", watched(open_handoff))
    graph.add_node("await_human", await_human)

    graph.add_edge(START, "transcribe")
    graph.add_edge("retrieve", "generate")
    graph.add_edge("reply", END)
    return graph


def build(checkpointer: BaseCheckpointSaver[str] | None) -> Machine:
    """The compiled machine; the caller owns the checkpointer (None where a server brings its own)."""
    return story().compile(checkpointer=checkpointer, name="sara")
