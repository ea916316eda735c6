"""Logging in through the company's own OpenID provider: there and back."""

from urllib.parse import quote

import structlog
from fastapi import APIRouter, HTTPException, Request, Response
from fastapi.responses import RedirectResponse

from api.console import words
from api.console.access import give_cookie, is_https, take_cookie
from api.console.login import inside, login_form
from api.console.pages import Pages
from api.state import ApiServices, address_of, services_of
from channels.oidc.errors import EmailUnverified, IdentityRefused, ProviderRefused, SignOnError
from channels.oidc.provider import Flow, Provider
from crm import sign_on
from crm.errors import UnknownAgent
from crm.sign_on import FlowRow
from knowledge.phrases import Say

log = structlog.get_logger(__name__)

AWAY_COOKIE = "sara_sign_on"
BACK = "/console/login/oidc/back"


def sign_on_router(pages: Pages) -> APIRouter:
    """/login/oidc and /login/oidc/back; 404 where no provider is configured."""
    router = APIRouter(prefix="/login/oidc")

    @router.get("")
    async def go(request: Request) -> Response:
        services = services_of(request)
        provider, flow = _provider(services), Flow.new()
        try:
            there = await provider.address(flow, _back(request, services))
        except SignOnError as error:
            return _refused(pages, request, error)
        where = inside(request.query_params.get("next", ""))
        async with services.crm.outside() as tx:
            cookie = await sign_on.begin(tx, FlowRow(flow.state, flow.nonce, flow.verifier, where))
        response = RedirectResponse(there, 303)
        give_cookie(request, response, cookie, name=AWAY_COOKIE, lasts=sign_on.AWAY)
        return response

    @router.get("/back")
    async def back(request: Request) -> Response:
        services = services_of(request)
        provider = _provider(services)
        async with services.crm.outside() as tx:
            kept = await sign_on.take(tx, request.cookies.get(AWAY_COOKIE, ""))
        try:
            if kept is None:
                raise IdentityRefused("nobody was sent there from this browser, or too long ago")
            flow = Flow(kept.state, kept.nonce, kept.verifier)
            email = await provider.email_of(request.query_params, flow, _back(request, services))
            async with services.crm.outside() as tx:
                cookie = await sign_on.enter(tx, email, address_of(request))
        except (SignOnError, UnknownAgent) as error:
            return _refused(pages, request, error)
        response = RedirectResponse(kept.go_on, 303)
        give_cookie(request, response, cookie)
        take_cookie(request, response, AWAY_COOKIE)
        return response

    return router


def _provider(services: ApiServices) -> Provider:
    if services.sign_on is None:
        raise HTTPException(404, "no such page")
    return services.sign_on


def _back(request: Request, services: ApiServices) -> str:
    """The address the provider knows; without SARA_PUBLIC_URL the one this page was asked at."""
    if services.public_url:
        return f"{services.public_url.rstrip('/')}{BACK}"
    scheme = "https" if is_https(request) else "http"
    return f"{scheme}://{quote(request.headers.get('host', ''), safe=':[]')}{BACK}"


def _refused(pages: Pages, request: Request, error: Exception) -> Response:
    """The login page, with what went wrong; the cause for operators is in the log, without addresses."""
    cause = str(error) if isinstance(error, SignOnError) else ""
    log.warning("sign_on_refused", why=type(error).__name__, cause=cause)
    say = pages.speaker(words.language_of(request))
    known = {EmailUnverified: 403, UnknownAgent: 403, IdentityRefused: 401, ProviderRefused: 401}
    status = known.get(type(error), 503)
    response = login_form(pages, request, problem=_problem(say, error), status=status)
    take_cookie(request, response, AWAY_COOKIE)
    return response


def _problem(say: Say, error: Exception) -> str:
    if isinstance(error, UnknownAgent):
        return say("Nobody works here with that address, or they may no longer log in: ask your admin.")
    if isinstance(error, EmailUnverified):
        return say("The company's login does not vouch for your e-mail address: ask whoever looks after it.")
    if isinstance(error, ProviderRefused):
        return say("The company's login did not let you in, or you stopped it: begin again.")
    if isinstance(error, IdentityRefused):
        return say("This login took too long or does not hold: begin again.")
    return say("The company's login does not answer: try again in a moment, or use your password.")
