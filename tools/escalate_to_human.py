"""Asks for a person: the customer wants one, and gets one."""

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel

from tools.tool import Call, Declined, Outcome, Question, Slots, Tool


class Arguments(BaseModel):
    """Nothing is needed."""


async def fill(call: Call, slots: Slots, hints: Mapping[str, Any]) -> Slots:
    """There is nothing to fill in."""
    return dict(slots)


async def check(call: Call, slots: Slots) -> Question | Declined | None:
    """Always for a person; the words to the customer are those of the hand-over itself."""
    return Declined("", handoff="customer_request")


async def confirm(call: Call, slots: Slots) -> Question | None:
    """Nobody is asked twice whether they meant it."""
    return None


async def act(call: Call, slots: Slots) -> Outcome:
    """The same as check: a person."""
    return Declined("", handoff="customer_request")


TOOL = Tool("escalate_to_human", Arguments, fill, check, confirm, act)
