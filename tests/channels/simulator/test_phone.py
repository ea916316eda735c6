from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
from fastapi import FastAPI

from channels.messages import Button, OutboundMessage
from channels.simulator.app import create_simulator, simulator_app
from channels.simulator.simulator import Simulator
from channels.whatsapp.errors import WindowExpired

GIULIA = "393331112222"
WHO = {"business": "1001", "customer": GIULIA}
ASK = OutboundMessage(kind="buttons", body="Confermo?", buttons=(Button(id="yes", title="Sì"),))


async def call(stage: Any, method: str, path: str, **options: Any) -> Any:
    return await stage.http.request(method, f"{stage.base_url}/phone/api/{path}", **options)


async def test_the_page_is_served_under_a_strict_policy(stage: Any) -> None:
    moved = await stage.http.get(f"{stage.base_url}/phone")
    assert (moved.status_code, moved.headers["location"]) == (307, f"{stage.base_url}/phone/")
    for path, kind in (
        ("", "text/html"),
        ("static/phone.css", "text/css"),
        ("static/phone.js", "text/javascript"),
    ):
        response = await stage.http.get(f"{stage.base_url}/phone/{path}")
        assert response.status_code == 200
        assert response.headers["content-type"].startswith(kind)
        policy = response.headers["content-security-policy"]
        assert policy.startswith("default-src 'none'; script-src 'self'; style-src 'self'")
        assert "unsafe" not in policy
    assert (await stage.http.get(f"{stage.base_url}/phone/static/phone.html")).status_code == 404


async def test_it_works_under_a_mount_point(stage: Any) -> None:
    parent = FastAPI()
    parent.mount("/sim", simulator_app(stage.simulator))
    import httpx

    async with httpx.AsyncClient(transport=httpx.ASGITransport(parent), base_url="http://demo") as http:
        assert (await http.get("/sim/phone")).headers["location"] == "http://demo/sim/phone/"
        assert (await http.get("/sim/phone/api/directory")).json()["businesses"][0][
            "business_name"
        ] == "Aurora"
        media = stage.simulator.world.keep_media(b"x", "audio/ogg")
        node = await http.get(f"/sim/v23.0/{media.id}", headers={"Authorization": "Bearer a-token"})
        assert node.json()["url"] == f"http://demo/sim/_media/{media.id}"


async def test_text_voice_and_buttons_reach_the_business(stage: Any, inbox: Any) -> None:
    assert (
        await call(stage, "POST", "text", json=WHO | {"text": "<b>Ciao</b>", "name": "Giulia"})
    ).is_success
    await stage.client.send("1001", to=GIULIA, recipient=None, message=ASK, callback_data="x")
    assert (await call(stage, "POST", "button", json=WHO | {"button": "yes"})).is_success
    mime = "audio/webm;codecs=opus"
    answer = await call(stage, "POST", "audio", params=WHO, content=b"webm!", headers={"Content-Type": mime})
    assert answer.is_success
    await stage.simulator.settle()
    text, pressed, voice = inbox.messages
    assert (text.text, text.sender.name) == ("<b>Ciao</b>", "Giulia")
    assert pressed.button_id == "yes"
    assert (voice.media.voice, voice.media.mime_type) == (True, mime)
    media = await call(stage, "GET", f"media/{voice.media.id}")
    assert (media.content, media.headers["content-type"]) == (b"webm!", mime)
    thread = (await call(stage, "GET", "thread", params=WHO)).json()
    assert [m["direction"] for m in thread] == ["in", "out", "in", "in"]
    assert thread[1]["buttons"] == [{"id": "yes", "title": "Sì"}]
    assert all("raw" not in m for m in thread)


@pytest.mark.parametrize(
    ("path", "options", "status"),
    [
        ("text", {"json": WHO | {"text": ""}}, 422),
        ("text", {"json": WHO | {"text": "x", "customer": "+39 abc"}}, 422),
        ("text", {"json": WHO | {"text": "x", "business": "9"}}, 404),
        (
            "text",
            {"content": json.dumps(WHO | {"text": "x"}), "headers": {"Content-Type": "text/plain"}},
            422,
        ),
        ("button", {"json": WHO | {"button": "gone"}}, 409),
        ("audio", {"params": WHO, "content": b"<html>", "headers": {"Content-Type": "text/html"}}, 415),
        (
            "audio",
            {"params": WHO, "content": bytes(17 * 2**20), "headers": {"Content-Type": "audio/ogg"}},
            413,
        ),
        ("read", {"json": {"business": "1001"}}, 422),
    ],
)
async def test_mistakes_are_refused(stage: Any, inbox: Any, path: str, options: Any, status: int) -> None:
    assert (await call(stage, "POST", path, **options)).status_code == status
    await stage.simulator.settle()
    assert not inbox.messages


async def test_changes_are_streamed_to_their_own_conversation(stage: Any) -> None:
    events: asyncio.Queue[tuple[str, Any]] = asyncio.Queue()

    async def follow() -> None:
        url = f"{stage.base_url}/phone/api/stream"
        async with stage.http.stream("GET", url, params=WHO) as response:
            name = ""
            async for line in response.aiter_lines():
                if line.startswith("event: "):
                    name = line.removeprefix("event: ")
                elif line.startswith("data: "):
                    events.put_nowait((name, json.loads(line.removeprefix("data: "))))

    following = asyncio.create_task(follow())
    shown = []
    try:
        async with asyncio.timeout(10):
            assert await events.get() == ("ready", {})
            await stage.simulator.customer_sends("1002", GIULIA, text="altrove")
            wamid = await stage.simulator.customer_sends("1001", GIULIA, text="Ciao")
            await stage.client.mark_read("1001", wamid, typing=True)
            while (event := await events.get())[0] == "message":
                shown.append(event[1])
    finally:
        following.cancel()
    assert {message["text"] for message in shown} == {"Ciao"}
    assert shown[-1]["status"] == "read"
    assert event == ("typing", {"seconds": 25.0})


