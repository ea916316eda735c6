"""Somebody may become a customer: what the trade must know is asked and noted, and a person follows it up."""

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel

from crm import leads
from crm.leads import QUALIFIED_FROM
from inference.extract import yes_no
from tools.details import known, told
from tools.happened import remember_once
from tools.tool import Call, Declined, Outcome, Question, Slots, Tool, nothing_to_confirm

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


async def act(call: Call, slots: Slots) -> Outcome:
    """Notes the wish with what was asked about it, scores it, and hands over to who sells."""
    noted = "\n".join(filter(None, [slots["wish"], told(slots)]))
    answers = known(slots)
    points = leads.score(call.profile.pack.questions.get("qualify_lead", []), answers)
    async with call.context.crm.transaction(call.business_id) as tx:
        lead = await leads.note(
            tx,
            call.contact_id,
            conversation_id=call.conversation_id,
            wish=slots["wish"],
            answers=answers,
            points=points,
        )
        await remember_once(tx, call, "lead_interest", lead.lead_id, noted)
        if points >= QUALIFIED_FROM:
            await remember_once(tx, call, "lead_qualified", lead.lead_id, f"{points}/100")
    for done in ("details", "asking"):
        slots.pop(done, None)
    slots.update(answers)
    return Declined(call.say("I have noted what you are looking for."), handoff="lead")


TOOL = Tool("qualify_lead", Arguments, fill, check, nothing_to_confirm, act)
