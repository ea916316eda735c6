"""Which service a conversation is about: "book it" and "how long does it take?" name none."""

import re
from collections.abc import Mapping
from typing import Any

from crm.businesses import Profile, Service
from tools.matching import plain, services_in

_PLAINLY = 0.5  # of a service's name must be said for the conversation to turn to it
_TURNS = 3  # without its name, after which it is no longer meant
_MOST_WORDS = 9
_ELLIPSIS = re.compile(
    r"^\W*(?:e|ed|and|y|what about|how about)\b"
    r"|\b(?:it|that one|this one|quello|quella|questo|questa|eso|ese|esa|este|esta|isso|esse|essa)\b"
    r"|\b(?:dura|durata|duracion|duracao|costa|cuesta|custa|prezzo|price|precio|preco|quanto|cuanto"
    r"|how much|how long)\b"
)


def spoken_of(before: Mapping[str, Any], text: str, profile: Profile, language: str) -> dict[str, Any]:
    """`{service, turns}` after one more message; empty when it is about none, or about several.

    `turns`: how many messages ago the service was named.
    """
    found = services_in(text, profile, language, at_least=_PLAINLY)
    if len(found) == 1:
        return {"service": found[0].row.key, "turns": 0}
    turns = int(before.get("turns", 0)) + 1
    if found or not before.get("service") or turns > _TURNS:
        return {}
    return {"service": before["service"], "turns": turns}


def in_full(text: str, topic: Mapping[str, Any], profile: Profile, language: str) -> str:
    """A short question without its subject ("e quanto dura?") with the name of what it is about."""
    service: Service | None = profile.service(topic["service"]) if topic.get("turns") else None
    words = plain(text).split()
    if service is None or len(words) > _MOST_WORDS or not _ELLIPSIS.search(" ".join(words)):
        return text
    return f"{text} ({service.name(language, profile.language)})"
