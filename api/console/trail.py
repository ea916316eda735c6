"""Who looked at whose data, who came in, who changed what: for admins, by person, customer and period."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import Annotated, Any
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Depends, HTTPException, Query, Request, Response
from pydantic import AfterValidator

from api.console import trail_words, words
from api.console.access import Seat, Seated
from api.console.dashboard_period import Asked, Chosen, NoSuchPeriod
from api.console.desk import without_nul
from api.console.pages import Pages
from api.console.sheets import Cell, sheet
from api.state import services_of
from crm import analytics, businesses, trail
from crm.errors import UnknownContact
from crm.periods import Period
from crm.privacy import people
from crm.record import Tx
from crm.trail import TrailRow
from knowledge.phrases import Say

USUAL_DAYS = 7
_MOST_ROWS = 20_000
_HEAD = (
    *("at", "kind", "what", "agent", "agent_id", "contact_id", "subject_id", "subject", "detail", "via"),
    "address",
)


class Filters:
    """Whose deeds, and about whom."""

    def __init__(
        self,
        agent: Annotated[str, Query(pattern=r"^\d{0,18}$")] = "",
        contact: Annotated[str, Query(max_length=80), AfterValidator(without_nul)] = "",
        page: Annotated[int, Query(ge=1, le=200)] = 1,
    ) -> None:
        self.agent, self.contact, self.page = agent, contact.strip(), page

    @property
    def agent_id(self) -> int | None:
        """The person asked for; None for everybody."""
        return int(self.agent) if self.agent else None


Filtered = Annotated[Filters, Depends(Filters)]


@dataclass(frozen=True)
class _Found:
    rows: list[TrailRow]
    more: bool
    period: Period


def trail_router(pages: Pages) -> APIRouter:
    """/console/{business}/trail and the same as a sheet; 404 for who is no admin."""
    router = APIRouter(prefix="/{business}")

    @router.get("/trail")
    async def shown(request: Request, seat: Seated, filters: Filtered, asked: Chosen) -> Response:
        _admin(seat)
        say, problem = pages.speaker(seat.person.language), ""
        asked = _usually(request, asked)
        async with services_of(request).crm.transaction(seat.business.business_id) as tx:
            zone, today = (await businesses.row(tx)).time_zone, await analytics.today(tx)
            agents = await businesses.agents(tx)
            await trail.listed(tx, seat.reader, "trail")
            try:
                found = await _found(tx, filters, asked, zone, number=filters.page, size=trail.PAGE)
            except (NoSuchPeriod, UnknownContact) as error:
                problem = _problem(say, error)
                found = _Found([], more=False, period=Period.last_days(today, USUAL_DAYS))
        return pages.page(
            "trail.html",
            status=422 if problem else 200,
            language=seat.person.language,
            zone=zone,
            seat=seat,
            section="trail",
            problem=problem,
            filters=filters,
            period=found.period,
            asked=asked,
            agents=agents,
            rows=[(row, trail_words.deed(say, row.kind, row.what)) for row in found.rows],
            via=lambda how: trail_words.via(say, how),
            more=found.more,
        )

    @router.get("/trail.csv")
    async def as_sheet(request: Request, seat: Seated, filters: Filtered, asked: Chosen) -> Response:
        _admin(seat)
        asked = _usually(request, asked)
        async with services_of(request).crm.transaction(seat.business.business_id) as tx:
            zone = (await businesses.row(tx)).time_zone
            await trail.listed(tx, seat.reader, "trail")
            try:
                found = await _found(tx, filters, asked, zone, number=1, size=_MOST_ROWS)
            except NoSuchPeriod as error:
                raise HTTPException(422, str(error)) from error
        if found.more:
            raise HTTPException(422, f"more than {_MOST_ROWS} lines: ask for fewer days")
        first, last = found.period.first.isoformat(), found.period.last.isoformat()
        return sheet(f"{seat.business.slug}-trail-{first}-{last}", _HEAD, _cells(found.rows))

    return router


def _admin(seat: Seat) -> None:
    if seat.business.role != "admin":
        raise HTTPException(404, "no such page")


def _usually(request: Request, asked: Asked) -> Asked:
    """A week where nothing was asked: a trail is longer than figures are."""
    return Asked(USUAL_DAYS) if not {"days", "from", "to"} & set(request.query_params) else asked


async def _found(tx: Tx, filters: Filters, asked: Asked, zone: str, *, number: int, size: int) -> _Found:
    """Raises NoSuchPeriod, UnknownContact."""
    period = asked.period(await analytics.today(tx))
    contacts = None
    if filters.contact:
        person = await people.find(tx, filters.contact)
        contacts = await trail.entries_of(tx, person.contact_id)
    place = ZoneInfo(zone)
    rows, more = await trail.page(
        tx,
        datetime.combine(period.first, time(0), place),
        datetime.combine(period.last + timedelta(days=1), time(0), place),
        agent_id=filters.agent_id,
        contacts=contacts,
        number=number,
        size=size,
    )
    return _Found(rows, more, period)


def _problem(say: Say, error: Exception) -> str:
    if isinstance(error, NoSuchPeriod):
        return say("These days make no period of at most two years.")
    return words.problem(say, error)


def _cells(rows: Sequence[TrailRow]) -> list[list[Cell]]:
    return [_cell(row) for row in rows]


def _cell(row: TrailRow) -> list[Cell]:
    known: dict[str, Any] = {
        **vars(row),
        "at": row.at.isoformat(),
        "agent": row.agent_name,
        "subject": row.subject_name,
    }
    return [known[name] for name in _HEAD]
