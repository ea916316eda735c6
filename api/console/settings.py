"""A business's settings, for its admins: each form by itself, checked, and every change written down."""

from collections.abc import Awaitable, Callable
from datetime import timedelta
from functools import partial
from typing import Any

from fastapi import APIRouter, Depends, HTTPException, Request, Response
from fastapi.responses import RedirectResponse
from pydantic import ValidationError

from api.console import words
from api.console.access import Seat, Seated, own_form
from api.console.desk import valid_id
from api.console.factor_settings import requiring, resetting
from api.console.pages import Pages
from api.console.settings_forms import (
    KEYS,
    LABELS,
    ClosureForm,
    HoldingForm,
    NpsForm,
    PatienceForm,
    ServiceForm,
    ThresholdForm,
    fields_of,
    service_seen,
    week_of,
)
from api.console.settings_view import gathered
from api.console.tools import values_of
from api.state import ApiServices, services_of
from channels import team
from channels.team import AddressRefused
from crm import alerts, configure, nps
from crm.configure import Patience, ServiceTerms, TermsRefused
from crm.errors import RecordError
from crm.record import Tx
from knowledge.vertical import verticals

_LONG_AGO_DAYS = 366  # a first day that is longer past was mistyped
Values = dict[str, str]
Change = Callable[[Tx, Seat, Values], Awaitable[None]]


class _Wrong(Exception):
    """A form cannot be taken as it is: which fields, or why altogether."""

    def __init__(self, fields: set[str], told: str = "") -> None:
        super().__init__(told)
        self.fields, self.told = fields, told


def settings_router(pages: Pages) -> APIRouter:
    """/console/{business}/settings and one POST for each of its forms; 404 for who is no admin."""
    router = APIRouter(prefix="/{business}/settings")

    @router.get("")
    async def shown(request: Request, seat: Seated, saved: str = "") -> Response:
        _admin(seat)
        return await _page(request, pages, seat, saved=saved)

    @router.post("/alerts", dependencies=[Depends(own_form)])
    async def alert(request: Request, seat: Seated) -> Response:
        return await _changed(request, pages, seat, "alerts", _alerting(services_of(request)))

    @router.post("/vertical", dependencies=[Depends(own_form)])
    async def vertical(request: Request, seat: Seated) -> Response:
        return await _changed(request, pages, seat, "vertical", _trading(services_of(request)))

    @router.post("/factor", dependencies=[Depends(own_form)])
    async def factor(request: Request, seat: Seated) -> Response:
        asked = partial(requiring, services_of(request))
        return await _changed(request, pages, seat, "factor", asked)

    @router.post("/factor-reset", dependencies=[Depends(own_form)])
    async def factor_reset(request: Request, seat: Seated) -> Response:
        return await _changed(request, pages, seat, "factor", resetting)

    @router.post("/{form}", dependencies=[Depends(own_form)])
    async def change(request: Request, seat: Seated, form: str) -> Response:
        if form not in _CHANGES:
            raise HTTPException(404, "no such page")
        return await _changed(request, pages, seat, form, _CHANGES[form])

    return router


def _admin(seat: Seat) -> None:
    if seat.business.role != "admin":
        raise HTTPException(404, "no such page")


async def _changed(request: Request, pages: Pages, seat: Seat, form: str, change: Change) -> Response:
    _admin(seat)
    say = pages.speaker(seat.person.language)
    values = {name: given[-1] for name, given in (await values_of(request)).items()}
    try:
        async with services_of(request).crm.transaction(seat.business.business_id) as tx:
            await change(tx, seat, values)
    except ValidationError as error:
        return await _page(request, pages, seat, form=form, values=values, wrong=fields_of(error))
    except _Wrong as wrong:
        return await _page(
            request, pages, seat, form=form, values=values, wrong=wrong.fields, told=wrong.told
        )
    except RecordError as error:
        told = words.problem(say, error)
        marked = {error.field} if isinstance(error, TermsRefused) else set()
        return await _page(request, pages, seat, form=form, values=values, wrong=marked, told=told)
    return RedirectResponse(f"/console/{seat.business.slug}/settings?saved={form}#{form}", 303)


async def _patience(tx: Tx, seat: Seat, values: Values) -> None:
    wanted = PatienceForm.model_validate(values)
    await configure.put_patience(tx, seat.agent_id, Patience(**wanted.model_dump()))


async def _hours(tx: Tx, seat: Seat, values: Values) -> None:
    week, wrong = week_of(values)
    if wrong:
        raise _Wrong(wrong)
    await configure.put_week(tx, seat.agent_id, values.get("location", ""), week)


