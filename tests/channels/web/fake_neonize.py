"""neonize's asynchronous client as SARA uses it, without WhatsApp behind it.

It speaks neonize's own protobuf types, so what it gives and takes is what the real one gives and takes; what
stands behind it is a dictionary. Pairing with a phone cannot be tried without one.
"""

import hashlib
import itertools
import time
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

told = pytest.importorskip("neonize.proto.Neonize_pb2", reason="the extra whatsapp-web is not installed")
words = pytest.importorskip("neonize.proto.waE2E.WAWebProtobufsE2E_pb2")
common = pytest.importorskip("neonize.proto.waCommon.WACommon_pb2")

_ids = itertools.count(1)


class FakeClient:
    """One linked phone."""

    def __init__(self) -> None:
        self.sent: list[tuple[Any, Any, str]] = []
        self.read: list[tuple[str, Any]] = []
        self.typing: list[Any] = []
        self.files: dict[bytes, bytes] = {}
        self.linked = True
        self.breaks = False
        self._handlers: dict[type, Callable[[Any, Any], Awaitable[None]]] = {}

    def event(self, kind: type) -> Callable[[Callable[[Any, Any], Awaitable[None]]], None]:
        def register(handler: Callable[[Any, Any], Awaitable[None]]) -> None:
            self._handlers[kind] = handler

        return register

    @property
    async def is_logged_in(self) -> bool:
        return self.linked

    async def send_message(self, to: Any, message: Any) -> Any:
        message_id = f"3EB0{next(_ids):016X}"
        # What goes over the wire is bytes: a message that cannot be written fails here as it would there.
        self.sent.append((to, words.Message.FromString(message.SerializeToString()), message_id))
        if self.breaks:
            raise RuntimeError("timed out waiting for the server's confirmation")
        return told.SendResponse(ID=message_id, Timestamp=int(time.time()))

    async def upload(self, binary: bytes, media_type: Any = None) -> Any:
        digest = hashlib.sha256(binary).digest()
        self.files[digest] = binary
        fields = {"url": "https://mmg.whatsapp.net/x", "DirectPath": "/x", "Handle": "h"}
        made = {"MediaKey": b"k" * 32, "FileEncSHA256": digest, "FileSHA256": digest}
        return told.UploadResponse(**fields, **made, FileLength=len(binary))

    async def download_any(self, message: Any) -> bytes:
        inner = next(value for field, value in message.ListFields() if field.name.endswith("Message"))
        return self.files[inner.fileSHA256]

    async def mark_read(self, *message_ids: str, chat: Any, sender: Any, receipt: Any) -> None:
        self.read += [(message_id, receipt) for message_id in message_ids]

    async def send_chat_presence(self, jid: Any, state: Any, media: Any) -> None:
        self.typing.append(jid)

    # What WhatsApp does.

    async def hears(self, message: Any, wa_id: str, name: str = "Giulia", **source: Any) -> str:
        """A message arrives; its id."""
        message_id = source.pop("message_id", None) or f"3A{next(_ids):018X}"
        person = told.JID(User=wa_id, Server=source.pop("server", "s.whatsapp.net"))
        where = told.MessageSource(**{"Chat": person, "Sender": person, "IsFromMe": False, **source})
        info = told.MessageInfo(
            MessageSource=where, ID=message_id, Pushname=name, Timestamp=int(time.time()), Type="text"
        )
        event = told.Message(Info=info, Message=message)
        await self._handlers[told.Message](self, told.Message.FromString(event.SerializePartialToString()))
        return message_id

    async def reports(self, wa_id: str, kind: int, *message_ids: str) -> None:
        """A receipt arrives; its time is in milliseconds."""
        person = told.JID(User=wa_id, Server="s.whatsapp.net")
        receipt = told.Receipt(
            MessageSource=told.MessageSource(Chat=person, Sender=person, IsFromMe=False, IsGroup=False),
            MessageIDs=message_ids,
            Timestamp=int(time.time() * 1000),
            Type=kind,
        )
        await self._handlers[told.Receipt](self, receipt)

    def keeps(self, data: bytes) -> dict[str, Any]:
        """The fields of a file a customer sends."""
        digest = hashlib.sha256(data).digest()
        self.files[digest] = data
        return {"fileSHA256": digest, "fileLength": len(data)}
