"""Customers: the list with search and filters, a card with its timeline, editing, merging, the export."""

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any, Literal, get_args

from fastapi import APIRouter, Depends, Form, HTTPException, Query, Request, Response
from fastapi.responses import RedirectResponse

from api.console import words
from api.console.access import Seat, Seated, own_form
from api.console.actions import Short
from api.console.desk import Search, valid_id
from api.console.pages import HEADERS, Pages
from api.console.places import Places
from api.console.tools import values_of
from api.state import services_of
from crm import (
    appointments,
    businesses,
    cards,
    console,
    contacts,
    merging,
    quotes,
    tickets,
    trail,
)
from crm.cards import Entry
from crm.errors import RecordError, UnknownContact
from crm.record import Tx

_WAS = {"was_name", "was_email", "was_language"}
_EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")

Lifecycle = Literal["lead", "qualified", "client", "dormant"]
LIFECYCLES = get_args(Lifecycle)


class Filters:
    """Which part of the list is shown."""

    def __init__(
        self,
        q: Search = "",
        lifecycle: Lifecycle | Literal[""] = "",
        language: Annotated[str, Query(pattern="^[a-z]{0,2}$")] = "",
        page: Annotated[int, Query(ge=1, le=10_000)] = 1,
    ) -> None:
        self.q, self.lifecycle, self.language, self.page = q, lifecycle, language, page


def contacts_router(pages: Pages) -> APIRouter:
    """/console/{business}/contacts and …/contacts/{contact}."""
    router = APIRouter(prefix="/{business}/contacts")
    _add_reading(router, pages)
    _add_changing(router, pages)
    return router


def _add_reading(router: APIRouter, pages: Pages) -> None:
    @router.get("")
    async def listed(
        request: Request, seat: Seated, filters: Annotated[Filters, Depends(Filters)]
    ) -> Response:
        async with services_of(request).crm.transaction(seat.business.business_id) as tx:
            rows, more = await cards.page(
                tx,
                lifecycle=filters.lifecycle or None,
                language=filters.language or None,
                search=filters.q,
                number=filters.page,
            )
            if filters.q.strip():
                await trail.searched(tx, seat.reader, [row.contact_id for row in rows])
            else:
                await trail.listed(tx, seat.reader, "contacts")
            zone = (await businesses.row(tx)).time_zone
        return _page(pages, seat, "contacts.html", zone=zone, rows=rows, more=more, filters=filters)

    @router.get("/{contact_id}")
    async def card(
        request: Request,
        seat: Seated,
        contact_id: int,
        before: datetime | None = None,
        done: Annotated[str, Query(max_length=20)] = "",
    ) -> Response:
        async with services_of(request).crm.transaction(seat.business.business_id) as tx:
            stands = await cards.stands(tx, valid_id(contact_id))
            if stands != contact_id:
                return RedirectResponse(f"/console/{seat.business.slug}/contacts/{stands}", 303)
            if before is not None and before.tzinfo is None:
                raise HTTPException(422, "a moment needs its time zone")
            shown = await _card(tx, contact_id, before)
            await trail.looked(tx, seat.reader, "contact", [contact_id])
        return _page(pages, seat, "contact.html", done=done, problem="", **shown)

    @router.get("/{contact_id}/export")
    async def export(request: Request, seat: Seated, contact_id: int) -> Response:
        services = services_of(request)
        if seat.business.role != "admin" or services.export is None:
            raise HTTPException(404, "no such page")
        async with services.crm.transaction(seat.business.business_id) as tx:
            stands = await cards.stands(tx, valid_id(contact_id))
            await trail.looked(tx, seat.reader, "export", [stands])
        content = await services.export(seat.business.business_id, stands)
        name = f'attachment; filename="contact-{contact_id}.zip"'
        headers = {**HEADERS, "Content-Disposition": name}
        return Response(content, media_type="application/zip", headers=headers)


