"""Where webhooks may go: public addresses only, whatever a name resolves to when the connection is made.

A receiver's address is typed by an operator but a name's addresses are its owner's to change. The check is
made on the very address that is connected to, so a name cannot point elsewhere between check and connection.
"""

import asyncio
import ipaddress
import socket
from collections.abc import Iterable
from urllib.parse import urlsplit

import httpcore

_NAT64 = ipaddress.ip_network("64:ff9b::/96")
_TLS_PORT, _PORT = 443, 80

Address = ipaddress.IPv4Address | ipaddress.IPv6Address


class DestinationRefused(Exception):
    """Webhooks go to public https addresses only: SARA_WEBHOOKS_ALLOW_PRIVATE=true allows any other."""


class Unresolved(Exception):
    """The receiver's name has no address at the moment."""


def check_url(url: str, *, allow_private: bool) -> tuple[str, int]:
    """Host and port of a receiver's URL. Raises DestinationRefused for one nothing may be sent to."""
    if not url.isascii() or not url.isprintable() or " " in url:
        raise DestinationRefused("write the URL in plain letters, a host of others in its xn-- form")
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise DestinationRefused(f"not a URL ({error})") from error
    if parts.scheme not in (("https", "http") if allow_private else ("https",)):
        raise DestinationRefused(DestinationRefused.__doc__)
    if not parts.hostname or parts.username is not None or parts.password is not None:
        raise DestinationRefused("a receiver's URL has a host, and neither user nor password")
    return parts.hostname, port or (_TLS_PORT if parts.scheme == "https" else _PORT)


async def addresses(host: str, port: int, *, allow_private: bool) -> list[str]:
    """The addresses of a host that may be connected to. Raises DestinationRefused, Unresolved."""
    try:
        found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise Unresolved(f"{host} has no address ({error})") from error
    known = list(dict.fromkeys(str(entry[4][0]) for entry in found))
    allowed = known if allow_private else [address for address in known if is_public(address)]
    if not allowed:
        raise DestinationRefused(f"{host} is not public. {DestinationRefused.__doc__}")
    return allowed


def is_public(address: str) -> bool:
    """Whether an address is on the open internet, also through what IPv6 wraps around IPv4."""
    try:
        seen = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return False
    return all(each.is_global and not each.is_multicast for each in (seen, *_inside(seen)))


def _inside(address: Address) -> Iterable[Address]:
    if isinstance(address, ipaddress.IPv4Address):
        return
    if address.ipv4_mapped is not None:
        yield address.ipv4_mapped
    if address.sixtofour is not None:
        yield address.sixtofour
    if address.teredo is not None:
        yield from address.teredo
    if address in _NAT64:
        yield ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)


class Guarded(httpcore.AsyncNetworkBackend):
    """Connects to checked addresses only."""

    def __init__(self, *, allow_private: bool) -> None:
        self._allow_private = allow_private
        self._inner = httpcore.AnyIOBackend()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        """A connection to the first allowed address that takes one."""
        failure: Exception = Unresolved(host)
        for address in await addresses(host, port, allow_private=self._allow_private):
            try:
                return await self._inner.connect_tcp(address, port, timeout, local_address, socket_options)
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                failure = error
        raise failure

    async def connect_unix_socket(
        self,
        path: str,
        timeout: float | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        """Never. Raises DestinationRefused."""
        raise DestinationRefused(DestinationRefused.__doc__)

    async def sleep(self, seconds: float) -> None:
        """Waits."""
        await self._inner.sleep(seconds)
