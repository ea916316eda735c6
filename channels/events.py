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
    """The advertisement or post the customer pressed before writing; `click_id` names the click to Meta."""

    source_type: str | None = None
    source_id: str | None = None
    source_url: str | None = None
    headline: str | None = None
    body: str | None = None
    click_id: str | None = None


class Card(Event):
    """A contact card the customer shared."""

    name: str = ""
    phones: tuple[str, ...] = ()
    emails: tuple[str, ...] = ()


class Ordered(Event):
    """One line of an order: the catalogue's id of the product, and how many."""

    product: str
    quantity: str


class Form(Event):
    """A form (flow) the customer filled in: its fields by name, in order, as text."""

    name: str | None = None
    answers: tuple[tuple[str, str], ...] = ()


class InboundMessage(Event):
    """One message of a customer.

    `text` is what the customer said in words, whatever the type: the body, a caption, the title of a
    pressed button, the emoji of a reaction. `button_id` is the id (or a template's payload) of a pressed
    button or list row. `reply_to` is the wamid of the message quoted, pressed or reacted to.
    `moved_to` is set on a `system` message that announces the customer's new number.
    `edits` is the wamid of the message that this one's content replaces, `deletes` of one taken back.
    `is_unsupported` means that the type is kept but nothing of its content could be read; `why` says what
    Meta said of it.
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
    cards: tuple[Card, ...] = ()
    order: tuple[Ordered, ...] = ()
    form: Form | None = None
    edits: str | None = None
    deletes: str | None = None
    is_forwarded: bool = False
    is_unsupported: bool = False
    why: str | None = None


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
    """What the owner sent from the phone app, outside SARA: a human has taken the conversation.

    `text` is None where the message holds no words; `edits` and `deletes` are as in InboundMessage.
    """

    phone_number_id: str
    wamid: str
    to: str | None
    to_bsuid: str | None = None
    type: str = "text"
    text: str | None
    media: Media | None = None
    edits: str | None = None
    deletes: str | None = None
    sent_at: datetime


class Preference(Event):
    """The customer allowed or stopped a category of messages in the app's own settings."""

    phone_number_id: str
    sender: Sender
    category: str
    stopped: bool
    at: datetime


class AccountNews(Event):
    """Meta says something of the account: `field` is the webhook's, the rest what it told.

    `status` is the event of a template (APPROVED, PAUSED …) or of a number (FLAGGED, UNFLAGGED, UPGRADE,
    DOWNGRADE …); `digits` the number it is about; `tier` unique customers per 24 hours, 0 without limit.
    """

    waba_id: str | None
    field: str
    template: str | None = None
    code: str | None = None
    status: str | None = None
    reason: str | None = None
    quality: str | None = None
    category: str | None = None
    digits: str | None = None
    tier: int | None = Field(default=None, ge=0)


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
    account: tuple[AccountNews, ...] = ()
    unparsed: tuple[Unparsed, ...] = ()
