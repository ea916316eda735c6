"""Meta's webhook payload → events. Every level of the envelope is a list; nothing is dropped in silence.

Shapes are those of the Cloud API's webhook reference, with and without business-scoped user ids, and with
and without a phone number. An item that cannot be read becomes `Unparsed` beside its good neighbours.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TypeVar

from pydantic import ValidationError

from channels.events import (
    AccountNews,
    Echo,
    InboundMessage,
    ParsedWebhook,
    Preference,
    Sender,
    StatusUpdate,
    Unparsed,
)
from channels.visible import visible
from channels.whatsapp import account
from channels.whatsapp.content import content_of, echo_of
from channels.whatsapp.fields import Malformed, identifier, mapping, number, optional_text, text

Item = Mapping[str, object]
T = TypeVar("T")

_STATES = {"sent", "delivered", "read", "played", "failed"}
_SERVED_KEYS = ("messages", "statuses", "message_echoes", "user_preferences", "errors")


@dataclass
class _Found:
    """Events gathered while one payload is walked."""

    messages: list[InboundMessage] = field(default_factory=list)
    statuses: list[StatusUpdate] = field(default_factory=list)
    echoes: list[Echo] = field(default_factory=list)
    preferences: list[Preference] = field(default_factory=list)
    account: list[AccountNews] = field(default_factory=list)
    unparsed: list[Unparsed] = field(default_factory=list)

    def reject(self, path: str, reason: str, item: object) -> None:
        self.unparsed.append(Unparsed(path=path, reason=reason, raw=_as_json(item)))

    def collect(self, items: Iterable[tuple[str, Item]], read: Callable[[Item], T], into: list[T]) -> None:
        """Read each item into its list; what cannot be read is kept as Unparsed."""
        for path, item in items:
            try:
                into.append(read(item))
            except Malformed as problem:
                self.reject(path, str(problem), item)
            except ValidationError as problem:
                wrong = problem.errors(include_url=False, include_input=False)[0]
                self.reject(path, f"{'.'.join(map(str, wrong['loc']))}: {wrong['msg']}", item)


def parse(payload: object) -> ParsedWebhook:
    """Read every message, status, echo and preference of a decoded webhook body, in payload order.

    Never raises, whatever the payload is; what was not understood is in `unparsed`.
    """
    found = _Found()
    if not isinstance(payload, Mapping):
        found.reject("$", "the payload is not an object", payload)
    else:
        for path, change, waba_id in _changes(payload, found):
            _read_change(path, change, found, waba_id)
    return ParsedWebhook(
        messages=tuple(found.messages),
        statuses=tuple(found.statuses),
        echoes=tuple(found.echoes),
        preferences=tuple(found.preferences),
        account=tuple(found.account),
        unparsed=tuple(found.unparsed),
    )


def _changes(payload: Item, found: _Found) -> Iterator[tuple[str, Item, str | None]]:
    """Each change with its path and the account it is of."""
    for entry_path, entry in _items(payload, "entry", "$", found, required=True):
        waba_id = optional_text(entry, "id")
        for path, change in _items(entry, "changes", entry_path, found, required=True):
            yield path, change, waba_id


def _items(
    parent: Item, key: str, path: str, found: _Found, *, required: bool = False
) -> Iterator[tuple[str, Item]]:
    """The objects of a list, with their paths; anything else there is rejected."""
    values = parent.get(key)
    if not isinstance(values, list):
        if required or values is not None:
            found.reject(f"{path}.{key}", f"`{key}` is missing or not a list", parent)
        return
    for position, item in enumerate(values):
        item_path = f"{path}.{key}[{position}]"
        if isinstance(item, Mapping):
            yield item_path, item
        else:
            found.reject(item_path, "not an object", item)


def _read_change(path: str, change: Item, found: _Found, waba_id: str | None) -> None:
    value = change.get("value")
    if not isinstance(value, Mapping):
        found.reject(f"{path}.value", "`value` is missing or not an object", change)
        return
    here = f"{path}.value"
    name = optional_text(change, "field") or ""
    if account.reads(name):
        found.collect([(here, value)], lambda item: account.read(name, item, waba_id), found.account)
        return
    if not any(key in value for key in _SERVED_KEYS):
        found.reject(here, f"field {optional_text(change, 'field')!r} is not one SARA reads", change)
        return
    contacts = _contacts(value)
    messages = _items(value, "messages", here, found)
    found.collect(messages, lambda item: _message(item, value, contacts), found.messages)
    statuses = _items(value, "statuses", here, found)
    found.collect(statuses, lambda item: _status(item, value, contacts), found.statuses)
    echoes = _items(value, "message_echoes", here, found)
    found.collect(echoes, lambda item: _echo(item, value), found.echoes)
    preferences = _items(value, "user_preferences", here, found)
    found.collect(preferences, lambda item: _preference(item, value, contacts), found.preferences)
    for at, item in _items(value, "errors", here, found):
        title = optional_text(item, "title") or optional_text(item, "message")
        found.reject(at, f"Meta reports {number(item, 'code', required=False)}: {title}", item)


def _message(item: Item, value: Item, contacts: list[Sender]) -> InboundMessage:
    kind = identifier(item, "type")
    sender = _identify(_phone(item, "from"), identifier(item, "from_user_id", required=False), contacts)
    if sender is None:
        raise Malformed("the sender has neither a phone number nor a user id")
    content = content_of(kind, item)
    context = mapping(item, "context", required=False)
    return InboundMessage.model_validate(
        {
            "phone_number_id": _phone_number_id(value),
            "wamid": identifier(item, "id"),
            "sender": sender,
            "sent_at": _moment(item),
            "type": kind,
            "reply_to": identifier(context, "id", required=False),
            **_as_seen(content),
        }
    )


def _as_seen(content: Item) -> dict[str, object]:
    """The content with the words that a person would see; invisible ones are nobody's message."""
    words = {
        key: visible(value) for key in ("text", "button_title") if isinstance(value := content.get(key), str)
    }
    return {**content, **words}


