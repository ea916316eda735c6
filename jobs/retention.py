"""What may be kept only for a time is deleted when it is over: the sound of voice notes, customers' files,
raw webhooks, what threads remember, customers not heard of for long."""

import structlog
from procrastinate import Blueprint, JobContext

from crm import inbound_files, queue, recordings
from crm.errors import ContactBusy, SomethingOpen
from crm.privacy import erasure, keeping
from jobs.periodic import every
from jobs.services import Services, services_of

log = structlog.get_logger(__name__)

_THREADS_AT_ONCE = 500
_CONTACTS_AT_ONCE = 200


def blueprint() -> Blueprint:
    """The task of this file, for one app: adding a blueprint to an app renames its tasks."""
    made = Blueprint()
    every(made, "17 * * * *", "retention", retention, queue=queue.TURNS)
    return made


async def retention(job: JobContext, timestamp: int) -> None:
    """Every hour, by whichever worker comes first."""
    services = services_of(job)
    await forget_audio(services)
    await forget_raw(services)
    await forget_contacts(services)


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


async def forget_raw(services: Services) -> tuple[int, int]:
    """Deletes raw webhooks and the checkpoints of closed conversations that are older than the settings.

    Returns how many bodies and threads. Threads go in portions, each in a transaction of its own.
    """
    async with services.crm.outside() as tx:
        bodies = await keeping.forget_webhooks(tx, services.keeping.webhooks)
    threads = 0
    while True:
        async with services.crm.outside() as tx:
            gone = await keeping.forget_threads(tx, services.keeping.threads, most=_THREADS_AT_ONCE)
        threads += gone
        if gone < _THREADS_AT_ONCE:
            break
    if bodies or threads:
        log.info("raw_forgotten", webhooks=bodies, threads=threads)
    return bodies, threads


async def forget_contacts(services: Services) -> int:
    """Erases customers not heard of for as long as the setting says and with whom nothing is open.

    At most so many an hour; without the search of the whole database that `sara contact erase` makes.
    """
    if services.keeping.contacts is None:
        return 0
    async with services.crm.outside() as tx:
        due = await keeping.out_of_time(tx, services.keeping.contacts, most=_CONTACTS_AT_ONCE)
    erased = 0
    for row in due:
        try:
            await erasure.erase(services.crm, row.business_id, row.contact_id, cause="retention", prove=False)
            erased += 1
        except (ContactBusy, SomethingOpen) as error:  # wrote or booked a moment ago
            log.info("contact_not_erased", contact_id=row.contact_id, why=type(error).__name__)
    if erased:
        log.info("contacts_erased", contacts=erased)
    return erased
