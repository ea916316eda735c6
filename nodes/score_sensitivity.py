"""Does this need human judgment? Scored over the conversation, not only the last message."""

from typing import Literal

from langgraph.runtime import Runtime
from langgraph.types import Command

from crm import businesses
from graph.context import Context
from graph.state import State, text_of
from inference.sensitivity import combine


async def score_sensitivity(
    state: State, runtime: Runtime[Context]
) -> Command[Literal["retrieve", "open_handoff"]]:
    """Over the threshold: to a human at once. Messages a human has just handed back were judged by one."""
    context, event, text = runtime.context, state["event"], text_of(state["event"])
    async with context.crm.transaction(event["business_id"]) as tx:
        thresholds = (await businesses.profile(tx)).thresholds
    vector = await context.embedder.query(text)
    judged = context.sensitivity.score(text, vector, state["language"], thresholds)
    before = state.get("sensitivity", {})
    same_topic = before.get("label") == judged.label
    running = combine(float(before.get("running", 0.0)), judged.score if judged.label != "none" else 0.0)
    sensitivity = {
        "label": judged.label,
        "score": round(judged.score, 4),
        "running": round(running, 4),
        "escalate": judged.escalate,
        "words": list(judged.words),
    }
    handed_back = event["kind"] == "hand_back" and judged.label != "emergency"
    if judged.escalate and not handed_back:
        handoff = {
            "reason": "sensitive",
            "label": judged.label,
            "score": sensitivity["score"],
            "words": sensitivity["words"],
            "wants": text,
            "again": same_topic and bool(before.get("escalate")),
        }
        return Command(goto="open_handoff", update={"sensitivity": sensitivity, "handoff": handoff})
    requested = state.get("handoff", {}).get("requested")
    if requested:
        handoff = {"reason": requested, "wants": text}
        return Command(goto="open_handoff", update={"sensitivity": sensitivity, "handoff": handoff})
    return Command(goto="retrieve", update={"sensitivity": sensitivity})
