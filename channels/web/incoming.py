"""What a linked phone hears, as Meta's webhooks would write it.

Events are neonize's own protobuf messages (whatsmeow's types). They are read by their field names alone, so
this file needs no neonize.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping
from typing import Any

PHONE, HIDDEN = "s.whatsapp.net", "lid"  # servers of addresses: by phone number, by an id that hides it
NOBODY = "ZZ"  # no country: an id that hides the number tells none
_WRAPPED = (
    "ephemeralMessage",
    "viewOnceMessage",
    "viewOnceMessageV2",
    "documentWithCaptionMessage",
    "deviceSentMessage",
    "editedMessage",
)
_MEDIA = {
    "imageMessage": "image",
    "videoMessage": "video",
    "documentMessage": "document",
    "audioMessage": "audio",
    "stickerMessage": "sticker",
}
_SILENT = {"protocolMessage", "senderKeyDistributionMessage", "messageContextInfo", "pollUpdateMessage"}
_REVOKE, _EDIT = 0, 14  # ProtocolMessage.Type
_TEL = re.compile(r"^TEL[^:]*:(.+)$", re.MULTILINE | re.IGNORECASE)
_WAID = re.compile(r"waid=(\d+)", re.IGNORECASE)

Json = dict[str, Any]


def wamid_of(message_id: str) -> str:
    """A message's id as ours: WhatsApp Web's own, marked."""
    return f"wamid.WEB.{message_id}"


def message_id_of(wamid: str) -> str:
    """The other way round."""
    return wamid.removeprefix("wamid.WEB.")


def is_private(source: Any) -> bool:
    """Whether an event is of a conversation between two people: no group, list, channel or status."""
    return not source.IsGroup and source.Chat.Server in (PHONE, HIDDEN)


def identity(source: Any, *, outgoing: bool = False) -> Mapping[str, str]:
    """The other person, as `wa_id` and `user_id`, whichever WhatsApp tells."""
    alternative = source.RecipientAlt if outgoing else source.SenderAlt
    found: dict[str, str] = {}
    for address in (source.Chat, alternative):
        if address.Server == PHONE and address.User:
            found.setdefault("wa_id", address.User)
        elif address.Server == HIDDEN and address.User:
            found.setdefault("user_id", f"{NOBODY}.{address.User}")
    return found


def unwrapped(message: Any) -> Any:
    """The message inside of what WhatsApp puts around it (disappearing, seen once, with a caption)."""
    for _ in range(len(_WRAPPED)):
        inner = next((name for name in _WRAPPED if message.HasField(name)), None)
        if inner is None:
            break
        message = getattr(message, inner).message
    return message


def content_of(message: Any, media_id: str) -> Json | None:
    """A message's `type` and the object of that type; None for what is no message but the protocol's own.

    `media_id` is what its file, if it has one, can be fetched by.
    """
    message = unwrapped(message)
    if message.HasField("protocolMessage"):
        return _changed(message.protocolMessage)
    kinds = [field.name for field, _ in message.ListFields() if field.name not in _SILENT]
    if not kinds:
        return None
    kind = kinds[0]
    inner = getattr(message, kind)
    if kind == "conversation":
        return {"type": "text", "text": {"body": inner}}
    return {**_inner(kind, inner, media_id), **_context(inner)}


def _inner(kind: str, inner: Any, media_id: str) -> Json:
    if kind == "extendedTextMessage":
        return {"type": "text", "text": {"body": inner.text}}
    if kind in _MEDIA:
        return _file(_MEDIA[kind], inner, media_id)
    if kind in ("locationMessage", "liveLocationMessage"):
        place = {"latitude": inner.degreesLatitude, "longitude": inner.degreesLongitude}
        words = {key: getattr(inner, key, "") for key in ("name", "address")}
        return {"type": "location", "location": place | {k: v for k, v in words.items() if v}}
    if kind in ("contactMessage", "contactsArrayMessage"):
        cards = inner.contacts if kind == "contactsArrayMessage" else [inner]
        return {"type": "contacts", "contacts": [_card(card) for card in cards]}
    if kind == "reactionMessage":
        told = {"message_id": wamid_of(inner.key.ID), "emoji": inner.text}
        return {"type": "reaction", "reaction": told}
    unknown = {"code": 131051, "title": "Message type unknown", "error_data": {"details": kind}}
    return {"type": "unsupported", "errors": [unknown]}


def _file(kind: str, inner: Any, media_id: str) -> Json:
    file: Json = {
        "id": media_id,
        "mime_type": inner.mimetype,
        "sha256": base64.b64encode(inner.fileSHA256).decode(),
    }
    if kind == "audio":
        file["voice"] = bool(inner.PTT)
    words = {"caption": getattr(inner, "caption", ""), "filename": getattr(inner, "fileName", "")}
    return {"type": kind, kind: file | {key: value for key, value in words.items() if value}}


def _card(card: Any) -> Json:
    phones = [{"phone": match.strip()} for match in _TEL.findall(card.vcard)]
    for phone, wa_id in zip(phones, _WAID.findall(card.vcard), strict=False):
        phone["wa_id"] = wa_id
    return {"name": {"formatted_name": card.displayName}, "phones": phones}


def _changed(protocol: Any) -> Json | None:
    target = {"original_message_id": wamid_of(protocol.key.ID)}
    if protocol.type == _REVOKE and protocol.key.ID:
        return {"type": "revoke", "revoke": target}
    if protocol.type == _EDIT:
        new = content_of(protocol.editedMessage, "")
        return {"type": "edit", "edit": target | {"message": new}} if new else None
    return None


def _context(inner: Any) -> Json:
    if not hasattr(inner, "contextInfo"):
        return {}
    told = inner.contextInfo
    context: Json = {"id": wamid_of(told.stanzaID)} if told.stanzaID else {}
    if told.isForwarded:
        context["forwarded"] = True
    return {"context": context} if context else {}
