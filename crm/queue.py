"""Work handed to the job queue inside the transaction that makes it necessary.

Job arguments are ids only: the queue's tables are not under row-level security.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from psycopg.types.json import Jsonb

from crm.record import Ask, Crm, Tx

TURNS = "turns"
SENDS = "sends"
HOOKS = "hooks"
OUTWARD = "outward"

DRAIN_TASK = "sara:drain"
SEND_TASK = "sara:send"
HOOKS_TASK = "sara:hooks"
AGENDA_TASK = "sara:agenda"
BRIEF_TASK = "sara:brief"
ALERTS_TASK = "sara:alerts"
WEBHOOKS_TASK = "sara:webhooks"
CAMPAIGN_TASK = "sara:campaign"
FILE_TASK = "sara:file"


@dataclass(frozen=True)
class AdriftRow:
    """A job that counts as running, perhaps without anyone running it.

    Business and conversation are None for a job that is about no conversation; `attempt` is how often
    the turn had failed before, `deaths` how many workers had died in it. `silent`: its worker says nothing.
    """

    job_id: int
    task: str
    business_id: int | None
    conversation_id: int | None
    attempt: int
    deaths: int
    silent: bool


@dataclass(frozen=True)
class _WantedRow:
    queued: bool


@dataclass(frozen=True)
class _DueRow:
    seconds: float | None


async def drain(tx: Tx, conversation_id: int, *, delay_s: float, attempt: int = 0, deaths: int = 0) -> bool:
    """A turn for the waiting events of a conversation, `delay_s` ahead to gather a burst.

    False when one already waits; that one then counts `attempt` failures and `deaths` of workers, lest a
    customer who keeps writing hide that the turn fails every time. Hold the conversation's row: the job takes
    it before it reads events, so an event committed together with a swallowed duplicate is still seen.
    """
    lock = f"conv:{conversation_id}"
    args = {**_ids(tx, conversation_id), "attempt": attempt}
    if deaths:  # only then: a worker of an older version knows no such argument
        args["deaths"] = deaths
    queued = await _enqueue(tx, DRAIN_TASK, TURNS, 0, lock, args, delay_s)
    if not queued and (attempt or deaths):
        await tx.run("job_attempt", lock=lock, attempt=attempt, deaths=deaths)
    return queued


async def send(tx: Tx, conversation_id: int, *, delay_s: float = 0, campaign: bool = False) -> bool:
    """Delivery of a conversation's outbox, in order; before new turns, since somebody is waiting for it.

    For a campaign's message after everything that customers wait for. One that already waits, perhaps for a
    later time, is brought forward.
    """
    [[wanted]] = await tx.together([delivery(tx, conversation_id, delay_s=delay_s, campaign=campaign)])
    queued: bool = wanted.queued
    return queued


def delivery(tx: Tx, conversation_id: int, *, delay_s: float = 0, campaign: bool = False) -> Ask[_WantedRow]:
    """As `send`: to be asked together with what is to be delivered."""
    lock, priority = f"send:{conversation_id}", -15 if campaign else 10
    job = _job(SEND_TASK, SENDS, priority, lock, _ids(tx, conversation_id), delay_s)
    return Ask(_WantedRow, "job_wanted", job)


async def campaign(tx: Tx, campaign_id: int, *, delay_s: float = 0) -> bool:
    """The next messages of a campaign; after turns and deliveries."""
    args = {"business_id": tx.business_id, "campaign_id": campaign_id}
    return await _enqueue(tx, CAMPAIGN_TASK, HOOKS, -10, f"campaign:{campaign_id}", args, delay_s)


async def hooks(tx: Tx, *, delay_s: float = 0) -> bool:
    """What events of this business set in motion outside of the record; after turns and deliveries."""
    lock = f"hooks:{tx.business_id}"
    return await _enqueue(tx, HOOKS_TASK, HOOKS, -10, lock, {"business_id": tx.business_id}, delay_s)


async def alerts(tx: Tx, target_id: int) -> bool:
    """What one place of the team is to be told; after everything that customers wait for."""
    args = {"business_id": tx.business_id, "target_id": target_id}
    return await _enqueue(tx, ALERTS_TASK, OUTWARD, -10, f"alerts:{target_id}", args, 0)


async def webhooks(tx: Tx, subscription_id: int) -> bool:
    """What one other system is to be sent; after everything that customers wait for."""
    args = {"business_id": tx.business_id, "subscription_id": subscription_id}
    return await _enqueue(tx, WEBHOOKS_TASK, OUTWARD, -20, f"webhooks:{subscription_id}", args, 0)


async def file(tx: Tx, message_id: int, *, delay_s: float = 0, attempt: int = 0) -> bool:
    """A customer's file to be fetched while the channel has it; after turns and deliveries."""
    args = {"business_id": tx.business_id, "message_id": message_id, "attempt": attempt}
    # Each attempt under a lock of its own: the one that asks for the next still holds its lock.
    return await _enqueue(tx, FILE_TASK, HOOKS, -5, f"file:{message_id}:{attempt}", args, delay_s)


async def send_now(tx: Tx, conversation_id: int) -> None:
    """Delivery at once, also where a job already waits for later."""
    if not await send(tx, conversation_id):
        await tx.run("job_sooner", lock=f"send:{conversation_id}")


async def brief(tx: Tx, handoff_id: int) -> bool:
    """A model's summary and draft for whoever takes a hand-over; after turns and deliveries."""
    args = {"business_id": tx.business_id, "handoff_id": handoff_id}
    return await _enqueue(tx, BRIEF_TASK, TURNS, -5, f"brief:{handoff_id}", args, 0)


async def agenda(tx: Tx, *, delay_s: float = 0) -> bool:
    """A look at the business's agenda: places to give away, reminders; after turns and deliveries."""
    lock = f"agenda:{tx.business_id}"
    return await _enqueue(tx, AGENDA_TASK, HOOKS, -10, lock, {"business_id": tx.business_id}, delay_s)


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


def turn(tx: Tx, conversation_id: int, *, delay_s: float) -> Ask[None]:
    """As `drain`, of events of which no turn has failed: to be asked together with what else there is."""
    args = {**_ids(tx, conversation_id), "attempt": 0}
    return Ask(None, "enqueue", _job(DRAIN_TASK, TURNS, 0, f"conv:{conversation_id}", args, delay_s))


async def _enqueue(
    tx: Tx, task: str, queue: str, priority: int, lock: str, args: dict[str, int], delay_s: float
) -> bool:
    queued: bool = await tx.value("enqueue", **_job(task, queue, priority, lock, args, delay_s))
    return queued


def _job(
    task: str, queue: str, priority: int, lock: str, args: dict[str, int], delay_s: float
) -> dict[str, Any]:
    of = {"task": task, "queue": queue, "priority": priority, "lock": lock}
    return {**of, "args": Jsonb(args), "delay_s": delay_s}


async def due_in(crm: Crm, queues: Sequence[str]) -> float | None:
    """Seconds until the next job of these queues falls due; None when none waits for a later time."""
    [[next_]] = await crm.at_once(0, [Ask(_DueRow, "job_due_in", {"queues": list(queues)})])
    seconds: float | None = next_.seconds
    return seconds


async def workers_alive(tx: Tx, *, within_s: float) -> int:
    """How many workers said within the last seconds that they live."""
    return int(await tx.value("workers_alive", within_s=within_s))