def _add_changing(router: APIRouter, pages: Pages) -> None:
    @router.post("/{contact_id}", dependencies=[Depends(own_form)])
    async def edit(
        request: Request,
        seat: Seated,
        contact_id: int,
        name: Short = "",
        email: Short = "",
        language: Annotated[str, Form(pattern="^[a-z]{0,2}$")] = "",
        attempt: Short = "",
    ) -> Response:
        say = pages.speaker(seat.person.language)
        given = {"name": name, "email": email, "language": language}
        was = {key: sent[-1] for key, sent in (await values_of(request)).items() if key in _WAS}
        if email and not _EMAIL.fullmatch(email):
            problem = say("This is no e-mail address.")
            return await _refused(request, pages, seat, contact_id, problem, given | was)
        async with services_of(request).crm.transaction(seat.business.business_id) as tx:
            await cards.edit(
                tx,
                valid_id(contact_id),
                seat.agent_id,
                Entry(**{key: value or None for key, value in given.items()}),
                was=_seen(was),
                attempt=attempt or tx.now.isoformat(),
            )
        return RedirectResponse(f"/console/{seat.business.slug}/contacts/{contact_id}?done=saved", 303)

    @router.post("/{contact_id}/merge", dependencies=[Depends(own_form)])
    async def merge(request: Request, seat: Seated, contact_id: int, other: Short = "") -> Response:
        if not seat.supervisor:
            raise HTTPException(403, "only a supervisor or an admin merges customers")
        services, say = services_of(request), pages.speaker(seat.person.language)
        try:
            async with services.crm.transaction(seat.business.business_id) as tx:
                kept = await cards.stands(tx, valid_id(contact_id))
                gone = await _meant(tx, other)
            await merging.merge(services.crm, seat.business.business_id, kept, gone, seat.agent_id)
        except RecordError as error:
            return await _refused(request, pages, seat, contact_id, words.problem(say, error), {})
        return RedirectResponse(f"/console/{seat.business.slug}/contacts/{kept}?done=merged", 303)


def _seen(was: Mapping[str, str]) -> Entry | None:
    """What stood on the card when it was opened; None for a form that does not say."""
    if set(was) != _WAS:
        return None
    return Entry(**{key.removeprefix("was_"): value or None for key, value in was.items()})


async def _meant(tx: Tx, other: str) -> int:
    """An entry by its number (#12) or by its phone number. Raises UnknownContact."""
    number = re.fullmatch(r"#(\d{1,18})", other)
    if number:
        return await cards.stands(tx, int(number[1]))
    rows, _ = await cards.page(tx, search=re.sub(r"[\s+().-]", "", other))
    found = [row for row in rows if row.wa_id == re.sub(r"\D", "", other)]
    if len(found) != 1:
        raise UnknownContact(UnknownContact.__doc__)
    return found[0].contact_id


async def _card(tx: Tx, contact_id: int, before: datetime | None = None) -> dict[str, Any]:
    profile = await businesses.profile(tx)
    events = await cards.timeline(tx, contact_id, before=before)
    return {
        "zone": profile.business.time_zone,
        "places": Places(profile),
        "currency": profile.business.currency,
        "contact": await contacts.get(tx, contact_id),
        "value": await console.value(tx, contact_id),
        "events": events,
        "before": before,
        "earlier": events[-1].at if len(events) >= cards.TIMELINE else None,
        "talks": await cards.talks(tx, contact_id),
        "aliases": await cards.aliases(tx, contact_id),
        "merges": await cards.merges(tx, contact_id),
        "appointments": await appointments.of_contact(tx, contact_id),
        "quotes": await quotes.of_contact(tx, contact_id),
        "tickets": await tickets.of_contact(tx, contact_id),
        "services": profile.names(profile.language),
        "entered": {},
    }


async def _refused(
    request: Request, pages: Pages, seat: Seat, contact_id: int, problem: str, entered: dict[str, str]
) -> Response:
    """The card again, with what was entered and what is wrong with it."""
    async with services_of(request).crm.transaction(seat.business.business_id) as tx:
        stands = await cards.stands(tx, contact_id)
        shown = await _card(tx, stands)
        await trail.looked(tx, seat.reader, "contact", [stands])
    return _page(
        pages, seat, "contact.html", status=422, done="", problem=problem, **{**shown, "entered": entered}
    )


def _page(pages: Pages, seat: Seat, template: str, *, status: int = 200, **values: Any) -> Response:
    return pages.page(
        template, status=status, language=seat.person.language, seat=seat, section="contacts", **values
    )
