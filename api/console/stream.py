"""Server-sent events: what changed in a business's conversations, ids only; the page fetches the rest."""

import asyncio
import json
import time
from collections.abc import AsyncIterator

from fastapi import APIRouter, HTTPException, Request
from fastapi.responses import StreamingResponse

from api.console.access import COOKIE, Seat, Seated, lets_in
from api.live import Change
from api.state import ApiServices, services_of
from crm import logins

HEARTBEAT_S = 15.0


def stream_router() -> APIRouter:
    """/console/{business}/live."""
    router = APIRouter(prefix="/{business}")

    @router.get("/live")
    async def live(request: Request, seat: Seated) -> StreamingResponse:
        services = services_of(request)
        if services.live is None:
            raise HTTPException(503, "this process tells no changes", headers={"Retry-After": "5"})
        cookie = request.cookies.get(COOKIE, "")
        return StreamingResponse(
            _events(request, services, seat, cookie),
            media_type="text/event-stream",
            headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"},
        )

    return router


async def _events(request: Request, services: ApiServices, seat: Seat, cookie: str) -> AsyncIterator[str]:
    """Changes as they come, and every HEARTBEAT_S a beat, with a look whether the session still stands: also
    where changes never stop coming."""
    if services.live is None:
        return
    with services.live.listen(seat.business.business_id) as changes:
        yield "retry: 2000\nevent: open\ndata: {}\n\n"
        looked = time.monotonic()
        while not await request.is_disconnected():
            left = looked + HEARTBEAT_S - time.monotonic()
            try:
                change = await asyncio.wait_for(changes.get(), max(left, 0.0))
            except TimeoutError:
                if not await _still_there(services, seat, cookie):
                    yield "event: over\ndata: {}\n\n"
                    return
                looked = time.monotonic()
                yield ": beat\n\n"
                continue
            yield _event(change)


def _event(change: Change) -> str:
    return f"data: {json.dumps({'c': change.conversation_id, 'k': change.what})}\n\n"


async def _still_there(services: ApiServices, seat: Seat, cookie: str) -> bool:
    async with services.crm.outside() as tx:
        session = await logins.session(tx, cookie)
        mine = await logins.memberships(tx, session.agent_id) if session else []
    here = next((one for one in mine if one.business_id == seat.business.business_id), None)
    return here is not None and session is not None and lets_in(here, session)
