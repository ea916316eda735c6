"""A linked phone through neonize: the few things SARA does with it.

neonize is an optional extra (`pip install 'sara[whatsapp-web]'`). It speaks the protocol of WhatsApp Web,
which Meta does not open to programs: see `WARNING`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

WARNING = """\
WhatsApp Web is made for people, not for programs. Using it from a program breaks WhatsApp's terms of
service: WhatsApp may block the number, for good and without notice. Use it to try SARA out, with a number
you can lose, and never for advertising. For customers use the Cloud API (docs/whatsapp.md).
"""
CALL_S = 25.0

OnEvent = Callable[[Any], Awaitable[None]]


class ExtraMissing(Exception):
    """neonize is not installed: `pip install 'sara[whatsapp-web]'` (libmagic and ffmpeg are needed too)."""


class NotLinked(Exception):
    """The phone is not linked or not connected now, so nothing was sent."""


class PerhapsSent(Exception):
    """WhatsApp did not confirm a message in time; nobody knows whether it was sent."""


class Link:
    """One phone. `client` is neonize's NewAClient, or anything that behaves like it."""

    def __init__(self, client: Any, *, on_message: OnEvent, on_receipt: OnEvent) -> None:
        """Raises ExtraMissing."""
        try:
            from neonize.proto import Neonize_pb2 as told
            from neonize.proto.waCommon import WACommon_pb2 as common
            from neonize.proto.waE2E import WAWebProtobufsE2E_pb2 as words
        except ImportError as error:
            raise ExtraMissing(ExtraMissing.__doc__) from error
        self._client = client
        self._told, self._words, self._common = told, words, common

        async def message(_: Any, event: Any) -> None:
            await on_message(event)

        async def receipt(_: Any, event: Any) -> None:
            await on_receipt(event)

        client.event(told.Message)(message)
        client.event(told.Receipt)(receipt)

    def address(self, user: str, server: str) -> Any:
        """A person's address on WhatsApp."""
        return self._told.JID(User=user, Server=server, Device=0, RawAgent=0, Integrator=0, IsEmpty=False)

    async def text(self, to: Any, body: str, quoted: str | None) -> str:
        """Sends words; the id WhatsApp gave them. Raises NotLinked, PerhapsSent, like all that send."""
        return await self._send(
            to,
            self._words.Message(
                extendedTextMessage=self._words.ExtendedTextMessage(
                    text=body, contextInfo=self._quoting(to, quoted)
                )
            ),
        )

    async def file(
        self,
        to: Any,
        kind: str,
        data: bytes,
        mime_type: str,
        *,
        caption: str = "",
        filename: str = "",
        voice: bool = False,
        quoted: str | None = None,
    ) -> str:
        """Sends an image, video, document, audio or sticker."""
        await self._connected()
        media_type, name = _KINDS[kind]
        up = await self._within(self._client.upload(data, _media_type(media_type)))
        fields: dict[str, Any] = {
            "URL": up.url,
            "directPath": up.DirectPath,
            "fileEncSHA256": up.FileEncSHA256,
            "fileLength": up.FileLength,
            "fileSHA256": up.FileSHA256,
            "mediaKey": up.MediaKey,
            "mimetype": mime_type,
            "contextInfo": self._quoting(to, quoted),
        }
        if kind == "audio":
            fields["PTT"] = voice
        elif kind != "sticker" and caption:
            fields["caption"] = caption
        if kind == "document":
            fields["fileName"] = filename
        inner = getattr(self._words, name[0].upper() + name[1:])(**fields)
        return await self._send(to, self._words.Message(**{name: inner}))

    async def place(self, to: Any, latitude: float, longitude: float, name: str, address: str) -> str:
        """Sends a place."""
        where = self._words.LocationMessage(
            degreesLatitude=latitude, degreesLongitude=longitude, name=name, address=address
        )
        return await self._send(to, self._words.Message(locationMessage=where))

    async def react(self, to: Any, message_id: str, emoji: str) -> str:
        """One emoji on a customer's message; none takes it back."""
        key = self._common.MessageKey(remoteJID=_written(to), fromMe=False, ID=message_id)
        reaction = self._words.ReactionMessage(key=key, text=emoji)
        return await self._send(to, self._words.Message(reactionMessage=reaction))

    async def read(self, to: Any, message_id: str, *, typing: bool) -> None:
        """Blue ticks and, with `typing`, "typing…"."""
        await self._connected()
        from neonize.utils.enum import ChatPresence, ChatPresenceMedia, ReceiptType

        await self._within(self._client.mark_read(message_id, chat=to, sender=to, receipt=ReceiptType.READ))
        if typing:
            await self._within(
                self._client.send_chat_presence(
                    to,
                    ChatPresence.CHAT_PRESENCE_COMPOSING,
                    ChatPresenceMedia.CHAT_PRESENCE_MEDIA_TEXT,
                )
            )

    async def download(self, message: Any) -> bytes:
        """The file of a message."""
        return bytes(await self._within(self._client.download_any(message)))

    async def _send(self, to: Any, message: Any) -> str:
        await self._connected()
        sent = await self._within(self._client.send_message(to, message))
        return str(sent.ID)

    async def _connected(self) -> None:
        linked = self._client.is_logged_in  # a coroutine of the asynchronous client
        if not (await linked if asyncio.iscoroutine(linked) else linked):
            raise NotLinked(NotLinked.__doc__)

    async def _within(self, call: Awaitable[Any]) -> Any:
        """neonize reports refusals and lost confirmations alike: after either nobody knows."""
        try:
            async with asyncio.timeout(CALL_S):
                return await call
        except Exception as error:
            raise PerhapsSent(f"{type(error).__name__}: {error}") from error

    def _quoting(self, to: Any, quoted: str | None) -> Any:
        if quoted is None:
            return None
        empty = self._words.Message(conversation="")
        return self._words.ContextInfo(stanzaID=quoted, participant=_written(to), quotedMessage=empty)


_KINDS = {
    "image": ("MediaImage", "imageMessage"),
    "sticker": ("MediaImage", "stickerMessage"),
    "video": ("MediaVideo", "videoMessage"),
    "audio": ("MediaAudio", "audioMessage"),
    "document": ("MediaDocument", "documentMessage"),
}


def _media_type(name: str) -> Any:
    from neonize.utils.enum import MediaType

    return getattr(MediaType, name)


def _written(address: Any) -> str:
    return f"{address.User}@{address.Server}"


def opened(folder: Path, show_qr: Callable[[str], None]) -> Any:
    """neonize's client with its keys in `folder`; connect it with `await client.connect()`.

    `show_qr` is given each code to be scanned. Raises ExtraMissing.
    """
    try:
        from neonize.aioze.client import NewAClient
    except ImportError as error:
        raise ExtraMissing(ExtraMissing.__doc__) from error
    folder.mkdir(parents=True, exist_ok=True)
    client = NewAClient(str(folder / "whatsapp-web.db"))

    async def shown(_: Any, code: bytes) -> None:
        show_qr(code.decode())

    client.event.qr(shown)
    return client
