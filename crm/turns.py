"""What turns came to and what they took: tokens, seconds, and whether there was an answer."""

from dataclasses import asdict, dataclass

from crm.record import Tx


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


async def keep(tx: Tx, turn: Turn) -> None:
    """Keeps it, once."""
    await tx.run("turn_keep", **asdict(turn))
