"""Work handed to the job queue inside the transaction that makes it necessary.

Job arguments are ids only: the queue's tables are not under row-level security.
"""

from dataclasses import dataclass
from datetime import timedelta

from psycopg.types.json import Jsonb

from crm.record import Tx

TURNS = "turns"
SENDS = "sends"

DRAIN_TASK = "sara:drain"
SEND_TASK = "sara:send"


@dataclass(frozen=True)
class AdriftRow:
    """A job that counts as running, perhaps without anyone running it.

    Business and conversation are None for a job that is about no conversation; `attempt` is how often
    the turn had failed before.
    """

    job_id: int
    task: str
    business_id: int | None
    conversation_id: int | None
    attempt: int


async def drain(tx: Tx, conversation_id: int, *, delay_s: float, attempt: int = 0) -> bool:
    """A turn for the waiting events of a conversation, `delay_s` ahead to gather a burst.

    False when one already waits; that one then counts `attempt` failures, lest a customer who keeps
    writing hide that the turn fails every time. Hold the conversation's row: the job takes it before it
    reads events, so an event committed together with a swallowed duplicate is still seen.
    """
    lock = f"conv:{conversation_id}"
    args = {**_ids(tx, conversation_id), "attempt": attempt}
    queued = await _enqueue(tx, DRAIN_TASK, TURNS, 0, lock, args, delay_s)
    if not queued and attempt:
        await tx.run("job_attempt", lock=lock, attempt=attempt)
    return queued


async def send(tx: Tx, conversation_id: int, *, delay_s: float = 0) -> bool:
    """Delivery of a conversation's outbox, in order; before new turns, since somebody is waiting for it."""
    lock = f"send:{conversation_id}"
    return await _enqueue(tx, SEND_TASK, SENDS, 10, lock, _ids(tx, conversation_id), delay_s)


async def adrift(tx: Tx, *, silent: timedelta, long: timedelta) -> list[AdriftRow]:
    """Running jobs, of any tenant, whose worker has been silent for `silent`, or that run for over `long`.

    Neither proves that nobody runs them: ask for the conversation's hold before freeing one.
    """
    return await tx.all(AdriftRow, "jobs_adrift", silent=silent, long=long)


async def free(tx: Tx, job_id: int) -> bool:
    """Takes a job that nobody runs out of the queue, and its locks with it; False when it has ended."""
    return await tx.value("job_free", job_id=job_id) is not None


def _ids(tx: Tx, conversation_id: int) -> dict[str, int]:
    return {"business_id": tx.business_id, "conversation_id": conversation_id}


async def _enqueue(
    tx: Tx, task: str, queue: str, priority: int, lock: str, args: dict[str, int], delay_s: float
) -> bool:
    queued: bool = await tx.value(
        "enqueue", task=task, queue=queue, priority=priority, lock=lock, args=Jsonb(args), delay_s=delay_s
    )
    return queued


async def workers_alive(tx: Tx, *, within_s: float) -> int:
    """How many workers said within the last seconds that they live."""
    return int(await tx.value("workers_alive", within_s=within_s))
