"""What turns came to and what they took: tokens, seconds, and whether there was an answer."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Turn:
    """A turn of SARA's; `message_id` is the customer's last message in it, `seconds` how long it took.

    `unanswered`: neither the documents nor the record held an answer, so that a person was offered or called.
    """

    turn_id: str
    conversation_id: int
    message_id: int | None
    intent: str | None
    outcome: str
    language: str | None
    model: str | None
    tokens_in: int
    tokens_out: int
    seconds: float
    unanswered: bool
