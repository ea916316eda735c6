"""The figures of a million messages: every figure, series and drill-down, asked as the console asks."""

import time
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from crm import analytics, analytics_refresh, months
from crm.periods import Period
from crm.record import Crm, Tx
from sara.bench.channel import installed
from sara.bench.figures import row, shown, spread
from sara.settings import Settings

BUSINESSES = {
    "bench-large": 40_000,
    "bench-1": 15_000,
    "bench-2": 15_000,
    "bench-3": 15_000,
    "bench-4": 15_000,
}
"""Conversations of each business, of ten messages each: a million in all."""
DAYS = 90
WANTED_MS = 300
_Ask = Callable[[Tx], Awaitable[object]]


async def measure(settings: Settings, rounds: int) -> dict[str, Any]:
    """Milliseconds of each question about the largest business over 90 days, of which today is counted live.

    Beside it what the job takes to sum up its days, and the figures where it has not done so yet.
    """
    async with installed(settings) as (_, _, crm):
        began = time.perf_counter()
        ids = {}
        for slug, talks in BUSINESSES.items():
            async with crm.as_owner() as tx:
                ids[slug] = await months.enter(tx, slug, talks=talks, days=DAYS)
        large = ids["bench-large"]
        await _counted(crm)
        figures: dict[str, Any] = {"messages": 10 * sum(BUSINESSES.values())}
        figures["written_s"] = round(time.perf_counter() - began, 1)
        async with crm.transaction(large) as tx:
            period = Period.last_days(await analytics.today(tx), DAYS)
        figures["unsummed_ms"] = await _took(crm, large, lambda tx: analytics.figures(tx, period), 1)
        figures["first_refresh_s"] = await _refreshed(crm, large, lately=analytics_refresh.LATELY)
        figures["refresh_s"] = await _refreshed(crm, large, lately=analytics_refresh.LATELY)
        figures["nightly_s"] = await _refreshed(crm, large, lately=analytics_refresh.FOR_LONG)
        await _counted(crm)
        figures["asked_ms"] = {
            name: await _took(crm, large, ask, rounds) for name, ask in _questions(period).items()
        }
        return figures


async def _counted(crm: Crm) -> None:
    async with crm.as_owner() as tx:
        await months.counted(tx)


async def _refreshed(crm: Crm, business_id: int, *, lately: int) -> float:
    began = time.perf_counter()
    async with crm.transaction(business_id) as tx:
        due = await analytics_refresh.due(tx, lately=lately)
    for period in due:
        async with crm.transaction(business_id) as tx:
            await analytics_refresh.refresh(tx, period)
    return round(time.perf_counter() - began, 2)


def _questions(period: Period) -> dict[str, _Ask]:
    asked: dict[str, _Ask] = {"figures": lambda tx: analytics.figures(tx, period)}
    for name in analytics.NAMES:
        asked[f"by_day {name}"] = lambda tx, name=name: analytics.by_day(tx, period, name)  # type: ignore[misc]
        asked[f"behind {name}"] = lambda tx, name=name: analytics.behind(tx, period, name)  # type: ignore[misc]
    asked["shares languages"] = lambda tx: analytics.shares(tx, period, "languages")
    asked["shares reasons"] = lambda tx: analytics.shares(tx, period, "reasons")
    asked["shares intents"] = lambda tx: analytics.shares(tx, period, "intents")
    asked["gaps"] = lambda tx: analytics.gaps(tx, period)
    return asked


async def _took(crm: Crm, business_id: int, ask: _Ask, rounds: int) -> dict[str, float]:
    times = []
    for _ in range(rounds):
        began = time.perf_counter()
        async with crm.transaction(business_id) as tx:
            await ask(tx)
        times.append((time.perf_counter() - began) * 1000)
    return spread(times)


def table(figures: Mapping[str, Any]) -> str:
    """The figures for a person, beside what they are to be: of each kind of question, the slowest."""
    lines = [row(f"{figures['messages']} messages, ms", "median", "p95", "wanted")]
    for kind in ("figures", "by_day", "behind", "shares", "gaps"):
        times = {name: t for name, t in figures["asked_ms"].items() if name.split()[0] == kind}
        slowest = max(times, key=lambda name: times[name]["p95"])
        what = kind if len(times) == 1 else f"{slowest}, slowest of {len(times)}"
        lines.append(row(what, *shown(times[slowest]), f"<= {WANTED_MS}"))
    lines.append(row("figures, no day summed up, ms", figures["unsummed_ms"]["median"]))
    lines.append(row("first sums of 90 days, s", figures["first_refresh_s"]))
    lines.append(row("sums every ten minutes, s", figures["refresh_s"]))
    lines.append(row("sums every night, s", figures["nightly_s"]))
    return "\n".join(lines)
