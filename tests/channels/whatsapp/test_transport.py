"""What httpx is told of a request: whether it may have arrived."""

import asyncio
import gzip
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import httpx
import pytest

from channels.whatsapp.transport import UNHEARD_S, PromptTransport, prompt_or_not_at_all

OPTION = getattr(socket, "TCP_USER_TIMEOUT", None)
pytestmark = pytest.mark.skipif(OPTION is None, reason="Linux bounds how late a request can arrive")
Talk = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]
WITHIN = httpx.Timeout(5, read=0.3)


@asynccontextmanager
async def answering(talk: Talk) -> AsyncIterator[str]:
    """The address of a server that speaks TCP by hand."""
    server = await asyncio.start_server(talk, "127.0.0.1", 0)
    async with server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"


async def asked(reader: asyncio.StreamReader) -> bytes:
    """A whole request, body included."""
    head = await reader.readuntil(b"\r\n\r\n")
    lengths = [
        line.split(b":")[1] for line in head.splitlines() if line.lower().startswith(b"content-length:")
    ]
    return head + await reader.readexactly(int(lengths[0]) if lengths else 0)


def said(body: bytes = b"{}", *headers: bytes) -> bytes:
    lines = [b"HTTP/1.1 200 OK", b"content-length: %d" % len(body), *headers, b"", body]
    return b"\r\n".join(lines)


@asynccontextmanager
async def client() -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(transport=prompt_or_not_at_all(), timeout=WITHIN) as http:
        yield http


async def test_a_request_goes_out_and_its_answer_comes_back_as_with_httpx() -> None:
    heard: list[bytes] = []

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for _ in range(2):
            heard.append(await asked(reader))
            writer.write(said(gzip.compress(b'{"a": 1}'), b"content-encoding: gzip"))

    async with answering(talk) as url, client() as http:
        for _ in range(2):
            answer = await http.post(f"{url}/v23.0/a%2Fb?x=1%202", json={"to": "à"}, headers={"X-Own": "y"})
            assert (answer.status_code, answer.json(), answer.http_version) == (200, {"a": 1}, "HTTP/1.1")
    first, second = heard
    assert first.startswith(b"POST /v23.0/a%2Fb?x=1%202 HTTP/1.1\r\n")
    assert first.endswith(b'{"to":"\xc3\xa0"}')
    assert b"x-own: y" in first.lower()
    assert first.lower().count(b"content-length:") == first.lower().count(b"host:") == 1
    assert second == first


async def test_a_connection_that_ends_after_the_request_leaves_it_unknown() -> None:
    """On a new connection and on one that was used before: what was written may have been read."""

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if (await asked(reader)).startswith(b"POST /answered"):
            writer.write(said())
            await asked(reader)
        writer.close()

    async with answering(talk) as url, client() as http:
        with pytest.raises(httpx.ReadError):
            await http.post(f"{url}/at-once", json={})
        assert (await http.post(f"{url}/answered", json={})).status_code == 200
        with pytest.raises(httpx.ReadError):
            await http.post(f"{url}/later", json={})


async def test_silence_and_half_an_answer_leave_it_unknown() -> None:
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if (await asked(reader)).startswith(b"POST /half"):
            writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nhalf")
            await writer.drain()
            writer.close()
        elif not writer.is_closing():
            await asyncio.sleep(1)

    async with answering(talk) as url, client() as http:
        with pytest.raises(httpx.ReadTimeout):
            await http.post(f"{url}/silent", json={})
        with pytest.raises(httpx.ReadError):
            await http.post(f"{url}/half", json={})


async def test_what_is_no_http_leaves_it_unknown() -> None:
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await asked(reader)
        writer.write(b"220 mail.example ESMTP\r\n\r\n")

    async with answering(talk) as url, client() as http:
        with pytest.raises(httpx.ReadError):
            await http.post(url, json={})


async def test_where_nobody_listens_nothing_was_sent() -> None:
    async with client() as http:
        with pytest.raises(httpx.ConnectError):
            await http.post("http://127.0.0.1:1/", json={})
        with pytest.raises(httpx.ConnectError):
            await http.post("http://nowhere.invalid/", json={})
        with pytest.raises(httpx.UnsupportedProtocol):
            await http.post("gopher://127.0.0.1/", json={})


async def test_a_server_that_is_not_who_it_says_is_sent_nothing() -> None:
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(said())
        await reader.read(1)
        writer.close()

    async with answering(talk) as url, client() as http:
        with pytest.raises(httpx.ConnectError):
            await http.post(url.replace("http:", "https:"), json={})


async def test_its_sockets_give_up_what_nobody_acknowledges() -> None:
    transport = prompt_or_not_at_all()
    assert isinstance(transport, PromptTransport)
    made = transport._socket((socket.AF_INET, socket.SOCK_STREAM, 0, "", ("127.0.0.1", 1)))
    with made:
        assert OPTION is not None
        assert made.getsockopt(socket.IPPROTO_TCP, OPTION) == int(UNHEARD_S * 1000)


async def test_a_proxy_of_the_environment_is_httpxs_own_business(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")
    assert prompt_or_not_at_all() is None
