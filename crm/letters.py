"""Messages that did not arrive: what is known of each, and another try by hand."""

from dataclasses import dataclass
from datetime import datetime

from crm import outbox, queue
from crm.errors import RecordError
from crm.record import Tx


class UnknownLetter(RecordError):
    """No such message in this business's outbox: `sara outbox list` shows those there are."""


class NotDead(RecordError):
    """This message is not given up: it was delivered, or is still being tried."""


class PerhapsDelivered(RecordError):
    """Nobody knows whether WhatsApp took this message: another try may say it twice. Ask the customer, or
    retry it with --even-if-twice."""


@dataclass(frozen=True)
class LetterRow:
    """A message and what became of it. `cause` is Meta's code; `status` what Meta reported last."""

    outbox_id: int
    conversation_id: int
    wa_id: str | None
    contact_name: str | None
    phone_number_id: str
    state: str
    status: str | None
    attempts: int
    error_code: int | None
    error: str | None
    author: str
    kind: str
    body: str
    created_at: datetime
    attempted_at: datetime | None
    settled_at: datetime | None
    next_attempt_at: datetime
    cause: int | None


@dataclass(frozen=True)
class StepRow:
    """One thing that happened to a message, when, and what the channel said of it."""

    what: str
    at: datetime
    error_code: int | None
    error: str | None


async def listed(tx: Tx, *, dead: bool = True, most: int = 50) -> list[LetterRow]:
    """What was given up (`dead`) or is still on its way, the newest first."""
    return await tx.all(LetterRow, "outbox_letters", dead=dead, most=most)


async def history(tx: Tx, outbox_id: int) -> list[StepRow]:
    """What happened to a message, in order: failed attempts, statuses, the last attempt.

    Raises UnknownLetter.
    """
    steps = await tx.all(StepRow, "outbox_history", outbox_id=outbox_id)
    if not steps and await outbox.row(tx, outbox_id) is None:
        raise UnknownLetter(UnknownLetter.__doc__)
    return steps


async def retry(tx: Tx, outbox_id: int, *, even_if_twice: bool = False) -> None:
    """A message that was given up is sent again, its attempts counted anew.

    Raises UnknownLetter, NotDead, and PerhapsDelivered for one whose last attempt had no known end.
    """
    row = await outbox.row(tx, outbox_id)
    if row is None:
        raise UnknownLetter(UnknownLetter.__doc__)
    if row.state not in ("refused", "held") and row.status != "failed":
        raise NotDead(NotDead.__doc__)
    uncertain = row.state == "held" and row.attempts > 0
    if uncertain and not even_if_twice:
        raise PerhapsDelivered(PerhapsDelivered.__doc__)
    await outbox.anew(tx, row, tx.now, error=row.error, error_code=row.error_code, by_hand=True)
    await queue.send_now(tx, row.conversation_id)
