"""A business with years behind it, written by SQL alone, for benchmarks of how costs grow."""

from crm.record import Tx

MESSAGES_EACH = 50
"""Of one customer, in two conversations that are over."""
FIRST = 39_770_000_000
"""The wa_id of the first of these customers; the others follow it."""

_PARTS = (
    "past_contacts",
    "past_talks",
    "past_messages",
    "past_events",
    "past_outbox",
    "past_statuses",
    "past_turns",
)
TABLES = ("contact", "conversation", "message", "inbox_event", "outbox", "message_status", "turn")


async def live_through(tx: Tx, business_id: int, phone_number_id: str, customers: int) -> int:
    """Adds `customers` with all that was said, sent and done with them in a year; returns the messages.

    As the database's superuser: triggers and foreign keys are left out, which such rows keep by themselves.
    """
    await tx.run("past_unchecked")
    given = {
        "business": business_id,
        "phone_number_id": phone_number_id,
        "customers": customers,
        "first": FIRST,
    }
    for part in _PARTS:
        await tx.run(part, **given, each=MESSAGES_EACH // 2)
    return customers * MESSAGES_EACH


async def checkpoint_bytes(tx: Tx, thread_id: str) -> int:
    """How much a thread keeps, over all its checkpoints."""
    return int(await tx.value("past_checkpoint_bytes", thread=thread_id))


async def read_in_full(tx: Tx) -> int:
    """Rows of the large tables that were read without an index, since the database was made."""
    return int(await tx.value("past_read_in_full", tables=list(TABLES)))


async def open_conversation(tx: Tx, wa_id: str) -> int:
    """The open conversation of a customer who has written just now."""
    return int(await tx.value("past_open_conversation", wa_id=wa_id))


async def arrived(tx: Tx, conversation_id: int) -> None:
    """What waits in a conversation's outbox was taken, delivered and read; and the queue is empty."""
    await tx.run("past_read", conversation_id=conversation_id)
    await tx.run("past_accepted", conversation_id=conversation_id)
    await tx.run("past_no_jobs")
