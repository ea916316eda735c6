"""The options several tools offer: yes and no, a person, and services to choose from."""

from collections.abc import Sequence

from crm.businesses import Service
from crm.messages import Option
from tools.tool import Call, Declined
from tools.wording import duration, price

YES, NO, DROP = "confirm:yes", "confirm:no", "frame:drop"
SKIP = "frame:skip"  # an optional question is left unanswered
_ROW_TITLE = 24  # a longer name is cut in a list, so it is repeated in the description


def yes_or_no(call: Call) -> tuple[Option, ...]:
    """The two buttons under a confirmation."""
    return Option(YES, call.say("Yes, confirm")), Option(NO, call.say("No, change it"))


def left(call: Call) -> Declined:
    """What was being arranged is dropped."""
    return Declined(call.say("All right, I'll leave it. I'm here if you need anything else."))


def ask_for_person(call: Call) -> tuple[Option, ...]:
    """The two buttons under the offer of a person; triage knows what they mean."""
    return (
        Option("human:yes", call.say("Yes, a colleague please")),
        Option("human:no", call.say("No, thanks")),
    )


def service_options(call: Call, services: Sequence[Service]) -> tuple[Option, ...]:
    """Services with duration and price."""
    return tuple(_service_option(call, service) for service in services)


def _service_option(call: Call, service: Service) -> Option:
    name = service.name(call.language, call.profile.language)
    known = [name] if len(name) > _ROW_TITLE else []
    if service.row.duration_minutes:
        known.append(duration(service.row.duration_minutes, call.language))
    if cost := price(service.row, call.profile.business, call.language, call.say):
        known.append(cost)
    return Option(f"service:{service.row.key}", name, " · ".join(known) or None)
