"""Work handed to the job queue inside the transaction that makes it necessary.

Job arguments are ids only: the queue's tables are not under row-level security.
"""

from psycopg.types.json import Jsonb

from crm.record import Tx

TURNS = "turns"
SENDS = "sends"


async def drain(tx: Tx, conversation_id: int, *, delay_s: float, attempt: int = 0) -> bool:
    """A turn for the waiting events of a conversation, `delay_s` ahead to gather a burst.

    False when one already waits. Hold the conversation's row: the job takes it before it reads events,
    so an event committed together with a swallowed duplicate is still seen.
    """
    args = {**_ids(tx, conversation_id), "attempt": attempt}
    return await _enqueue(tx, "sara:drain", TURNS, 0, f"conv:{conversation_id}", args, delay_s)


async def send(tx: Tx, conversation_id: int, *, delay_s: float = 0) -> bool:
    """Delivery of a conversation's outbox, in order; before new turns, since somebody is waiting for it."""
    lock = f"send:{conversation_id}"
    return await _enqueue(tx, "sara:send", SENDS, 10, lock, _ids(tx, conversation_id), delay_s)


def _ids(tx: Tx, conversation_id: int) -> dict[str, int]:
    return {"business_id": tx.business_id, "conversation_id": conversation_id}


async def _enqueue(
    tx: Tx, task: str, queue: str, priority: int, lock: str, args: dict[str, int], delay_s: float
) -> bool:
    queued: bool = await tx.value(
        "enqueue", task=task, queue=queue, priority=priority, lock=lock, args=Jsonb(args), delay_s=delay_s
    )
    return queued
