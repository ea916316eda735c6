"""What the agents' console shows: a page of the queue, a thread, what a customer is worth."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Literal

from crm.errors import UnknownMessage
from crm.record import Tx

View = Literal["waiting", "unclaimed", "mine", "bot", "all"]
PAGE = 50
_MOST_WORDS = 8
_SEARCHED = re.compile(r"\w[\w.+-]*@[\w-]+(?:\.[\w-]+)+|\w+")  # the index keeps an e-mail address whole


@dataclass(frozen=True)
class QueueRow:
    """A conversation in the queue. Without `handoff_id` nobody waits in it; urgency runs from 0 to 4."""

    conversation_id: int
    contact_id: int
    owner: str
    conversation_status: str
    last_customer_at: datetime | None
    last_activity_at: datetime
    handoff_id: int | None
    reason: str | None
    label: str | None
    status: str | None
    agent_id: int | None
    agent_name: str | None
    queue: str | None
    opened_at: datetime | None
    wants: str | None
    urgency: int
    contact_name: str | None
    wa_id: str | None
    language: str | None
    lifecycle: str
    last_body: str
    last_author: str
    last_kind: str
    last_at: datetime | None


@dataclass(frozen=True)
class Counts:
    """How many hand-overs are open, have nobody, and are one agent's."""

    waiting: int
    unclaimed: int
    mine: int


@dataclass(frozen=True)
class BubbleRow:
    """A message with everything its bubble shows; `edits` is the message whose words it changed."""

    message_id: int
    author: str
    agent_name: str | None
    kind: str
    body: str
    transcript: str | None
    transcript_status: str | None
    transcript_confidence: float | None
    media_id: str | None
    media_mime_type: str | None
    media_voice: bool
    media_filename: str | None
    media_seconds: float | None
    recorded: bool
    file_id: int | None
    filename: str | None
    status: str | None
    edited_at: datetime | None
    earlier_body: str | None
    deleted_at: datetime | None
    edits: int | None
    sent_at: datetime
    language: str | None
    options: list[str]
    quoted: str | None
    sources: int
    outbox_state: str | None
    outbox_error: str | None
    turn_id: str | None
    failure: str | None


@dataclass(frozen=True)
class MessageRow:
    """Where a message belongs and where its file is; `turn_id` is the turn that said it, `phone_number_id`
    our number in its conversation."""

    message_id: int
    conversation_id: int
    media_id: str | None
    media_sha256: str | None
    media_mime_type: str | None
    media_filename: str | None
    file_id: int | None
    phone_number_id: str
    thread_id: str
    turn_id: str | None


@dataclass(frozen=True)
class HandoffOf:
    handoff_id: int
    status: str


@dataclass(frozen=True)
class Value:
    """What a customer has brought, in the business's currency."""

    visits: int
    missed: int
    spent: Decimal


@dataclass(frozen=True)
class _Queue:
    queue: str


async def page(
    tx: Tx, view: View, *, agent_id: int, queue: str | None = None, search: str = "", number: int = 1
) -> tuple[list[QueueRow], bool]:
    """A page of the queue, the most urgent first, and whether there is another after it.

    `search` looks for the beginnings of words in names, phone numbers and messages.
    """
    words = tsquery(search)
    if search.strip() and words is None:
        return [], False
    rows = await tx.all(
        QueueRow,
        "desk_page",
        view=view,
        agent_id=agent_id,
        queue=queue,
        words=words,
        most=PAGE + 1,
        skip=(number - 1) * PAGE,
    )
    return rows[:PAGE], len(rows) > PAGE


def tsquery(search: str) -> str | None:
    """What was typed as a text search that cannot be malformed: beginnings of words, all of them."""
    words = _SEARCHED.findall(search.replace("\x00", " "))[:_MOST_WORDS]
    return " & ".join(f"'{word[:60].lower()}':*" for word in words) or None


async def counts(tx: Tx, agent_id: int) -> Counts:
    """For the tabs of the queue."""
    return await tx.first(Counts, "desk_counts", agent_id=agent_id) or Counts(0, 0, 0)


async def queues(tx: Tx) -> list[str]:
    """The queues that something waits in."""
    return [row.queue for row in await tx.all(_Queue, "desk_queues")]


async def thread(
    tx: Tx, conversation_id: int, *, before: int | None = None, most: int = 60
) -> list[BubbleRow]:
    """The last messages of a conversation (before one of them), oldest first."""
    return await tx.all(
        BubbleRow, "thread_messages", conversation_id=conversation_id, before=before, most=most
    )


async def message(tx: Tx, message_id: int) -> MessageRow:
    """One message. Raises UnknownMessage."""
    row = await tx.first(MessageRow, "thread_message", message_id=message_id)
    if row is None:
        raise UnknownMessage(UnknownMessage.__doc__)
    return row


async def handoffs_of(tx: Tx, conversation_id: int) -> Sequence[HandoffOf]:
    """The hand-overs of a conversation, the latest first."""
    return await tx.all(HandoffOf, "conversation_handoffs", conversation_id=conversation_id)


async def value(tx: Tx, contact_id: int) -> Value:
    """What a customer has brought so far."""
    return await tx.first(Value, "contact_value", contact_id=contact_id) or Value(0, 0, Decimal(0))


async def attach(tx: Tx, contact_id: int, *, filename: str, mime_type: str, content: bytes) -> int:
    """Keeps a file that an agent is about to send; returns its id."""
    file_id: int = await tx.value(
        "attachment_insert", contact_id=contact_id, filename=filename, mime_type=mime_type, content=content
    )
    return file_id
