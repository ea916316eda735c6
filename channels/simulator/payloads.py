"""The webhooks' JSON: what Meta posts for a customer's message and for a status of ours."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from channels.simulator.settings import BusinessNumber, Identity
from channels.simulator.world import Customer, MediaFile, SimMessage

ReplyKind = Literal["button_reply", "list_reply"]

STATUS_ERRORS = {
    131026: "Message undeliverable",
    131047: "Re-engagement message",
    131056: "(Business Account, Consumer Account) pair rate limit hit",
    130429: "Rate limit hit",
    131000: "Something went wrong",
    131048: "Spam rate limit hit",
    131049: "Message not delivered to maintain a healthy ecosystem engagement",
    131050: "User has stopped marketing messages from the business",
    190: "Access token has expired",
}


@dataclass(frozen=True)
class Part:
    """One item of a webhook: a message with its author's contact, or a status."""

    number: BusinessNumber
    kind: Literal["messages", "statuses"]
    item: dict[str, Any]
    contact: dict[str, Any] | None = None


def message_part(
    number: BusinessNumber,
    customer: Customer,
    message: SimMessage,
    content: dict[str, Any],
    identity: Identity,
) -> Part:
    """A customer's message; `content` holds its `type` and the object of that type."""
    contact: dict[str, Any] = {"profile": {"name": customer.name}}
    item: dict[str, Any] = {}
    if identity != "hidden":
        contact["wa_id"] = item["from"] = customer.wa_id
    if identity != "phone_only":
        contact["user_id"] = item["from_user_id"] = customer.bsuid
    item |= {"id": message.wamid, "timestamp": _seconds(message.at)} | content
    if message.reply_to:
        item.setdefault("context", {"from": number.display_phone.lstrip("+"), "id": message.reply_to})
    return Part(number=number, kind="messages", item=item, contact=contact)


def status_part(
    number: BusinessNumber, customer: Customer, message: SimMessage, at: datetime, identity: Identity
) -> Part:
    """The present status of a message of the business."""
    item: dict[str, Any] = {"id": message.wamid, "status": message.status, "timestamp": _seconds(at)}
    if identity != "hidden":
        item["recipient_id"] = customer.wa_id
    if identity != "phone_only":
        item["recipient_user_id"] = customer.bsuid
    if message.callback_data:
        item["biz_opaque_callback_data"] = message.callback_data
    if message.error_code is not None:
        title = STATUS_ERRORS.get(message.error_code, "Message failed")
        item["errors"] = [{"code": message.error_code, "title": title, "message": title}]
    return Part(number=number, kind="statuses", item=item)


def envelope(parts: Sequence[Part]) -> dict[str, Any]:
    """One webhook for several parts: an entry per account, a change per number and kind."""
    entries: dict[str, dict[tuple[str, str], dict[str, Any]]] = {}
    for part in parts:
        changes = entries.setdefault(part.number.waba_id, {})
        value = changes.setdefault((part.number.phone_number_id, part.kind), _value(part))
        value[part.kind].append(part.item)
        if part.contact and part.contact not in value.setdefault("contacts", []):
            value["contacts"].append(part.contact)
    return {
        "object": "whatsapp_business_account",
        "entry": [
            {"id": waba_id, "changes": [{"field": "messages", "value": value} for value in changes.values()]}
            for waba_id, changes in entries.items()
        ],
    }


def audio_content(media: MediaFile, *, voice: bool) -> dict[str, Any]:
    audio = {"id": media.id, "mime_type": media.mime_type, "sha256": media.sha256, "voice": voice}
    return {"type": "audio", "audio": audio}


def reply_content(kind: ReplyKind, choice: dict[str, Any]) -> dict[str, Any]:
    return {"type": "interactive", "interactive": {"type": kind, kind: choice}}


def metadata(number: BusinessNumber) -> dict[str, Any]:
    """Which number a change is about."""
    return {
        "display_phone_number": number.display_phone.lstrip("+"),
        "phone_number_id": number.phone_number_id,
    }


def _value(part: Part) -> dict[str, Any]:
    return {"messaging_product": "whatsapp", "metadata": metadata(part.number), part.kind: []}


def _seconds(at: datetime) -> str:
    return str(int(at.timestamp()))
