"""Logging in, with a second step for who has a second factor, and out."""

from typing import Annotated
from urllib.parse import quote

from fastapi import APIRouter, Depends, Form, Request, Response
from fastapi.responses import JSONResponse, RedirectResponse

from api.console import words
from api.console.access import (
    CHALLENGE,
    COOKIE,
    LoggedIn,
    give_cookie,
    own_form,
    same_origin,
    take_cookie,
)
from api.console.pages import HEADERS, Pages
from api.limits import site_of
from api.state import address_of, services_of
from crm import factors, logins, trail
from crm.errors import FactorUnreadable, TooManyLogins, WrongCode, WrongPassword

CODE_STATUS: dict[type[Exception], int] = {TooManyLogins: 429, WrongCode: 401, FactorUnreadable: 503}


def login_router(pages: Pages) -> APIRouter:
    """/login, /login/code, /logout, /language and /me/session."""
    router = APIRouter()

    @router.get("/login")
    async def show(request: Request) -> Response:
        return login_form(pages, request)

    @router.post("/login")
    async def log_in(
        request: Request,
        email: Annotated[str, Form(max_length=320)] = "",
        password: Annotated[str, Form(max_length=1024)] = "",
    ) -> Response:
        same_origin(request)
        say, services = pages.speaker(words.language_of(request)), services_of(request)
        address = address_of(request)
        try:
            entered = await logins.log_in(
                services.crm, email, password, address, site=site_of(address), checks=services.checks
            )
        except TooManyLogins:
            problem = say("Too many failed logins. Wait a quarter of an hour, or ask for a new password.")
            return login_form(pages, request, problem=problem, email=email, status=429)
        except WrongPassword:
            problem = say("E-mail address and password do not belong together.")
            return login_form(pages, request, problem=problem, email=email, status=401)
        where = inside(request.query_params.get("next", ""))
        if entered.owes_code:
            response = RedirectResponse(f"/console/login/code?next={quote(where)}", 303)
            give_cookie(request, response, entered.cookie, name=CHALLENGE, lasts=logins.CODE_OWED)
            return response
        response = RedirectResponse(where, 303)
        give_cookie(request, response, entered.cookie)
        return response

    @router.post("/logout", dependencies=[Depends(own_form)])
    async def log_out(request: Request, who: LoggedIn) -> Response:
        async with services_of(request).crm.outside() as tx:
            await trail.entered(tx, who.reader, "logout", who.session.agent_id)
            await logins.log_out(tx, request.cookies.get(COOKIE, ""))
        response = RedirectResponse("/console/login", 303)
        take_cookie(request, response)
        # Unsent drafts to customers: who logs in next on this computer may be somebody else.
        response.headers["Clear-Site-Data"] = '"storage"'
        return response

    _add_code(router, pages)
    _add_language(router)
    _add_session(router)
    return router


def _add_code(router: APIRouter, pages: Pages) -> None:
    @router.get("/login/code")
    async def show(request: Request) -> Response:
        async with services_of(request).crm.outside() as tx:
            owing = await factors.owing(tx, request.cookies.get(CHALLENGE, ""))
        return _code_form(pages, request) if owing else _from_the_start(request)

    @router.post("/login/code")
    async def log_in(request: Request, code: Annotated[str, Form(max_length=100)] = "") -> Response:
        same_origin(request)
        services, say = services_of(request), pages.speaker(words.language_of(request))
        challenge = request.cookies.get(CHALLENGE, "")
        try:
            cookie = await factors.log_in(
                services.crm, challenge, code, services.secrets, address_of(request)
            )
        except (TooManyLogins, WrongCode, FactorUnreadable) as error:
            return _code_form(
                pages, request, problem=words.problem(say, error), status=CODE_STATUS[type(error)]
            )
        if cookie is None:
            return login_form(pages, request, problem=say("Log in once more, please."), status=401)
        response = RedirectResponse(inside(request.query_params.get("next", "")), 303)
        give_cookie(request, response, cookie)
        take_cookie(request, response, CHALLENGE)
        return response


def _from_the_start(request: Request) -> Response:
    return RedirectResponse(f"/console/login?next={quote(inside(request.query_params.get('next', '')))}", 303)


def _code_form(pages: Pages, request: Request, *, problem: str = "", status: int = 200) -> Response:
    where = inside(request.query_params.get("next", ""))
    return pages.page(
        "login_code.html",
        status=status,
        language=words.language_of(request),
        problem=problem,
        here=f"/console/login/code?next={quote(where)}",
        back=f"/console/login?next={quote(where)}",
    )


def _add_language(router: APIRouter) -> None:
    @router.get("/language/{code}")
    async def language(request: Request, code: str) -> Response:
        response = RedirectResponse(inside(request.query_params.get("next", "")), 303)
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


def _add_session(router: APIRouter) -> None:
    @router.get("/me/session")
    async def session(request: Request, who: LoggedIn) -> Response:
        """Whose session it is and what its forms carry, for a page that was open before it began."""
        same_origin(request)
        found = {"agent": who.session.agent_id, "csrf": who.session.csrf}
        return JSONResponse(found, headers=dict(HEADERS))


def login_form(
    pages: Pages,
    request: Request,
    *,
    problem: str = "",
    email: str = "",
    status: int = 200,
    where: str | None = None,
) -> Response:
    """The page that asks who somebody is, and leads on to `where`, or to what the request names as `next`."""
    provider = services_of(request).sign_on
    where = inside(where or request.query_params.get("next", ""))
    return pages.page(
        "login.html",
        status=status,
        language=words.language_of(request),
        problem=problem,
        email=email,
        provider=provider.name if provider is not None else "",
        next=where,
        here=f"/console/login?next={quote(where)}",
    )


def inside(where: str) -> str:
    """Where to go on, within the console only: never to another site."""
    inside = where.startswith("/console") and "\\" not in where and where.isprintable()
    return where if inside and not where.startswith("/console/login") else "/console"
