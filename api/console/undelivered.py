"""Messages that did not arrive: to whom, why, what was tried, and another try with one click."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, HTTPException, Query, Request, Response
from fastapi.responses import RedirectResponse

from api.console.access import Seat, Seated, own_form
from api.console.desk import valid_id
from api.console.pages import Pages
from api.state import services_of
from crm import businesses, letters, trail
from crm.letters import NotDead, PerhapsDelivered, UnknownLetter

_MOST = 100


def undelivered_router(pages: Pages) -> APIRouter:
    """/console/{business}/undelivered and below it."""
    router = APIRouter(prefix="/{business}/undelivered")

    @router.get("")
    async def listed(
        request: Request, seat: Seated, told: Annotated[str, Query(max_length=20)] = ""
    ) -> Response:
        return await _shown(request, pages, seat, told)

    @router.get("/{outbox_id}")
    async def history(request: Request, seat: Seated, outbox_id: int) -> Response:
        try:
            async with services_of(request).crm.transaction(seat.business.business_id) as tx:
                steps = await letters.history(tx, valid_id(outbox_id))
                zone = (await businesses.row(tx)).time_zone
        except UnknownLetter as error:
            raise HTTPException(404, "no such message") from error
        return _page(pages, seat, "undelivered_steps.html", zone=zone, steps=steps)

    @router.post("/{outbox_id}/retry", dependencies=[Depends(own_form)])
    async def retry(request: Request, seat: Seated, outbox_id: int, even_if_twice: bool = False) -> Response:
        told = "sent"
        try:
            async with services_of(request).crm.transaction(seat.business.business_id) as tx:
                await letters.retry(tx, valid_id(outbox_id), even_if_twice=even_if_twice)
                await trail.did(tx, seat.reader, "sent_again", subject_id=outbox_id)
        except UnknownLetter as error:
            raise HTTPException(404, "no such message") from error
        except NotDead:
            told = "moving"
        except PerhapsDelivered:
            told = "perhaps"
        return RedirectResponse(f"/console/{seat.business.slug}/undelivered?told={told}", 303)

    return router


async def _shown(request: Request, pages: Pages, seat: Seat, told: str) -> Response:
    say = pages.speaker(seat.person.language)
    sentences = {
        "sent": say("It is on its way again."),
        "moving": say("That message is not given up: it arrived or is still being tried."),
        "perhaps": say("That message may have arrived. Ask the customer, or send it all the same."),
    }
    async with services_of(request).crm.transaction(seat.business.business_id) as tx:
        rows = await letters.listed(tx, most=_MOST)
        await trail.listed(tx, seat.reader, "undelivered")
        zone = (await businesses.row(tx)).time_zone
    return _page(
        pages, seat, "undelivered.html", zone=zone, rows=rows, most=_MOST, told=sentences.get(told, "")
    )


def _page(pages: Pages, seat: Seat, template: str, **shown: Any) -> Response:
    return pages.page(template, language=seat.person.language, seat=seat, section="undelivered", **shown)