async def test_the_directory_offers_presets_and_everyone_met(stage: Any) -> None:
    await stage.simulator.customer_sends("1001", "15550001111", text="Hi", name="Sam")
    directory = (await call(stage, "GET", "directory")).json()
    customers = {c["wa_id"]: c["name"] for c in directory["customers"]}
    assert customers["15550001111"] == "Sam"
    assert GIULIA in customers
    assert [b["phone_number_id"] for b in directory["businesses"]] == ["1001", "1002"]


async def test_an_application_of_its_own_opens_and_closes_its_simulator(stage: Any, serve: Any) -> None:
    app = create_simulator(stage.simulator.settings)
    async with serve(app) as base_url:
        assert isinstance(app.state.simulator, Simulator)
        assert (await stage.http.get(f"{base_url}/phone/")).status_code == 200


async def test_what_goes_wrong_is_switched_from_the_page(stage: Any) -> None:
    page = f"{stage.base_url}/phone/api/faults"
    wanted = {"faults": {"token_expired": True}, "pair_limit": True, "tier": 2, "refuse": [131056]}
    answer = await stage.http.post(page, json=wanted)
    assert answer.json()["faults"]["token_expired"] is True
    assert stage.simulator.faults.now.token_expired
    assert (stage.simulator.quotas.pair_limit, stage.simulator.quotas.tier) == (True, 2)
    assert (await stage.http.post(page, json={"tier": 0})).json()["tier"] is None
    assert (await stage.http.get(page)).json()["refuse"] == [131056]
    assert (await stage.http.post(page, json={"faults": {"p500": 2}})).status_code == 422
    assert (await stage.http.post(page, json={"faults": {"nonsense": 1}})).status_code == 422


async def test_what_meta_decides_is_switched_from_the_page_and_told(stage: Any, inbox: Any) -> None:
    page, account = f"{stage.base_url}/phone/api/account", stage.simulator.account
    account.submit("200000000000001", "autumn", "it")
    for news in (
        {"quality": "RED"},
        {"limit": "TIER_2K"},
        {"restricted": True},
        {"restricted": False},
        {"template": "autumn", "language": "it", "approval": "APPROVED"},
    ):
        answer = await stage.http.post(page, json={"business": "1001", **news})
        assert answer.status_code == 200
    shown = (await stage.http.get(f"{page}?business=1001")).json()
    assert (shown["quality"], shown["limit"]) == ("RED", "TIER_2K")
    assert shown["templates"] == [{"name": "autumn", "language": "it", "status": "APPROVED"}]
    assert stage.simulator.quotas.tier == 2000
    await stage.simulator.settle()
    told = [news for webhook in inbox.events for news in webhook.account]
    kinds = sorted(news.status for news in told)
    assert kinds == ["ACCOUNT_REINSTATED", "ACCOUNT_RESTRICTION", "APPROVED", "FLAGGED", "UPGRADE"]
    assert [news.tier for news in told if news.status == "UPGRADE"] == [2000]
    assert not any(b"current_limit" in post for post in inbox.posts), "Meta takes it away in 2026"
    unknown = {"business": "1001", "template": "winter", "language": "it", "approval": "APPROVED"}
    assert (await stage.http.post(page, json=unknown)).status_code == 404
    assert (await stage.http.get(f"{page}?business=9")).status_code == 404


async def test_what_befalls_a_conversation_is_switched_from_the_page(stage: Any, inbox: Any) -> None:
    page, who = f"{stage.base_url}/phone/api/befalls", {"business": "1001", "customer": GIULIA}
    assert (await stage.http.post(page, json={**who, "status": "read"})).status_code == 409
    await stage.simulator.customer_sends("1001", GIULIA, text="Ciao")
    sent = await stage.client.send(
        "1001", to=GIULIA, recipient=None, message=OutboundMessage(body="Buongiorno"), callback_data="x"
    )
    await stage.simulator.settle()
    for news in ({"status": "delivered"}, {"status": "failed", "code": 131026}):
        assert (await stage.http.post(page, json={**who, **news})).status_code == 200
    for news in ({"marketing": "stop"}, {"owner": "Ci penso io."}, {"window": "closed"}):
        assert (await stage.http.post(page, json={**who, **news})).status_code == 200
    with pytest.raises(WindowExpired):
        await stage.client.send(
            "1001", to=GIULIA, recipient=None, message=OutboundMessage(body="Ancora qui?"), callback_data="y"
        )
    await stage.simulator.settle()
    again = [(s.wamid, s.status, s.error_code) for s in inbox.statuses][-2:]
    assert again == [(sent.wamid, "delivered", None), (sent.wamid, "failed", 131026)]
    assert [p.stopped for webhook in inbox.events for p in webhook.preferences] == [True]
    assert [e.text for webhook in inbox.events for e in webhook.echoes] == ["Ci penso io."]
    await stage.simulator.customer_sends("1001", GIULIA, text="Rieccomi")
    await stage.client.send(
        "1001", to=GIULIA, recipient=None, message=OutboundMessage(body="Bene!"), callback_data="z"
    )
    await stage.simulator.settle()
