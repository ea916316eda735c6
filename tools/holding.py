"""What a customer is told while a person is fetched: the emergency number, then who answers and when."""

from datetime import datetime

from crm import hours
from crm.businesses import Profile
from knowledge.emergency import emergency_number
from knowledge.phrases import Say
from tools.wording import near_moment

WHEN = "{when}"  # in a business's own words: when it opens again
CALL_ME, WAIT_ON = "callback:yes", "callback:no"  # buttons of an apology: a call, or to wait on


def holding(
    profile: Profile, say: Say, language: str, now: datetime, *, emergency: bool = False, about: str = ""
) -> str:
    """The message, in the business's own words where it has some; `about` is what is said before them."""
    parts = []
    if emergency:
        parts.append(call_for_help(profile, say))
    if about:
        parts.append(f"{about}\n")
    return " ".join([*parts, *_who_and_when(profile, say, language, now)])


def call_for_help(profile: Profile, say: Say) -> str:
    """The number to call in an emergency, of the business's country."""
    return say(
        "If you are in danger or someone needs help right now, call {number} immediately.",
        number=emergency_number(profile.business.country),
    )


def _who_and_when(profile: Profile, say: Say, language: str, now: datetime) -> list[str]:
    is_open, opening = hours.is_open(profile, now), hours.next_opening(profile, now)
    when = near_moment(opening, language) if opening else ""
    own = profile.holding.get(("open" if is_open else "closed", language))
    if own is not None and (is_open or when or WHEN not in own):
        return [own.replace(WHEN, when)]
    parts = [say("I'm passing you to a colleague, who will read everything you wrote and answer you here.")]
    if is_open:
        parts.append(say("We are open now: you will get an answer shortly."))
    elif when:
        parts.append(
            say("We are closed now and open again on {when}: you will get an answer then.", when=when)
        )
    return parts
