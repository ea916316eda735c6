"""The agents' console, put together: login, desk, actions, media, live updates.

Further sections (contacts, calendar, knowledge, settings) are routers of their own, included here before the
desk's, whose addresses take any word for a business.
"""

import asyncio
import gzip
import hashlib
from functools import partial
from pathlib import Path
from urllib.parse import quote

from fastapi import FastAPI, HTTPException, Request, Response
from fastapi.responses import JSONResponse, RedirectResponse

from api.console.access import FactorNeeded, ForeignForm, LoginNeeded
from api.console.actions import actions_router
from api.console.bounds import Bounded
from api.console.calendar import calendar_router
from api.console.contacts import contacts_router
from api.console.dashboard import dashboard_router
from api.console.desk import desk_router
from api.console.factor import factor_router
from api.console.knowledge import knowledge_router
from api.console.login import inside, login_form, login_router
from api.console.media import media_router
from api.console.pages import HEADERS, Pages
from api.console.settings import settings_router
from api.console.sign_on import sign_on_router
from api.console.stream import stream_router
from api.console.tools import tools_router
from api.console.trail import trail_router
from api.console.undelivered import undelivered_router
from api.console.words import language_of

STATIC = Path(__file__).with_name("static")
ASSETS = {
    "console.css": "text/css",
    "console.js": "text/javascript",
    "live.js": "text/javascript",
    "session.js": "text/javascript",
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
    app.add_exception_handler(LoginNeeded, partial(_log_in, pages))
    app.add_exception_handler(FactorNeeded, _set_up_factor)
    app.add_exception_handler(ForeignForm, partial(_load_again, pages))


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


async def _log_in(pages: Pages, request: Request, _: Exception) -> Response:
    """To the login and back.

    A script is told, and keeps what was typed; where the browser itself sent a form, its person is told that
    it did not arrive.
    """
    if request.method == "POST" and _asks_for_page(request):
        say = pages.speaker(language_of(request))
        problem = say("Your session is over. Log in; what you have just entered has to be entered again.")
        return login_form(pages, request, problem=problem, status=401, where=_page_of_form(request))
    return _first(request, "/console/login", LoginNeeded, 401)


async def _set_up_factor(request: Request, _: Exception) -> Response:
    """To one's second factor, and back."""
    return _first(request, "/console/me/factor", FactorNeeded, 403)


async def _load_again(pages: Pages, request: Request, _: Exception) -> Response:
    """For a page older than the session; its script fetches the new token and sends the form again."""
    language = language_of(request)
    say = pages.speaker(language)
    detail = say("This form does not belong to your session: load the page again.")
    if not _asks_for_page(request):
        return JSONResponse({"error": "ForeignForm", "detail": detail}, 403, headers=dict(HEADERS))
    return pages.page(
        "problem.html",
        status=403,
        language=language,
        detail=detail,
        where=_page_of_form(request),
        back=say("Load the page again"),
    )


def _first(request: Request, page: str, why: type[Exception], status: int) -> Response:
    if _asks_for_page(request):
        here = request.url.path + (f"?{request.url.query}" if request.url.query else "")
        where = here if request.method == "GET" else _page_of_form(request)
        return RedirectResponse(f"{page}?next={quote(where)}", 303)
    body = {"error": why.__name__, "detail": why.__doc__}
    return JSONResponse(body, status, headers=dict(HEADERS))


def _asks_for_page(request: Request) -> bool:
    """Whether the browser itself asks, which shows whatever it gets to a person."""
    return "text/html" in request.headers.get("accept", "")


def _page_of_form(request: Request) -> str:
    """The page a form was sent from, as far as the browser tells it, without what that page was told."""
    host, _, path = request.headers.get("referer", "").partition("://")[2].partition("/")
    return inside(f"/{path.split('?')[0]}") if host == request.headers.get("host") else "/console"
