"""Where the steps test plays: a shop on an event loop of its own, which stands still between the steps."""

import asyncio
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import psycopg

from crm import businesses
from jobs.services import Services
from sara.commands.loop import configure_logging
from tests.chaos.steps.commits import mortal
from tests.chaos.steps.customer import owner_of
from tests.jobs.shop import QUICK, Shop, opened

# Longer than what a delivery sleeps through: else one that hears nothing would sleep on until it gives up.
PATIENCE = replace(QUICK, unknown_grace_s=0.3, unknown_outage_s=0.3, unknown_block_s=1e6)

# Where a row is claimed, with the conversation's row locked: by whose right, and whether it was wanted.
CLAIMS = """
CREATE TABLE claimed (n bigint GENERATED ALWAYS AS IDENTITY, outbox_id bigint, turn_id text, author text,
    epoch int, epoch_now int, owner text, of_handoff boolean, unasked boolean, out boolean);
CREATE FUNCTION claimed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO claimed (outbox_id, turn_id, author, epoch, epoch_now, owner, of_handoff, unasked, out)
    SELECT NEW.outbox_id, NEW.turn_id, m.author, NEW.epoch, c.epoch, c.owner,
        EXISTS (SELECT FROM handoff h WHERE h.turn_id = NEW.turn_id), NEW.purpose IS NOT NULL,
        k.opted_out_at IS NOT NULL
    FROM conversation c, message m, contact k
    WHERE c.conversation_id = NEW.conversation_id AND m.message_id = NEW.message_id
        AND k.contact_id = c.contact_id;
    RETURN NULL;
END $$;
GRANT INSERT ON claimed TO sara_app;
CREATE TRIGGER claims AFTER UPDATE OF state ON outbox FOR EACH ROW WHEN (NEW.state = 'sending')
    EXECUTE FUNCTION claimed();
"""
# Open day and night: what a timer does must not depend on when the tests run.
ALWAYS_OPEN = """
DELETE FROM closure;
DELETE FROM opening_hours;
INSERT INTO opening_hours SELECT business_id, location_id, day, '00:00', '23:59:59'
    FROM location, generate_series(0, 6) day;
"""


@dataclass
class Stage:
    """What all customers of the test share."""

    runner: asyncio.Runner
    shop: Shop
    owner: psycopg.AsyncConnection[dict[str, Any]]
    services: Services
    agents: list[int]
    people: int = 0
    steps: int = 0
    others: int = 0

    def run(self, work: Coroutine[Any, Any, Any]) -> Any:
        """Work on the stage's loop; between two such calls everything stands still."""
        return self.runner.run(work)

    async def claims(self) -> int:
        """The last claim of a message so far."""
        found = await self.owner.execute("SELECT coalesce(max(n), 0) AS n FROM claimed")
        return int((await found.fetchall())[0]["n"])


@contextmanager
def set_up(folder: Path) -> Iterator[Stage]:
    """The stage, and everything on it closed at the end."""
    closing = asyncio.Event()

    async def kept(opens: "asyncio.Future[Shop]") -> None:
        async with opened(folder) as shop:
            opens.set_result(shop)
            await closing.wait()

    async def open_it() -> tuple[Stage, "asyncio.Task[None]"]:
        opens: asyncio.Future[Shop] = asyncio.get_running_loop().create_future()
        keeping = asyncio.create_task(kept(opens))
        await asyncio.wait({opens, keeping}, return_when=asyncio.FIRST_COMPLETED)
        if keeping.done():
            keeping.result()
        shop = opens.result()
        await shop.rows(CLAIMS)
        await shop.rows(ALWAYS_OPEN)
        async with shop.crm.transaction(shop.business_id) as tx:
            agents = [agent.agent_id for agent in await businesses.agents(tx)][:2]
        services = mortal(replace(shop.services, patience=PATIENCE))
        return Stage(runner, shop, await owner_of(shop), services, agents), keeping

    async def close_it(stage: Stage, keeping: "asyncio.Task[None]") -> None:
        await stage.owner.close()
        closing.set()
        await keeping

    with asyncio.Runner() as runner:
        configure_logging("critical")  # failures are part of it
        stage, keeping = runner.run(open_it())
        yield stage
        runner.run(close_it(stage, keeping))
