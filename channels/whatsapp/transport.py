"""The way to the Graph API: a request arrives promptly, or not at all."""

from __future__ import annotations

import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from urllib.request import getproxies

import aiohttp
import httpx
from yarl import URL

UNHEARD_S = 4.0
"""Seconds after which what the other end has not acknowledged is given up, by the kernel too.

A host whose network is cut goes on repeating what it could not deliver, and delivers it when the network is
back, even for a connection that was closed meanwhile. By then another worker may have sent the message again
(after SARA_UNKNOWN_GRACE_S, which has to be longer): the customer would get it twice.
"""

_IDLE_S = 5.0  # the other end closes a connection that rests for long, and what is sent then has no answer
_MOST_CONNECTIONS = 64
_CHUNK = 64 * 1024


def prompt_or_not_at_all() -> PromptTransport | None:
    """A transport that bounds how late a request can arrive (tcp(7), TCP_USER_TIMEOUT).

    None where the system has no such bound (not Linux), or where a proxy of the environment stands in
    between, to which httpx's own transport knows the way.
    """
    option: int | None = getattr(socket, "TCP_USER_TIMEOUT", None)
    return None if option is None or getproxies() else PromptTransport(option)


class PromptTransport(httpx.AsyncBaseTransport):
    """httpx on aiohttp's connections, which cost less processor. Open and close it in one event loop.

    Not the package httpx-aiohttp: it takes a connection that broke after the request had left for one that
    was never made, and such a message would be sent again.
    """

    def __init__(self, option: int) -> None:
        """`option` is the system's number of TCP_USER_TIMEOUT."""
        self._option = option
        self._session: aiohttp.ClientSession | None = None

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """One request on the wire. Raises ConnectError, ConnectTimeout or UnsupportedProtocol where no byte
        of it has left, and another httpx.TransportError where some may have."""
        within = request.extensions.get("timeout", {})
        body = await request.aread()
        with _as_httpx():
            response = await self._opened().request(
                request.method,
                URL(str(request.url), encoded=True),
                headers=request.headers.multi_items(),
                data=body or None,
                allow_redirects=False,
                timeout=aiohttp.ClientTimeout(
                    connect=within.get("pool"),
                    sock_connect=within.get("connect"),
                    sock_read=within.get("read"),
                ),
            )
        return httpx.Response(
            response.status,
            headers=list(response.raw_headers),
            stream=_Body(response),
            extensions={"http_version": b"HTTP/1.1", "reason_phrase": (response.reason or "").encode()},
        )

    async def aclose(self) -> None:
        """Closes every connection."""
        if self._session is not None:
            await self._session.close()

    def _opened(self) -> aiohttp.ClientSession:
        if self._session is None:
            connector = aiohttp.TCPConnector(
                limit=_MOST_CONNECTIONS,
                keepalive_timeout=_IDLE_S,
                ssl=httpx.create_ssl_context(),
                socket_factory=self._socket,
            )
            self._session = aiohttp.ClientSession(
                connector=connector, cookie_jar=aiohttp.DummyCookieJar(), auto_decompress=False
            )
        return self._session

    def _socket(self, address: tuple[int, int, int, str, object]) -> socket.socket:
        family, kind, protocol, *_ = address
        made = socket.socket(family, kind, protocol)
        made.setsockopt(socket.IPPROTO_TCP, self._option, int(UNHEARD_S * 1000))
        return made


class _Body(httpx.AsyncByteStream):
    """What comes back, as it comes, undecoded."""

    def __init__(self, response: aiohttp.ClientResponse) -> None:
        self._response = response

    async def __aiter__(self) -> AsyncIterator[bytes]:
        with _as_httpx():
            async for chunk in self._response.content.iter_chunked(_CHUNK):
                yield chunk

    async def aclose(self) -> None:
        self._response.release()


@contextmanager
def _as_httpx() -> Iterator[None]:
    """aiohttp's failures by httpx's names; the first two are those before a byte has left."""
    try:
        yield
    except aiohttp.ConnectionTimeoutError as failure:
        raise httpx.ConnectTimeout(str(failure)) from failure
    except aiohttp.ClientConnectorError as failure:
        raise httpx.ConnectError(str(failure)) from failure
    except (aiohttp.InvalidUrlClientError, aiohttp.NonHttpUrlClientError) as failure:
        raise httpx.UnsupportedProtocol(str(failure)) from failure
    except aiohttp.ServerTimeoutError as failure:
        raise httpx.ReadTimeout(str(failure)) from failure
    except (aiohttp.ClientError, OSError) as failure:
        raise httpx.ReadError(str(failure)) from failure
