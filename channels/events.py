"""What a channel tells us, as frozen values: one class for each kind of event, free of any wire format.

Text in these values has no NUL and no lone surrogate, so it can always be stored in PostgreSQL.
"""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

DeliveryState = Literal["sent", "delivered", "read", "played", "failed"]


class Event(BaseModel):
    """Base of every value here: immutable and closed to unknown fields."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Sender(Event):
    """The customer: at least one of `wa_id` (digits, no plus) and `bsuid` (business-scoped id) is present.

    Either can be missing, and `bsuid` changes with the phone number, so neither is a key on its own.
    """

    wa_id: str | None = None
    bsuid: str | None = None
    name: str | None = None


class Media(Event):
    """A file kept by the channel under `id`; `voice` marks a voice note, as against an audio file."""

    id: str
    mime_type: str | None = None
    sha256: str | None = None
    voice: bool = False
    filename: str | None = None
    caption: str | None = None


class Location(Event):
    """A point the customer shared, in degrees, with the place's name and address where one was chosen."""

    latitude: float = Field(ge=-90, le=90)
    longitude: float = Field(ge=-180, le=180)
    name: str | None = None
    address: str | None = None


class Referral(Event):
    """The advertisement or post the customer pressed before writing."""

    source_type: str | None = None
    source_id: str | None = None
    source_url: str | None = None
    headline: str | None = None


class InboundMessage(Event):
    """One message of a customer.

    `text` is what the customer said in words, whatever the type: the body, a caption, the title of a
    pressed button, the emoji of a reaction. `button_id` is the id (or a template's payload) of a pressed
    button or list row. `reply_to` is the wamid of the message quoted, pressed or reacted to.
    `moved_to` is set on a `system` message that announces the customer's new number.
    `is_unsupported` means that the type is kept but nothing of its content could be read.
    """

    phone_number_id: str
    wamid: str
    sender: Sender
    sent_at: datetime
    type: str
    text: str | None = None
    media: Media | None = None
    button_id: str | None = None
    button_title: str | None = None
    reply_to: str | None = None
    location: Location | None = None
    referral: Referral | None = None
    moved_to: Sender | None = None
    is_unsupported: bool = False


class StatusUpdate(Event):
    """A message of ours moved along. Updates come late, repeated and out of order."""

    phone_number_id: str
    wamid: str
    status: DeliveryState
    at: datetime
    recipient_wa_id: str | None = None
    recipient_bsuid: str | None = None
    callback_data: str | None = None
    error_code: int | None = None
    error_title: str | None = None


class Echo(Event):
    """Words the owner typed on the phone app, outside SARA: a human has taken the conversation."""

    phone_number_id: str
    wamid: str
    to: str | None
    to_bsuid: str | None = None
    text: str | None
    sent_at: datetime


class Preference(Event):
    """The customer allowed or stopped a category of messages in the app's own settings."""

    phone_number_id: str
    sender: Sender
    category: str
    stopped: bool
    at: datetime


class Unparsed(Event):
    """An item that could not be read: `path` in the payload, why, and the item itself as JSON text."""

    path: str
    reason: str
    raw: str


class ParsedWebhook(Event):
    """Everything one webhook carried, each kind in payload order."""

    messages: tuple[InboundMessage, ...] = ()
    statuses: tuple[StatusUpdate, ...] = ()
    echoes: tuple[Echo, ...] = ()
    preferences: tuple[Preference, ...] = ()
    unparsed: tuple[Unparsed, ...] = ()
