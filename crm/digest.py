"""The week in figures: whether a business wants it, when it is due, and that it is told once."""

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from crm.analytics import Period
from crm.errors import UnknownBusiness
from crm.record import Tx

KIND = "weekly_digest"
COMES_AT = time(8)  # on Mondays, by the clock of the business
_LATEST = timedelta(hours=40)  # after it, at the end of Tuesday, it is no news any more


@dataclass(frozen=True)
class DigestRow:
    """Whether the team wants it, and the Monday it was last told on."""

    wanted: bool
    told_on: date | None


async def state(tx: Tx) -> DigestRow:
    """As the business has it. Raises UnknownBusiness."""
    found = await tx.first(DigestRow, "digest_state")
    if found is None:
        raise UnknownBusiness(UnknownBusiness.__doc__)
    return found


async def claim(tx: Tx, monday: date) -> bool:
    """Whether this Monday's is still to be told; if so, it is told with this transaction and never again."""
    return await tx.value("digest_claim", monday=monday) is not None


async def put(tx: Tx, *, wanted: bool) -> None:
    """Turns it on or off."""
    await tx.run("digest_put", wanted=wanted)


def due(now: datetime, time_zone: str) -> Period | None:
    """The week to tell about at that moment, Monday to Sunday; None when none is due.

    One that an outage held up is told until Tuesday is over.
    """
    local = now.astimezone(ZoneInfo(time_zone))
    monday = local.date() - timedelta(days=local.weekday())
    begins = datetime.combine(monday, COMES_AT)
    if not timedelta() <= local.replace(tzinfo=None) - begins < _LATEST:
        return None
    return Period(monday - timedelta(days=7), monday - timedelta(days=1))
