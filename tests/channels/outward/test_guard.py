"""No webhook reaches a private address, however it is written or resolved."""

import httpcore
import pytest

from channels.outward.guard import (
    DestinationRefused,
    Guarded,
    Unresolved,
    addresses,
    check_url,
    is_public,
)
from channels.outward.post import NotReached, opened
from tests.outside import receiver


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1", "127.8.8.8", "0.0.0.0", "10.0.0.1", "172.16.3.4", "192.168.1.1", "169.254.169.254",
        "100.64.0.1", "224.0.0.1", "255.255.255.255", "192.0.2.1", "::1", "::", "fe80::1", "fe80::1%eth0",
        "fc00::1", "ff02::1", "::ffff:127.0.0.1", "::ffff:10.0.0.1", "64:ff9b::7f00:1", "64:ff9b::a9fe:a9fe",
        "2002:7f00:1::", "2002:c0a8:101::", "2001:0:7f00:1::", "nonsense", "",
    ],
)  # fmt: skip
def test_not_public(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize("address", ["8.8.8.8", "1.1.1.1", "2606:4700:4700::1111", "64:ff9b::808:808"])
def test_public(address: str) -> None:
    assert is_public(address)


@pytest.mark.parametrize(
    "url",
    [
        "", "example.com", "http://example.com/", "ftp://example.com/", "file:///etc/passwd", "https://",
        "https://user:pw@example.com/", "https://example.com:99999/", "https://exämple.com/",
        "https://example.com/a b", "https://example.com/\r\nX: y", "gopher://example.com",
    ],
)  # fmt: skip
def test_refused_urls(url: str) -> None:
    with pytest.raises(DestinationRefused):
        check_url(url, allow_private=False)


def test_ports_of_urls() -> None:
    assert check_url("https://Example.com/x?y", allow_private=False) == ("example.com", 443)
    assert check_url("http://[::1]:8080/x", allow_private=True) == ("::1", 8080)


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "::1", "2130706433", "0x7f.1", "127.1", "0"])
async def test_every_way_to_write_loopback(host: str) -> None:
    with pytest.raises((DestinationRefused, Unresolved)):
        await addresses(host, 443, allow_private=False)


async def test_a_name_without_address() -> None:
    with pytest.raises(Unresolved):
        await addresses("no-such-host.invalid", 443, allow_private=True)


async def test_the_check_is_made_where_the_connection_is() -> None:
    """Even a request that got past every earlier check cannot connect."""
    async with receiver() as inside:
        backend = Guarded(allow_private=False)
        async with httpcore.AsyncConnectionPool(network_backend=backend) as pool:
            with pytest.raises(DestinationRefused):
                await pool.request("POST", inside.url())
        with pytest.raises(DestinationRefused):
            await backend.connect_unix_socket("/var/run/docker.sock")
        assert inside.taken == []


async def test_allowed_private_addresses_and_a_closed_port() -> None:
    from datetime import UTC, datetime

    async with receiver() as inside:
        url = f"http://localhost:{inside.port}/hook"
    async with opened(allow_private=True) as post:
        with pytest.raises(NotReached):
            await post.send(url, "msg_1", "{}", ["whsec_c2VjcmV0"], datetime.now(UTC))
