"""Whose token a call is made with: a number's own, where its business has an account of its own at Meta."""

import time

from channels.whatsapp.client import WhatsAppClient
from crm import accounts
from crm.record import Crm
from crm.sealing import Seal

_KEPT_S = 15.0


class Accounts:
    """Clients by number, looked up in the record and remembered for a few seconds."""

    def __init__(self, client: WhatsAppClient, crm: Crm, seal: Seal | None) -> None:
        """`client` holds the installation's token, for numbers without one of their own."""
        self._client = client
        self._crm = crm
        self._seal = seal
        self._known: dict[str, tuple[float, WhatsAppClient]] = {}

    async def of(self, business_id: int, phone_number_id: str, *, fresh: bool = False) -> WhatsAppClient:
        """The client of a number; `fresh` looks it up anew, as after a token was changed.

        Raises NotOurSeal when the token was encrypted with a key that is no longer here.
        """
        found = self._known.get(phone_number_id)
        if found and not fresh and time.monotonic() - found[0] < _KEPT_S:
            return found[1]
        client = self._client
        if self._seal is not None:
            async with self._crm.transaction(business_id) as tx:
                sealed = await accounts.token(tx, phone_number_id)
            if sealed is not None:
                client = client.with_token(self._seal.open(sealed).decode())
        self._known[phone_number_id] = (time.monotonic(), client)
        return client

    async def of_business(self, business_id: int) -> WhatsAppClient:
        """The client of a business's first number that has a token of its own, else the installation's."""
        if self._seal is None:
            return self._client
        async with self._crm.transaction(business_id) as tx:
            numbers = [row.phone_number_id for row in await accounts.listed(tx) if row.own_token]
        return await self.of(business_id, numbers[0]) if numbers else self._client

    async def of_account(self, business_id: int, waba_id: str) -> WhatsAppClient:
        """The client of an account: with the token of its number, or of the business's where none of its
        numbers is known to belong to that account."""
        async with self._crm.transaction(business_id) as tx:
            numbers = [row for row in await accounts.listed(tx) if row.waba_id == waba_id]
        numbers.sort(key=lambda row: not row.own_token)
        if not numbers:
            return await self.of_business(business_id)
        return await self.of(business_id, numbers[0].phone_number_id)
