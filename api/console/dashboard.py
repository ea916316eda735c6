"""The figures of a business for whoever leads it: a period, the one before, and the conversations behind."""

from collections.abc import Mapping
from datetime import date
from typing import Annotated, Any, Literal

from babel.dates import format_date
from fastapi import APIRouter, HTTPException, Query, Request, Response
from fastapi.responses import RedirectResponse

from api.console import figure_words, words
from api.console.access import Seat, Seated
from api.console.dashboard_period import SPANS, USUAL, Asked, Chosen, NoSuchPeriod
from api.console.dashboard_view import Plot, Teller
from api.console.pages import Pages
from api.console.sheets import sheet
from api.state import services_of
from crm import analytics, businesses, health, nps, nps_behind, trail
from crm.analytics import Behind, Figure, Period
from crm.measures import PUBLISHED
from crm.record import Tx
from knowledge.phrases import Say
from tools.wording import locale_of

PLOTTED = ("conversations", "response_median", "escalation", "lead_qualified_48h")
_BEHIND = 50

Split = Literal["languages", "reasons"]


def dashboard_router(pages: Pages) -> APIRouter:
    """/console/{business}/dashboard, a page for each figure below it, and its sheets; 403 for mere agents."""
    router = APIRouter(prefix="/{business}/dashboard")

    @router.get("")
    async def shown(request: Request, seat: Seated, asked: Chosen) -> Response:
        _leading(seat)
        say, problem = pages.speaker(seat.person.language), ""
        async with services_of(request).crm.transaction(seat.business.business_id) as tx:
            today = await analytics.today(tx)
            try:
                period = asked.period(today)
            except NoSuchPeriod:
                problem, asked = say("These days make no period of at most two years."), Asked(USUAL)
                period = asked.period(today)
            values = await _board(tx, Teller(say, seat.person.language), say, period)
            await trail.listed(tx, seat.reader, "figures")
        status = 422 if problem else 200
        return _page(
            pages,
            seat,
            "dashboard.html",
            asked,
            period,
            status=status,
            problem=problem,
            today=today,
            **values,
        )

    _add_sheets(router)
    _add_figure(router, pages)
    return router


def _add_sheets(router: APIRouter) -> None:
    @router.get("/figures.csv")
    async def figures(request: Request, seat: Seated, asked: Chosen) -> Response:
        _leading(seat)
        async with services_of(request).crm.transaction(seat.business.business_id) as tx:
            period = await _period(tx, asked)
            now, before = await _figures(tx, period), await _figures(tx, period.before())
        head = ("figure", "unit", "first_day", "last_day", "value", "measured_on", "before", "published")
        days = (period.first.isoformat(), period.last.isoformat())
        rows = [
            (one.name, one.unit, *days, one.value, one.of, before[one.name].value, PUBLISHED.get(one.name))
            for one in now.values()
        ]
        return sheet(_named(seat, "figures", period), head, rows)

    @router.get("/gaps.csv")
    async def gaps(request: Request, seat: Seated, asked: Chosen) -> Response:
        _leading(seat)
        async with services_of(request).crm.transaction(seat.business.business_id) as tx:
            period = await _period(tx, asked)
            found = await analytics.gaps(tx, period, limit=200)
            await trail.listed(tx, seat.reader, "figures")
        rows = [(one.question, one.count, " ".join(map(str, one.conversation_ids))) for one in found]
        return sheet(_named(seat, "gaps", period), ("question", "times", "conversations"), rows)

    @router.get("/split-{split}.csv")
    async def shares(request: Request, seat: Seated, split: Split, asked: Chosen) -> Response:
        _leading(seat)
        async with services_of(request).crm.transaction(seat.business.business_id) as tx:
            period = await _period(tx, asked)
            rows = await analytics.shares(tx, period, split)
        return sheet(_named(seat, split, period), (split, "count"), rows)

    @router.get("/{figure}.csv")
    async def series(request: Request, seat: Seated, figure: str, asked: Chosen) -> Response:
        _leading(seat)
        async with services_of(request).crm.transaction(seat.business.business_id) as tx:
            period = await _period(tx, asked)
            if figure == nps.NAME:
                weeks = [(week.isoformat(), score, n) for week, score, n in await nps.trend(tx, period)]
                return sheet(_named(seat, figure, period), ("week", figure, "answers"), weeks)
            _known(figure)
            days = [(day.isoformat(), value) for day, value in await analytics.by_day(tx, period, figure)]
        return sheet(_named(seat, figure, period), ("day", figure), days)


