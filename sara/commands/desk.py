"""One business's record and the key of its secrets, for the commands that deal with other systems."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from crm import businesses
from crm.record import Crm
from crm.sealing import Seal
from sara import services
from sara.commands.failures import CommandFailed
from sara.settings import Settings, load


@dataclass(frozen=True)
class Desk:
    """What such a command works with."""

    settings: Settings
    crm: Crm
    business_id: int
    dsn: str

    @property
    def seal(self) -> Seal:
        """What encrypts addresses and secrets. Raises CommandFailed where there is no key."""
        seal = services.secrets_seal(self.settings)
        if seal is None:
            raise CommandFailed(
                "set SARA_SECRET_KEY, the same on every machine: `openssl rand -base64 32` makes one"
            )
        return seal


@asynccontextmanager
async def desk_of(slug: str) -> AsyncIterator[Desk]:
    """The desk of a business. Raises UnknownBusiness, DatabaseError."""
    settings = load()
    async with services.database(settings) as dsn, services.record(settings, dsn) as crm:
        async with crm.outside() as tx:
            business_id = await businesses.of_slug(tx, slug)
        yield Desk(settings, crm, business_id, dsn)
