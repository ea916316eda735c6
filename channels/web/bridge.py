"""WhatsApp Web in the place of the Graph API: the same calls in, the same webhooks out.

SARA is pointed at it with SARA_WHATSAPP_BASE_URL and notices nothing else. What WhatsApp Web has no equal of:
templates are refused (there are no 24 hours, so none is needed), buttons and lists become numbered lines, and
the number or the words of a line come back as the choice.
"""

from __future__ import annotations

import asyncio
import hashlib
import time
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import httpx

from channels.simulator.payloads import Part, metadata
from channels.simulator.sending import Refusal, check_address
from channels.simulator.settings import BusinessNumber, SimulatorSettings
from channels.simulator.webhooks import Courier
from channels.web import incoming
from channels.web.incoming import HIDDEN, NOBODY, PHONE, message_id_of, wamid_of
from channels.web.link import Link, NotLinked

_KEPT = 5000  # messages of which files, references and choices are remembered
_RECEIPTS = {1: "delivered", 4: "read", 6: "played"}  # Receipt.ReceiptType

Json = dict[str, Any]


@dataclass(frozen=True)
class Upload:
    """A file waiting to be sent."""

    data: bytes
    mime_type: str
    filename: str | None


class Recent(OrderedDict[str, Any]):
    """The latest things under their keys; older ones are forgotten."""

    def __setitem__(self, key: str, value: Any) -> None:
        super().__setitem__(key, value)
        while len(self) > _KEPT:
            self.popitem(last=False)


