"""Forms of the tools in a conversation: an agent books, moves, cancels, asks for a quote, opens a ticket.

What was entered stays in the form until it was carried out; what came of it stands in the thread's log, and
SARA knows it after the hand-back.
"""

from collections.abc import Mapping
from typing import Any
from uuid import uuid4

from fastapi import APIRouter, Depends, HTTPException, Request, Response
from fastapi.responses import JSONResponse, RedirectResponse

from api.console import words
from api.console.access import Seat, Seated, own_form
from api.console.actions import storable
from api.console.desk import conversation, fragment, scripted, valid_id
from api.console.pages import HEADERS, Pages
from api.console.places import Places
from api.console.tool_forms import INTENTS, Fault, Form, entered
from api.console.tool_run import Actor, carry_out
from api.errors import STATUS
from api.state import ApiServices, services_of
from crm import appointments, businesses, conversations, desk, handoffs, trail
from crm.errors import BotSpeaks, RecordError
from crm.record import Tx
from tools.tool import Done

Values = Mapping[str, list[str]]


def tools_router(pages: Pages) -> APIRouter:
    """/console/{business}/c/{conversation}/tool/{form}."""
    router = APIRouter(prefix="/{business}/c/{conversation_id}/tool")

    @router.get("/{form}")
    async def show(
        request: Request, seat: Seated, conversation_id: int, form: Form, part: str = ""
    ) -> Response:
        html = await rendered(pages, services_of(request), seat, conversation_id, form, {}, [])
        return fragment(html) if part else _page(pages, seat, html)

    @router.post("/{form}", dependencies=[Depends(own_form)])
    async def act(request: Request, seat: Seated, conversation_id: int, form: Form) -> Response:
        return await _act(request, pages, seat, valid_id(conversation_id), form)

    return router


async def _act(request: Request, pages: Pages, seat: Seat, conversation_id: int, form: Form) -> Response:
    services, values = services_of(request), await values_of(request)
    by_script = scripted(request)
    given, wrong = entered(values)
    say = pages.speaker(seat.person.language)
    try:
        if given is None:
            raise _Faulty([Fault(name, say("This cannot be read.")) for name in wrong])
        handoff_id, contact_id = await _claimed(services, seat, conversation_id)
        key = f"form:{conversation_id}:{seat.agent_id}:{attempt_of(values)}"
        actor = Actor(seat.agent_id, contact_id, conversation_id, key, seat.person.language)
        outcome = await carry_out(services, seat.business.business_id, actor, form, given)
        if isinstance(outcome, Fault):
            raise _Faulty([outcome])
        await _logged(services, seat, handoff_id, outcome)
    except _Faulty as faulty:
        html = await rendered(pages, services, seat, conversation_id, form, values, faulty.faults)
        return refused(pages, seat, html, scripted=by_script)
    except RecordError as error:
        status = next((code for kind, code in STATUS.items() if isinstance(error, kind)), 422)
        if status == 404:
            raise
        fault = Fault("", words.problem(say, error))
        html = await rendered(pages, services, seat, conversation_id, form, values, [fault])
        return refused(pages, seat, html, scripted=by_script, status=status)
    if not by_script:
        return RedirectResponse(f"/console/{seat.business.slug}/c/{conversation_id}", 303)
    html = await conversation(pages, services, seat, conversation_id)
    return JSONResponse({"html": html, "say": outcome.text}, headers=dict(HEADERS))


class _Faulty(Exception):
    """The form cannot be carried out as it is."""

    def __init__(self, faults: list[Fault]) -> None:
        super().__init__()
        self.faults = faults


async def values_of(request: Request) -> dict[str, list[str]]:
    """The words of a form, by field; files are left out."""
    found: dict[str, list[str]] = {}
    for name, value in (await request.form()).multi_items():
        if isinstance(value, str):
            found.setdefault(name, []).append(storable(value))
    return found


def attempt_of(values: Values) -> str:
    """What names one press of a form's button; a form that names none is a press of its own each time."""
    return next(iter(values.get("attempt", [])), "")[:64] or uuid4().hex


def refused(pages: Pages, seat: Seat, html: str, *, scripted: bool, status: int = 422) -> Response:
    """The form again, with what was entered and what is wrong with it."""
    if scripted:
        return JSONResponse({"form": html}, status, headers=dict(HEADERS))
    return _page(pages, seat, html, status)


def _page(pages: Pages, seat: Seat, html: str, status: int = 200) -> Response:
    return pages.page(
        "sheet.html", status=status, language=seat.person.language, seat=seat, section="queue", html=html
    )


async def _claimed(services: ApiServices, seat: Seat, conversation_id: int) -> tuple[int, int]:
    """Acting claims, as answering does. Raises BotSpeaks, HeldByColleague, UnknownConversation."""
    async with services.crm.transaction(seat.business.business_id) as tx:
        row = await conversations.get(tx, conversation_id)
        handoff_id = await handoffs.open_of(tx, conversation_id)
        if handoff_id is None:
            raise BotSpeaks(BotSpeaks.__doc__)
        await desk.claim(tx, handoff_id, seat.agent_id)
    return handoff_id, row.contact_id


async def _logged(services: ApiServices, seat: Seat, handoff_id: int, outcome: Done) -> None:
    async with services.crm.transaction(seat.business.business_id) as tx:
        await handoffs.acted(tx, handoff_id, seat.agent_id, outcome.text)


async def rendered(
    pages: Pages,
    services: ApiServices,
    seat: Seat,
    conversation_id: int,
    form: Form,
    values: Values,
    faults: list[Fault],
) -> str:
    """One form with what was entered in it."""
    async with services.crm.transaction(seat.business.business_id) as tx:
        row = await conversations.get(tx, valid_id(conversation_id))
        booked = await appointments.of_contact(tx, row.contact_id)
        slots = await _known_slots(tx, conversation_id) if not values else {}
        context = await form_context(tx, seat, form, {**slots, **values}, faults)
        await trail.looked(tx, seat.reader, "conversation", [row.contact_id], subject_id=conversation_id)
    if form in ("move", "cancel") and not booked:
        raise HTTPException(404, "no appointment to change")
    action = f"/console/{seat.business.slug}/c/{conversation_id}/tool/{form}"
    return pages.text(
        "tool.html",
        language=seat.person.language,
        seat=seat,
        action=action,
        booked=booked,
        contacts_field=None,
        **context,
    )


async def form_context(tx: Tx, seat: Seat, form: Form, values: Values, faults: list[Fault]) -> dict[str, Any]:
    """What every form of a tool is drawn from."""
    profile = await businesses.profile(tx)
    language = seat.person.language
    return {
        "form": form,
        "profile": profile,
        "zone": profile.business.time_zone,
        "places": Places(profile),
        "people_of": await businesses.resources(tx),
        "shared": any(s.row.bookable and s.row.capacity > 1 for s in profile.services),
        "questions": profile.pack.questions.get(INTENTS[form], []),
        "named": profile.names(language),
        "values": {**values, "attempt": [attempt_of(values)]},
        "faults": faults,
    }


async def _known_slots(tx: Tx, conversation_id: int) -> dict[str, list[str]]:
    """What the customer has said already fills the form in."""
    handoff_id = await handoffs.open_of(tx, conversation_id)
    if handoff_id is None:
        return {}
    said = {fact.key: fact.body for fact in await handoffs.facts(tx, handoff_id) if fact.kind == "slot"}
    known = {name: [said[name]] for name in ("service", "location", "people", "quantity") if said.get(name)}
    if said.get("description"):
        known["description"] = [said["description"]]
    return known
