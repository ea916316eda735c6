from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from fastapi import FastAPI, Request, Response

from channels.messages import Button, OutboundMessage
from channels.simulator.settings import Faults
from channels.whatsapp import errors
from channels.whatsapp.client import MOST_REDIRECTS, MediaInfo, WhatsAppClient
from channels.whatsapp.transport import prompt_or_not_at_all

GIULIA = "393331112222"
HELLO = OutboundMessage(body="Ciao **Giulia**")


async def send(stage: Any, message: OutboundMessage = HELLO, *, to: str | None = GIULIA, **extra: Any) -> Any:
    arguments = {"to": to, "recipient": None, "message": message, "callback_data": "outbox:1"} | extra
    return await stage.client.send("1001", **arguments)


async def test_a_message_arrives_and_its_statuses_come_back_in_order(stage: Any, inbox: Any) -> None:
    wamid = await stage.simulator.customer_sends("1001", GIULIA, text="Ciao")
    sent = await send(stage, OutboundMessage(body="Ciao **Giulia**", reply_to=wamid))
    assert sent.wa_id == GIULIA
    (seen,) = stage.simulator.sent_to(GIULIA)
    assert (seen.wamid, seen.text, seen.reply_to) == (sent.wamid, "Ciao *Giulia*", wamid)
    await stage.simulator.settle()
    ours = [status for status in inbox.statuses if status.wamid == sent.wamid]
    assert [status.status for status in ours] == ["sent", "delivered", "read"]
    assert {status.callback_data for status in ours} == {"outbox:1"}
    assert {status.recipient_wa_id for status in ours} == {GIULIA}


async def test_a_customer_without_a_phone_is_reached_by_user_id(stage: Any, inbox: Any) -> None:
    await stage.simulator.customer_sends("1001", GIULIA, text="Ciao", identity="hidden")
    await stage.simulator.settle()
    sender = inbox.messages[0].sender
    assert sender.wa_id is None
    await send(stage, to=None, recipient=sender.bsuid)
    assert len(stage.simulator.sent_to(GIULIA)) == 1
    with pytest.raises(errors.Undeliverable):
        await send(stage, to=None, recipient="IT.nobody")


async def test_read_and_typing(stage: Any) -> None:
    wamid = await stage.simulator.customer_sends("1001", GIULIA, text="Ciao")
    with stage.simulator.world.listen() as changes:
        await stage.client.mark_read("1001", wamid, typing=True)
        assert stage.simulator.world.message(wamid).status == "read"
        seen = [changes.get_nowait() for _ in range(changes.qsize())]
    assert [change.typing_s for change in seen if change.typing_s] == [25.0]
    with pytest.raises(errors.InvalidParameter):
        await stage.client.mark_read("1001", "wamid.unknown", typing=False)


async def test_outside_the_window_nothing_is_sent(make_stage: Any) -> None:
    now = [datetime(2026, 11, 19, 9, tzinfo=UTC)]
    stage = await make_stage(clock=lambda: now[0])
    with pytest.raises(errors.WindowExpired):
        await send(stage)
    await stage.simulator.customer_sends("1001", GIULIA, text="Ciao")
    now[0] += timedelta(hours=23, minutes=59)
    await send(stage)
    now[0] += timedelta(minutes=1)
    with pytest.raises(errors.WindowExpired):
        await send(stage)
    assert len(stage.simulator.sent_to(GIULIA)) == 1


async def test_the_window_and_dead_numbers_can_be_refused_by_status(make_stage: Any, inbox: Any) -> None:
    stage = await make_stage(refuse_by="status", unreachable=frozenset({"351912345678"}))
    late = await send(stage)
    await stage.simulator.customer_sends("1001", "351912345678", text="Olá")
    lost = await send(stage, to="351912345678")
    await stage.simulator.settle()
    failed = {status.wamid: (status.status, status.error_code) for status in inbox.statuses}
    assert failed == {late.wamid: ("failed", 131047), lost.wamid: ("failed", 131026)}
    assert isinstance(errors.from_code(failed[late.wamid][1]), errors.WindowExpired)


@pytest.mark.parametrize(
    "message",
    [
        OutboundMessage(body="x" * 4097),
        OutboundMessage(
            kind="buttons", body="?", buttons=tuple(Button(id=str(n), title=str(n)) for n in range(4))
        ),
        OutboundMessage(kind="buttons", body="?", buttons=(Button(id="1", title="x" * 21),)),
        OutboundMessage(kind="buttons", body="x" * 1025, buttons=(Button(id="1", title="x"),)),
        OutboundMessage(kind="list", body="?", opener="x"),
    ],
)
async def test_meta_refuses_what_exceeds_its_limits(stage: Any, message: OutboundMessage) -> None:
    await stage.simulator.customer_sends("1001", GIULIA, text="Ciao")
    with pytest.raises(errors.InvalidParameter) as refused:
        await send(stage, message)
    assert refused.value.code == 100
    assert not stage.simulator.sent_to(GIULIA)


