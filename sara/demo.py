"""The demo's world: an embedded database with three businesses and their documents."""

import asyncio
import os
from collections.abc import Callable, Collection
from pathlib import Path

from crm import businesses, logins, passwords, queue, registry
from crm.record import Crm
from knowledge import ingest as ingestion
from knowledge.business_file import seed_documents
from sara import seed, services
from sara.settings import Settings

JOURNEYS = Path(__file__).parent / "journeys"
Report = Callable[[str], None]
WORKER_SEEN_WITHIN_S = 10.0


class DocumentsNotRead(Exception):
    """The demo's own documents could not all be ingested."""


async def prepare(
    settings: Settings, dsn: str, crm: Crm, *, report: Report, reading: Collection[str] | None = None
) -> None:
    """Enters the businesses and ingests their documents; what is there already stays as it is.

    With `reading` only the documents of these businesses. Raises DocumentsNotRead.
    """
    entered = await seed.enter_seeds(crm)
    model, telling = services.embedder(settings), services.telling_languages()
    async with services.knowledge(settings, dsn, model, create=True) as store:
        for slug, business_id in entered.items():
            if reading is not None and slug not in reading:
                continue
            done = await ingestion.ingest(
                await asyncio.to_thread(_folders, slug),
                business_id=business_id,
                store=store,
                detect=telling,
                at_once=os.cpu_count() or 1,
            )
            if done.failed:
                raise DocumentsNotRead(f"{slug}: {done.failed[0].path}: {done.failed[0].error}")
            report(f"{slug}: {done.added + done.updated} documents read, {done.unchanged} unchanged")


async def is_for_the_demo(crm: Crm, business: str | None) -> bool:
    """Whether `prepare` may enter the demo's businesses for whoever wants to talk to this one (None: any).

    Somebody's own businesses get no strangers beside them: not where the one named is there, nor where it
    is mistyped.
    """
    async with crm.outside() as tx:
        there = {entry.slug for entry in await businesses.directory(tx)}
    demo = {one.slug for one in await asyncio.to_thread(seed.seeds)}
    named_and_missing = business is None or (business in demo and business not in there)
    return not there or demo <= there or named_and_missing


async def others(crm: Crm) -> set[str]:
    """The slugs of the businesses there that are not the demo's."""
    async with crm.outside() as tx:
        there = {entry.slug for entry in await businesses.directory(tx)}
    return there - {one.slug for one in await asyncio.to_thread(seed.seeds)}


async def busy(crm: Crm) -> bool:
    """Whether workers are at work on the database."""
    async with crm.outside() as tx:
        return bool(await queue.workers_alive(tx, within_s=WORKER_SEEN_WITHIN_S))


def _folders(slug: str) -> list[Path]:
    return sorted({path.parent for path in seed_documents(slug)})


async def login(crm: Crm, slug: str = "aurora") -> tuple[str, str]:
    """An agent of a demo business and a fresh API token for that agent."""
    business = next(b for b in seed.seeds() if b.slug == slug)
    async with crm.as_owner() as tx:
        return business.agents[0].email, await registry.new_token(tx, business.agents[0].email)


async def password(crm: Crm, email: str) -> str:
    """A fresh password for the console; the sessions opened with an earlier one end."""
    made = passwords.invented()
    async with crm.as_owner() as tx:
        await logins.set_password(tx, email, made)
    return made


def journeys() -> list[Path]:
    """The scripts `sara demo --once` plays, one per business."""
    return sorted(JOURNEYS.glob("*.yaml"))


async def undisturbed(settings: Settings) -> Settings:
    """The settings, or the same with a data folder of their own beside a demo that is running.

    Its worker would take the turns of a scripted conversation and answer to its own simulator.
    """
    if settings.database_url:
        return settings
    async with services.database(settings) as dsn, services.record(settings, dsn) as crm:
        at_work = await busy(crm)
    return settings.model_copy(update={"data_dir": settings.data_dir / "aside"}) if at_work else settings
