"""Voice notes through the media API: whole and verified, and a typed refusal when they cannot be had."""

import base64
import hashlib
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest
from fastapi import FastAPI, Request, Response

from channels.whatsapp.client import WhatsAppClient
from db.tenancy import tenant
from graph.context import MediaUnusable
from jobs.media import ChannelMedia
from sara.local import serving

NOTE = b"OggS" + bytes(range(200))
DIGEST = hashlib.sha256(NOTE)
NUMBER = "1001"


@asynccontextmanager
async def media_api(info: dict[str, Any], *files: bytes) -> AsyncIterator[tuple[ChannelMedia, list[str]]]:
    """A Graph API that answers `info` about a file and gives `files` in turn, the last for ever."""
    asked: list[str] = []
    given = list(files)
    app = FastAPI()

    @app.get("/file")
    async def file() -> Response:
        asked.append("file")
        return Response(given.pop(0) if len(given) > 1 else given[0])

    @app.get("/v23.0/{media_id}")
    async def about(request: Request, media_id: str) -> dict[str, Any]:
        return {"url": str(request.url_for("file")), **info}

    listener = socket.create_server(("127.0.0.1", 0))
    base_url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    async with serving(app, listener), httpx.AsyncClient() as http:
        client = WhatsAppClient(http, base_url=base_url, access_token="t")
        yield ChannelMedia(client, most_bytes=1000), asked


@pytest.mark.parametrize("digest", [DIGEST.hexdigest(), base64.b64encode(DIGEST.digest()).decode(), None])
async def test_the_webhooks_digest_counts_where_the_media_api_names_none(digest: str | None) -> None:
    async with media_api({}, NOTE) as (media, _):
        assert await media.fetch("1", digest, NUMBER) == NOTE
    async with media_api({}, NOTE[:-1]) as (media, asked):
        if digest is None:
            assert await media.fetch("1", None, NUMBER) == NOTE[:-1]
            return
        with pytest.raises(MediaUnusable) as caught:
            await media.fetch("1", digest, NUMBER)
        assert caught.value.reason == "unavailable"
        assert asked == ["file", "file"]


async def test_the_media_apis_own_digest_comes_first() -> None:
    async with media_api({"sha256": DIGEST.hexdigest()}, NOTE) as (media, _):
        assert await media.fetch("1", hashlib.sha256(b"else").hexdigest(), NUMBER) == NOTE


async def test_what_came_damaged_is_fetched_once_more() -> None:
    async with media_api({"sha256": DIGEST.hexdigest()}, NOTE[:50], NOTE) as (media, asked):
        assert await media.fetch("1", None, NUMBER) == NOTE
        assert asked == ["file", "file"]


@pytest.mark.parametrize("announced", [{"file_size": 1001}, {}])
async def test_a_note_over_the_limit_is_named_for_it(announced: dict[str, int]) -> None:
    async with media_api(announced, bytes(1001)) as (media, _):
        with pytest.raises(MediaUnusable) as caught:
            await media.fetch("1", None, NUMBER)
    assert caught.value.reason == "too_big"


async def test_a_note_at_a_foreign_host_is_not_asked_for() -> None:
    async with media_api({"url": "https://evil.example/note"}, NOTE) as (media, asked):
        with pytest.raises(MediaUnusable):
            await media.fetch("1", None, NUMBER)
        assert asked == []


async def test_a_note_is_fetched_with_the_token_of_the_number_it_was_sent_to() -> None:
    app = FastAPI()

    @app.get("/v23.0/{media_id}")
    async def about(request: Request, media_id: str) -> dict[str, Any]:
        return {"url": str(request.url_for("file"))}

    @app.get("/file")
    async def file(request: Request) -> Response:
        return Response(request.headers["authorization"])

    class TwoNumbers:
        async def of(self, business_id: int, phone_number_id: str, *, fresh: bool) -> WhatsAppClient:
            return client.with_token(f"{business_id}-{phone_number_id}")

        async def of_business(self, business_id: int) -> WhatsAppClient:
            return await self.of(business_id, "1001", fresh=False)

    listener = socket.create_server(("127.0.0.1", 0))
    base_url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    async with serving(app, listener), httpx.AsyncClient() as http:
        client = WhatsAppClient(http, base_url=base_url, access_token="the installation's")
        accounts: Any = TwoNumbers()
        media = ChannelMedia(client, most_bytes=1000, accounts=accounts)
        with tenant(7):
            assert await media.fetch("1", None, "2002") == b"Bearer 7-2002"