async def test_callback_data_too_long_is_refused_before_sending(stage: Any) -> None:
    with pytest.raises(errors.InvalidParameter):
        await send(stage, callback_data="x" * 513)


async def test_the_throughput_of_a_number_counts_both_ways(make_stage: Any) -> None:
    now = [datetime(2026, 11, 19, 9, tzinfo=UTC)]
    stage = await make_stage(clock=lambda: now[0], throughput_per_s=3)
    await stage.simulator.customer_sends("1001", GIULIA, text="Ciao")
    await send(stage)
    await send(stage)
    with pytest.raises(errors.RateLimited) as limited:
        await send(stage)
    assert limited.value.retry_after_s == 1
    now[0] += timedelta(seconds=1)
    await send(stage)
    assert len(stage.simulator.sent_to(GIULIA)) == 3


async def test_one_customer_gets_45_messages_at_once_and_then_one_in_six_seconds(make_stage: Any) -> None:
    now = [datetime(2026, 11, 19, 9, tzinfo=UTC)]
    stage = await make_stage(clock=lambda: now[0], pair_limit=True)
    for customer in (GIULIA, "351912345678"):
        await stage.simulator.customer_sends("1001", customer, text="Ciao")
    for _ in range(45):
        await send(stage)
    with pytest.raises(errors.PairRateLimited):
        await send(stage)
    await send(stage, to="351912345678")
    now[0] += timedelta(seconds=6)
    await send(stage)
    with pytest.raises(errors.PairRateLimited):
        await send(stage)


async def test_a_wrong_token_and_an_unknown_number(stage: Any) -> None:
    for token in ("wrong", ""):
        stranger = WhatsAppClient(stage.http, base_url=stage.base_url, access_token=token)
        with pytest.raises(errors.TokenExpired) as refused:
            await stranger.phone_number("1001")
        assert refused.value.code == 190
    with pytest.raises(ValueError, match="token"):
        WhatsAppClient(stage.http, base_url=stage.base_url, access_token="tok\nen")
    assert (await stage.client.phone_number("1001")).verified_name == "Aurora"
    with pytest.raises(errors.InvalidParameter):
        await stage.client.phone_number("9999")


@pytest.mark.parametrize(
    ("fault", "error", "arrives"),
    [
        ("p500", errors.Transient, False),
        ("p429", errors.RateLimited, False),
        ("p_reset", errors.OutcomeUnknown, False),
        ("p_lost_answer", errors.OutcomeUnknown, True),
    ],
)
async def test_faults_have_the_right_outcome(
    stage: Any, fault: str, error: type[Exception], arrives: bool
) -> None:
    await stage.simulator.customer_sends("1001", GIULIA, text="Ciao")
    stage.simulator.faults.now = Faults(**{fault: 1.0})
    with pytest.raises(error):
        await send(stage)
    assert len(stage.simulator.sent_to(GIULIA)) == int(arrives)
    stage.simulator.faults.now = Faults()
    await send(stage)


async def test_no_answer_leaves_the_outcome_unknown(stage: Any) -> None:
    await stage.simulator.customer_sends("1001", GIULIA, text="Ciao")
    stage.simulator.faults.now = Faults(p_timeout=1.0, timeout_s=1.0)
    impatient = WhatsAppClient(
        stage.http, base_url=stage.base_url, access_token="a-token", timeout=httpx.Timeout(5.0, read=0.3)
    )
    with pytest.raises(errors.OutcomeUnknown):
        await impatient.send("1001", to=GIULIA, recipient=None, message=HELLO, callback_data="x")
    assert len(stage.simulator.sent_to(GIULIA)) == 1


async def test_no_connection_surely_sent_nothing() -> None:
    async with httpx.AsyncClient(transport=prompt_or_not_at_all()) as http:
        client = WhatsAppClient(http, base_url="http://127.0.0.1:1", access_token="t")
        with pytest.raises(errors.ConnectFailed):
            await client.send("1", to="1", recipient=None, message=HELLO, callback_data="x")


@pytest.mark.parametrize("answer", ["<html>", "[]", "{}", '{"messages":[]}', '{"messages":[{"id":null}]}'])
async def test_success_without_a_message_id_is_unknown(serve: Callable[[Any], Any], answer: str) -> None:
    app = FastAPI()

    @app.post("/{path:path}")
    async def anything(path: str) -> Response:
        return Response(answer, media_type="application/json")

    async with serve(app) as base_url, httpx.AsyncClient(transport=prompt_or_not_at_all()) as http:
        client = WhatsAppClient(http, base_url=base_url, access_token="t")
        with pytest.raises(errors.OutcomeUnknown):
            await client.send("1", to="1", recipient=None, message=HELLO, callback_data="x")


