"""What the HTTP layer works with, kept on the application."""

from __future__ import annotations

import asyncio
import hmac
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from fastapi import Request

from api.library import Library
from api.limits import Limits
from api.live import Live
from api.metrics import Metrics
from api.refusals import Refusals
from channels.oidc.provider import Provider
from crm import businesses
from crm.packs import Pack
from crm.record import Crm
from crm.sealing import Seal
from db.trace import Spans, Unrecorded
from knowledge.phrases import Phrases

if TYPE_CHECKING:
    from graph.history import Explained

_NUMBER_TTL_S = 60.0

Explain = Callable[[int, str, str], Awaitable["Explained | None"]]
"""(business_id, thread_id, turn_id) → how that turn came to what it said."""
Media = Callable[[str, str | None, str], Awaitable[bytes]]
"""(media_id, sha256, phone_number_id) → a customer's file, which was sent to that number of ours. Raises
MediaUnusable, WhatsAppError."""

Export = Callable[[int, int], Awaitable[bytes]]
"""(business_id, contact_id) → everything held about a customer, as a ZIP file. Raises UnknownContact."""


@dataclass(frozen=True)
class ApiServices:
    """Built once per process by sara.services."""

    crm: Crm
    app_secret: str
    verify_token: str
    gather_seconds: float
    metrics: Metrics
    seal: Seal | None = None  # opens recordings; None where none are kept
    live: Live | None = None  # None: consoles are not told of changes
    explain: Explain | None = None  # None: the thread's checkpoints are kept elsewhere
    media: Media | None = None  # None: pictures and documents of customers cannot be fetched
    export: Export | None = None  # None: exports are made on the terminal only
    library: Library | None = None  # None: documents are taken in on the terminal only
    pack_of: Callable[[str], Pack] | None = None  # a vertical's pack. Raises UnknownVertical, VerticalError
    secrets: Seal | None = None  # encrypts where the team is told; None: the key is missing
    spans: Spans = field(default_factory=Unrecorded)  # records the steps of traces
    sign_on: Provider | None = None  # the company's own login; None: passwords only
    public_url: str | None = None  # where people reach this installation
    limits: Limits = field(default_factory=Limits)  # how often one may ask; none as it stands
    refusals: Refusals = field(default_factory=Refusals)  # webhooks that were refused, in the log
    phrases: Phrases = field(default_factory=Phrases.load)  # what customers are told
    # Passwords checked at once: whoever sends many would fill the memory, and needs no login for it.
    checks: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(2))
    _numbers: dict[str, tuple[float, int]] = field(default_factory=dict)

    def verifies(self, token: str) -> bool:
        """Whether a verify token is ours; compared in constant time."""
        return bool(self.verify_token) and hmac.compare_digest(token.encode(), self.verify_token.encode())

    async def business_of(self, phone_number_id: str) -> int | None:
        """Which business a number belongs to; known numbers are remembered for a minute."""
        kept = self._numbers.get(phone_number_id)
        if kept and time.monotonic() - kept[0] < _NUMBER_TTL_S:
            return kept[1]
        async with self.crm.outside() as tx:
            business_id = await businesses.of_number(tx, phone_number_id)
        if business_id is not None:
            self._numbers[phone_number_id] = (time.monotonic(), business_id)
        return business_id


def services_of(request: Request) -> ApiServices:
    """The services of the application that answers this request."""
    services = request.app.state.services
    if not isinstance(services, ApiServices):
        raise TypeError("the application was started without its services")
    return services


def address_of(request: Request) -> str:
    """The network address a request came from: the proxy's word for it where uvicorn trusts the proxy."""
    return request.client.host if request.client else "?"
