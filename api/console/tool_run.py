"""Carries a tool out for an agent: the very same tools SARA uses, with the agent as whoever acts.

What is missing or impossible is told in the agent's language, what came of it in the customer's: the agent
can send it as it stands.
"""

from dataclasses import dataclass, replace
from zoneinfo import ZoneInfo

from api.console.tool_forms import INTENTS, Entered, Fault, Form, field_of, slots_of
from api.state import ApiServices
from crm import appointments, businesses, contacts
from crm.errors import RecordError, RecordUnavailable
from tools.questions import SKIP
from tools.registry import TOOLS
from tools.tool import Call, Declined, Done, Outcome, Question

_NOBODY = 0  # no contact's id: a form is checked for them as for somebody who was never here
_FOR_CUSTOMERS = ("human:", "frame:", "confirm:")


@dataclass(frozen=True)
class Actor:
    """Who acts for whom, in which press of the button (`key`), and the agent's language.

    Without a `contact_id` it is for whoever has the phone `number` (a wa_id): they become a customer when
    nothing is wrong with the form.
    """

    agent_id: int
    contact_id: int | None
    conversation_id: int | None
    key: str
    language: str
    number: str = ""


async def carry_out(
    services: ApiServices, business_id: int, actor: Actor, form: Form, given: Entered
) -> Done | Fault:
    """Done once, whatever the number of presses with the same key; or what is wrong with the form.

    Raises RecordUnavailable.
    """
    async with services.crm.transaction(business_id) as tx:
        profile = await businesses.profile(tx)
        contact = await contacts.get(tx, actor.contact_id) if actor.contact_id is not None else None
        moved = await appointments.get(tx, given.appointment) if given.appointment else None
    place = profile.place(moved.location_id) if moved else None
    for_agent = Call(
        context=services,
        profile=profile,
        business_id=business_id,
        conversation_id=actor.conversation_id,
        contact_id=_NOBODY if actor.contact_id is None else actor.contact_id,
        contact_name=contact.name if contact else None,
        turn_id=actor.key,
        language=actor.language,
        text="",
        option_id=given.option,
        now=services.crm.clock(),
        say=services.phrases.speaker(actor.language),
        agent_id=actor.agent_id,
    )
    spoken = (contact and contact.reads) or profile.language
    say = services.phrases.speaker(spoken, formal=profile.pack.formal)
    for_customer = replace(for_agent, language=spoken, say=say, option_id=None)
    tool = TOOLS[INTENTS[form]]
    try:
        slots = slots_of(form, given, profile, ZoneInfo(place.time_zone) if place else None)
        slots = await tool.fill(for_agent, slots, {})
        asked = await tool.check(for_agent, slots)
        if asked is not None:
            return _fault(asked)
        if actor.contact_id is None:
            async with services.crm.transaction(business_id) as tx:
                newcomer = await contacts.entered(tx, wa_id=actor.number, name=None)
            for_customer = replace(for_customer, contact_id=newcomer)
        outcome = await tool.act(for_customer, slots)
        if isinstance(outcome, Question):  # somebody was faster
            return _fault(await tool.check(for_agent, slots) or outcome)
    except RecordUnavailable:
        raise
    except RecordError as error:
        return Fault("", str(error))
    return outcome if isinstance(outcome, Done) else _fault(outcome)


def _fault(outcome: Outcome) -> Fault:
    match outcome:
        case Question(slot=slot, text=text, options=options):
            shown = [(o.option_id, o.title) for o in options if _for_agents(o.option_id)]
            return Fault(field_of(slot), text, shown if slot in ("slot", "when") else [])
        case Declined(text=text):
            return Fault("", text or "—")
    raise TypeError(outcome)


def _for_agents(option_id: str) -> bool:
    return option_id != SKIP and not option_id.startswith(_FOR_CUSTOMERS)