async def test_media_goes_up_and_comes_down_whole(stage: Any, inbox: Any) -> None:
    voice = b"OggS" + bytes(range(256)) * 40
    await stage.simulator.customer_sends("1001", GIULIA, voice=voice)
    await stage.simulator.settle()
    media = inbox.messages[0].media
    assert (media.voice, media.mime_type) == (True, "audio/ogg; codecs=opus")
    info = await stage.client.media_url(media.id)
    assert info.file_size == len(voice)
    assert await stage.client.download(info, limit_bytes=len(voice)) == voice
    uploaded = await stage.client.upload("1001", b"%PDF-1.7", "application/pdf", "preventivo.pdf")
    assert (await stage.client.media_url(uploaded)).mime_type == "application/pdf"
    paper = OutboundMessage(kind="document", body="Ecco", media_id=uploaded, filename="preventivo.pdf")
    await send(stage, paper)
    assert stage.simulator.sent_to(GIULIA)[0].filename == "preventivo.pdf"


async def test_media_guards(stage: Any) -> None:
    media = stage.simulator.world.keep_media(b"x" * 1000, "audio/ogg")
    info = await stage.client.media_url(media.id)
    download = stage.client.download
    with pytest.raises(errors.MediaTooBig):
        await download(info, limit_bytes=999)
    with pytest.raises(errors.MediaTooBig):
        await download(info.model_copy(update={"file_size": None}), limit_bytes=999)
    with pytest.raises(errors.MediaCorrupt):
        await download(info.model_copy(update={"file_size": 1001}), limit_bytes=5000)
    with pytest.raises(errors.MediaCorrupt):
        await download(info.model_copy(update={"sha256": hashlib.sha256(b"y").hexdigest()}), limit_bytes=5000)
    with pytest.raises(errors.MediaCorrupt):
        await download(info.model_copy(update={"sha256": "not a digest"}), limit_bytes=5000)
    with pytest.raises(errors.MediaGone):
        await download(info.model_copy(update={"url": f"{stage.base_url}/_media/1"}), limit_bytes=5000)
    with pytest.raises(errors.InvalidParameter):
        await stage.client.media_url("404404")


@pytest.mark.parametrize(
    "url",
    [
        "https://evil.example/x",
        "https://lookaside.fbsbx.com@evil.example/x",
        "https://evilfbsbx.com/x",
        "http://lookaside.fbsbx.com/x",
        "http://localhost/x",
        "ftp://127.0.0.1/x",
        "//",
        "http://[bad",
    ],
)
async def test_the_token_goes_to_no_other_host(stage: Any, url: str) -> None:
    with pytest.raises(errors.MediaHostRefused):
        await stage.client.download(MediaInfo(url=url), limit_bytes=10)


@asynccontextmanager
async def redirecting(
    serve: Callable[[Any], Any], *hops: str
) -> AsyncIterator[tuple[WhatsAppClient, MediaInfo, list[str]]]:
    """A Graph API whose media is at `/0`, which redirects to `hops` one after the other, then to the file."""
    seen: list[str] = []
    app = FastAPI()

    @app.get("/{step}")
    async def at(step: int, request: Request) -> Response:
        seen.append(request.headers.get("Authorization", ""))
        if step < len(hops):
            return Response(status_code=302, headers={"Location": hops[step]})
        return Response(b"x")

    transport = prompt_or_not_at_all()
    async with serve(app) as base_url, httpx.AsyncClient(follow_redirects=True, transport=transport) as http:
        client = WhatsAppClient(http, base_url=base_url, access_token="t")
        yield client, MediaInfo(url=f"{base_url}/0"), seen


async def test_a_redirect_to_an_allowed_host_is_followed(serve: Callable[[Any], Any]) -> None:
    async with redirecting(serve, "/1", "2") as (client, info, seen):
        assert await client.download(info, limit_bytes=10) == b"x"
        assert seen == ["Bearer t"] * 3


@pytest.mark.parametrize(
    "location",
    [
        "https://evil.example/1",
        "//evil.example/1",
        "http://localhost:1/1",
        "file:///etc/passwd",
        "http://[bad",
        "",
    ],
)
async def test_the_token_follows_no_redirect_elsewhere(serve: Callable[[Any], Any], location: str) -> None:
    async with redirecting(serve, *[location] * 9) as (client, info, seen):
        with pytest.raises(errors.MediaHostRefused):
            await client.download(info, limit_bytes=10)
        assert len(seen) <= MOST_REDIRECTS + 1


async def test_a_ring_of_redirects_is_left(serve: Callable[[Any], Any]) -> None:
    async with redirecting(serve, *["/0"] * 9) as (client, info, seen):
        with pytest.raises(errors.MediaHostRefused, match="more than"):
            await client.download(info, limit_bytes=10)
        assert len(seen) == MOST_REDIRECTS + 1
