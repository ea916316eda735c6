"""The calendar: a day or a week per person and room, booking and moving by form, who came, who waits."""

import re
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Depends, Form, HTTPException, Query, Request, Response
from fastapi.responses import JSONResponse, RedirectResponse

from api.console import words
from api.console.access import Seat, Seated, own_form
from api.console.desk import fragment, scripted, valid_id
from api.console.pages import HEADERS, Pages
from api.console.places import Places
from api.console.tool_forms import Fault, entered
from api.console.tool_forms import Form as ToolForm
from api.console.tool_run import Actor, carry_out
from api.console.tools import Values, attempt_of, form_context, refused, values_of
from api.state import ApiServices, services_of
from crm import appointments, attendance, businesses, cards, contacts, diary, phones, trail
from crm.appointments import AppointmentRow
from crm.diary import VisitRow
from crm.errors import RecordError, UnknownAppointment
from crm.record import Tx

_WEEK = 7
_INSTANT = timedelta(microseconds=1)  # the end of a span is no part of it

Changed = Literal["move", "cancel"]


def calendar_router(pages: Pages) -> APIRouter:
    """/console/{business}/calendar, …/book, …/{appointment}/move|cancel and …/{appointment}/attendance."""
    router = APIRouter(prefix="/{business}/calendar")
    _add_reading(router, pages)
    _add_booking(router, pages)
    _add_changing(router, pages)
    return router


def _add_reading(router: APIRouter, pages: Pages) -> None:
    @router.get("")
    async def shown(
        request: Request,
        seat: Seated,
        day: date | None = None,
        view: Literal["day", "week"] = "day",
        resource: Annotated[int | None, Query(ge=1, lt=2**63)] = None,
        problem: Annotated[str, Query(max_length=20)] = "",
    ) -> Response:
        async with services_of(request).crm.transaction(seat.business.business_id) as tx:
            values = await _diary(tx, seat, day, view, resource)
            await trail.listed(tx, seat.reader, "calendar")
        say = pages.speaker(seat.person.language)
        told = say("That appointment was already closed.") if problem == "closed" else ""
        return pages.page(
            "calendar.html",
            language=seat.person.language,
            seat=seat,
            section="calendar",
            problem=told,
            **values,
        )


def _add_booking(router: APIRouter, pages: Pages) -> None:
    @router.get("/book")
    async def form(
        request: Request,
        seat: Seated,
        day: date | None = None,
        person: Annotated[int | None, Query(ge=1, lt=2**63)] = None,
        part: str = "",
    ) -> Response:
        known = {"day": [day.isoformat()] if day else [], "person": [str(person)] if person else []}
        values = {name: value for name, value in known.items() if value}
        html = await _form(pages, services_of(request), seat, "book", values, [])
        return fragment(html) if part else _sheet(pages, seat, html)

    @router.post("/book", dependencies=[Depends(own_form)])
    async def book(request: Request, seat: Seated) -> Response:
        return await _act(request, pages, seat, "book", None)


def _add_changing(router: APIRouter, pages: Pages) -> None:
    @router.get("/{appointment_id}/{form}")
    async def form(
        request: Request, seat: Seated, appointment_id: int, form: Changed, part: str = ""
    ) -> Response:
        services = services_of(request)
        row = await _row(services, seat, appointment_id)
        html = await _form(pages, services, seat, form, {}, [], row)
        return fragment(html) if part else _sheet(pages, seat, html)

    @router.post("/{appointment_id}/attendance", dependencies=[Depends(own_form)])
    async def close(
        request: Request,
        seat: Seated,
        appointment_id: int,
        came: Annotated[Literal["yes", "no"], Form()],
        back: Annotated[str, Form(max_length=200)] = "",
    ) -> Response:
        how = attendance.attended if came == "yes" else attendance.missed
        where, sign = f"/console/{seat.business.slug}/calendar", "?"
        if re.fullmatch(r"\?[\w=&-]*", back):
            where, sign = where + back, "&"
        try:
            async with services_of(request).crm.transaction(seat.business.business_id) as tx:
                await how(tx, valid_id(appointment_id), agent_id=seat.agent_id)
        except UnknownAppointment:
            return RedirectResponse(f"{where}{sign}problem=closed", 303)
        return RedirectResponse(where, 303)

    @router.post("/{appointment_id}/{form}", dependencies=[Depends(own_form)])
    async def change(request: Request, seat: Seated, appointment_id: int, form: Changed) -> Response:
        row = await _row(services_of(request), seat, appointment_id)
        return await _act(request, pages, seat, form, row)


