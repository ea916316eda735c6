"""Voice notes fetched through the channel."""

from channels.whatsapp.client import WhatsAppClient
from channels.whatsapp.errors import (
    AccessDenied,
    InvalidParameter,
    MediaCorrupt,
    MediaGone,
    MediaHostRefused,
    MediaTooBig,
    TokenExpired,
)
from db.tenancy import current_tenant
from graph.context import MediaUnusable
from jobs.accounts import Accounts


class ChannelMedia:
    """Downloads by media id, whole and verified. Errors worth another try pass through."""

    def __init__(self, client: WhatsAppClient, *, most_bytes: int, accounts: Accounts | None = None) -> None:
        """With `accounts` the token is that of the number, of the business of the enclosing `tenant`."""
        self._client = client
        self._accounts = accounts
        self._most_bytes = most_bytes

    async def fetch(self, media_id: str, sha256: str | None, phone_number_id: str) -> bytes:
        """The bytes. What arrives damaged is fetched once more before it counts as unusable.

        `sha256` is the digest of the webhook, which counts where the media API names none; the file was
        sent to the number `phone_number_id`, and no other number's token gets it.
        """
        try:
            try:
                return await self._once(media_id, sha256, phone_number_id)
            except MediaCorrupt:
                return await self._once(media_id, sha256, phone_number_id)
        # An id Meta does not know (any more) is answered with code 100, invalid parameter.
        except MediaTooBig as error:
            raise MediaUnusable(str(error), reason="too_big") from error
        except (InvalidParameter, MediaCorrupt, MediaGone, MediaHostRefused) as error:
            raise MediaUnusable(str(error)) from error

    async def _once(self, media_id: str, sha256: str | None, phone_number_id: str) -> bytes:
        client = await self._client_of(phone_number_id)
        try:
            info = await client.media_url(media_id)
        except (AccessDenied, TokenExpired):
            if self._accounts is None:
                raise
            client = await self._client_of(phone_number_id, fresh=True)  # perhaps a new token
            info = await client.media_url(media_id)
        if info.sha256 is None:
            info = info.model_copy(update={"sha256": sha256})
        return await client.download(info, limit_bytes=self._most_bytes)

    async def _client_of(self, phone_number_id: str, *, fresh: bool = False) -> WhatsAppClient:
        if self._accounts is None:
            return self._client
        return await self._accounts.of(current_tenant(), phone_number_id, fresh=fresh)
