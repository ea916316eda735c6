"""What we may say through a channel, as frozen values in plain Markdown; a channel renders them."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict

Kind = Literal["text", "buttons", "list", "document"]


class Button(BaseModel):
    """A reply button: `id` comes back as `InboundMessage.button_id` when it is pressed."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str
    title: str


class Row(BaseModel):
    """A row of a list; `id` comes back like a button's."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str
    title: str
    description: str | None = None


class OutboundMessage(BaseModel):
    """One message to a customer, before the channel's limits are applied (`limits.fit` applies them).

    `body` is Markdown; `opener` labels the control that opens a list; `footer` is a small last line;
    `reply_to` is the wamid of the message quoted. A document carries the `media_id` of an upload and
    a `filename`, and its body is the caption.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: Kind = "text"
    body: str = ""
    buttons: tuple[Button, ...] = ()
    rows: tuple[Row, ...] = ()
    opener: str | None = None
    footer: str | None = None
    reply_to: str | None = None
    media_id: str | None = None
    filename: str | None = None
