"""The page of figures over ninety days whose true figures are known: what it shows is true."""

import csv
import io
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import httpx
import pytest
import pytest_asyncio
from playwright.async_api import Page, async_playwright, expect

from api.console.access import COOKIE
from crm import analytics, analytics_refresh, businesses, digest, health
from crm.analytics import Period
from sara.history import Truth, write_history
from tests.api.console.test_journey import CHROMIUM, PATIENCE_MS, WIDE, accessible
from tests.api.house import House, Person, person
from tools.figures import written, written_difference

BUSINESS = "costa-azul"
LISBON = ZoneInfo("Europe/Lisbon")
SCORES = (10, 9, 6, 10, 8, 9, 10, 3, 9, 7, 10, 9, 5, 10, 9, 8, 10, 2, 9, 10)  # the latest first
PHONE = {"width": 360, "height": 800}
CARD = re.compile(r'<li class="figure" data-figure="(\w+)">(.*?)</li>', re.DOTALL)
LINKED = re.compile(rf'href="/console/{BUSINESS}/c/(\d+)"')


@dataclass(frozen=True)
class Past:
    """Ninety days of a business, and who may look at them."""

    house: House
    business_id: int
    today: date
    truth: Truth
    asked_after: list[int]  # conversations after which somebody answered SCORES
    boss: Person
    agent: Person

    async def get(self, path: str = "", who: Person | None = None, **query: str) -> httpx.Response:
        return await got(self.house, BUSINESS, path, who or self.boss, **query)

    async def sheet(self, name: str, **query: str) -> list[dict[str, str]]:
        answer = await self.get(f"/{name}.csv", **query)
        assert answer.status_code == 200, answer.text
        text = answer.content.decode("utf-8-sig")
        return list(csv.DictReader(io.StringIO(text, newline="")))


async def got(house: House, business: str, path: str, who: Person, **query: str) -> httpx.Response:
    headers = {**who.headers, "Accept-Language": "en"}
    async with httpx.AsyncClient(base_url=house.url, headers=headers, timeout=60) as web:
        return await web.get(f"/console/{business}/dashboard{path}", params=query)


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def past(house: House) -> Past:
    crm = house.crm
    async with crm.outside() as tx:
        business_id = await businesses.of_slug(tx, BUSINESS)
    async with crm.transaction(business_id) as tx:
        today = await analytics.today(tx)
    truth = await write_history(crm, business_id, days=90, today=today)
    async with crm.transaction(business_id) as tx:  # as the job does
        for part in await analytics_refresh.due(tx):
            await analytics_refresh.refresh(tx, part)
    asked_after = truth.conversation_ids[: -9 * len(SCORES) : -9]
    for number, (score, conversation_id) in enumerate(zip(SCORES, asked_after, strict=True)):
        # one every four days, at noon in Lisbon
        await house.rows(
            "INSERT INTO nps_response (business_id, contact_id, conversation_id, language, status, score,"
            "   asked_at, answered_at)"
            " SELECT business_id, contact_id, conversation_id, 'pt', 'answered', %s, moment, moment"
            " FROM conversation, CAST(%s AS timestamptz) AS moment WHERE conversation_id = %s",
            score,
            datetime.combine(today - timedelta(days=4 * number + 1), time(12), LISBON),
            conversation_id,
        )
    boss = await person(crm, BUSINESS, "supervisor", "Ines Chefe")
    agent = await person(crm, BUSINESS, "agent", "Rui Agente")
    return Past(house, business_id, today, truth, asked_after, boss, agent)


def cards(page: str) -> dict[str, str]:
    """What stands in the cards of a page, by figure."""
    return dict(CARD.findall(page))


def value(card: str) -> str:
    found = re.search(r"<b>(.*?)</b>", card)
    assert found is not None, card
    return found[1]


async def units(past: Past) -> dict[str, str]:
    async with past.house.crm.transaction(past.business_id) as tx:
        found = await analytics.figures(tx, Period.last_days(past.today, 1))
    return {name: figure.unit for name, figure in found.items()}