@dataclass
class Bridge:
    """One linked phone behind the Graph API's interface. `client` is neonize's."""

    client: Any
    number: BusinessNumber
    webhook_url: str
    app_secret: str
    access_token: str
    http: httpx.AsyncClient
    _files: Recent = field(default_factory=Recent)
    _uploads: Recent = field(default_factory=Recent)
    _references: Recent = field(default_factory=Recent)
    _chats: Recent = field(default_factory=Recent)
    _offers: Recent = field(default_factory=Recent)

    def __post_init__(self) -> None:
        settings = SimulatorSettings(
            webhook_url=self.webhook_url,
            app_secret=self.app_secret,
            access_token=self.access_token,
            numbers=(self.number,),
        )
        self._courier = Courier(settings, self.http)
        self._link = Link(self.client, on_message=self.heard, on_receipt=self.receipted)

    async def aclose(self) -> None:
        """Stops posting webhooks."""
        await self._courier.aclose()

    # What the phone hears.

    async def heard(self, event: Any) -> None:
        """A message, of the customer or of the owner on the phone; groups and channels are not ours."""
        info, source = event.Info, event.Info.MessageSource
        if not incoming.is_private(source) or info.ID in self._references:
            return
        wamid = wamid_of(info.ID)
        content = incoming.content_of(event.Message, info.ID)
        if content is None:
            return
        self._files[info.ID] = event.Message
        self._chats[wamid] = source.Chat
        person = incoming.identity(source, outgoing=source.IsFromMe)
        item = {"id": wamid, "timestamp": str(info.Timestamp), **content}
        if source.IsFromMe:
            self._echo(person, item)
            return
        item |= self._chosen(person, item)
        item |= _named(person, "from", "from_user_id")
        contact = {"profile": {"name": info.Pushname}, **person}
        self._courier.deliver(_lane(person), Part(self.number, "messages", item, contact))

    def _echo(self, person: Mapping[str, str], item: Json) -> None:
        item |= {"from": self.number.display_phone.lstrip("+")}
        item |= _named(person, "to", "to_user_id")
        value = {"messaging_product": "whatsapp", "metadata": metadata(self.number), "message_echoes": [item]}
        change = {"field": "smb_message_echoes", "value": value}
        body = {
            "object": "whatsapp_business_account",
            "entry": [{"id": self.number.waba_id, "changes": [change]}],
        }
        self._courier.deliver_body(_lane(person), body)

    def _chosen(self, person: Mapping[str, str], item: Json) -> Json:
        """The choice a customer's words stand for, if they answer the latest numbered lines."""
        offer = self._offers.get(_lane(person))
        if offer is None or item.get("type") != "text":
            return {}
        kind, wamid, choices = offer
        said = str(item["text"]["body"]).strip().casefold()
        for place, choice in enumerate(choices, start=1):
            if said in (str(place), choice["title"].casefold()):
                del self._offers[_lane(person)]
                context = item.get("context") or {"id": wamid}
                pressed = {"type": kind, kind: choice}
                return {"type": "interactive", "interactive": pressed, "context": context}
        return {}

    async def receipted(self, event: Any) -> None:
        """Delivered, read, played: statuses of what we sent."""
        status, source = _RECEIPTS.get(event.Type), event.MessageSource
        if status is None or not incoming.is_private(source):
            return
        person = incoming.identity(source)
        for message_id in event.MessageIDs:
            if message_id in self._references:
                self._status(person, message_id, status, event.Timestamp)

    def _status(self, person: Mapping[str, str], message_id: str, status: str, at: float) -> None:
        if at > 10**11:  # receipts count in milliseconds
            at /= 1000
        item: Json = {"id": wamid_of(message_id), "status": status, "timestamp": str(int(at))}
        item |= _named(person, "recipient_id", "recipient_user_id")
        if reference := self._references.get(message_id):
            item["biz_opaque_callback_data"] = reference
        self._courier.deliver(message_id, Part(self.number, "statuses", item))

    # What SARA sends.

    async def send(self, body: object) -> Json:
        """One message. Raises Refusal as the Graph API would, and PerhapsSent."""
        to, recipient = check_address(body)
        if not isinstance(body, dict):
            raise Refusal(100, "The body must be a JSON object.")
        chat = self._address(to, recipient)
        try:
            message_id = await self._said(chat, body)
        except NotLinked as problem:
            raise Refusal(131000, str(problem), status=503) from problem
        person = {"wa_id": to.lstrip("+")} if to else {"user_id": recipient or ""}
        self._references[message_id] = body.get("biz_opaque_callback_data")
        self._status(person, message_id, "sent", time.time())
        if body.get("type") == "interactive":
            self._offers[_lane(person)] = _offered(body["interactive"], wamid_of(message_id))
        return {
            "messaging_product": "whatsapp",
            "contacts": [{"input": to, **person}],
            "messages": [{"id": wamid_of(message_id)}],
        }

    async def mark_read(self, wamid: str, *, typing: bool) -> None:
        """Raises Refusal for a message nobody knows here (any more)."""
        chat = self._chats.get(wamid)
        if chat is None:
            raise Refusal(100, "Param message_id is not a message of this phone number.")
        try:
            await self._link.read(chat, message_id_of(wamid), typing=typing)
        except NotLinked as problem:
            raise Refusal(131000, str(problem), status=503) from problem

    def keep(self, data: bytes, mime_type: str, filename: str | None) -> str:
        """A file for a message that follows; its media id."""
        media_id = hashlib.sha256(data + mime_type.encode()).hexdigest()[:24]
        self._uploads[media_id] = Upload(data, mime_type, filename)
        return media_id

    async def fetch(self, media_id: str) -> tuple[bytes, str]:
        """A customer's file and its type. Raises Refusal for one nobody knows here (any more)."""
        message = self._files.get(media_id)
        inner = incoming.content_of(message, media_id) if message is not None else None
        kind = str((inner or {}).get("type"))
        if inner is None or "mime_type" not in (inner.get(kind) or {}):
            raise Refusal(100, f"Unsupported request. Object with ID '{media_id}' does not exist.")
        return await self._link.download(incoming.unwrapped(message)), str(inner[kind]["mime_type"])

    def _address(self, to: str | None, recipient: str | None) -> Any:
        if to:
            return self._link.address(to.lstrip("+"), PHONE)
        return self._link.address((recipient or "").removeprefix(f"{NOBODY}."), HIDDEN)

    async def _said(self, chat: Any, body: Json) -> str:
        kind = str(body.get("type", "text"))
        content = body.get(kind)
        if kind == "template":
            raise Refusal(132001, "WhatsApp Web has no templates: write plain words.", status=404)
        if not isinstance(content, dict):
            raise Refusal(100, f"The parameter {kind} is required.")
        wamid = (body.get("context") or {}).get("message_id")
        quoted = message_id_of(wamid) if wamid else None
        if kind == "text":
            return await self._link.text(chat, str(content.get("body", "")), quoted)
        if kind == "interactive":
            return await self._link.text(chat, _as_lines(content), quoted)
        if kind == "location":
            words = (str(content.get("name", "")), str(content.get("address", "")))
            return await self._link.place(chat, content["latitude"], content["longitude"], *words)
        if kind == "reaction":
            on = message_id_of(str(content.get("message_id")))
            return await self._link.react(chat, on, str(content.get("emoji", "")))
        upload = self._uploads.get(str(content.get("id")))
        if upload is None or kind not in ("image", "video", "document", "audio", "sticker"):
            raise Refusal(100, "The media is not here: upload it again.")
        return await self._link.file(
            chat,
            kind,
            upload.data,
            upload.mime_type,
            caption=str(content.get("caption", "")),
            filename=str(content.get("filename") or upload.filename or ""),
            voice=content.get("voice") is True,
            quoted=quoted,
        )

    async def settle(self) -> None:
        """Waits until the webhooks on their way were answered or given up."""
        while tasks := list(self._courier.pending):
            await asyncio.gather(*tasks, return_exceptions=True)


def _named(person: Mapping[str, str], phone: str, user: str) -> dict[str, str]:
    """The person's ids under the names that an item of this kind gives them."""
    keys = {"wa_id": phone, "user_id": user}
    return {keys[key]: value for key, value in person.items()}


def _lane(person: Mapping[str, str]) -> str:
    return person.get("wa_id") or person.get("user_id") or ""


def _choices(content: Json) -> list[Json]:
    action = content.get("action") or {}
    rows = [row for section in action.get("sections", []) for row in section.get("rows", [])]
    return [button["reply"] for button in action.get("buttons", [])] or rows


def _offered(content: Json, wamid: str) -> tuple[str, str, list[Json]]:
    kind = "list_reply" if content.get("type") == "list" else "button_reply"
    return kind, wamid, _choices(content)


def _as_lines(content: Json) -> str:
    """Words of a message with buttons or a list, each choice on a numbered line."""
    header = (content.get("header") or {}).get("text")
    footer = (content.get("footer") or {}).get("text")
    lines = [f"*{header}*"] if header else []
    lines += [str((content.get("body") or {}).get("text", "")), ""]
    for place, choice in enumerate(_choices(content), start=1):
        about = f", {choice['description']}" if choice.get("description") else ""
        lines.append(f"{place}. {choice['title']}{about}")
    return "\n".join([*lines, *(["", f"_{footer}_"] if footer else [])])
