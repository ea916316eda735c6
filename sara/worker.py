"""Everything that runs turns and deliveries, opened in order and closed in reverse."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta

from procrastinate import App

from channels.outward import post
from crm.record import Crm
from db.checkpoints import TenantSaver
from db.pool import open_pool
from graph.build import build
from jobs.accounts import Accounts
from jobs.app import build_app
from jobs.services import Attention, Keeping, Outward, Patience, Services
from jobs.watching import Watching
from sara import connections, services
from sara.calendar_opener import calendar_opener
from sara.langsmith import traced
from sara.memory import give_back, giving_back
from sara.settings import Settings, langsmith


@dataclass(frozen=True)
class Worker:
    """A worker's queue and services."""

    app: App
    services: Services


@asynccontextmanager
async def open_worker(
    settings: Settings, dsn: str, crm: Crm, watching: Watching | None = None
) -> AsyncIterator[Worker]:
    """Everything that runs turns and deliveries."""
    watching = (watching or Watching()).at_work()
    async with AsyncExitStack() as stack:
        client = await stack.enter_async_context(services.whatsapp(settings))
        context = await stack.enter_async_context(
            services.thinking(settings, dsn, crm, client, watching=watching)
        )
        await asyncio.to_thread(give_back)
        await stack.enter_async_context(giving_back())
        most = connections.of_checkpoints(settings)
        checkpoints = await open_pool(dsn, max_size=most, name="checkpoints", pooled=settings.pooled)
        stack.push_async_callback(checkpoints.close)
        watching.exposition.pools |= {"record": crm.pool_stats, "checkpoints": checkpoints.get_stats}
        app = build_app(
            dsn,
            connections=connections.QUEUE,
            pooled=settings.pooled,
            listen_at=connections.listening_at(settings, dsn),
        )
        await stack.enter_async_context(app.open_async())
        saver = TenantSaver(checkpoints, services.state_cipher(settings))
        key = await asyncio.to_thread(services.secrets_seal, settings)
        poster = await stack.enter_async_context(post.opened(allow_private=settings.webhooks_allow_private))
        made = Services(
            crm=crm,
            machine=await stack.enter_async_context(traced(build(saver), langsmith())),
            context=context,
            client=client,
            patience=Patience(
                unknown_grace_s=settings.unknown_grace_s, unknown_hold_s=settings.unknown_hold_s
            ),
            clock=crm.clock,
            keep_audio=timedelta(days=settings.audio_days),
            keeping=Keeping(
                webhooks=timedelta(days=settings.webhook_days),
                threads=timedelta(days=settings.thread_days),
                turns=settings.thread_turns,
                statuses=timedelta(days=settings.status_days),
                contacts=timedelta(days=settings.contact_days) if settings.contact_days else None,
                trail=timedelta(days=settings.trail_days),
            ),
            outward=Outward(seal=key, post=poster, public_url=settings.public_url),
            calendars=await stack.enter_async_context(calendar_opener(settings, key)),
            accounts=Accounts(client, crm, key),
            watching=watching,
            attention=Attention(
                apologise_after=settings.handoff_apology_minutes, idle_after=settings.handoff_idle_minutes
            ),
        )
        yield Worker(app, made)
