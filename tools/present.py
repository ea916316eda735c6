"""The present that words like "tomorrow" are told from: when they were sent, not when they are read.

A message is read late when a person had the conversation until the next day, or after an outage.
"""

from datetime import datetime

from graph.state import Event, Said
from inference.when import parse


def said_at(event: Event, language: str, now: datetime) -> datetime:
    """When the words of a turn were sent: of several messages the last that speaks of a time, else the last.

    `now` (aware) where nothing tells, as in Studio, and for a clock that runs ahead of ours.
    """
    sent = [(said, at) for said in event.get("messages", []) if (at := _sent(said, now)) is not None]
    if len(sent) > 1:
        named = [at for said, at in sent if parse(said.get("text", ""), language=language, now=at).span]
        return (named or [at for _, at in sent])[-1]
    return sent[0][1] if sent else now


def _sent(said: Said, now: datetime) -> datetime | None:
    """When a customer's own words were sent; None for a button, whose title is not theirs."""
    if said.get("author", "customer") != "customer" or said.get("option_id"):
        return None
    try:
        at = datetime.fromisoformat(said.get("sent_at") or "")
    except ValueError:
        return None
    return min(at, now) if at.tzinfo else None
