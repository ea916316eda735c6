"""Asks for a person: the customer wants one, and gets one."""

from pydantic import BaseModel

from tools.tool import Call, Declined, Outcome, Question, Slots, Tool, nothing_to_confirm, nothing_to_fill


class Arguments(BaseModel):
    """Nothing is needed."""


async def check(call: Call, slots: Slots) -> Question | Declined | None:
    """Always for a person; the words to the customer are those of the hand-over itself."""
    return Declined("", handoff="customer_request")


async def act(call: Call, slots: Slots) -> Outcome:
    """The same as check: a person."""
    return Declined("", handoff="customer_request")


TOOL = Tool("escalate_to_human", Arguments, nothing_to_fill, check, nothing_to_confirm, act)
