"""Voice notes over HTTP: for the business's own people, as sent, and never as anything but sound."""

import itertools
import secrets
from pathlib import Path

import httpx

from sara.demo import login
from sara.exchange import Customer, exchange
from sara.local import Local

_senders = itertools.count(secrets.randbelow(10**8) * 1000 + 395 * 10**11)


async def _agent(whole: Local, slug: str) -> httpx.AsyncClient:
    _, token = await login(whole.crm, slug)
    return httpx.AsyncClient(base_url=whole.url, headers={"Authorization": f"Bearer {token}"})


async def _left_for_a_human(whole: Local, notes: Path, first: str = "silence.ogg") -> int:
    """A customer who was not understood twice; the number of the hand-over."""
    customer = Customer("aurora", str(next(_senders)), "Livia Conte")
    for note in (first, "noise.ogg"):
        came = await exchange(whole, customer, voice=(notes / note).read_bytes())
    assert came.handoff is not None
    return came.handoff


async def test_whoever_takes_the_hand_over_hears_what_was_not_understood(whole: Local, notes: Path) -> None:
    handoff_id = await _left_for_a_human(whole, notes)
    async with await _agent(whole, "aurora") as agent:
        packet = (await agent.get(f"/api/businesses/aurora/handoffs/{handoff_id}")).json()
        spoken = [said for said in packet["messages"] if said["recorded"]]
        assert [said["transcript_status"] for said in spoken] == ["rejected", "rejected"]
        assert all(said["media_seconds"] > 2 for said in spoken)
        sounds = [
            await agent.get(f"/api/businesses/aurora/messages/{said['message_id']}/audio") for said in spoken
        ]
    assert [sound.status_code for sound in sounds] == [200, 200]
    assert sounds[0].content == (notes / "silence.ogg").read_bytes()
    assert sounds[0].headers["content-type"] == "audio/ogg"
    assert sounds[0].headers["cache-control"] == "private, no-store"


async def test_a_page_sent_as_a_voice_note_does_not_come_back_as_one(whole: Local, notes: Path) -> None:
    handoff_id = await _left_for_a_human(whole, notes, "error_page.ogg")
    async with await _agent(whole, "aurora") as agent:
        packet = (await agent.get(f"/api/businesses/aurora/handoffs/{handoff_id}")).json()
        first = next(said for said in packet["messages"] if said["recorded"])
        sound = await agent.get(f"/api/businesses/aurora/messages/{first['message_id']}/audio")
    assert sound.headers["content-type"] == "application/octet-stream"
    assert sound.headers["x-content-type-options"] == "nosniff"


async def test_others_hear_nothing(whole: Local, notes: Path) -> None:
    handoff_id = await _left_for_a_human(whole, notes)
    async with await _agent(whole, "aurora") as agent:
        packet = (await agent.get(f"/api/businesses/aurora/handoffs/{handoff_id}")).json()
    message_id = next(said["message_id"] for said in packet["messages"] if said["recorded"])
    async with await _agent(whole, "conti") as stranger:
        theirs = await stranger.get(f"/api/businesses/conti/messages/{message_id}/audio")
        ours = await stranger.get(f"/api/businesses/aurora/messages/{message_id}/audio")
        none = await stranger.get("/api/businesses/conti/messages/999999999/audio")
        absurd = await stranger.get(f"/api/businesses/conti/messages/{2**63}/audio")
    assert theirs.status_code == none.status_code == 404
    assert ours.status_code in (401, 403, 404)
    assert absurd.status_code == 422
    async with httpx.AsyncClient(base_url=whole.url) as nobody:
        assert (await nobody.get(f"/api/businesses/aurora/messages/{message_id}/audio")).status_code == 401
