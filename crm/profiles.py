"""What a business is, read once in a turn: its nodes all ask for it, and it is a dozen queries."""

import time
from collections import OrderedDict

from crm import businesses
from crm.businesses import Profile
from crm.record import Crm, Tx

_KEPT_S = 20.0  # longer than the machinery of a turn takes, too short for a change to be missed
_MOST = 256


class Profiles:
    """The profiles of the turns under way in this process. A turn's first node reads, the others share it."""

    def __init__(self) -> None:
        self._read: OrderedDict[tuple[int, str], tuple[float, Profile]] = OrderedDict()

    async def begin(self, tx: Tx, turn_id: str) -> Profile:
        """Reads the profile of the transaction's business for a turn that begins. Raises UnknownBusiness."""
        profile = await businesses.profile(tx)
        key = (profile.business.business_id, turn_id)
        self._read[key] = (time.monotonic(), profile)
        self._read.move_to_end(key)
        while len(self._read) > _MOST:
            self._read.popitem(last=False)
        return profile

    async def of_turn(self, crm: Crm, business_id: int, turn_id: str) -> Profile:
        """The same that the turn began with; read again for one that was taken up later or elsewhere.

        Raises UnknownBusiness.
        """
        kept = self._read.get((business_id, turn_id))
        if kept is not None and time.monotonic() - kept[0] < _KEPT_S:
            return kept[1]
        async with crm.transaction(business_id) as tx:
            return await self.begin(tx, turn_id)
