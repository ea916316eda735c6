"""Sentences a vertical adds by rule, each once a conversation; no model decides about them."""

import re
from collections.abc import Iterable, Mapping
from typing import Any

from crm.businesses import Profile
from crm.packs import Disclaimer
from tools.lexicons import found

_PRICE = re.compile(r"[€£$]|\bEUR\b|R\$")
_ACTED = {"booking": "book_appointment", "quote": "request_quote", "ticket": "open_ticket"}


def disclaimed(
    outcome: dict[str, Any], profile: Profile, *, language: str, asked: str, said: Iterable[str]
) -> dict[str, Any]:
    """The outcome with the disclaimers that are due below its first words.

    `asked` is what the customer wrote, `said` what SARA has said before: what is in it is not repeated.
    """
    replies, earlier = outcome["replies"], list(said)
    if not replies:
        return outcome
    texts = [
        d.texts.get(language) or d.texts.get(profile.language, "")
        for d in profile.pack.disclaimers
        if _due(d, outcome, asked)
    ]
    new = [text for text in texts if text and not any(text in line for line in earlier)]
    first = {**replies[0], "text": "\n\n".join([replies[0]["text"], *new])}
    return {**outcome, "replies": [first, *replies[1:]]}


def _due(disclaimer: Disclaimer, outcome: Mapping[str, Any], asked: str) -> bool:
    kind, intent = str(outcome["kind"]), str(outcome["intent"])
    answers = kind == "answered" and intent == "answer"
    match disclaimer.said:
        case "first_answer":
            return answers
        case "price":
            return answers and _PRICE.search(outcome["replies"][0]["text"]) is not None
        case "about":
            return answers and bool(found(disclaimer.phrases, asked))
        case occasion:
            return kind == "done" and intent == _ACTED.get(occasion)
