"""What falls through when a process dies: jobs nobody runs any more, events and messages without a job."""

from datetime import timedelta

import structlog
from procrastinate import Blueprint, JobContext

from crm import conversations, events, outbox, queue
from crm.queue import AdriftRow
from crm.record import SENDS, TURNS
from jobs.hooks import RUNNERS
from jobs.periodic import every
from jobs.services import Services, services_of
from jobs.watch import queue_due

log = structlog.get_logger(__name__)

_FORGOTTEN = timedelta(seconds=2)


def blueprint() -> Blueprint:
    """The task of this file, for one app: adding a blueprint to an app renames its tasks.

    Before any turn or delivery in the queue, since it may free one.
    """
    made = Blueprint()
    every(made, "* * * * * */2", "sweep", sweep, queue=queue.TURNS, priority=20)
    return made


async def sweep(job: JobContext, timestamp: int) -> None:
    """Every two seconds, by whichever worker comes first."""
    await sweep_once(services_of(job), own_job=job.job.id)


async def sweep_once(services: Services, *, own_job: int | None = None) -> None:
    """Frees the jobs of dead workers and queues work that has none; `own_job` is who is asking."""
    patience = services.patience
    async with services.crm.outside() as tx:
        adrift = await queue.adrift(
            tx,
            silent=timedelta(seconds=patience.dead_after_s),
            long=timedelta(seconds=patience.suspicious_after_s),
        )
        waiting = await conversations.with_waiting_events(tx, _FORGOTTEN)
        unsent = await outbox.with_open_rows(tx, _FORGOTTEN)
        hooked = await events.due_hooks(tx, tuple(RUNNERS), _FORGOTTEN)
    for job in adrift:
        if job.job_id != own_job:
            await _free(services, job)
    for row in waiting:
        async with services.crm.transaction(row.business_id) as tx:
            await queue.drain(tx, row.conversation_id, delay_s=0)
    for undelivered in unsent:
        async with services.crm.transaction(undelivered.business_id) as tx:
            await queue.send(tx, undelivered.conversation_id)
    for business_id in hooked:
        async with services.crm.transaction(business_id) as tx:
            await queue.hooks(tx)
    await queue_due(services)


async def _free(services: Services, job: AdriftRow) -> None:
    """A killed worker leaves its jobs running, and their locks with them. They are freed and queued anew:
    turns and deliveries both find out for themselves how far the dead one had come.

    Only the conversation's hold tells a dead worker from a late one: the database releases it when the
    worker's connection ends, and a worker that merely missed its heartbeats still has it.
    """
    if job.business_id is None or job.conversation_id is None:
        async with services.crm.outside() as tx:
            await queue.free(tx, job.job_id)
        return
    deliveries = job.task == queue.SEND_TASK
    async with services.crm.hold(job.conversation_id, SENDS if deliveries else TURNS) as nobody_there:
        pass
    if not nobody_there:
        return
    async with services.crm.transaction(job.business_id) as tx:
        if not await queue.free(tx, job.job_id):
            return
        if deliveries:
            await queue.send(tx, job.conversation_id)
        else:
            deaths = _deaths(services, job)
            await queue.drain(tx, job.conversation_id, delay_s=0, attempt=job.attempt, deaths=deaths)
    log.warning("orphan_job", job_id=job.job_id, task=job.task, conversation_id=job.conversation_id)


def _deaths(services: Services, job: AdriftRow) -> int:
    """How many workers died in this turn. A first death proves nothing: a worker killed by others takes many
    turns with it. Those that died often are tried alone and count themselves (jobs/drain.py)."""
    if not job.silent or job.deaths >= services.patience.suspect_after:
        return job.deaths
    return job.deaths + 1
