"""The customer's side in a browser: the phone page, and the small JSON and SSE interface it lives on.

It lets anyone who can open it write as any customer, so it belongs to demos on loopback, never to production.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Annotated, Any

from fastapi import APIRouter, HTTPException, Query, Request, Response
from fastapi.responses import FileResponse, RedirectResponse, StreamingResponse
from pydantic import BaseModel, ConfigDict, Field

from channels.simulator.simulator import NoSuchButton, Simulator, UnknownNumber
from channels.simulator.weather import WaId, add_weather
from channels.simulator.world import Change, SimMessage

STATIC = Path(__file__).with_name("static")
ASSETS = {
    "phone.css": "text/css",
    "phone.js": "text/javascript",
    "words.js": "text/javascript",
    "weather.js": "text/javascript",
}
AUDIO_MAX = 16 * 2**20
"""Bytes; Meta's limit for audio."""
HEARTBEAT_S = 15.0
HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
        "media-src 'self' blob:; img-src 'self' data:; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-cache",
}
PRESET_CUSTOMERS = (
    ("393331112222", "Giulia Ferri"),
    ("34600111222", "Lucía Romero"),
    ("351912345678", "Tiago Almeida"),
    ("447700900123", "Emma Clarke"),
    ("5511987654321", "Rafael Souza"),
)

Name = Annotated[str | None, Field(max_length=60)]


class Typed(BaseModel):
    """A customer sends words."""

    model_config = ConfigDict(extra="forbid")

    business: str
    customer: WaId
    name: Name = None
    text: Annotated[str, Field(min_length=1, max_length=65_536)]
    reply_to: str | None = None


class Pressed(BaseModel):
    """A customer presses a reply button or a list row, by its id."""

    model_config = ConfigDict(extra="forbid")

    business: str
    customer: WaId
    name: Name = None
    button: str


class Looked(BaseModel):
    """A customer looks at a conversation."""

    model_config = ConfigDict(extra="forbid")

    business: str
    customer: WaId


def phone_router(simulator: Simulator) -> APIRouter:
    """Routes under /phone; every address in the page is relative, so it works under any mount point."""
    router = APIRouter(prefix="/phone", include_in_schema=False)
    _add_page(router)
    _add_reading(router, simulator)
    _add_writing(router, simulator)
    add_weather(router, simulator)
    return router


def _add_page(router: APIRouter) -> None:
    @router.get("")
    async def redirect(request: Request) -> Response:
        return RedirectResponse(request.url_for("phone_page"))

    @router.get("/", name="phone_page")
    async def page() -> Response:
        return FileResponse(STATIC / "phone.html", media_type="text/html", headers=HEADERS)

    @router.get("/static/{asset}")
    async def static(asset: str) -> Response:
        if asset not in ASSETS:
            raise HTTPException(404, "no such file")
        return FileResponse(STATIC / asset, media_type=ASSETS[asset], headers=HEADERS)


def _add_reading(router: APIRouter, simulator: Simulator) -> None:
    world = simulator.world

    @router.get("/api/directory")
    async def directory() -> dict[str, Any]:
        presets = dict(PRESET_CUSTOMERS)
        known = presets | {c.wa_id: c.name for c in world.customers.values()}
        return {
            "businesses": [n.model_dump() for n in world.numbers.values()],
            "customers": [{"wa_id": wa_id, "name": name} for wa_id, name in known.items()],
        }

    @router.get("/api/thread")
    async def thread(business: str, customer: Annotated[WaId, Query()]) -> list[dict[str, Any]]:
        return [_shown(message) for message in world.thread(business, customer)]

    @router.get("/api/media/{media_id}")
    async def media(media_id: str) -> Response:
        file = world.media(media_id)
        if file is None:
            raise HTTPException(404, "no such media")
        # Only sound is ever rendered in place; anything else a business sends is downloaded.
        place = "inline" if file.mime_type.startswith("audio/") else "attachment"
        headers = HEADERS | {"Content-Type": file.mime_type, "Content-Disposition": place}
        return Response(file.data, headers=headers)

    @router.get("/api/stream")
    async def stream(business: str, customer: Annotated[WaId, Query()]) -> Response:
        events = _events(simulator, business, customer)
        return StreamingResponse(
            events, media_type="text/event-stream", headers={"Cache-Control": "no-store"}
        )


def _add_writing(router: APIRouter, simulator: Simulator) -> None:
    @router.post("/api/text")
    async def text(sent: Typed) -> dict[str, str]:
        return await _send(
            simulator, sent.business, sent.customer, sent.name, text=sent.text, reply_to=sent.reply_to
        )

    @router.post("/api/button")
    async def button(sent: Pressed) -> dict[str, str]:
        return await _send(simulator, sent.business, sent.customer, sent.name, button=sent.button)

    @router.post("/api/audio")
    async def audio(
        request: Request, business: str, customer: Annotated[WaId, Query()], name: Name = None
    ) -> dict[str, str]:
        mime_type = request.headers.get("Content-Type", "")
        if not mime_type.startswith(("audio/", "video/webm", "video/ogg", "video/mp4", "application/ogg")):
            raise HTTPException(415, "this is not an audio file")
        data = await _body(request)
        return await _send(simulator, business, customer, name, voice=data, voice_mime=mime_type)

    @router.post("/api/read")
    async def read(seen: Looked) -> dict[str, bool]:
        simulator.customer_reads(seen.business, seen.customer)
        return {"ok": True}


async def _send(
    simulator: Simulator, business: str, customer: str, name: str | None, **content: Any
) -> dict[str, str]:
    try:
        return {"wamid": await simulator.customer_sends(business, customer, name=name, **content)}
    except UnknownNumber:
        raise HTTPException(404, "no such business") from None
    except NoSuchButton:
        raise HTTPException(409, "this button is no longer on the screen") from None


async def _body(request: Request) -> bytes:
    data = bytearray()
    async for chunk in request.stream():
        data += chunk
        if len(data) > AUDIO_MAX:
            raise HTTPException(413, f"audio may have at most {AUDIO_MAX // 2**20} MB")
    return bytes(data)


async def _events(simulator: Simulator, business: str, customer: str) -> AsyncIterator[str]:
    """Server-sent events of one conversation: `message` (new or moved along) and `typing` (seconds)."""
    with simulator.world.listen() as changes:
        yield "event: ready\ndata: {}\n\n"
        while True:
            try:
                change = await asyncio.wait_for(changes.get(), HEARTBEAT_S)
            except TimeoutError:
                yield ": still here\n\n"
                continue
            if (change.phone_number_id, change.customer) == (business, customer):
                yield _event(change)


def _event(change: Change) -> str:
    if change.message:
        return f"event: message\ndata: {change.message.model_dump_json(exclude={'raw', 'callback_data'})}\n\n"
    return f'event: typing\ndata: {{"seconds": {change.typing_s}}}\n\n'


def _shown(message: SimMessage) -> dict[str, Any]:
    return message.model_dump(mode="json", exclude={"raw", "callback_data"})
