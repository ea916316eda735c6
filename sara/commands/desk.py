"""One business's record and the key of its secrets, for the commands that deal with other systems."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from crm import businesses
from crm.record import Crm
from crm.sealing import Seal
from db import embedded
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


def require_database(settings: Settings) -> None:
    """For commands about what there is: raises CommandFailed where opening would make a new, empty database.

    That is what happens by hand on a server whose settings only its services have.
    """
    if not settings.database_url and not embedded.exists(settings.data_dir):
        raise CommandFailed(
            f"there is no database in {settings.data_dir.absolute()}: set SARA_DATABASE_URL,"
            " or SARA_DATA_DIR to where it is"
        )


@asynccontextmanager
async def desk_of(slug: str) -> AsyncIterator[Desk]:
    """The desk of a business. Raises CommandFailed, UnknownBusiness, DatabaseError."""
    settings = load()
    await asyncio.to_thread(require_database, settings)
    async with services.database(settings) as dsn, services.record(settings, dsn) as crm:
        async with crm.outside() as tx:
            business_id = await businesses.of_slug(tx, slug)
        yield Desk(settings, crm, business_id, dsn)
