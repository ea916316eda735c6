"""One signed request to another system, as https://www.standardwebhooks.com has it."""

import asyncio
import base64
import email.utils
import secrets
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from urllib.parse import urlsplit

import httpcore
from standardwebhooks.webhooks import Webhook

from channels.outward.guard import Guarded, Unresolved, check_url

_SECRET_BYTES = 32  # the specification asks for 24 to 64
_WHOLE_S = 15.0
_TIMEOUTS = {"connect": 5.0, "read": 10.0, "write": 10.0, "pool": 10.0}


class NotReached(Exception):
    """The receiver could not be asked, or gave no answer in time."""


@dataclass(frozen=True)
class Answer:
    """What a receiver said; `retry_after_s` when it asked for time."""

    status: int
    retry_after_s: float | None

    @property
    def taken(self) -> bool:
        """Only 2xx counts: redirections are not followed."""
        return 200 <= self.status < 300


def new_secret() -> str:
    """A fresh signing secret."""
    return f"whsec_{base64.b64encode(secrets.token_bytes(_SECRET_BYTES)).decode()}"


def signed(webhook_id: str, body: str, signing: Sequence[str], now: datetime) -> dict[str, str]:
    """The headers that prove a body's origin, one signature per secret. `now` is aware."""
    moment = now.astimezone(UTC)
    return {
        "webhook-id": webhook_id,
        "webhook-timestamp": str(int(moment.timestamp())),
        "webhook-signature": " ".join(Webhook(secret).sign(webhook_id, moment, body) for secret in signing),
    }


class Post:
    """Sends webhooks to public addresses only, unless private ones are allowed."""

    def __init__(self, pool: httpcore.AsyncConnectionPool, *, allow_private: bool) -> None:
        self._pool = pool
        self.allow_private = allow_private

    async def send(
        self, url: str, webhook_id: str, body: str, signing: Sequence[str], now: datetime
    ) -> Answer:
        """Posts a body once. Raises NotReached, DestinationRefused."""
        host, _ = check_url(url, allow_private=self.allow_private)
        headers = {
            "Host": urlsplit(url).netloc,
            "Content-Type": "application/json",
            "User-Agent": "SARA-Webhooks/1",
            **signed(webhook_id, body, signing, now),
        }
        try:
            async with (
                asyncio.timeout(_WHOLE_S),
                self._pool.stream(
                    "POST",
                    url,
                    headers=list(headers.items()),
                    content=body.encode(),
                    extensions={"timeout": _TIMEOUTS},
                ) as response,
            ):
                return Answer(response.status, _retry_after(response.headers, now))
        except (
            httpcore.NetworkError,
            httpcore.TimeoutException,
            httpcore.ProtocolError,
            httpcore.UnsupportedProtocol,
            TimeoutError,
            OSError,
            Unresolved,
        ) as error:
            raise NotReached(f"{host}: {str(error) or type(error).__name__}") from error


@asynccontextmanager
async def opened(*, allow_private: bool) -> AsyncIterator[Post]:
    """A poster whose connections end with the block. Proxies of the environment are not used."""
    backend = Guarded(allow_private=allow_private)
    # One request per connection: an answer's body is not read, so there is nothing to go on with.
    async with httpcore.AsyncConnectionPool(
        network_backend=backend, max_connections=32, max_keepalive_connections=0
    ) as pool:
        yield Post(pool, allow_private=allow_private)


def _retry_after(headers: Sequence[tuple[bytes, bytes]], now: datetime) -> float | None:
    """Seconds, from either form of Retry-After (RFC 9110, section 10.2.3)."""
    for name, value in headers:
        if name.lower() == b"retry-after":
            text = value.decode("ascii", "replace").strip()
            if text.isdigit():
                return float(text[:9])
            try:
                at = email.utils.parsedate_to_datetime(text)
            except ValueError:
                return None
            return max(0.0, (at - now).total_seconds()) if at.tzinfo else None
    return None
