"""Settings: only admins, checked before anything changes, written down, and SARA goes by them at once."""

from collections.abc import AsyncIterator
from datetime import time

import pytest
import pytest_asyncio

from api.console.settings_forms import spans_of
from crm import budgets, businesses, configure, contacts, nps
from crm.businesses import Profile
from sara.exchange import exchange
from sara.local import Local
from tests.api.console.people import Agent, customer, enter, somebody_waits
from tests.api.console.test_desk import business_id


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def admin(whole: Local) -> AsyncIterator[Agent]:
    agent = await enter(whole, "aurora", role="admin", name="Ugo Admin")
    yield agent
    await agent.web.aclose()


async def put(agent: Agent, form: str, **given: str) -> tuple[int, str]:
    answer = await agent.web.post(
        f"{agent.base}/settings/{form}", data={"csrf": agent.csrf, **given}, follow_redirects=True
    )
    return answer.status_code, answer.text


async def profile_of(whole: Local) -> Profile:
    async with whole.crm.transaction(await business_id(whole)) as tx:
        return await businesses.profile(tx)


async def test_only_an_admin_sees_and_changes_them(
    whole: Local, elena: Agent, boss: Agent, stranger: Agent, admin: Agent
) -> None:
    for agent in (elena, boss, stranger):
        assert (await agent.web.get("/console/aurora/settings")).status_code == 404
        answer = await agent.web.post(
            "/console/aurora/settings/thresholds", data={"csrf": agent.csrf, "legal": "0.1"}
        )
        assert answer.status_code == 404
    assert (await put(admin, "nonsense"))[0] == 404
    forged = await admin.web.post(f"{admin.base}/settings/thresholds", data={"csrf": "x", "legal": "0.1"})
    assert forged.status_code == 403


async def test_a_price_is_told_from_the_next_message_on(whole: Local, admin: Agent) -> None:
    service = (await profile_of(whole)).service("massaggio_rilassante")
    assert service is not None
    row = service.row
    same = {
        "key": row.key,
        "duration_minutes": str(row.duration_minutes),
        "buffer_minutes": str(row.buffer_minutes),
        "bookable": "true",
        "price": str(row.price),
    }
    for wrong in ({"price": "-1"}, {"price": "molto"}, {"price_max": "1"}, {"duration_minutes": ""}):
        status, page = await put(admin, "services", **{**same, **wrong})
        assert status == 422, wrong
        assert 'aria-invalid="true"' in page
        assert f'value="{next(iter(wrong.values()))}"' in page  # nothing typed is lost
    assert (await put(admin, "services", **{**same, "key": "niente"}))[0] == 422
    assert (await put(admin, "services", **{**same, "price": "71,50"}))[0] == 200
    try:
        came = await exchange(whole, customer(), text="Quanto costa un massaggio rilassante?")
        assert "71,50" in came.reply
    finally:
        status, page = await put(admin, "services", **same)
    assert status == 200
    assert "massaggio_rilassante price" in page
    assert "71.50" in page
    assert "Ugo Admin" in page


async def test_opening_hours_and_holidays(whole: Local, admin: Agent) -> None:
    before = await profile_of(whole)
    place = before.locations[0]
    week = {f"d{day}": "" for day in range(7)}
    for row in before.hours:
        if row.location_id == place.location_id:
            known = week[f"d{row.weekday}"]
            week[f"d{row.weekday}"] = f"{known}, " * bool(known) + f"{row.opens:%H:%M}-{row.closes:%H:%M}"
    status, page = await put(admin, "hours", **{**week, "location": place.key, "d2": "18-9"})
    assert status == 422
    assert 'value="18-9" aria-invalid="true"' in page
    assert (await put(admin, "hours", **{**week, "location": place.key, "d2": "9-13, 15:30-19"}))[0] == 200
    now = await profile_of(whole)
    found = [
        (row.opens, row.closes)
        for row in now.hours
        if row.weekday == 2 and row.location_id == place.location_id
    ]
    assert found == [(time(9), time(13)), (time(15, 30), time(19))]
    assert (await put(admin, "hours", **{**week, "location": place.key}))[0] == 200
    assert (await profile_of(whole)).hours == before.hours
    assert (await put(admin, "closures", first="2031-08-20", last="2031-08-10"))[0] == 422
    assert (await put(admin, "closures", first="2031-08-10", last="2031-08-20"))[0] == 200
    for days in (("2020-08-10", "2020-08-11"), ("0026-12-03", "2031-08-11")):
        assert (await put(admin, "closures", first=days[0], last=days[1]))[0] == 422
    async with whole.crm.transaction(await business_id(whole)) as tx:
        [shut] = [row for row in await configure.closures(tx) if row.first_day.year == 2031]
        assert shut.appointments == 0
        await contacts.seen(tx, wa_id="393850000100", bsuid=None, name="Ada")
        for key, when in (("first day", "2031-08-10 07:00"), ("day after", "2031-08-20 22:30")):
            await tx.connection.execute(
                "INSERT INTO appointment (business_id, contact_id, service_id, resource_id, status, during,"
                " idempotency_key) SELECT c.business_id, c.contact_id, s.service_id, r.resource_id, 'booked',"
                " tstzrange(%(when)s::timestamptz, %(when)s::timestamptz + interval '50 minutes'), %(key)s"
                " FROM contact c, service s, resource r WHERE c.wa_id = '393850000100'"
                " ORDER BY s.service_id, r.resource_id LIMIT 1",
                {"when": f"{when}+00", "key": key},
            )
        [shut] = [row for row in await configure.closures(tx) if row.first_day.year == 2031]
        assert shut.appointments == 1  # half past midnight of the 21st is none of its days
    assert "/calendar?day=2031-08-10" in (await admin.web.get(f"{admin.base}/settings")).text
    assert (await put(admin, "closures", drop=str(shut.closure_id)))[0] == 200
    assert (await put(admin, "closures", drop=str(shut.closure_id)))[0] == 422
    assert (await put(admin, "closures", drop="²"))[0] == 422