async def _closed(tx: Tx, seat: Seat, values: Values) -> None:
    if values.get("drop"):
        number = values["drop"]
        if not (number.isascii() and number.isdigit()):
            raise _Wrong(set())
        await configure.reopen(tx, seat.agent_id, valid_id(int(number)))
        return
    wanted = ClosureForm.model_validate(values)
    if wanted.last < tx.now.date() - timedelta(days=1):  # in the Americas it is still the day before
        raise _Wrong({"last"})
    if (tx.now.date() - wanted.first).days > _LONG_AGO_DAYS:
        raise _Wrong({"first"})
    await configure.shut(tx, seat.agent_id, wanted.first, wanted.last, wanted.location)


async def _service(tx: Tx, seat: Seat, values: Values) -> None:
    wanted, was = ServiceForm.model_validate(values), service_seen(values)
    await configure.put_service(
        tx,
        seat.agent_id,
        values.get("key", ""),
        ServiceTerms(**wanted.model_dump()),
        was=ServiceTerms(**was.model_dump()) if was else None,
    )


async def _digest(tx: Tx, seat: Seat, values: Values) -> None:
    await configure.put_digest(tx, seat.agent_id, wanted=bool(values.get("wanted")))


async def _nps(tx: Tx, seat: Seat, values: Values) -> None:
    wanted = NpsForm.model_validate(values)
    await configure.put_nps(tx, seat.agent_id, nps.Settings(**wanted.model_dump()))


async def _thresholds(tx: Tx, seat: Seat, values: Values) -> None:
    wanted = ThresholdForm.model_validate(values).model_dump()
    await configure.put_thresholds(
        tx, seat.agent_id, {label: wanted[label] for label in LABELS if wanted[label] is not None}
    )


async def _holding(tx: Tx, seat: Seat, values: Values) -> None:
    wanted = HoldingForm.model_validate(values)
    for language in words.LANGUAGES:
        await configure.put_holding(tx, seat.agent_id, wanted.key, language, getattr(wanted, language))


def _alerting(services: ApiServices) -> Change:
    async def change(tx: Tx, seat: Seat, values: Values) -> None:
        if values.get("drop"):
            if await alerts.remove_target(tx, values["drop"]):
                await configure.changed(tx, seat.agent_id, "alerts", values["drop"], "—")
            return
        name, address = values.get("name", ""), values.get("address", "")
        kind = values.get("kind", "")
        wrong = {"name"} if not 0 < len(name) <= 80 else set()
        wrong |= {"kind"} if kind and kind not in alerts.KINDS else set()
        try:
            service = team.public_service_of(address)
        except AddressRefused as error:
            raise _Wrong({"address", *wrong}, str(error)) from error
        if services.secrets is None:
            raise _Wrong(set(), "SARA_SECRET_KEY is not set: addresses cannot be kept without it")
        if wrong:
            raise _Wrong(wrong)
        sealed = services.secrets.close(address.encode())
        kinds = [kind] if kind else []
        if await alerts.add_target(tx, name, queue=None, kinds=kinds, service=service, sealed=sealed) is None:
            raise _Wrong({"name"})
        await configure.changed(tx, seat.agent_id, "alerts", "—", f"{name} ({service})")

    return change


def _trading(services: ApiServices) -> Change:
    async def change(tx: Tx, seat: Seat, values: Values) -> None:
        name = values.get("vertical", "")
        if name not in verticals() or services.pack_of is None:
            raise _Wrong({"vertical"})
        await configure.put_vertical(tx, seat.agent_id, name, services.pack_of(name))

    return change


_CHANGES: dict[str, Change] = {
    "patience": _patience,
    "hours": _hours,
    "closures": _closed,
    "services": _service,
    "thresholds": _thresholds,
    "holding": _holding,
    "digest": _digest,
    "nps": _nps,
}


async def _page(
    request: Request,
    pages: Pages,
    seat: Seat,
    *,
    saved: str = "",
    form: str = "",
    values: Values | None = None,
    wrong: set[str] | None = None,
    told: str = "",
) -> Response:
    services = services_of(request)
    async with services.crm.transaction(seat.business.business_id) as tx:
        known: dict[str, Any] = await gathered(
            tx, services, seat.person.language, values if form == "holding" else None
        )
    return pages.page(
        "settings.html",
        status=422 if wrong is not None else 200,
        language=seat.person.language,
        seat=seat,
        section="settings",
        saved=saved,
        form=form,
        values=values or {},
        wrong=wrong or set(),
        told=told,
        refused=wrong is not None,
        labels=LABELS,
        keys=KEYS,
        kinds=alerts.KINDS,
        verticals=verticals(),
        **known,
    )
