"""What a business is: a dozen queries, read again only when one of their rows has changed."""

import time
from collections import OrderedDict
from dataclasses import dataclass
from datetime import date
from typing import TypeVar

from crm import businesses
from crm.businesses import Profile
from crm.record import Crm, Tx

_TURN_S = 20.0  # longer than the machinery of a turn takes; one that takes longer asks again
_MOST = 256

Key = TypeVar("Key")
Value = TypeVar("Value")


@dataclass(frozen=True)
class _Read:
    """A profile as it was at a version, with the closures from a day on."""

    version: int
    day: date
    profile: Profile


class Profiles:
    """The profiles of the businesses and of the turns under way in this process.

    A turn's first node asks the record whether its business has changed, and the turn keeps to what it began
    with: a price that changes in the middle of a turn is the next turn's.
    """

    def __init__(self) -> None:
        self._businesses: OrderedDict[int, _Read] = OrderedDict()
        self._turns: OrderedDict[tuple[int, str], tuple[float, Profile]] = OrderedDict()

    async def begin(self, tx: Tx, turn_id: str, version: int | None = None) -> Profile:
        """The profile of the transaction's business for a turn that begins; `version` where it has just been
        asked for. Raises UnknownBusiness."""
        day = tx.now.date()
        if version is None:
            version = await businesses.profile_version(tx)
        read = self._businesses.get(tx.business_id)
        if read is None or (read.version, read.day) != (version, day):
            read = _Read(version, day, await businesses.profile(tx))
        _keep(self._businesses, tx.business_id, read)
        _keep(self._turns, (tx.business_id, turn_id), (time.monotonic(), read.profile))
        return read.profile

    async def of_turn(self, crm: Crm, business_id: int, turn_id: str) -> Profile:
        """The same that the turn began with; as it is now for one that was taken up later or elsewhere.

        Raises UnknownBusiness.
        """
        kept = self._turns.get((business_id, turn_id))
        if kept is not None and time.monotonic() - kept[0] < _TURN_S:
            return kept[1]
        async with crm.transaction(business_id) as tx:
            return await self.begin(tx, turn_id)


def _keep(kept: OrderedDict[Key, Value], key: Key, value: Value) -> None:
    kept[key] = value
    kept.move_to_end(key)
    while len(kept) > _MOST:
        kept.popitem(last=False)
