"""What may be kept only for a time is deleted when it is over: the sound of voice notes, customers' files,
raw webhooks, work that is done, what threads remember, customers not heard of for long, what the team was
told, and who looked at what."""

from collections.abc import Awaitable, Callable
from datetime import timedelta

import structlog
from procrastinate import Blueprint, JobContext

from crm import alerts, businesses, conversations, inbound_files, queue, recordings, trail
from crm.errors import ContactBusy, SomethingOpen
from crm.privacy import erasure, keeping
from crm.record import Tx
from jobs.periodic import every
from jobs.services import Services, services_of

log = structlog.get_logger(__name__)

_CLOSED_AT_ONCE = 500
_THREADS_AT_ONCE = 500
_PRUNED_AT_ONCE = 100
_EVENTS_AT_ONCE = 20_000
_CONTACTS_AT_ONCE = 200
_LOOKS_AT_ONCE = 5_000
_TOLD_KEPT = timedelta(days=30)  # alerts and webhook deliveries, once settled


def blueprint() -> Blueprint:
    """The task of this file, for one app: adding a blueprint to an app renames its tasks."""
    made = Blueprint()
    every(made, "17 * * * *", "retention", retention, queue=queue.TURNS)
    return made


async def retention(job: JobContext, timestamp: int) -> None:
    """Every hour, by whichever worker comes first."""
    services = services_of(job)
    await forget_audio(services)
    await close_idle(services)
    await forget_raw(services)
    await prune_threads(services)
    await forget_events(services)
    await forget_contacts(services)
    await forget_told(services)
    await forget_trail(services)


async def forget_audio(services: Services) -> int:
    """Deletes recordings and customers' files older than the setting, of every business; how many recordings.

    Transcripts and captions stay.
    """
    async with services.crm.outside() as tx:
        gone = await recordings.forget(tx, services.keep_audio)
        await inbound_files.forget(tx, services.keep_audio)
    if gone:
        log.info("audio_forgotten", recordings=gone, days=services.keep_audio.days)
    return gone


async def close_idle(services: Services) -> int:
    """Ends conversations whose 24 idle hours are over, business by business; how many.

    A customer who writes again ends their last one by that. For whoever does not, this does: only what ended
    is forgotten.
    """
    async with services.crm.outside() as tx:
        directory = await businesses.directory(tx)
    closed = 0
    for entry in directory:
        last = _CLOSED_AT_ONCE
        while last >= _CLOSED_AT_ONCE:
            async with services.crm.transaction(entry.business_id) as tx:
                last = await conversations.close_idle(tx, most=_CLOSED_AT_ONCE)
            closed += last
    if closed:
        log.info("idle_closed", conversations=closed)
    return closed


async def forget_raw(services: Services) -> tuple[int, int]:
    """Deletes raw webhooks and the checkpoints of closed conversations that are older than the settings.

    Returns how many bodies and threads. Threads go in portions, each in a transaction of its own.
    """
    async with services.crm.outside() as tx:
        bodies = await keeping.forget_webhooks(tx, services.keeping.webhooks)

    async def portion(tx: Tx) -> int:
        return await keeping.forget_threads(tx, services.keeping.threads, most=_THREADS_AT_ONCE)

    threads = await _in_portions(services, portion, _THREADS_AT_ONCE)
    if bodies or threads:
        log.info("raw_forgotten", webhooks=bodies, threads=threads)
    return bodies, threads


async def prune_threads(services: Services) -> int:
    """Makes the threads of open conversations shorter, down to the turns of the setting; how many checkpoints
    went. In portions, each in a transaction of its own."""
    after: int | None = 0
    pruned = 0
    while after is not None:
        async with services.crm.outside() as tx:
            done = await keeping.prune_threads(tx, services.keeping.turns, after=after, most=_PRUNED_AT_ONCE)
        pruned, after = pruned + done.pruned, done.last
    if pruned:
        log.info("threads_pruned", checkpoints=pruned)
    return pruned


async def forget_events(services: Services) -> int:
    """Deletes the work that is done, as old as raw webhooks may become; how many events."""

    async def portion(tx: Tx) -> int:
        return await keeping.forget_events(tx, services.keeping.webhooks, most=_EVENTS_AT_ONCE)

    if forgotten := await _in_portions(services, portion, _EVENTS_AT_ONCE):
        log.info("events_forgotten", events=forgotten)
    return forgotten


async def _in_portions(services: Services, portion: Callable[[Tx], Awaitable[int]], most: int) -> int:
    """Runs `portion`, each in a transaction of its own, until one is less than `most`; how much in all."""
    gone, last = 0, most
    while last >= most:
        async with services.crm.outside() as tx:
            last = await portion(tx)
        gone += last
    return gone


async def forget_contacts(services: Services) -> int:
    """Erases customers not heard of for as long as the setting says and with whom nothing is open.

    At most so many an hour; without the search of the whole database that `sara contact erase` makes.
    """
    unheard_for = services.keeping.contacts
    if unheard_for is None:
        return 0
    async with services.crm.outside() as tx:
        due = await keeping.out_of_time(tx, unheard_for, most=_CONTACTS_AT_ONCE)
    erased = 0
    for row in due:
        try:
            await erasure.erase(
                services.crm,
                row.business_id,
                row.contact_id,
                cause="retention",
                prove=False,
                unheard_for=unheard_for,
            )
            erased += 1
        except (ContactBusy, SomethingOpen) as error:  # wrote or booked a moment ago
            log.info("contact_not_erased", contact_id=row.contact_id, why=type(error).__name__)
    if erased:
        log.info("contacts_erased", contacts=erased)
    return erased


async def forget_told(services: Services) -> int:
    """Deletes alerts and webhook deliveries settled longer ago: they hold what customers said; how many."""
    async with services.crm.outside() as tx:
        gone = await alerts.forget(tx, _TOLD_KEPT)
    if gone:
        log.info("told_forgotten", rows=gone)
    return gone


async def forget_trail(services: Services) -> int:
    """Deletes what was written down longer ago of who looked and came in, in portions; how much."""

    async def portion(tx: Tx) -> int:
        return await trail.forget(tx, services.keeping.trail, most=_LOOKS_AT_ONCE)

    if gone := await _in_portions(services, portion, _LOOKS_AT_ONCE):
        log.info("trail_forgotten", rows=gone, days=services.keeping.trail.days)
    return gone
