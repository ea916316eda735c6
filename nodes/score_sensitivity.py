"""Does this need human judgment? Scored over the conversation, not only the last message."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Literal

from langgraph.runtime import Runtime
from langgraph.types import Command

from graph.context import Context
from graph.state import State, text_of
from inference.errors import InferenceError
from inference.sensitivity import Sensitivity, SensitivityScorer, combine
from tools.alarm import for_a_human
from tools.lexicons import touched
from tools.matching import names_only

HINT = 0.6  # share of the threshold under which a message adds nothing to a rising conversation


async def score_sensitivity(
    state: State, runtime: Runtime[Context]
) -> Command[Literal["retrieve", "open_handoff"]]:
    """Over the threshold: to a human at once, unless one has just handed back what is sensitive here."""
    context, event, text = runtime.context, state["event"], text_of(state["event"])
    profile = await context.profiles.of_turn(context.crm, event["business_id"], event["turn_id"])
    # A business's own thresholds and its vertical's are one table by now; what it lacks is as trained.
    thresholds = profile.thresholds
    topic = touched(profile.pack.topics, text)
    try:
        vector = await context.embedder.query(text)
    except InferenceError as error:
        unread = context.sensitivity.unread(text)
        return _unread(state, for_a_human(unread, *topic) if topic else unread, text, str(error))
    judged = context.sensitivity.score(text, vector, state["language"], thresholds)
    if not judged.words and names_only(text, profile):
        judged = replace(
            judged, label="none", score=0.0, escalate=False
        )  # what is on offer is no cry for help
    if topic is not None:
        judged = for_a_human(judged, *topic)
    sensitivity = over_conversation(state, judged, context.sensitivity, thresholds)
    if sensitivity["escalate"] and not _just_judged(state, sensitivity["label"]):
        handoff = {
            "reason": "sensitive",
            "label": sensitivity["label"],
            "score": sensitivity["score"],
            "words": sensitivity["words"],
            "topic": topic[0].key if topic else None,
            "wants": text,
            "again": _returned(state).get("label") == sensitivity["label"],
        }
        return Command(goto="open_handoff", update={"sensitivity": sensitivity, "handoff": handoff})
    asked = state.get("handoff", {})
    requested = asked.get("requested")
    if requested:
        kept = {key: asked[key] for key in ("files", "voice_notes", "text") if asked.get(key)}
        handoff = {"reason": requested, "wants": asked.get("wants") or text, **kept}
        return Command(goto="open_handoff", update={"sensitivity": sensitivity, "handoff": handoff})
    return Command(goto="retrieve", update={"sensitivity": sensitivity})


def _unread(
    state: State, judged: Sensitivity, text: str, why: str
) -> Command[Literal["retrieve", "open_handoff"]]:
    """Nobody could judge it, so a person reads it; an emergency, and what was asked, stay what they are."""
    asked = state.get("handoff", {})
    emergency = judged.label == "emergency"
    sensitive = judged.label != "none"  # by a word list: nothing else could be asked
    handoff = {
        "reason": "sensitive" if sensitive else asked.get("requested") or "model_exhausted",
        "label": judged.label if sensitive else None,
        "words": list(judged.words),
        "wants": asked.get("wants") or text,
        "detail": why,
        **{key: asked[key] for key in ("files", "voice_notes", "text") if asked.get(key)},
    }
    if emergency:
        handoff["score"] = judged.score
    return Command(goto="open_handoff", update={"handoff": handoff})


def _just_judged(state: State, label: str) -> bool:
    """A human had it for being sensitive and has given it back. A hand-over for something else, or one that
    nobody looked at, judged nothing."""
    back = state["event"]["kind"] == "hand_back" and _returned(state).get("reason") == "sensitive"
    return back and label != "emergency"


def _returned(state: State) -> dict[str, Any]:
    """What a human gave back last in this thread."""
    return state.get("handoff", {}).get("returned") or {}


def over_conversation(
    state: State, judged: Sensitivity, scorer: SensitivityScorer, thresholds: Mapping[str, float]
) -> dict[str, Any]:
    """The message's judgment together with what came before it.

    Hints add up: a message that is no case by itself becomes one after others of its kind. What a human
    has handed back starts from nothing.
    """
    label = judged.label
    if label == "none":
        label = max((kind for kind in judged.scores if kind != "none"), key=lambda kind: judged.scores[kind])
    before = (
        0.0 if state["event"]["kind"] == "hand_back" else state.get("sensitivity", {}).get("running", 0.0)
    )
    running = combine(float(before), judged.score)
    limit = scorer.threshold(state["language"], thresholds, label)
    rising = running >= limit and judged.score >= limit * HINT
    escalate = judged.escalate or rising
    return {
        "label": label if escalate else "none",
        "score": round(judged.score, 4),
        "running": round(running, 4),
        "escalate": escalate,
        "words": list(judged.words),
    }
