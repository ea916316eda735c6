"""How often one caller and one address may ask: token buckets, kept in this process.

Every process counts by itself, so that `n` processes behind one proxy let through at most `n` times as much.
In return a request costs no round trip, and the limit holds where the database is what is overloaded.
Webhooks are never held back: Meta would send them again, and messages would come late. Logins have their own
limits on top (crm/logins.py), kept in the database.
"""

import hashlib
import ipaddress
import math
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from starlette.datastructures import Headers
from starlette.requests import cookie_parser
from starlette.responses import PlainTextResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from api.errors import told
from api.metrics import Metrics

MOST_KEPT = 50_000  # callers and addresses remembered at once: some 10 MB
SESSION_COOKIE = "sara_session"
_LIMITED = ("/api/", "/console", "/calendars/")
_FREE = "/console/static/"
_MINUTE_S = 60.0
_IPV6_SITE = 64  # bits that one subscriber gets: the rest of an address costs nothing to change

By = Literal["caller", "address"]


class TooManyRequests(Exception):
    """Too many requests: wait as long as Retry-After says, then go on more slowly."""


@dataclass
class _Bucket:
    left: float
    at: float


class Buckets:
    """Token buckets by key: each holds a minute's worth and fills evenly. `per_minute` 0: no limit.

    The keys asked for longest ago are forgotten when there are too many; a forgotten one begins full again.
    """

    def __init__(
        self, per_minute: int, *, clock: Callable[[], float] = time.monotonic, most: int = MOST_KEPT
    ) -> None:
        self._size, self._clock, self._most = float(per_minute), clock, most
        self._kept: OrderedDict[bytes, _Bucket] = OrderedDict()

    def __len__(self) -> int:
        return len(self._kept)

    def wait_s(self, key: bytes) -> float:
        """Takes one; 0 when there was one, else how many seconds until there is."""
        if not self._size:
            return 0.0
        now = self._clock()
        bucket = self._kept.pop(key, None) or _Bucket(self._size, now)
        self._kept[key] = bucket
        if len(self._kept) > self._most:
            self._kept.popitem(last=False)
        bucket.left = min(self._size, bucket.left + (now - bucket.at) * self._size / _MINUTE_S)
        bucket.at = now
        if bucket.left >= 1:
            bucket.left -= 1
            return 0.0
        return (1 - bucket.left) * _MINUTE_S / self._size


class Limits:
    """The limits of one process: requests a minute by one token or session, and by one network address."""

    def __init__(
        self, caller: int = 0, address: int = 0, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._callers = Buckets(caller, clock=clock)
        self._addresses = Buckets(address, clock=clock)

    def refused(self, address: str, credentials: bytes | None) -> tuple[By, float] | None:
        """By what a request is held back and for how many seconds; None lets it through."""
        wait = self._addresses.wait_s(site_of(address))
        if wait:
            return "address", wait
        wait = self._callers.wait_s(credentials) if credentials is not None else 0.0
        return ("caller", wait) if wait else None


class Limited:
    """ASGI middleware: 429 with Retry-After for who asks too often; before anything is read or looked up."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Passes on what is not limited, and what is within the limits."""
        if scope["type"] != "http" or not _is_limited(scope["path"]):
            await self._app(scope, receive, send)
            return
        services, headers = scope["app"].state.services, Headers(scope=scope)
        client = scope.get("client")
        refused = services.limits.refused(client[0] if client else "?", credentials_of(headers))
        if refused is None:
            await self._app(scope, receive, send)
            return
        by, wait_s = refused
        await _answer(services.metrics, by, wait_s, headers)(scope, receive, send)


def _is_limited(path: str) -> bool:
    return path.startswith(_LIMITED) and not path.startswith(_FREE)


def credentials_of(headers: Headers) -> bytes | None:
    """A digest of the token or of the session's cookie; whether it is anybody's is not known yet."""
    token = headers.get("authorization") or cookie_parser(headers.get("cookie", "")).get(SESSION_COOKIE)
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest() if token else None


def site_of(address: str) -> bytes:
    """An address as it is counted: of IPv6 the network that one subscriber has."""
    try:
        known = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return address.encode()
    if isinstance(known, ipaddress.IPv6Address):
        if known.ipv4_mapped is None:
            return known.packed[: _IPV6_SITE // 8]
        known = known.ipv4_mapped
    return known.packed


def _answer(metrics: Metrics, by: By, wait_s: float, headers: Headers) -> Response:
    metrics.limited(by)
    again = {"Retry-After": str(math.ceil(wait_s)), "Cache-Control": "no-store"}
    if "text/html" in headers.get("accept", ""):
        return PlainTextResponse(f"Too many requests: wait {math.ceil(wait_s)} s.", 429, again)
    return told(TooManyRequests(TooManyRequests.__doc__), 429, again)
