"""What exists in the simulated WhatsApp: numbers, customers, messages, media. In memory, one event loop."""

from __future__ import annotations

import asyncio
import hashlib
import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

from channels.messages import Button, Row
from channels.simulator.settings import BusinessNumber, SimulatorSettings

Clock = Callable[[], datetime]
State = Literal["sent", "delivered", "read", "played", "failed"]

WINDOW = timedelta(hours=24)
TYPING_S = 25.0
_RANK: dict[State, int] = {"sent": 0, "delivered": 1, "read": 2, "played": 3, "failed": 4}
_COUNTRIES = {"39": "IT", "34": "ES", "351": "PT", "55": "BR", "44": "GB", "33": "FR", "49": "DE", "52": "MX"}


def utc_now() -> datetime:
    return datetime.now(UTC)


class Customer(BaseModel):
    """A person with a phone; `bsuid` is how businesses know them when the number is hidden."""

    model_config = ConfigDict(frozen=True)

    wa_id: str
    name: str
    bsuid: str


class MediaFile(BaseModel):
    """Bytes kept under an id, with their declared type."""

    model_config = ConfigDict(frozen=True)

    id: str
    data: bytes
    mime_type: str
    filename: str | None = None

    @property
    def sha256(self) -> str:
        return hashlib.sha256(self.data).hexdigest()


class SimMessage(BaseModel):
    """A message as both phones see it: `in` is from the customer to the business, `out` the other way.

    For `in`, `status` is sent, then delivered once the webhook was answered 200, then read.
    `raw` is the request body of an `out` message and the webhook's item of an `in` message.
    """

    model_config = ConfigDict(frozen=True)

    wamid: str
    phone_number_id: str
    customer: str
    direction: Literal["in", "out"]
    type: str
    at: datetime
    text: str = ""
    buttons: tuple[Button, ...] = ()
    rows: tuple[Row, ...] = ()
    opener: str | None = None
    footer: str | None = None
    media_id: str | None = None
    mime_type: str | None = None
    voice: bool = False
    filename: str | None = None
    reply_to: str | None = None
    callback_data: str | None = None
    status: State = "sent"
    error_code: int | None = None
    raw: dict[str, Any] = {}


class Change(BaseModel):
    """Something a phone on screen must show: a message, new or moved along, or the business typing."""

    model_config = ConfigDict(frozen=True)

    phone_number_id: str
    customer: str
    message: SimMessage | None = None
    typing_s: float | None = None


class World:
    """The state behind the simulated Graph API and the phones, with subscriptions to its changes."""

    def __init__(self, settings: SimulatorSettings, clock: Clock = utc_now) -> None:
        """`clock` gives the current time in UTC; the 24-hour window is reckoned with it."""
        self.now = clock
        self.numbers: dict[str, BusinessNumber] = {n.phone_number_id: n for n in settings.numbers}
        self.customers: dict[str, Customer] = {}
        self._messages: dict[str, SimMessage] = {}
        self._threads: dict[tuple[str, str], list[str]] = {}
        self._closed: dict[tuple[str, str], datetime] = {}
        self._media: dict[str, MediaFile] = {}
        self._listeners: set[asyncio.Queue[Change]] = set()

    def customer(self, wa_id: str, name: str | None = None) -> Customer:
        """The customer with this number, who comes into being on first use; a name given is kept."""
        known = self.customers.get(wa_id)
        if known is None or (name and name != known.name):
            name = name or (known.name if known else wa_id)
            known = Customer(wa_id=wa_id, name=name, bsuid=bsuid_of(wa_id))
            self.customers[wa_id] = known
        return known

    def find_customer(self, to: str | None, recipient: str | None) -> str | None:
        """The wa_id behind an address of a send; None for a user id nobody has."""
        if to:
            return to.lstrip("+").replace(" ", "")
        return next((c.wa_id for c in self.customers.values() if c.bsuid == recipient), None)

    def add(self, message: SimMessage) -> None:
        self._messages[message.wamid] = message
        self._threads.setdefault((message.phone_number_id, message.customer), []).append(message.wamid)
        self._publish_message(message)

    def message(self, wamid: str) -> SimMessage | None:
        return self._messages.get(wamid)

    def move(self, wamid: str, status: State, error_code: int | None = None) -> bool:
        """Move a message along; False when it is already there or further, or has failed."""
        message = self._messages[wamid]
        if message.status == "failed" or _RANK[status] <= _RANK[message.status]:
            return False
        moved = message.model_copy(update={"status": status, "error_code": error_code})
        self._messages[wamid] = moved
        self._publish_message(moved)
        return True

    def thread(self, phone_number_id: str, customer: str) -> list[SimMessage]:
        """The messages of one conversation, oldest first."""
        return [self._messages[wamid] for wamid in self._threads.get((phone_number_id, customer), [])]

    def sent_to(self, customer: str, phone_number_id: str | None = None) -> list[SimMessage]:
        """What businesses (or one of them) sent to a customer, oldest first; refused sends are not here."""
        return [
            message
            for message in self._messages.values()
            if message.direction == "out"
            and message.customer == customer
            and phone_number_id in (None, message.phone_number_id)
        ]

    def all_sent(self) -> list[SimMessage]:
        """What all businesses sent to anybody, oldest first."""
        return [message for message in self._messages.values() if message.direction == "out"]

    def window_is_open(self, phone_number_id: str, customer: str) -> bool:
        """Whether the customer wrote to this number within the last 24 hours, and since it was closed."""
        thread = self.thread(phone_number_id, customer)
        last = max((m.at for m in thread if m.direction == "in"), default=None)
        closed = self._closed.get((phone_number_id, customer))
        return last is not None and self.now() - last < WINDOW and (closed is None or last > closed)

    def close_window(self, phone_number_id: str, customer: str) -> None:
        """As if 24 hours had passed since the customer last wrote to this number."""
        self._closed[phone_number_id, customer] = self.now()

    def show_typing(self, phone_number_id: str, customer: str) -> None:
        self._publish(Change(phone_number_id=phone_number_id, customer=customer, typing_s=TYPING_S))

    def keep_media(self, data: bytes, mime_type: str, filename: str | None = None) -> MediaFile:
        media = MediaFile(
            id=str(10**15 + secrets.randbelow(9 * 10**15)), data=data, mime_type=mime_type, filename=filename
        )
        self._media[media.id] = media
        return media

    def media(self, media_id: str) -> MediaFile | None:
        return self._media.get(media_id)

    @contextmanager
    def listen(self) -> Iterator[asyncio.Queue[Change]]:
        """A queue of all changes from now on, while the context lasts."""
        queue: asyncio.Queue[Change] = asyncio.Queue()
        self._listeners.add(queue)
        try:
            yield queue
        finally:
            self._listeners.discard(queue)

    def _publish_message(self, message: SimMessage) -> None:
        where = {"phone_number_id": message.phone_number_id, "customer": message.customer}
        self._publish(Change(**where, message=message))

    def _publish(self, change: Change) -> None:
        for queue in self._listeners:
            queue.put_nowait(change)


def new_wamid() -> str:
    """A fresh message id in Meta's form."""
    return "wamid." + secrets.token_hex(20).upper()


def bsuid_of(wa_id: str) -> str:
    """The same made-up user id for the same number each time: country code, dot, alphanumerics."""
    country = next((c for prefix, c in _COUNTRIES.items() if wa_id.startswith(prefix)), "US")
    return f"{country}.{hashlib.sha256(wa_id.encode()).hexdigest()[:20]}"
