"""Somebody may become a customer: the wish is noted and a person of the team is asked to follow it up."""

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel

from tools.happened import remember_once
from tools.tool import Call, Declined, Outcome, Question, Slots, Tool

_LONGEST = 500


class Arguments(BaseModel):
    """Nothing is taken from a model: the wish is noted in the customer's own words."""


async def fill(call: Call, slots: Slots, hints: Mapping[str, Any]) -> Slots:
    """Slots: wish."""
    return {**slots, "wish": call.text.strip()[:_LONGEST]} if call.text.strip() else dict(slots)


async def check(call: Call, slots: Slots) -> Question | Declined | None:
    """Asks what the customer is looking for when nothing was said."""
    if slots.get("wish"):
        return None
    return Question("wish", call.say("What are you looking for? Tell me in a few words."))


async def confirm(call: Call, slots: Slots) -> Question | None:
    """Noting a wish needs no confirmation."""
    return None


async def act(call: Call, slots: Slots) -> Outcome:
    """Notes the wish and hands over."""
    async with call.context.crm.transaction(call.business_id) as tx:
        await remember_once(tx, call, "lead_interest", None, slots["wish"])
    return Declined(call.say("I have noted what you are looking for."), handoff="lead")


TOOL = Tool("qualify_lead", Arguments, fill, check, confirm, act)