async def test_every_figure_shown_is_the_true_one(past: Past) -> None:
    page = (await past.get(days="90")).text
    shown, unit = cards(page), await units(past)
    assert set(shown) == {*analytics.NAMES, "nps"}
    true = {name: written(past.truth.figures[name], unit[name], "en") for name in analytics.NAMES}
    assert {name: value(shown[name]) for name in analytics.NAMES} == true
    assert sum(one != "–" for one in true.values()) > 15
    promoters, detractors = sum(one > 8 for one in SCORES), sum(one < 7 for one in SCORES)
    assert value(shown["nps"]) == f"+{100 * (promoters - detractors) / len(SCORES):g}"
    assert f"over {len(SCORES)} answers" in shown["nps"]


async def test_a_period_stands_beside_the_one_before(past: Past) -> None:
    period = Period.last_days(past.today, 28)  # which is usual
    now, before, unit = past.truth.of(period), past.truth.of(period.before()), await units(past)
    shown = cards((await past.get()).text)
    for name in analytics.NAMES:
        assert value(shown[name]) == written(now[name], unit[name], "en"), name
        earlier, later = before[name], now[name]
        assert earlier is not None, name
        assert later is not None, name
        assert f">{written_difference(later - earlier, unit[name], 'en')}" in shown[name], name
        assert f"before: {written(earlier, unit[name], 'en')}" in shown[name], name
    assert ("better" in shown["conversations"]) is ("worse" in shown["conversations"]) is False
    assert now["escalation"] != before["escalation"]
    fewer = now["escalation"] < before["escalation"]
    assert ('class="moved better"' in shown["escalation"]) is fewer
    assert ('class="moved worse"' in shown["escalation"]) is not fewer


async def test_a_single_day_is_a_period_too(past: Past) -> None:
    """Also the one on which the clock was put back, where it lies in these ninety."""
    unit = await units(past)
    for day in {past.today - timedelta(days=40), max(date(2026, 10, 25), past.truth.period.first)}:
        shown = cards((await past.get(**{"from": day.isoformat(), "to": day.isoformat()})).text)
        for name, by_day in past.truth.by_day.items():
            assert value(shown[name]) == written(by_day[day], unit[name], "en"), (day, name)


async def test_the_health_of_the_account_lies_open(past: Past) -> None:
    page = (await past.get(days="90")).text
    async with past.house.crm.transaction(past.business_id) as tx:
        true = await health.health(tx, Period.last_days(past.today, 90))
    assert true.score is not None
    assert f'<b class="score">{true.score}</b> / 100' in page
    rows = dict(re.findall(r'<tr data-part="(\w+)">(.*?)</tr>', page))
    assert list(rows) == [one.name for one in true.components]
    for one in true.components:
        cells = re.findall(r"<td>(.*?)</td>", rows[one.name])
        assert cells[1] == written(one.value, one.unit, "en"), one.name
        points = f"{written(one.points, 'count', 'en')} of {one.of}"
        assert cells[2] == (points if one.of else "too few to judge"), one.name


async def test_sheets_hold_the_same(past: Past) -> None:
    truth = past.truth
    rows = {row["figure"]: row for row in await past.sheet("figures", days="90")}
    for name in analytics.NAMES:
        true, found = truth.figures[name], rows[name]["value"]
        assert (found == "") == (true is None), name
        assert true is None or float(found) == pytest.approx(true, abs=1e-5), name
    assert rows["escalation"]["published"] == "0.12"
    for name in ("conversations", "response_median", "containment"):
        days = {row["day"]: row[name] for row in await past.sheet(name, days="90")}
        assert list(days) == [day.isoformat() for day in truth.period.each()]
        for day, true in truth.by_day[name].items():
            found = days[day.isoformat()]
            assert found == "" if true is None else float(found) == pytest.approx(true, abs=1e-5), (name, day)
    for what in ("languages", "reasons"):
        found = {row[what]: int(row["count"]) for row in await past.sheet(f"split-{what}", days="90")}
        assert found == truth.shares[what]
    gaps = await past.sheet("gaps", days="90")
    assert sum(int(row["times"]) for row in gaps) == truth.figures["unanswered"] > 0
    weeks = await past.sheet("nps", days="90")
    assert sum(int(row["answers"]) for row in weeks) == len(SCORES)
    assert {row["nps"] for row in weeks if row["answers"] == "0"} <= {""}