async def _diary(
    tx: Tx, seat: Seat, day: date | None, view: Literal["day", "week"], resource: int | None
) -> dict[str, Any]:
    profile = await businesses.profile(tx)
    today = tx.now.astimezone(ZoneInfo(profile.business.time_zone)).date()
    day = _sane(day or today, today)
    first = day - timedelta(days=day.weekday()) if view == "week" else day
    days = [first + timedelta(days=n) for n in range(_WEEK if view == "week" else 1)]
    places, resources = Places(profile), await businesses.resources(tx)
    where = {one.resource_id: one.location_id for one in resources}
    language = seat.person.language
    # A day is that of each place: where they keep several times they begin and end at different moments.
    since = min(_midnight(first, one) for one in places.zones)
    until = max(_midnight(days[-1] + timedelta(days=1), one) for one in places.zones)
    visits: dict[date, list[VisitRow]] = {one: [] for one in days}
    for visit in await diary.visits(tx, since, until, resource_id=resource):
        if (there := places.day(visit.starts, visit.location_id)) in visits:
            visits[there].append(visit)
    busy = [
        one
        for one in await diary.busy(tx, since, until)
        if places.day(one.starts, where.get(one.resource_id)) <= days[-1]
        and places.day(one.ends - _INSTANT, where.get(one.resource_id)) >= first
    ]
    return {
        "zone": profile.business.time_zone,
        "places": places,
        "on": day,
        "days": days,
        "today": today,
        "view": view,
        "resource": resource,
        "resources": resources,
        "visits": visits,
        "busy": busy,
        "waiters": await diary.waiters(tx),
        "services": profile.names(language),
        "now": tx.now,
        "leap": timedelta(days=_WEEK if view == "week" else 1),
    }


def _midnight(day: date, zone: str) -> datetime:
    """When a day begins there."""
    return datetime.combine(day, time(0), ZoneInfo(zone))


def _sane(day: date, today: date) -> date:
    """Within what a calendar can hold: arithmetic on the first and last days there are would fail."""
    most = timedelta(days=366 * 20)
    return min(max(day, today - most), today + most)


async def _row(services: ApiServices, seat: Seat, appointment_id: int) -> AppointmentRow:
    async with services.crm.transaction(seat.business.business_id) as tx:
        row = await appointments.get(tx, valid_id(appointment_id))
    if row is None or row.status != "booked":
        raise HTTPException(404, "no such appointment")
    return row


async def _act(
    request: Request, pages: Pages, seat: Seat, form: ToolForm, row: AppointmentRow | None
) -> Response:
    services, values = services_of(request), await values_of(request)
    by_script = scripted(request)
    say = pages.speaker(seat.person.language)
    given, wrong = entered(values)
    faults = [Fault(name, say("This cannot be read.")) for name in wrong]
    customer = await _customer(services, seat, row, next(iter(values.get("phone", [])), ""))
    if customer is None:
        faults.append(Fault("phone", say("Give the whole number with the country's digits: +39 …")))
    if given is not None and customer is not None and not faults:
        key = f"calendar:{seat.agent_id}:{attempt_of(values)}"
        language, number = seat.person.language, customer.number
        actor = Actor(seat.agent_id, customer.contact_id, customer.talk, key, language, number)
        try:
            outcome = await carry_out(services, seat.business.business_id, actor, form, given)
        except RecordError as error:
            outcome = Fault("", words.problem(say, error))
        if not isinstance(outcome, Fault):
            shown = f"?day={given.day.isoformat()}" if given.day else ""
            where = f"/console/{seat.business.slug}/calendar{shown}"
            if by_script:
                return JSONResponse({"go": where, "say": outcome.text}, headers=dict(HEADERS))
            return RedirectResponse(where, 303)
        faults.append(outcome)
    html = await _form(pages, services, seat, form, values, faults, row)
    return refused(pages, seat, html, scripted=by_script)


@dataclass(frozen=True)
class _Customer:
    """Who it is for and the conversation they are spoken with in; who has no id yet has a `number`."""

    contact_id: int | None
    talk: int | None = None
    number: str = ""


async def _customer(
    services: ApiServices, seat: Seat, row: AppointmentRow | None, phone: str
) -> _Customer | None:
    """Who an appointment is for: whose it is, or whose phone number was written; None for no number."""
    async with services.crm.transaction(seat.business.business_id) as tx:
        contact_id, number = (row.contact_id, "") if row else await _numbered(tx, phone)
        if contact_id is None and not number:
            return None
        talk = await diary.talk(tx, contact_id) if contact_id is not None else None
    return _Customer(contact_id, talk, number)


async def _numbered(tx: Tx, phone: str) -> tuple[int | None, str]:
    """Whose phone number was written and what it is; nobody's and "" for what can be no new number.

    Contacts may have been entered with the figures as somebody wrote them, without the country's or more
    than there can be: they are found by those, but never before who has the whole number.
    """
    whole = phones.wa_id_of(phone, (await businesses.row(tx)).country)
    for number in filter(None, (whole, phones.figures(phone))):
        if (contact_id := await contacts.numbered(tx, number)) is not None:
            return contact_id, number
    return None, whole or ""


async def _form(
    pages: Pages,
    services: ApiServices,
    seat: Seat,
    form: ToolForm,
    values: Values,
    faults: list[Fault],
    row: AppointmentRow | None = None,
) -> str:
    where = f"{row.appointment_id}/{form}" if row else form
    async with services.crm.transaction(seat.business.business_id) as tx:
        known = await form_context(tx, seat, form, values, faults)
        people = [] if row else (await cards.page(tx))[0]
        if row:
            await trail.looked(
                tx, seat.reader, "appointment", [row.contact_id], subject_id=row.appointment_id
            )
        else:
            await trail.listed(tx, seat.reader, "contacts")
    return pages.text(
        "tool.html",
        language=seat.person.language,
        seat=seat,
        action=f"/console/{seat.business.slug}/calendar/{where}",
        booked=[row] if row else [],
        contacts_field=None if row else people,
        **known,
    )


def _sheet(pages: Pages, seat: Seat, html: str) -> Response:
    return pages.page("sheet.html", language=seat.person.language, seat=seat, section="calendar", html=html)
