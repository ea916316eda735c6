"""What we may say through a channel, as frozen values in plain Markdown; a channel renders them."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

Kind = Literal[
    "text", "buttons", "list", "document", "image", "video", "audio", "location", "reaction", "template"
]


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


class Place(BaseModel):
    """A point on the map, in degrees, with what is there."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    latitude: float = Field(ge=-90, le=90)
    longitude: float = Field(ge=-180, le=180)
    name: str | None = None
    address: str | None = None


class OutboundMessage(BaseModel):
    """One message to a customer, before the channel's limits are applied (`limits.fit` applies them).

    `body` is Markdown; `opener` labels the control that opens a list; `header` is a bold first line and
    `footer` a small last one of buttons and lists; `reply_to` is the wamid of the message quoted. `preview`
    shows a card of the first link of a text.

    An image, video, document or audio carries the `media_id` of an upload. A document has a `filename` too;
    the body is the caption of all but audio, which has none. `voice` makes audio a voice note (OGG/Opus).
    A location carries `place`. A reaction's body is one emoji on the message `reply_to`; an empty body takes
    it back.

    A template is named by `template` and its language `code`; `values` fill its body, `header_value` the
    variable of its header, `media_id` with `header_kind` a header that shows a file, `url_values` the ends
    of its links by their button's index, and `buttons` give the ids its quick replies bring back, in order.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: Kind = "text"
    body: str = ""
    buttons: tuple[Button, ...] = ()
    rows: tuple[Row, ...] = ()
    opener: str | None = None
    header: str | None = None
    footer: str | None = None
    reply_to: str | None = None
    preview: bool = False
    media_id: str | None = None
    filename: str | None = None
    voice: bool = False
    place: Place | None = None
    template: str | None = None
    code: str | None = None
    values: tuple[str, ...] = ()
    header_value: str | None = None
    header_kind: Literal["image", "video", "document"] | None = None
    url_values: tuple[tuple[int, str], ...] = ()
