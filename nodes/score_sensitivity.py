"""Does this need human judgment? Scored over the conversation, not only the last message."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Literal

from langgraph.runtime import Runtime
from langgraph.types import Command

from crm.packs import Topic
from graph.context import Context
from graph.state import State, text_of
from inference.errors import InferenceError
from inference.sensitivity import Sensitivity, SensitivityScorer, combine
from tools.lexicons import touched
from tools.matching import names_only

HINT = 0.6  # share of the threshold under which a message adds nothing to a rising conversation


async def score_sensitivity(
    state: State, runtime: Runtime[Context]
) -> Command[Literal["retrieve", "open_handoff"]]:
    """Over the threshold: to a human at once. Messages a human has just handed back were judged by one."""
    context, event, text = runtime.context, state["event"], text_of(state["event"])
    profile = await context.profiles.of_turn(context.crm, event["business_id"], event["turn_id"])
    # A business's own thresholds and its vertical's are one table by now; what it lacks is as trained.
    thresholds = profile.thresholds
    try:
        vector = await context.embedder.query(text)
    except InferenceError as error:
        return _unread(state, context.sensitivity.unread(text), text, str(error))
    judged = context.sensitivity.score(text, vector, state["language"], thresholds)
    topic = touched(profile.pack.topics, text)
    if not judged.words and names_only(text, profile):
        judged = replace(
            judged, label="none", score=0.0, escalate=False
        )  # what is on offer is no cry for help
    if topic is not None:
        judged = for_a_human(judged, *topic)
    sensitivity = over_conversation(state, judged, context.sensitivity, thresholds)
    handed_back = event["kind"] == "hand_back" and sensitivity["label"] != "emergency"
    if sensitivity["escalate"] and not handed_back:
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
        kept = {key: asked[key] for key in ("files", "text") if asked.get(key)}
        handoff = {"reason": requested, "wants": asked.get("wants") or text, **kept}
        return Command(goto="open_handoff", update={"sensitivity": sensitivity, "handoff": handoff})
    return Command(goto="retrieve", update={"sensitivity": sensitivity})


def _unread(
    state: State, judged: Sensitivity, text: str, why: str
) -> Command[Literal["retrieve", "open_handoff"]]:
    """Nobody could judge it, so a person reads it; an emergency, and what was asked, stay what they are."""
    asked = state.get("handoff", {})
    emergency = judged.label == "emergency"
    handoff = {
        "reason": "sensitive" if emergency else asked.get("requested") or "model_exhausted",
        "label": judged.label if emergency else None,
        "words": list(judged.words),
        "wants": asked.get("wants") or text,
        "detail": why,
        **{key: asked[key] for key in ("files", "text") if asked.get(key)},
    }
    if emergency:
        handoff["score"] = judged.score
    return Command(goto="open_handoff", update={"handoff": handoff})


def _returned(state: State) -> dict[str, Any]:
    """What a human gave back last in this thread."""
    return state.get("handoff", {}).get("returned") or {}


def for_a_human(judged: Sensitivity, topic: Topic, words: tuple[str, ...]) -> Sensitivity:
    """The judgment of a message about something the business's vertical leaves to humans, whatever it scored.

    An emergency heard by the general lexicon stays one.
    """
    label = judged.label if judged.label == "emergency" else topic.kind
    found = tuple(dict.fromkeys([*judged.words, *words]))
    return replace(judged, label=label, escalate=True, words=found)


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
