"""The agents' console, put together: login, desk, actions, media, live updates.

Further sections (contacts, calendar, knowledge, settings) are routers of their own, included here before the
desk's, whose addresses take any word for a business.
"""

import asyncio
import gzip
import hashlib
from pathlib import Path
from urllib.parse import quote

from fastapi import FastAPI, HTTPException, Request, Response
from fastapi.responses import JSONResponse, RedirectResponse

from api.console.access import FactorNeeded, LoginNeeded
from api.console.actions import actions_router
from api.console.bounds import Bounded
from api.console.calendar import calendar_router
from api.console.contacts import contacts_router
from api.console.dashboard import dashboard_router
from api.console.desk import desk_router
from api.console.factor import factor_router
from api.console.knowledge import knowledge_router
from api.console.login import login_router
from api.console.media import media_router
from api.console.pages import HEADERS, Pages
from api.console.settings import settings_router
from api.console.sign_on import sign_on_router
from api.console.stream import stream_router
from api.console.tools import tools_router
from api.console.trail import trail_router
from api.console.undelivered import undelivered_router

STATIC = Path(__file__).with_name("static")
ASSETS = {
    "console.css": "text/css",
    "console.js": "text/javascript",
    "live.js": "text/javascript",
    "sheet.js": "text/javascript",
    "pages.js": "text/javascript",
    "pages.css": "text/css",
    "dashboard.css": "text/css",
}


def install(app: FastAPI) -> None:
    """Adds the console to the application."""
    pages = Pages()
    app.add_api_route("/console/static/{asset}", _static, methods=["GET"], include_in_schema=False)
    for part in (
        login_router(pages),
        sign_on_router(pages),
        factor_router(pages),
        stream_router(),
        media_router(),
        tools_router(pages),
        contacts_router(pages),
        calendar_router(pages),
        knowledge_router(pages),
        dashboard_router(pages),
        settings_router(pages),
        trail_router(pages),
        undelivered_router(pages),
        actions_router(pages),
        desk_router(pages),
    ):
        app.include_router(part, prefix="/console", include_in_schema=False)
    app.add_middleware(Bounded)
    app.add_exception_handler(LoginNeeded, _log_in)
    app.add_exception_handler(FactorNeeded, _set_up_factor)


async def _static(request: Request, asset: str) -> Response:
    """Styles and scripts, compressed: they hold no secret, pages do and are not."""
    if asset not in ASSETS:
        raise HTTPException(404, "no such file")
    content = await asyncio.to_thread((STATIC / asset).read_bytes)
    tag = f'"{hashlib.sha256(content).hexdigest()[:20]}"'
    headers = {**HEADERS, "Cache-Control": "no-cache", "ETag": tag, "Vary": "Accept-Encoding"}
    if request.headers.get("if-none-match") == tag:
        return Response(status_code=304, headers=headers)
    if "gzip" in request.headers.get("accept-encoding", ""):
        content, headers["Content-Encoding"] = gzip.compress(content, mtime=0), "gzip"
    return Response(content, media_type=ASSETS[asset], headers=headers)


async def _log_in(request: Request, _: Exception) -> Response:
    """To the login and back; a script is told, and keeps what was typed."""
    return _first(request, "/console/login", LoginNeeded, 401)


async def _set_up_factor(request: Request, _: Exception) -> Response:
    """To one's second factor, and back."""
    return _first(request, "/console/me/factor", FactorNeeded, 403)


def _first(request: Request, page: str, why: type[Exception], status: int) -> Response:
    if request.method == "GET" and "text/html" in request.headers.get("accept", ""):
        where = request.url.path + (f"?{request.url.query}" if request.url.query else "")
        return RedirectResponse(f"{page}?next={quote(where)}", 303)
    body = {"error": why.__name__, "detail": why.__doc__}
    return JSONResponse(body, status, headers=dict(HEADERS))
