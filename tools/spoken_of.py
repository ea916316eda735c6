"""What a conversation is about: "book it" and "how long does it take?" name no service, "and on Sunday?" no
opening hours, after a question for them."""

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from crm.businesses import Profile, Service
from tools.matching import plain, services_in
from tools.topics import HOURS
from tools.wanted_time import only_time

_PLAINLY = 0.5  # of a service's name must be said for the conversation to turn to it
_TURNS = 3  # without its name, after which it is no longer meant
_MOST_WORDS = 9
_ELLIPSIS = re.compile(
    r"^\W*(?:e|ed|and|y|what about|how about)\b"
    r"|\b(?:it|that one|this one|quello|quella|questo|questa|eso|ese|esa|este|esta|isso|esse|essa)\b"
    r"|\b(?:dura|durata|duracion|duracao|costa|cuesta|custa|prezzo|price|precio|preco|quanto|cuanto"
    r"|how much|how long)\b"
)
_AND = re.compile(
    r"^\W*(?:(?:e|ed|ma|and|or|but|y|o|pero|mas)\W+)?"
    r"(?:what about|how about|anche|pure|also|tambien|tambem)?\W*",
    re.IGNORECASE,
)
_HOURS = {"it": "orari", "en": "opening hours", "es": "horario", "pt": "horário"}


def spoken_of(
    before: Mapping[str, Any], text: str, profile: Profile, language: str, now: datetime
) -> dict[str, Any]:
    """`{service, turns, hours}` after one more message; without a service when it is about none, or about
    several. `now` is aware.

    `turns`: how many messages ago the service was named. `hours`: opening hours are what it asks for.
    """
    hours = bool(HOURS.search(plain(text))) or (
        bool(before.get("hours")) and _only_a_day(text, language, now)
    )
    return {**_service_of(before, text, profile, language), **({"hours": True} if hours else {})}


def _only_a_day(text: str, language: str, now: datetime) -> bool:
    """ "And on Sunday?": a question for what was asked before, on another day."""
    return only_time(_AND.sub("", text, count=1), language, now)


def _service_of(before: Mapping[str, Any], text: str, profile: Profile, language: str) -> dict[str, Any]:
    found = services_in(text, profile, language, at_least=_PLAINLY)
    if len(found) == 1:
        return {"service": found[0].row.key, "turns": 0}
    turns = int(before.get("turns", 0)) + 1
    if found or not before.get("service") or turns > _TURNS:
        return {}
    return {"service": before["service"], "turns": turns}


def in_full(text: str, topic: Mapping[str, Any], profile: Profile, language: str) -> str:
    """A short question without its subject ("e quanto dura?", "e domenica?") with what it is about."""
    if topic.get("hours") and not HOURS.search(plain(text)):
        return f"{text} ({_HOURS.get(language, _HOURS['en'])})"
    service: Service | None = profile.service(topic["service"]) if topic.get("turns") else None
    words = plain(text).split()
    if service is None or len(words) > _MOST_WORDS or not _ELLIPSIS.search(" ".join(words)):
        return text
    return f"{text} ({service.name(language, profile.language)})"
