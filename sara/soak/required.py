"""What must have been done in a soak for it to prove anything."""

from collections.abc import Iterator, Mapping

from sara.soak.plan import Plan

MESSAGES, REPLIES, ANSWERS, CAMPAIGN = (
    "messages of customers",
    "messages to customers",
    "agents: answered",
    "recipients of the campaign",
)
_LEAST_SHARE = 0.3
"""Of the messages that the rate asks for: a machine that is too slow for it still proves something."""
_LEAST_REPLIES = 0.2
ALL = (
    "customers: burst",
    "customers: question",
    "customers: button",
    "customers: voice note",
    "customers: wants a person",
    "customers: booking begun",
    "customers: cancellation begun",
    "customers: opted out and in",
    "agents: taken",
    "agents: taken from the bot",
    "agents: answered",
    "agents: handed back",
    "agents: resolved",
    "webhooks posted twice",
    "faults: p500",
    "faults: p429",
    "faults: p_reset",
    "faults: p_lost_answer",
    "appointments booked",
    "appointments cancelled",
    "voice notes transcribed",
    "language it",
    "language en",
    "language es",
    "language pt",
    CAMPAIGN,
)
"""What a long run has to have seen at least once."""


def missing(done: Mapping[str, int], plan: Plan) -> Iterator[str]:
    """Sentences about what was not done, or too little."""
    asked = plan.seconds * plan.rate
    for what, least in (
        (MESSAGES, max(1.0, _LEAST_SHARE * asked)),
        (REPLIES, max(1.0, _LEAST_REPLIES * asked)),
        (ANSWERS, 1.0),
    ):
        if done.get(what, 0) < least:
            yield f"{what}: {done.get(what, 0)}, at least {least:.0f} are needed"
    for breakage in dict.fromkeys(due.what for due in plan.breakages()):
        if not done.get(breakage, 0):
            yield f"{breakage}: never, though it was planned"
    if plan.long:
        for what in ALL:
            if not done.get(what, 0):
                yield f"{what}: never"
