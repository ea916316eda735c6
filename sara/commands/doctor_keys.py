"""The doctor's look at what is sealed: whether the keys that are here open it."""

from collections.abc import Sequence

from crm import rekeying
from crm.record import Crm
from crm.rekeying import Stock
from db.errors import DatabaseError
from sara import services
from sara.commands.findings import BAD, OK, Finding
from sara.commands.keys import keyring, mend
from sara.settings import Settings

ADDRESSES = ("alert_target", "webhook_subscription")


async def of_keys(settings: Settings) -> list[Finding]:
    """Whether everything that was looked at opens: after a move the keys may have stayed behind."""
    try:
        async with services.database(settings) as dsn, services.record(settings, dsn) as crm:
            closed = await closed_here(settings, crm)
    except DatabaseError:
        return []  # already among the findings
    if not closed:
        return [Finding("keys", OK, "nothing is sealed with a key that is not here")]
    return [Finding("keys", BAD, told(closed), mend(settings, {one.place.purpose for one in closed}))]


async def closed_here(settings: Settings, crm: Crm) -> list[Stock]:
    """What no key of this installation opens, looked for as far as is quickly done; makes no key."""
    return await rekeying.closed(crm, keyring(settings, make=False))


def told(closed: Sequence[Stock]) -> str:
    """That, in words: a count is of what was looked at, so that there may be more."""
    places = ", ".join(f"{one.lost} in {one.place.table}.{one.place.column}" for one in closed)
    return f"no key that is here opens what is sealed, at least {places}"
