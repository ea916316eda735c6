"""What SARA would answer, without a conversation: the same steps as a turn's, and nothing is sent or kept."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, cast

from langgraph.runtime import Runtime

from graph.context import Context
from graph.state import State
from nodes.check_grounding import check_grounding
from nodes.generate import generate
from nodes.retrieve import retrieve

_MOST_TRIES = 3


async def trial(context: Context, state: Mapping[str, Any]) -> dict[str, Any] | None:
    """The state after retrieving, answering and checking; None where a person would be asked instead.

    `state` holds at least event, language and window. Raises InferenceError, KnowledgeUnavailable.
    """
    trying: dict[str, Any] = {**state, "grounding": {}, "proposal": {}}
    runtime = Runtime(context=replace(context, notify=None))
    trying |= await retrieve(cast(State, trying), runtime)
    for _ in range(_MOST_TRIES):
        proposed = await generate(cast(State, trying), runtime)
        trying |= cast(dict[str, Any], proposed.update)
        if proposed.goto == "open_handoff":
            return None
        step = await check_grounding(cast(State, trying), runtime)
        trying |= cast(dict[str, Any], step.update)
        if step.goto != "generate":
            break
    return trying
