"""Voice notes fetched through the channel."""

from channels.whatsapp.client import WhatsAppClient
from channels.whatsapp.errors import (
    InvalidParameter,
    MediaCorrupt,
    MediaGone,
    MediaHostRefused,
    MediaTooBig,
)
from db.tenancy import current_tenant
from graph.context import MediaUnusable
from jobs.accounts import Accounts


class ChannelMedia:
    """Downloads by media id, whole and verified. Errors worth another try pass through."""

    def __init__(self, client: WhatsAppClient, *, most_bytes: int, accounts: Accounts | None = None) -> None:
        """With `accounts` the token is that of the business of the enclosing `tenant` block."""
        self._client = client
        self._accounts = accounts
        self._most_bytes = most_bytes

    async def fetch(self, media_id: str, sha256: str | None) -> bytes:
        """The bytes. What arrives damaged is fetched once more before it counts as unusable.

        `sha256` is the digest of the webhook, which counts where the media API names none.
        """
        try:
            try:
                return await self._once(media_id, sha256)
            except MediaCorrupt:
                return await self._once(media_id, sha256)
        # An id Meta does not know (any more) is answered with code 100, invalid parameter.
        except MediaTooBig as error:
            raise MediaUnusable(str(error), reason="too_big") from error
        except (InvalidParameter, MediaCorrupt, MediaGone, MediaHostRefused) as error:
            raise MediaUnusable(str(error)) from error

    async def _once(self, media_id: str, sha256: str | None) -> bytes:
        client = self._client
        if self._accounts is not None:
            client = await self._accounts.of_business(current_tenant())
        info = await client.media_url(media_id)
        if info.sha256 is None:
            info = info.model_copy(update={"sha256": sha256})
        return await client.download(info, limit_bytes=self._most_bytes)
