"""OutboundMessage → the Graph API's JSON, and Markdown → WhatsApp's own formatting.

Rendering never lengthens text, so a message that fits before rendering fits after it.
"""

from __future__ import annotations

import re
from typing import Any

from channels.messages import OutboundMessage
from channels.whatsapp.fields import clean
from channels.whatsapp.limits import DEFAULT_OPENER

_CODE = re.compile(r"(```.*?```|`[^`\n]+`)", re.DOTALL)
_HEADING = re.compile(r"^[ \t]{0,3}#{1,6}[ \t]+([^\n]*?)[ \t]*#*[ \t]*$", re.MULTILINE)
_BULLET = re.compile(r"^([ \t]*)[*+][ \t]+", re.MULTILINE)
_STRONG = re.compile(r"\*\*(?=\S)([^*\n]+)(?<=\S)\*\*")
# Underscores inside a word or an address are not emphasis.
_STRONG_LOW = re.compile(r"(?<![\w/])__(?=\S)([^_\n]+)(?<=\S)__(?!\w)")
_STRUCK = re.compile(r"~~(?=\S)([^~\n]+)(?<=\S)~~")
_LINK = re.compile(r"!?\[([^\[\]\n]*)\]\(<?((?:[^\s()<>]|\([^\s()<>]*\))+)>?(?:[ \t]+\"[^\"\n]*\")?\)")
_URL = re.compile(r"https?://", re.IGNORECASE)


def to_whatsapp(markdown: str) -> str:
    """`**b**` → `*b*`, `~~s~~` → `~s~`, headings → `*bold*`, `[t](u)` → `t (u)`; code is left alone.

    What JSON cannot carry (lone surrogates) becomes U+FFFD.
    """
    pieces = _CODE.split(markdown)
    return clean("".join(piece if number % 2 else _prose(piece) for number, piece in enumerate(pieces)))


def to_graph(
    message: OutboundMessage, *, to: str | None, recipient: str | None, callback_data: str
) -> dict[str, Any]:
    """The body of POST /{phone_number_id}/messages for a message that obeys the limits.

    `to` is a phone number; `recipient` a business-scoped user id, for customers who hide their number.
    `callback_data` comes back in every status of the message. Raises ValueError when both addresses are
    missing: such a message could reach nobody.
    """
    if not to and not recipient:
        raise ValueError("a message needs `to` or `recipient`")
    body: dict[str, Any] = {
        "messaging_product": "whatsapp",
        "recipient_type": "individual",
        **({"to": to} if to else {"recipient": recipient}),
        "biz_opaque_callback_data": callback_data,
    }
    if message.reply_to and message.kind != "reaction":
        body["context"] = {"message_id": message.reply_to}
    return body | _content(message)


def _content(message: OutboundMessage) -> dict[str, Any]:
    if message.kind == "template":
        return {"type": "template", "template": _template(message)}
    words = to_whatsapp(message.body)
    if message.kind == "text":
        preview = message.preview and bool(_URL.search(words))
        return {"type": "text", "text": {"body": words, "preview_url": preview}}
    if message.kind == "reaction":
        return {"type": "reaction", "reaction": {"message_id": message.reply_to, "emoji": message.body}}
    if message.kind == "location" and message.place:
        return {"type": "location", "location": message.place.model_dump(exclude_none=True)}
    if message.kind in ("image", "video", "document", "audio"):
        return {"type": message.kind, message.kind: _file(message, words)}
    interactive: dict[str, Any] = {"body": {"text": words}, "action": _action(message)}
    interactive["type"] = "button" if message.kind == "buttons" else "list"
    if message.header:
        interactive["header"] = {"type": "text", "text": clean(message.header)}
    if message.footer:
        interactive["footer"] = {"text": message.footer}
    return {"type": "interactive", "interactive": interactive}


def _file(message: OutboundMessage, words: str) -> dict[str, Any]:
    """An uploaded file; sound has neither caption nor name."""
    if message.kind == "audio":
        return {"id": message.media_id, **({"voice": True} if message.voice else {})}
    name = message.filename if message.kind == "document" else None
    shown = {"id": message.media_id, "filename": name, "caption": words}
    return {key: value for key, value in shown.items() if value}


def _template(message: OutboundMessage) -> dict[str, Any]:
    """https://developers.facebook.com/docs/whatsapp/cloud-api/guides/send-message-templates"""
    parts: list[dict[str, Any]] = []
    if message.header_kind:
        shown = {"id": message.media_id, **({"filename": message.filename} if message.filename else {})}
        parts.append(
            {"type": "header", "parameters": [{"type": message.header_kind, message.header_kind: shown}]}
        )
    elif message.header_value:
        parts.append({"type": "header", "parameters": [_value(message.header_value)]})
    if message.values:
        parts.append({"type": "body", "parameters": [_value(value) for value in message.values]})
    for place, ending in message.url_values:
        parts.append(
            {"type": "button", "sub_type": "url", "index": str(place), "parameters": [_value(ending)]}
        )
    for place, button in enumerate(message.buttons):
        payload = [{"type": "payload", "payload": button.id}]
        parts.append(
            {"type": "button", "sub_type": "quick_reply", "index": str(place), "parameters": payload}
        )
    name = {"name": message.template, "language": {"code": message.code}}
    return {**name, "components": parts} if parts else name


def _value(value: str) -> dict[str, str]:
    """A variable's value: it may hold no line break, and no run of more than four spaces."""
    return {"type": "text", "text": " ".join(clean(value).split())}


def _action(message: OutboundMessage) -> dict[str, Any]:
    if message.kind == "buttons":
        replies = [{"id": button.id, "title": button.title} for button in message.buttons]
        return {"buttons": [{"type": "reply", "reply": reply} for reply in replies]}
    rows = [row.model_dump(exclude_none=True) for row in message.rows]
    return {"button": message.opener or DEFAULT_OPENER, "sections": [{"rows": rows}]}


def _prose(text: str) -> str:
    text = _LINK.sub(_link, text)
    # Bullets first: a bullet's asterisk must not pair with the next one as emphasis.
    text = _BULLET.sub(r"\1- ", text)
    text = _HEADING.sub(_heading, text)
    text = _STRONG_LOW.sub(r"*\1*", _STRONG.sub(r"*\1*", text))
    return _STRUCK.sub(r"~\1~", text)


def _heading(match: re.Match[str]) -> str:
    words = match.group(1).replace("**", "").replace("__", "").strip(" *")
    return f"*{words}*" if words else ""


def _link(match: re.Match[str]) -> str:
    label, url = match.group(1).strip(), match.group(2)
    bare = url.removeprefix("mailto:").removeprefix("tel:")
    return bare if label in ("", url, bare) else f"{label} ({bare})"
