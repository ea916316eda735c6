"""Somebody may become a customer: what the trade must know is asked and noted, and a person follows it up."""

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel

from inference.extract import yes_no
from tools.details import known, told
from tools.happened import remember_once
from tools.tool import Call, Declined, Outcome, Question, Slots, Tool

_LONGEST = 500


class Arguments(BaseModel):
    """Nothing is taken from a model: the wish is noted in the customer's own words."""


async def fill(call: Call, slots: Slots, hints: Mapping[str, Any]) -> Slots:
    """Slots: wish; later words answer the vertical's questions or add to it."""
    text, wish = call.text.strip(), str(slots.get("wish", ""))
    if not text or text in wish or (wish and yes_no(text, call.language)):
        return dict(slots)
    return {**slots, "wish": f"{wish}\n{text}".strip()[:_LONGEST]}


async def check(call: Call, slots: Slots) -> Question | Declined | None:
    """Asks what the customer is looking for when nothing was said; the vertical's questions come after."""
    if slots.get("wish"):
        return None
    return Question("wish", call.say("What are you looking for? Tell me in a few words."))


async def confirm(call: Call, slots: Slots) -> Question | None:
    """Noting a wish needs no confirmation."""
    return None


async def act(call: Call, slots: Slots) -> Outcome:
    """Notes the wish with what was asked about it, and hands over."""
    noted = "\n".join(filter(None, [slots["wish"], told(slots)]))
    async with call.context.crm.transaction(call.business_id) as tx:
        await remember_once(tx, call, "lead_interest", None, noted)
    answers = known(slots)
    for done in ("details", "asking"):
        slots.pop(done, None)
    slots.update(answers)
    return Declined(call.say("I have noted what you are looking for."), handoff="lead")


TOOL = Tool("qualify_lead", Arguments, fill, check, confirm, act)