@pytest.mark.parametrize(
    ("figure", "fact"),
    [("conversations", "conversations"), ("escalation", "escalation"), ("response_median", "response")],
)
async def test_from_a_figure_down_to_every_conversation_behind_it(past: Past, figure: str, fact: str) -> None:
    seen: list[str] = []
    page = (await past.get(f"/{figure}")).text
    for _ in range(40):
        seen += LINKED.findall(page)
        further = re.search(r'after=(\d+)"', page)
        if further is None:
            break
        page = (await past.get(f"/{figure}", days="28", after=further[1])).text
    since = past.today - timedelta(days=27)
    behind = {one.conversation for one in past.truth.facts if one.name == fact and one.day >= since}
    true = {past.truth.conversation_ids[number] for number in behind if number is not None}
    assert len(seen) == len(set(seen))
    assert {int(number) for number in seen} == true
    assert (await got(past.house, BUSINESS, f"/../c/{seen[0]}", past.boss)).status_code == 200


async def test_from_the_score_down_to_who_gave_it(past: Past) -> None:
    page = (await past.get("/nps")).text
    within = past.asked_after[:7]  # the last 28 days
    assert [int(number) for number in LINKED.findall(page)] == sorted(within, reverse=True)
    assert sorted(re.findall(r"<td>(\d+)/10</td>", page)) == sorted(str(score) for score in SCORES[:7])


async def test_who_leads_sees_the_figures_and_nobody_else(past: Past) -> None:
    paths = (
        "",
        "/escalation",
        "/figures.csv",
        "/escalation.csv",
        "/split-reasons.csv",
        "/gaps.csv",
        "/nps.csv",
    )
    foreigner = past.house.people["foreign"][-1]
    for path in paths:
        assert (await past.get(path)).status_code == 200, path
        assert (await past.get(path, past.agent)).status_code == 403, path
        assert (await past.get(path, foreigner)).status_code == 404, path
        assert (await past.get(path, Person("nobody"))).status_code == 401, path
    mine = await got(past.house, BUSINESS, "/../contacts", past.agent)
    assert "/dashboard" not in mine.text
    assert "/dashboard" in (await got(past.house, BUSINESS, "/../contacts", past.boss)).text


async def test_a_business_without_a_past_is_told_what_will_stand_here(past: Past) -> None:
    newcomer = past.house.people["foreign"][-1]
    page = await got(past.house, "conti", "", newcomer)
    assert page.status_code == 200
    assert 'id="empty"' in page.text
    assert "Leads qualified within 48 hours" in page.text
    assert not re.search(r"\bNone\b|\bnan\b", page.text)
    for name in analytics.NAMES:
        one = await got(past.house, "conti", f"/{name}", newcomer)
        assert one.status_code == 200, name
        assert value(cards(one.text)[name]) in ("–", "0", "0 s"), name
    assert (await past.get("/no_shows", days="90")).status_code == 200
    sheet = await got(past.house, "conti", "/figures.csv", newcomer)
    assert re.search(r"^containment,share,[\d-]+,[\d-]+,,0,,\r?$", sheet.text, re.MULTILINE)


@pytest.mark.parametrize(
    ("first", "last"),
    [("2026-03-05", "2026-03-01"), ("2026-02-30", ""), ("1026-01-01", ""), ("2020-01-01", "")],
)
async def test_days_that_make_no_period_are_told_and_nothing_breaks(
    past: Past, first: str, last: str
) -> None:
    asked = {"from": first, "to": last}
    page = await past.get(**asked)
    assert page.status_code == 422
    assert "These days make no period" in page.text
    assert "conversations" in cards(page.text)
    assert (await past.get("/figures.csv", **asked)).status_code == 422
    assert (await past.get("/escalation", **asked)).status_code == 303


async def test_what_is_no_figure_is_not_found(past: Past) -> None:
    for path in ("/nonsense", "/nonsense.csv", "/health"):
        assert (await past.get(path)).status_code == 404, path
    assert (await past.get("/split-nonsense.csv")).status_code == 422
    assert (await past.get(**{"from": "2026-1-1"})).status_code == 422
    assert (await past.get(days="0")).status_code == 422
    ahead = await past.get(**{"from": past.today.isoformat(), "to": "2999-01-01"})
    assert ahead.status_code == 200


