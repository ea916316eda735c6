"""Voice notes fetched through the channel."""

from channels.whatsapp.client import WhatsAppClient
from channels.whatsapp.errors import (
    InvalidParameter,
    MediaCorrupt,
    MediaGone,
    MediaHostRefused,
    MediaTooBig,
)
from graph.context import MediaUnusable


class ChannelMedia:
    """Downloads by media id, whole and verified. Errors worth another try pass through."""

    def __init__(self, client: WhatsAppClient, *, most_bytes: int) -> None:
        self._client = client
        self._most_bytes = most_bytes

    async def fetch(self, media_id: str, sha256: str | None) -> bytes:
        """The bytes. What arrives damaged is fetched once more before it counts as unusable."""
        try:
            try:
                return await self._once(media_id)
            except MediaCorrupt:
                return await self._once(media_id)
        # An id Meta does not know (any more) is answered with code 100, invalid parameter.
        except (InvalidParameter, MediaCorrupt, MediaGone, MediaTooBig, MediaHostRefused) as error:
            raise MediaUnusable(str(error)) from error

    async def _once(self, media_id: str) -> bytes:
        info = await self._client.media_url(media_id)
        return await self._client.download(info, limit_bytes=self._most_bytes)
