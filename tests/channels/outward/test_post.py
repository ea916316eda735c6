"""Signed requests, checked by the receivers' own library and by hand."""

import asyncio
import base64
import hashlib
import hmac
import ssl
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpcore
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from standardwebhooks.webhooks import Webhook, WebhookVerificationError

from channels.outward.guard import Guarded
from channels.outward.post import NotReached, Post, new_secret, opened, signed
from tests.outside import receiver

BODY = '{"type":"quote.accepted","data":{"words":"perché sì €"}}'


def test_the_example_of_the_specification() -> None:
    """The signature every implementation of the specification has in its tests."""
    now = datetime.fromtimestamp(1614265330, UTC)
    body = '{"test": 2432232314}'
    headers = signed("msg_p5jXN8AQM9LWM0D4loKWxJek", body, ["whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"], now)
    assert headers == {
        "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
        "webhook-timestamp": "1614265330",
        "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
    }


def test_secrets_are_long_and_never_the_same() -> None:
    one, other = new_secret(), new_secret()
    assert one != other
    assert 24 <= len(base64.b64decode(one.removeprefix("whsec_"))) <= 64


async def test_the_receiver_can_verify_it() -> None:
    secret, before, now = new_secret(), new_secret(), datetime.now(UTC)
    async with receiver() as other, opened(allow_private=True) as post:
        answer = await post.send(other.url("/a/b?c=d"), "msg_1", BODY, [secret, before], now)
    assert answer.taken
    [request] = other.taken
    assert request.body == BODY
    assert request.headers["content-type"] == "application/json"
    assert request.headers["host"] == f"127.0.0.1:{other.port}"
    for known in (secret, before):
        assert Webhook(known).verify(request.body, request.headers)["type"] == "quote.accepted"
    with pytest.raises(WebhookVerificationError):
        Webhook(new_secret()).verify(request.body, request.headers)
    with pytest.raises(WebhookVerificationError):
        Webhook(secret).verify(request.body.replace("accepted", "declined"), request.headers)
    content = f"msg_1.{int(now.timestamp())}.{BODY}".encode()
    key = base64.b64decode(secret.removeprefix("whsec_"))
    by_hand = base64.b64encode(hmac.digest(key, content, hashlib.sha256)).decode()
    assert request.headers["webhook-signature"].split(" ")[0] == f"v1,{by_hand}"


async def test_a_redirection_is_not_followed() -> None:
    async with receiver() as other, opened(allow_private=True) as post:
        other.answers, other.headers = [302], {"Location": other.url("/elsewhere")}
        answer = await post.send(other.url(), "msg_1", BODY, [new_secret()], datetime.now(UTC))
    assert (answer.status, answer.taken) == (302, False)
    assert [request.path for request in other.taken] == ["/hook"]


async def test_how_long_a_receiver_asks_to_wait() -> None:
    now = datetime(2026, 11, 26, 10, 0, tzinfo=UTC)
    asked = {"120": 120.0, "Thu, 26 Nov 2026 10:05:00 GMT": 300.0, "soon": None, "": None}
    async with receiver() as other, opened(allow_private=True) as post:
        for said, seconds in asked.items():
            other.answers, other.headers = [503], {"Retry-After": said}
            answer = await post.send(other.url(), "msg_1", BODY, [new_secret()], now)
            assert answer.retry_after_s == seconds, said


async def test_what_is_no_http_is_not_an_answer() -> None:
    async def noise(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 smtp ready\r\n")
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(noise, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    async with server, opened(allow_private=True) as post:
        with pytest.raises(NotReached):
            await post.send(f"http://127.0.0.1:{port}/", "msg_1", BODY, [new_secret()], datetime.now(UTC))


def _certificate(folder: Path) -> tuple[Path, Path]:
    """A certificate for the name localhost, and for no address."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .sign(key, hashes.SHA256())
    )
    certificate, private = folder / "cert.pem", folder / "key.pem"
    certificate.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    private.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return certificate, private


async def test_https_is_checked_against_the_name_though_an_address_is_connected_to(tmp_path: Path) -> None:
    from aiohttp import web

    certificate, private = _certificate(tmp_path)
    serving = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    serving.load_cert_chain(certificate, private)
    app = web.Application()

    async def take(_: web.Request) -> web.Response:
        return web.Response(status=204)

    app.router.add_post("/", take)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=serving).start()
    port = runner.addresses[0][1]
    trusting = ssl.create_default_context(cafile=str(certificate))
    try:
        backend = Guarded(allow_private=True)
        async with httpcore.AsyncConnectionPool(network_backend=backend, ssl_context=trusting) as pool:
            post, now = Post(pool, allow_private=True), datetime.now(UTC)
            answer = await post.send(f"https://localhost:{port}/", "msg_1", BODY, [new_secret()], now)
            assert answer.status == 204
            with pytest.raises(NotReached, match="certificate"):
                await post.send(f"https://127.0.0.1:{port}/", "msg_1", BODY, [new_secret()], now)
        async with opened(allow_private=True) as post:
            with pytest.raises(NotReached, match="certificate"):
                await post.send(f"https://localhost:{port}/", "msg_1", BODY, [new_secret()], now)
    finally:
        await runner.cleanup()
