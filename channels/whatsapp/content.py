"""The content of one message by its type, as the fields of `InboundMessage` that the type fills."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from channels.events import Location, Media, Referral, Sender
from channels.whatsapp.fields import Malformed, clean, identifier, mapping, optional_text, text

Item = Mapping[str, object]
Fields = dict[str, object]


def content_of(kind: str, item: Item) -> Fields:
    """Read a message's content; a type nobody reads here is kept as unsupported. Raises Malformed."""
    read = _READERS.get(kind)
    # Meta reports content it could not fetch as an error on the message instead of the content.
    failed = isinstance(item.get("errors"), list) and not isinstance(item.get(kind), Mapping)
    fields: Fields = {"is_unsupported": True} if read is None or failed else read(kind, item)
    if referral := _referral(item):
        fields["referral"] = referral
    return fields


def echo_text(item: Item) -> str | None:
    """The words of a message the owner typed on the phone: a body or a caption, None when there are none."""
    kind = optional_text(item, "type") or "text"
    content = mapping(item, kind, required=False)
    return optional_text(content, "body") or optional_text(content, "caption")


def _text(kind: str, item: Item) -> Fields:
    return {"text": text(mapping(item, "text"), "body")}


def _media(kind: str, item: Item) -> Fields:
    content = mapping(item, kind)
    caption = optional_text(content, "caption")
    media = Media(
        id=identifier(content, "id"),
        mime_type=optional_text(content, "mime_type"),
        sha256=optional_text(content, "sha256"),
        voice=content.get("voice") is True,
        filename=optional_text(content, "filename"),
        caption=caption,
    )
    return {"media": media, "text": caption}


def _location(kind: str, item: Item) -> Fields:
    content = mapping(item, "location")
    location = Location.model_validate(
        {
            "latitude": content.get("latitude"),
            "longitude": content.get("longitude"),
            "name": optional_text(content, "name"),
            "address": optional_text(content, "address"),
        }
    )
    return {"location": location}


def _cards(kind: str, item: Item) -> Fields:
    cards = item.get("contacts")
    if not isinstance(cards, list) or not cards:
        raise Malformed("`contacts` is missing or empty")
    return {"text": "\n".join(_card(card) for card in cards if isinstance(card, Mapping))}


def _card(card: Item) -> str:
    name = optional_text(mapping(card, "name", required=False), "formatted_name") or ""
    phones = card.get("phones")
    listed = [p for p in phones if isinstance(p, Mapping)] if isinstance(phones, list) else []
    return " ".join(filter(None, [name, *(optional_text(phone, "phone") for phone in listed)]))


def _interactive(kind: str, item: Item) -> Fields:
    content = mapping(item, "interactive")
    which = identifier(content, "type")
    if which not in ("button_reply", "list_reply", "nfm_reply"):
        return {"is_unsupported": True}
    reply = mapping(content, which)
    if which == "nfm_reply":
        return {"text": text(reply, "response_json")}
    title = optional_text(reply, "title")
    return {"button_id": identifier(reply, "id"), "button_title": title, "text": title}


def _template_button(kind: str, item: Item) -> Fields:
    content = mapping(item, "button")
    title = text(content, "text")
    payload = identifier(content, "payload", required=False)
    return {"button_id": payload or title, "button_title": title, "text": title}


def _reaction(kind: str, item: Item) -> Fields:
    content = mapping(item, "reaction")
    # A reaction taken back comes without an emoji.
    return {"text": optional_text(content, "emoji"), "reply_to": identifier(content, "message_id")}


def _order(kind: str, item: Item) -> Fields:
    content = mapping(item, "order")
    products = content.get("product_items")
    listed = [p for p in products if isinstance(p, Mapping)] if isinstance(products, list) else []
    lines = [f"{_scalar(p, 'quantity')} × {_scalar(p, 'product_retailer_id')}" for p in listed]
    note = optional_text(content, "text")
    return {"text": clean("\n".join([*([note] if note else []), *lines]))}


def _scalar(item: Item, key: str) -> str:
    value = item.get(key)
    if type(value) is int and abs(value) >= 10**18:
        return "?"
    return str(value)[:100] if isinstance(value, str | float) or type(value) is int else "?"


def _system(kind: str, item: Item) -> Fields:
    content = mapping(item, "system")
    new_phone = identifier(content, "wa_id", required=False)
    new_bsuid = identifier(content, "user_id", required=False)
    moved = Sender(wa_id=new_phone.lstrip("+") if new_phone else None, bsuid=new_bsuid)
    return {"text": optional_text(content, "body"), "moved_to": moved if new_phone or new_bsuid else None}


def _referral(item: Item) -> Referral | None:
    content = mapping(item, "referral", required=False)
    if not content:
        return None
    return Referral(
        source_type=optional_text(content, "source_type"),
        source_id=optional_text(content, "source_id"),
        source_url=optional_text(content, "source_url"),
        headline=optional_text(content, "headline"),
    )


_READERS: Mapping[str, Callable[[str, Item], Fields]] = {
    "text": _text,
    **dict.fromkeys(("audio", "image", "video", "document", "sticker"), _media),
    "location": _location,
    "contacts": _cards,
    "interactive": _interactive,
    "button": _template_button,
    "reaction": _reaction,
    "order": _order,
    "system": _system,
}