def _add_figure(router: APIRouter, pages: Pages) -> None:
    @router.get("/{figure}")
    async def one(
        request: Request,
        seat: Seated,
        figure: str,
        asked: Chosen,
        after: Annotated[int | None, Query(ge=1, lt=2**63)] = None,
    ) -> Response:
        """A figure by itself: its course, and the conversations behind it."""
        _leading(seat)
        if figure != nps.NAME:
            _known(figure)
        teller = Teller(pages.speaker(seat.person.language), seat.person.language)
        async with services_of(request).crm.transaction(seat.business.business_id) as tx:
            zone, today = (await businesses.row(tx)).time_zone, await analytics.today(tx)
            try:
                period = asked.period(today)
            except NoSuchPeriod:  # the board says so
                return RedirectResponse(f"/console/{seat.business.slug}/dashboard?{asked.query}", 303)
            now = (await _figures(tx, period))[figure]
            before = (await _figures(tx, period.before()))[figure]
            plot, found = await _course_and_behind(tx, teller, now, period, after)
            await trail.listed(tx, seat.reader, "figures")
        return _page(
            pages,
            seat,
            "dashboard_figure.html",
            asked,
            period,
            zone=zone,
            today=today,
            card=teller.card(now, before),
            plot=plot,
            found=[(one, teller.part(now, one.value)) for one in found],
            published=teller.all_published(),
            more=found[-1].conversation_id if len(found) == _BEHIND else None,
        )


def _leading(seat: Seat) -> None:
    if not seat.supervisor:
        raise HTTPException(403, "only a supervisor or an admin sees the figures")


def _known(name: str) -> None:
    if name not in analytics.NAMES:
        raise HTTPException(404, "no such figure")


async def _period(tx: Tx, asked: Asked) -> Period:
    """The days meant; 422 for none."""
    try:
        return asked.period(await analytics.today(tx))
    except NoSuchPeriod as error:
        raise HTTPException(422, str(error)) from error


async def _figures(tx: Tx, period: Period) -> dict[str, Figure]:
    """Every figure of a period, with the recommendation."""
    return {**await analytics.figures(tx, period), "nps": await nps.score(tx, period)}


async def _course_and_behind(
    tx: Tx, teller: Teller, figure: Figure, period: Period, after: int | None
) -> tuple[Plot, list[Behind]]:
    name, unit = figure.name, figure.unit
    if name == nps.NAME:
        weeks = [(week, score) for week, score, _ in await nps.trend(tx, period)]
        found = await nps_behind.behind(tx, period, limit=_BEHIND, after=after)
        return teller.course(name, unit, weeks, weekly=True), found
    days = await analytics.by_day(tx, period, name)
    return teller.course(name, unit, days), await analytics.behind(
        tx, period, name, limit=_BEHIND, after=after
    )


async def _board(tx: Tx, teller: Teller, say: Say, period: Period) -> dict[str, Any]:
    healthy = await health.health(tx, period)
    now, before = await _figures(tx, period), await _figures(tx, period.before())
    courses = [
        teller.course(name, now[name].unit, await analytics.by_day(tx, period, name)) for name in PLOTTED
    ]
    weeks = [(week, score) for week, score, _ in await nps.trend(tx, period)]
    languages = [
        (words.LANGUAGES.get(key, key), n) for key, n in await analytics.shares(tx, period, "languages")
    ]
    reasons = [(words.reason(say, key), n) for key, n in await analytics.shares(tx, period, "reasons")]
    return {
        "groups": {key: teller.cards(now, before, key) for key in figure_words.GROUPS},
        "named": {key: figure_words.group(say, key) for key in figure_words.GROUPS},
        "courses": courses,
        "nps_card": teller.card(now["nps"], before["nps"]),
        "nps_course": teller.course("nps", "points", weeks, weekly=True),
        "splits": [
            teller.split("languages", say("Languages spoken"), say("Language"), languages),
            teller.split("reasons", say("Why a person was needed"), say("Reason"), reasons),
        ],
        "gaps": await analytics.gaps(tx, period),
        "health": healthy,
        "parts": list(zip(teller.parts(healthy), healthy.components, strict=True)),
        "published": teller.all_published(),
        "anything": _anything(now, before),
    }


def _anything(*periods: Mapping[str, Figure]) -> bool:
    """Whether anything happened at all."""
    return any(figure.value for figures in periods for figure in figures.values())


def _spoken(period: Period, language: str) -> dict[str, str]:
    days = {"first": period.first, "last": period.last}
    return {name: format_date(day, "d MMM y", locale=locale_of(language)) for name, day in days.items()}


def _named(seat: Seat, what: str, period: Period) -> str:
    return f"{seat.business.slug}-{what}-{period.first.isoformat()}-{period.last.isoformat()}"


def _page(
    pages: Pages,
    seat: Seat,
    template: str,
    asked: Asked,
    period: Period,
    *,
    today: date,
    status: int = 200,
    **values: Any,
) -> Response:
    return pages.page(
        template,
        status=status,
        language=seat.person.language,
        seat=seat,
        section="dashboard",
        asked=asked,
        period=period,
        spoken=_spoken(period, seat.person.language),
        compared=_spoken(period.before(), seat.person.language),
        open_ended=period.last == today,
        spans=SPANS,
        **values,
    )