def _status(item: Item, value: Item, contacts: list[Sender]) -> StatusUpdate:
    state = identifier(item, "status")
    if state not in _STATES:
        raise Malformed(f"unknown status {state!r}")
    recipient = _identify(
        _phone(item, "recipient_id"), identifier(item, "recipient_user_id", required=False), contacts
    )
    error: Item = next((e for e in _list(item, "errors") if isinstance(e, Mapping)), {})
    code = number(error, "code", required=False)
    return StatusUpdate.model_validate(
        {
            "phone_number_id": _phone_number_id(value),
            "wamid": identifier(item, "id"),
            "status": state,
            "at": _moment(item),
            "recipient_wa_id": recipient.wa_id if recipient else None,
            "recipient_bsuid": recipient.bsuid if recipient else None,
            "callback_data": optional_text(item, "biz_opaque_callback_data"),
            "error_code": code if code is not None and abs(code) < 2**31 else None,
            "error_title": optional_text(error, "title") or optional_text(error, "message"),
        }
    )


def _echo(item: Item, value: Item) -> Echo:
    to, bsuid = _phone(item, "to"), identifier(item, "to_user_id", required=False)
    if not to and not bsuid:
        raise Malformed("the echo names no recipient")
    return Echo.model_validate(
        {
            "phone_number_id": _phone_number_id(value),
            "wamid": identifier(item, "id"),
            "to": to,
            "to_bsuid": bsuid,
            "sent_at": _moment(item),
            **_as_seen(echo_of(item)),
        }
    )


def _preference(item: Item, value: Item, contacts: list[Sender]) -> Preference:
    sender = _identify(_phone(item, "wa_id"), identifier(item, "user_id", required=False), contacts)
    if sender is None:
        raise Malformed("the preference names no customer")
    choice = identifier(item, "value")
    if choice not in ("stop", "resume"):
        raise Malformed(f"unknown preference {choice!r}")
    return Preference(
        phone_number_id=_phone_number_id(value),
        sender=sender,
        category=text(item, "category"),
        stopped=choice == "stop",
        at=_moment(item),
    )


def _contacts(value: Item) -> list[Sender]:
    """The change's contacts; one that cannot be read costs a name, never a message."""
    contacts = []
    for item in _list(value, "contacts"):
        if isinstance(item, Mapping):
            try:
                profile = mapping(item, "profile", required=False)
                name = " ".join(visible(optional_text(profile, "name") or "").split()) or None
                bsuid = identifier(item, "user_id", required=False)
                contacts.append(Sender(wa_id=_phone(item, "wa_id"), bsuid=bsuid, name=name))
            except Malformed:
                continue
    return contacts


def _identify(wa_id: str | None, bsuid: str | None, contacts: list[Sender]) -> Sender | None:
    """The customer behind the ids of an item, completed from its own contact; None without any id."""
    for contact in contacts:
        if (bsuid and contact.bsuid == bsuid) or (wa_id and contact.wa_id == wa_id):
            return Sender(wa_id=wa_id or contact.wa_id, bsuid=bsuid or contact.bsuid, name=contact.name)
    if wa_id or bsuid:
        nameless = [contact for contact in contacts if not contact.wa_id and not contact.bsuid]
        name = nameless[0].name if len(contacts) == 1 and nameless else None
        return Sender(wa_id=wa_id, bsuid=bsuid, name=name)
    # Without ids on the item, a single contact can only be its author; of several, none may be guessed.
    only = contacts[0] if len(contacts) == 1 else None
    return only if only and (only.wa_id or only.bsuid) else None


def _phone(item: Item, key: str) -> str | None:
    found = identifier(item, key, required=False)
    return found.lstrip("+") or None if found else None


def _phone_number_id(value: Item) -> str:
    return identifier(mapping(value, "metadata"), "phone_number_id")


def _moment(item: Item) -> datetime:
    seconds = number(item, "timestamp")
    try:
        return datetime.fromtimestamp(seconds, UTC)
    except (ValueError, OverflowError, OSError):
        raise Malformed(f"`timestamp` is out of range: {seconds}") from None


def _list(item: Item, key: str) -> list[object]:
    values = item.get(key)
    return values if isinstance(values, list) else []


def _as_json(item: object) -> str:
    try:
        return json.dumps(item, default=str)
    except (ValueError, TypeError, RecursionError):
        return f"<{type(item).__name__} that cannot be written as JSON>"