async def test_an_admin_turns_the_weekly_digest_off_and_on(past: Past) -> None:
    admin = await person(past.house.crm, BUSINESS, "admin", "Ana Dona")
    headers = {**admin.headers, "Accept-Language": "en"}
    async with httpx.AsyncClient(base_url=past.house.url, headers=headers) as web:
        where = f"/console/{BUSINESS}/settings"
        assert re.search(r'name="wanted" value="true" checked', (await web.get(where)).text)
        for sent, wanted in (({}, False), ({"wanted": "true"}, True)):
            answer = await web.post(f"{where}/digest", data={"csrf": admin.csrf, **sent})
            assert answer.headers["location"] == f"{where}?saved=digest#digest"
            async with past.house.crm.transaction(past.business_id) as tx:
                assert (await digest.state(tx)).wanted is wanted
        page = (await web.get(where)).text
    assert "weekly_digest" in page.split("What was changed")[1]
    assert re.search(r'name="wanted" value="true" checked', page)


@pytest_asyncio.fixture(loop_scope="session")
async def page(past: Past) -> AsyncIterator[Page]:
    """A browser with the supervisor's session; what it complains about fails the test."""
    complaints: list[str] = []
    async with async_playwright() as playwright:
        chromium = await playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        context = await chromium.new_context(viewport={**WIDE}, locale="en-GB", color_scheme="light")
        await context.add_cookies([{"name": COOKIE, "value": past.boss.cookie, "url": past.house.url}])
        opened = await context.new_page()
        opened.set_default_timeout(PATIENCE_MS)
        opened.on("pageerror", lambda problem: complaints.append(str(problem)))
        opened.on("console", lambda said: complaints.append(said.text) if said.type == "error" else None)
        yield opened
        await chromium.close()
    assert complaints == []


async def fits(page: Page) -> None:
    """Nothing sticks out sideways."""
    parts = "[document.documentElement, document.querySelector('#content')]"
    sizes = await page.evaluate(f"{parts}.map(e => e.scrollWidth - e.clientWidth)")
    assert sizes == [0, 0], page.url


@pytest.mark.browser
@pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine: install Debian's `chromium`")
async def test_in_a_browser_wide_and_narrow(page: Page, past: Past, tmp_path: Path) -> None:
    unit, truth = await units(past), past.truth
    await page.goto(f"{past.house.url}/console/{BUSINESS}/dashboard")
    await page.get_by_role("link", name="90 days").click()
    await expect(page.get_by_role("link", name="90 days")).to_have_attribute("aria-current", "true")
    for name in analytics.NAMES:
        shown = page.locator(f"[data-figure={name}] b")
        await expect(shown).to_have_text(written(truth.figures[name], unit[name], "en"))
    course = page.locator("[data-plot=conversations]")
    await expect(course.locator("svg[role=img] circle")).to_have_count(90)
    dotted = page.locator("[data-plot=response_median] line.published")
    await expect(dotted).to_have_count(2)  # in the plot and in its legend
    await course.locator("summary").click()
    last = course.locator("tbody tr").last.locator("td").last
    await expect(last).to_have_text(written(truth.by_day["conversations"][past.today], "count", "en"))
    await accessible(page)
    await fits(page)
    await page.goto(f"{past.house.url}/console/{BUSINESS}/dashboard?days=28")
    await page.set_viewport_size({"width": WIDE["width"], "height": 1500})
    await page.screenshot(path=tmp_path / "console-dashboard-wide.png")
    async with page.expect_download() as download:
        await page.get_by_role("link", name="CSV: every figure").click()
    assert (await download.value).suggested_filename.startswith(f"{BUSINESS}-figures-")
    await page.set_viewport_size({"width": PHONE["width"], "height": PHONE["height"]})
    await accessible(page)
    await fits(page)
    await page.locator("[data-plot=conversations]").scroll_into_view_if_needed()
    await page.screenshot(path=tmp_path / "console-dashboard-narrow.png")
    await page.locator("[data-figure=escalation] a").click()
    await expect(page.get_by_role("heading", level=1)).to_have_text("Passed on to a person")
    await accessible(page)
    await fits(page)
    await page.locator("tbody a").first.click()
    await expect(page.locator("#thread")).to_be_visible()
    await page.emulate_media(color_scheme="dark")
    await page.goto(f"{past.house.url}/console/{BUSINESS}/dashboard?days=7")
    await accessible(page)
