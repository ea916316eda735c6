"""Logging in and out."""

from typing import Annotated
from urllib.parse import quote

from fastapi import APIRouter, Depends, Form, Request, Response
from fastapi.responses import RedirectResponse

from api.console import words
from api.console.access import COOKIE, LoggedIn, give_cookie, own_form, same_origin, take_cookie
from api.console.pages import Pages
from api.state import services_of
from crm import logins
from crm.errors import TooManyLogins, WrongPassword


def login_router(pages: Pages) -> APIRouter:
    """/login, /logout and /language."""
    router = APIRouter()

    @router.get("/login")
    async def show(request: Request) -> Response:
        return _form(pages, request)

    @router.post("/login")
    async def log_in(
        request: Request,
        email: Annotated[str, Form(max_length=320)] = "",
        password: Annotated[str, Form(max_length=1024)] = "",
    ) -> Response:
        same_origin(request)
        say = pages.speaker(words.language_of(request))
        address = request.client.host if request.client else "?"
        try:
            cookie = await logins.log_in(services_of(request).crm, email, password, address)
        except TooManyLogins:
            problem = say("Too many failed logins. Wait a quarter of an hour, or ask for a new password.")
            return _form(pages, request, problem=problem, email=email, status=429)
        except WrongPassword:
            problem = say("E-mail address and password do not belong together.")
            return _form(pages, request, problem=problem, email=email, status=401)
        response = RedirectResponse(_inside(request.query_params.get("next", "")), 303)
        give_cookie(request, response, cookie)
        return response

    @router.post("/logout", dependencies=[Depends(own_form)])
    async def log_out(request: Request, _: LoggedIn) -> Response:
        async with services_of(request).crm.outside() as tx:
            await logins.log_out(tx, request.cookies.get(COOKIE, ""))
        response = RedirectResponse("/console/login", 303)
        take_cookie(request, response)
        return response

    _add_language(router)
    return router


def _add_language(router: APIRouter) -> None:
    @router.get("/language/{code}")
    async def language(request: Request, code: str) -> Response:
        response = RedirectResponse(_inside(request.query_params.get("next", "")), 303)
        if code in words.LANGUAGES:
            response.set_cookie(
                words.LANGUAGE_COOKIE,
                code,
                max_age=31_536_000,
                samesite="lax",
                httponly=True,
                path="/console",
            )
        return response


def _form(
    pages: Pages, request: Request, *, problem: str = "", email: str = "", status: int = 200
) -> Response:
    where = _inside(request.query_params.get("next", ""))
    return pages.page(
        "login.html",
        status=status,
        language=words.language_of(request),
        problem=problem,
        email=email,
        next=where,
        here=f"/console/login?next={quote(where)}",
    )


def _inside(where: str) -> str:
    """Where to go on, within the console only: never to another site."""
    inside = where.startswith("/console") and "\\" not in where and where.isprintable()
    return where if inside and not where.startswith("/console/login") else "/console"
