"""A shop whose team and other systems are on loopback."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import Any

from channels.outward.post import new_secret, opened
from crm import alerts, outward
from crm.sealing import Seal, new_key
from jobs.services import Outward, Services
from jobs.watch import queue_due
from tests.jobs.shop import Shop


@dataclass
class Told:
    """The shop with ways out of its own."""

    shop: Shop
    services: Services
    seal: Seal

    @property
    def business_id(self) -> int:
        return self.shop.business_id

    async def place(self, name: str, address: str, queue: str | None = None, kinds: Any = ()) -> int:
        """A place of the team."""
        sealed = self.seal.close(address.encode())
        async with self.services.crm.transaction(self.business_id) as tx:
            made = await alerts.add_target(tx, name, queue=queue, kinds=kinds, service="Test", sealed=sealed)
        assert made is not None
        return made

    async def system(self, url: str, *events: str, content: bool = False) -> tuple[int, str]:
        """Another system and its secret; without `events` it hears of leads."""
        secret = new_secret()
        async with self.services.crm.transaction(self.business_id) as tx:
            number = await outward.subscribe(
                tx,
                host="127.0.0.1",
                events=events or ("lead.*",),
                with_content=content,
                sealed_url=self.seal.close(url.encode()),
                sealed_secret=self.seal.close(secret.encode()),
            )
        return number, secret

    async def work(self) -> None:
        """What the sweep queues, and then every job that is due."""
        await queue_due(self.services)
        await self.shop.work()

    async def alerts(self, kind: str | None = None) -> list[dict[str, Any]]:
        query = "SELECT * FROM alert WHERE %s::text IS NULL OR kind = %s ORDER BY alert_id"
        return await self.shop.rows(query, kind, kind)

    async def deliveries(self) -> list[dict[str, Any]]:
        return await self.shop.rows("SELECT * FROM webhook_delivery ORDER BY webhook_delivery_id")

    async def now_is_later(self) -> None:
        """Whatever waits for a time is due, and nobody is left alone any more."""
        for table in ("alert", "webhook_delivery"):
            await self.shop.rows(f"UPDATE {table} SET next_attempt_at = now() WHERE state = 'queued'")
        for table in ("alert_target", "webhook_subscription"):
            await self.shop.rows(f"UPDATE {table} SET paused_until = NULL")


@asynccontextmanager
async def telling(shop: Shop, public_url: str | None = "https://sara.example") -> AsyncIterator[Told]:
    """Nobody is told anything before this block, nor after it."""
    seal = Seal([new_key()])
    async with opened(allow_private=True) as post:
        services = replace(shop.services, outward=Outward(seal=seal, post=post, public_url=public_url))
        yield Told(replace(shop, services=services), services, seal)
    await shop.rows("DELETE FROM alert_target")
    await shop.rows("DELETE FROM webhook_subscription")
