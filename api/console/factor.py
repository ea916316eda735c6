"""One's own second factor: set up with an app's first code, other recovery codes, turned off again."""

from typing import Annotated
from urllib.parse import quote

from fastapi import APIRouter, Depends, Form, Request, Response
from fastapi.responses import RedirectResponse

from api.console import words
from api.console.access import COOKIE, LoggedIn, Person, own_form
from api.console.login import CODE_STATUS, inside
from api.console.pages import Pages
from api.state import services_of
from crm import factors
from crm.errors import FactorHeld, FactorUnreadable, TooManyLogins, WrongCode

Code = Annotated[str, Form(max_length=100)]
STATUS: dict[type[Exception], int] = {**CODE_STATUS, WrongCode: 422, FactorHeld: 409}
_REFUSALS = (WrongCode, TooManyLogins, FactorHeld, FactorUnreadable)


def factor_router(pages: Pages) -> APIRouter:
    """/console/me/factor: belongs to a person, whichever businesses they work for."""
    router = APIRouter(prefix="/me/factor")

    @router.get("")
    async def show(request: Request, who: LoggedIn) -> Response:
        return await _page(request, pages, who)

    @router.post("", dependencies=[Depends(own_form)])
    async def confirm(request: Request, who: LoggedIn, code: Code = "") -> Response:
        services = services_of(request)
        cookie = request.cookies.get(COOKIE, "")
        try:
            codes = await factors.confirm(services.crm, who.session, cookie, code, services.secrets)
        except _REFUSALS as error:
            return await _page(request, pages, who, refused=error)
        return await _page(request, pages, who, codes=codes)

    @router.post("/codes", dependencies=[Depends(own_form)])
    async def renew(request: Request, who: LoggedIn, code: Code = "") -> Response:
        services = services_of(request)
        try:
            codes = await factors.renew(services.crm, who.session, code, services.secrets)
        except _REFUSALS as error:
            return await _page(request, pages, who, refused=error)
        return await _page(request, pages, who, codes=codes)

    @router.post("/off", dependencies=[Depends(own_form)])
    async def turn_off(request: Request, who: LoggedIn, code: Code = "") -> Response:
        services = services_of(request)
        try:
            await factors.turn_off(services.crm, who.session, code, services.secrets)
        except _REFUSALS as error:
            return await _page(request, pages, who, refused=error)
        return RedirectResponse("/console/me/factor", 303)

    return router


async def _page(
    request: Request,
    pages: Pages,
    who: Person,
    *,
    codes: list[str] | None = None,
    refused: Exception | None = None,
) -> Response:
    """The page as things stand; `codes` are shown this once."""
    services, offer = services_of(request), None
    async with services.crm.outside() as tx:
        left = await factors.left(tx, who.session.agent_id)
        if left is None and services.secrets is not None:
            offer = await factors.offer(tx, who.session, services.secrets)
    where = inside(request.query_params.get("next", ""))
    return pages.page(
        "factor.html",
        status=STATUS[type(refused)] if refused else 200,
        language=who.language,
        who=who,
        left=left,
        offer=offer,
        picture=_picture(offer.uri) if offer else "",
        codes=codes or [],
        problem=words.problem(pages.speaker(who.language), refused) if refused else "",
        asked_by=[one.name for one in who.memberships if one.factor_required],
        next=where,
        here=f"/console/me/factor?next={quote(where)}",
    )


def _picture(uri: str) -> str:
    """A QR code as the address of a picture; dark on light in every colour scheme, as cameras want it."""
    import segno  # a quarter of a second and 4 MB, for a page seen once in a long while

    return str(segno.make(uri, error="m").svg_data_uri(scale=4, border=4, dark="#000", light="#fff"))