async def test_the_holding_message_is_previewed_and_said(whole: Local, admin: Agent) -> None:
    status, page = await put(admin, "holding", key="open", it="x" * 901, en="", es="", pt="")
    assert status == 422
    words = {"it": "La collega arriva subito <b>", "en": "", "es": "", "pt": "Já vamos."}
    for key in ("open", "closed"):
        status, page = await put(admin, "holding", key=key, **words)
        assert status == 200
    assert page.count("La collega arriva subito &lt;b&gt;</blockquote>") == 2
    assert "a colleague, who will read everything" in page  # English stays SARA's
    try:
        who = customer()
        waiting = await exchange(whole, who, text="Vorrei parlare con una persona")
        assert waiting.reply == "La collega arriva subito <b>"
    finally:
        for key in ("open", "closed"):
            await put(admin, "holding", key=key, it="", en="", es="", pt="")
    again = await somebody_waits(whole)
    said = whole.simulator.sent_to(again.customer.wa_id)
    assert "La collega" not in (said[-1].text or "")


async def test_thresholds_times_trade_and_alert_targets(whole: Local, admin: Agent) -> None:
    before = await profile_of(whole)
    mine = {label: str(value) for label, value in before.thresholds.items()}
    assert (await put(admin, "thresholds", legal="1.2"))[0] == 422
    assert (await put(admin, "thresholds", **{**mine, "legal": "0,4"}))[0] == 200
    assert round((await profile_of(whole)).thresholds["legal"], 2) == 0.4
    assert (await put(admin, "thresholds", **mine))[0] == 200
    async with whole.crm.transaction(await business_id(whole)) as tx:
        times = await configure.patience(tx)
    given = {name: str(value) for name, value in vars(times).items()}
    assert (await put(admin, "patience", **{**given, "unanswered_minutes": "0"}))[0] == 422
    assert (await put(admin, "patience", **given))[0] == 200
    assert (await put(admin, "vertical", vertical="piracy"))[0] == 422
    assert (await put(admin, "vertical", vertical="beauty"))[0] == 200
    changed = await profile_of(whole)
    assert changed.business.vertical == "beauty"
    assert changed.pack.queue != before.pack.queue or changed.pack.questions != before.pack.questions
    assert (await put(admin, "vertical", vertical=before.business.vertical))[0] == 200
    assert (await put(admin, "alerts", name="banco", address="nonsense"))[0] == 422
    status, page = await put(admin, "alerts", name="banco", address="json://127.0.0.1:9/inside")
    assert status == 422
    assert "sara alerts add" in page
    way = "slack://T1JJ3T3L2/A1BRTD4JD/TIiajkdnlazkcOXrIdevi7FQ"
    status, page = await put(admin, "alerts", name="banco", address=way)
    assert status == 200
    assert "banco" in page
    assert "TIiajkdnlazkcOXrIdevi7FQ" not in page
    assert (await put(admin, "alerts", name="banco", address=way))[0] == 422
    assert (await put(admin, "alerts", drop="banco"))[0] == 200


async def test_whether_customers_are_asked_what_they_think_is_a_setting(whole: Local, admin: Agent) -> None:
    async def now() -> nps.Settings:
        async with whole.crm.transaction(await business_id(whole)) as tx:
            return await nps.settings(tx)

    assert await now() == nps.Settings(asks_nps=False, nps_every_days=90)
    for wrong in ("6", "", "often"):
        assert (await put(admin, "nps", asks_nps="true", nps_every_days=wrong))[0] == 422
    assert await now() == nps.Settings(asks_nps=False, nps_every_days=90)
    assert (await put(admin, "nps", asks_nps="true", nps_every_days="30"))[0] == 200
    assert await now() == nps.Settings(asks_nps=True, nps_every_days=30)
    assert (await put(admin, "nps", nps_every_days="90"))[0] == 200
    assert await now() == nps.Settings(asks_nps=False, nps_every_days=90)


@pytest.mark.parametrize(
    ("text", "spans"),
    [
        ("", []),
        ("9-13", [(time(9), time(13))]),
        ("9.00 – 13:30; 15h30-19", [(time(9), time(13, 30)), (time(15, 30), time(19))]),
        ("13-9", None),
        ("9-13, 12-15", None),
        ("25-26", None),
        ("mattina", None),
    ],
)
def test_hours_as_people_write_them(text: str, spans: list[tuple[time, time]] | None) -> None:
    assert spans_of(text) == spans


async def test_what_the_language_model_has_used_is_shown(whole: Local, admin: Agent) -> None:
    async def page() -> str:
        return (await admin.web.get("/console/aurora/settings")).text

    assert 'id="budget"' not in await page()
    at = await business_id(whole)
    try:
        async with whole.crm.transaction(at) as tx:
            await budgets.put(tx, per_day=1000, per_month=None)
            await budgets.spend(tx, tokens_in=900, tokens_out=60)
        shown = (await page()).split('id="budget"')[1].split("</section>")[0]
        assert "960" in shown
        assert "1000" in shown
        assert 'class="problem"' not in shown
        async with whole.crm.transaction(at) as tx:
            await budgets.spend(tx, tokens_in=40, tokens_out=0)
        assert 'class="problem"' in (await page()).split('id="budget"')[1].split("</section>")[0]
    finally:
        async with whole.crm.as_owner() as tx:
            await tx.connection.execute("DELETE FROM model_use")
            await tx.connection.execute("UPDATE business SET tokens_per_day = NULL")
