"""The content of one message by its type, as the fields of `InboundMessage` that the type fills."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping

from channels.events import Card, Form, Location, Media, Ordered, Referral, Sender
from channels.whatsapp.fields import Malformed, clean, identifier, mapping, optional_text, text

Item = Mapping[str, object]
Fields = dict[str, object]


def content_of(kind: str, item: Item) -> Fields:
    """Read a message's content; a type nobody reads here is kept as unsupported. Raises Malformed."""
    read = _READERS.get(kind)
    # Meta reports content it could not fetch as an error on the message instead of the content.
    failed = isinstance(item.get("errors"), list) and not isinstance(item.get(kind), Mapping)
    fields: Fields = (
        {"is_unsupported": True, "why": _why(item)} if read is None or failed else read(kind, item)
    )
    if referral := _referral(item):
        fields["referral"] = referral
    if mapping(item, "context", required=False).get("forwarded") is True:
        fields["is_forwarded"] = True
    return fields


def echo_of(item: Item) -> Fields:
    """What the owner sent from the phone, as the fields of `Echo`; a type nobody reads has no words."""
    kind = identifier(item, "type", required=False) or "text"
    try:
        fields = content_of(kind, item)
    except (Malformed, ValueError):
        # Whatever it says, a human has spoken: that alone changes the conversation's owner.
        fields = {}
    kept = {key: fields.get(key) for key in ("text", "media", "edits", "deletes")}
    return {"type": kind, **kept}


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
    read = tuple(_card(card) for card in cards if isinstance(card, Mapping))
    words = "\n".join(" ".join(filter(None, [card.name, *card.phones, *card.emails])) for card in read)
    return {"text": words, "cards": read}


def _card(card: Item) -> Card:
    return Card(
        name=optional_text(mapping(card, "name", required=False), "formatted_name") or "",
        phones=_each(card, "phones", "phone"),
        emails=_each(card, "emails", "email"),
    )


def _each(item: Item, key: str, inner: str) -> tuple[str, ...]:
    values = item.get(key)
    listed = [one for one in values if isinstance(one, Mapping)] if isinstance(values, list) else []
    return tuple(found for one in listed if (found := optional_text(one, inner)))


def _interactive(kind: str, item: Item) -> Fields:
    content = mapping(item, "interactive")
    which = identifier(content, "type")
    if which not in ("button_reply", "list_reply", "nfm_reply"):
        return {"is_unsupported": True, "why": f"a reply of type {which}"}
    reply = mapping(content, which)
    if which == "nfm_reply":
        return _form(reply)
    title = optional_text(reply, "title")
    return {"button_id": identifier(reply, "id"), "button_title": title, "text": title}


def _form(reply: Item) -> Fields:
    """A filled-in flow, one line a field; the flow's own token says nothing to anyone.

    https://developers.facebook.com/docs/whatsapp/flows/guides/receiveflowresponse
    """
    raw = text(reply, "response_json")
    try:
        answers = json.loads(raw)
    except (ValueError, RecursionError):
        return {"text": raw}
    if not isinstance(answers, Mapping):
        return {"text": raw}
    pairs = tuple((clean(str(k)), _answer(v)) for k, v in answers.items() if k != "flow_token")
    words = "\n".join(f"{name}: {answer}" for name, answer in pairs)
    return {"text": words, "form": Form(name=optional_text(reply, "name"), answers=pairs)}


def _answer(value: object) -> str:
    """One answer as text; several choices of one field are listed."""
    if isinstance(value, list) and all(isinstance(one, str | int | float | bool) for one in value):
        return clean(", ".join(map(str, value)))
    try:
        return clean(value if isinstance(value, str) else json.dumps(value, ensure_ascii=False))
    except (ValueError, RecursionError):  # a number or a depth that cannot be written down
        return "?"


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
    order = tuple(
        Ordered(product=clean(_scalar(p, "product_retailer_id")), quantity=clean(_scalar(p, "quantity")))
        for p in listed
    )
    lines = [f"{line.quantity} × {line.product}" for line in order]
    note = optional_text(content, "text")
    return {"text": clean("\n".join([*([note] if note else []), *lines])), "order": order}


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


def _edit(kind: str, item: Item) -> Fields:
    """https://developers.facebook.com/documentation/business-messaging/whatsapp/webhooks/reference/messages/edit"""
    content = mapping(item, "edit")
    inner = mapping(content, "message")
    kind = identifier(inner, "type")
    # An edit of an edit would be read without end.
    fields = content_of(kind, inner) if kind != "edit" else {"is_unsupported": True}
    return {**fields, "edits": identifier(content, "original_message_id")}


def _revoke(kind: str, item: Item) -> Fields:
    """https://developers.facebook.com/documentation/business-messaging/whatsapp/webhooks/reference/messages/revoke"""
    return {"deletes": identifier(mapping(item, "revoke"), "original_message_id")}


def _why(item: Item) -> str | None:
    """What Meta says of content it does not pass on: `131051: Message type is currently not supported`."""
    errors = item.get("errors")
    error = errors[0] if isinstance(errors, list) and errors and isinstance(errors[0], Mapping) else {}
    code, title = error.get("code"), optional_text(error, "title")
    kind = optional_text(mapping(item, "unsupported", required=False), "type")
    known = [str(code)[:20] if isinstance(code, int) else None, title, kind]
    return ": ".join(part for part in known if part) or None


def _referral(item: Item) -> Referral | None:
    content = mapping(item, "referral", required=False)
    if not content:
        return None
    return Referral(
        source_type=optional_text(content, "source_type"),
        source_id=optional_text(content, "source_id"),
        source_url=optional_text(content, "source_url"),
        headline=optional_text(content, "headline"),
        body=optional_text(content, "body"),
        click_id=optional_text(content, "ctwa_clid"),
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
    "edit": _edit,
    "revoke": _revoke,
}
