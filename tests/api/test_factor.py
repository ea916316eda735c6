"""The second factor over HTTP: set up, asked for, wanted by a business, taken away by an admin."""

import re
import time
from dataclasses import dataclass, replace

import httpx
import pyotp

from api.console.access import CHALLENGE, COOKIE
from tests.api.house import PASSWORD, House, Person, person
from tests.api.matrix import table

JSON = {"Accept": "application/json"}
HTML = {"Accept": "text/html", "Accept-Language": "en"}


@dataclass
class Browser:
    """Somebody at the console, as their browser sends it."""

    house: House
    web: httpx.AsyncClient
    who: Person
    secret: str = ""

    async def code(self) -> str:
        """What the app shows, at a moment when none of its codes was used yet."""
        await self.house.rows("UPDATE agent_factor SET last_step = 0 WHERE agent_id = %s", self.who.agent_id)
        return pyotp.TOTP(self.secret).at(int(time.time()))

    async def post(self, path: str, **values: str) -> httpx.Response:
        return await self.web.post(path, data={"csrf": self.who.csrf, **values})

    async def sets_up(self) -> list[str]:
        page = (await self.web.get("/console/me/factor")).text
        found = re.search(r'class="key">([A-Z2-7]+)<', page)
        assert found is not None, page
        self.secret = found[1]
        done = await self.post("/console/me/factor", code=await self.code())
        assert done.status_code == 200, done.text
        return re.findall(r"<code>([a-z2-7-]+)</code>", done.text)

    async def logs_in(self) -> httpx.Response:
        self.web.cookies.clear()
        return await self.web.post(
            "/console/login?next=/console/me/factor", data={"email": self.who.email, "password": PASSWORD}
        )


async def browser(house: House, role: str, name: str) -> Browser:
    who = await person(house.crm, house.other, role, name)
    web = httpx.AsyncClient(base_url=house.url, headers=HTML, timeout=60)
    web.cookies.set(COOKIE, who.cookie, path="/console")
    return Browser(house, web, who)


async def test_from_the_first_code_to_the_next_login(house: House) -> None:
    nora = await browser(house, "agent", "Nora Uno")
    async with nora.web as web:
        page = await web.get("/console/me/factor?next=/console/conti/contacts")
        assert 'src="data:image/svg+xml' in page.text
        assert page.headers["cache-control"] == "no-store"
        wrong = await nora.post("/console/me/factor", code="12345x")
        assert wrong.status_code == 422
        assert "This code is not right" in wrong.text
        codes = await nora.sets_up()
        assert len(codes) == 10
        assert codes[0] not in (await web.get("/console/me/factor")).text  # they are shown once

        first = await nora.logs_in()
        assert first.headers["location"] == "/console/login/code?next=/console/me/factor"
        assert COOKIE not in web.cookies
        assert "HttpOnly" in first.headers["set-cookie"]
        half_in = web.cookies[CHALLENGE]
        for path in ("/console", f"/console/{house.other}", "/console/me/factor"):
            stolen = {COOKIE: half_in}
            async with httpx.AsyncClient(base_url=house.url, headers=JSON, cookies=stolen) as thief:
                assert (await thief.get(path)).status_code == 401
        refused = await web.post("/console/login/code", data={"code": "000000"})
        assert refused.status_code == 401
        assert COOKIE not in web.cookies
        forged = {"Origin": "https://evil.example"}
        right = {"code": await nora.code()}
        assert (await web.post("/console/login/code", data=right, headers=forged)).status_code == 403
        entered = await web.post("/console/login/code?next=//evil.example", data=right)
        assert (entered.status_code, entered.headers["location"]) == (303, "/console")
        assert CHALLENGE not in web.cookies
        assert "Recovery codes left: 10" in (await web.get("/console/me/factor")).text

        await nora.logs_in()
        replayed = await web.post("/console/login/code", data=right)
        assert replayed.status_code == 401
        by_hand = await web.post("/console/login/code", data={"code": codes[4]})
        assert by_hand.status_code == 303
        assert "Recovery codes left: 9" in (await web.get("/console/me/factor")).text
        web.cookies.clear()
        lost = await web.get("/console/login/code?next=/console/conti")
        assert lost.headers["location"] == "/console/login?next=/console/conti"
    await house.rows("DELETE FROM login_failure")


async def test_a_business_that_wants_one_lets_nobody_in_without(house: House) -> None:
    admin = await browser(house, "admin", "Ada Due")
    nora = await browser(house, "admin", "Nora Due")
    settings = f"/console/{house.other}/settings"
    async with admin.web, nora.web:
        first = await admin.post(f"{settings}/factor", required="true")
        assert first.status_code == 422
        assert "your own second factor first" in first.text
        await admin.sets_up()
        assert (await admin.post(f"{settings}/factor", required="true")).status_code == 303
        try:
            led = await nora.web.get(f"/console/{house.other}/contacts?q=x")
            assert led.headers["location"] == (
                f"/console/me/factor?next=/console/{house.other}/contacts%3Fq%3Dx"
            )
            ids = {**house.things, "form": "thresholds", "business": house.other, "name": "leads"}
            for route in table():
                method, _, path = route.partition(" ")
                if path.startswith("/console/{business}"):
                    filled = path.format(**{"form": "ticket", **ids})
                    sent = {"data": {"csrf": nora.who.csrf}} if method == "POST" else {}
                    answer = await nora.web.request(method, filled, headers=JSON, **sent)
                    assert answer.status_code == 403, (route, answer.text[:200])
                    assert answer.json()["error"] == "FactorNeeded", route
            assert (await admin.web.get(settings)).status_code == 200
            asked = (await nora.web.get("/console/me/factor")).text
            assert "lets nobody in without one" in asked
            await nora.sets_up()
            assert (await nora.web.get(settings)).status_code == 200  # the same session goes on
            assert (await nora.post("/console/me/factor/off", code=await nora.code())).status_code == 409
        finally:
            assert (await admin.post(f"{settings}/factor")).status_code == 303
        page = (await admin.web.get(settings)).text
        assert "asked of everybody" in page
        assert "second factor Nora Due" in page
        gone = await admin.post(f"{settings}/factor-reset", person=str(nora.who.agent_id))
        assert gone.status_code == 303
        assert (await nora.web.get(settings, headers=JSON)).status_code == 401
        for nobody in (str(house.people["admin"][0].agent_id), "0", "²", "9" * 30, str(nora.who.agent_id)):
            answer = await admin.post(f"{settings}/factor-reset", person=nobody)
            assert answer.status_code in (404, 422), nobody
    await house.rows("DELETE FROM login_failure")


async def test_it_is_turned_off_with_a_code_and_stays_readable_for_its_owner(house: House) -> None:
    nora = await browser(house, "agent", "Nora Tre")
    async with nora.web as web:
        codes = await nora.sets_up()
        other = await nora.post("/console/me/factor/codes", code=await nora.code())
        assert not set(codes) & set(re.findall(r"<code>([a-z2-7-]+)</code>", other.text))
        assert (await nora.post("/console/me/factor/off", code="000000")).status_code == 422
        assert (await nora.post("/console/me/factor/off", code=await nora.code())).status_code == 303
        nora.who = replace(nora.who, csrf="")
        assert (await nora.logs_in()).headers["location"] == "/console/me/factor"
        assert "Turn it on" in (await web.get("/console/me/factor")).text
    await house.rows("DELETE FROM login_failure")
