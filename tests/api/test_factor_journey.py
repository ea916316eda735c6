"""A second factor in a real Chromium on a phone: set up, asked for, and the phone lost.

Screenshots of the way are left in the test's folder; those of the documentation are made of them.
"""

import time
from pathlib import Path

import pyotp
from playwright.async_api import Page, async_playwright, expect

from tests.api.console import test_journey as journey
from tests.api.console.test_journey import CHROMIUM, NARROW, PATIENCE_MS, accessible
from tests.api.house import PASSWORD, House, Person, person

pytestmark = journey.pytestmark


async def password(page: Page, house: House, who: Person) -> None:
    await page.goto(f"{house.url}/console")
    await page.get_by_label("Email").fill(who.email)
    await page.get_by_label("Password").fill(PASSWORD)
    await page.get_by_role("button", name="Accedi").click()


async def log_out(page: Page) -> None:
    await page.locator(".menu.end > summary").click()
    await page.get_by_role("button", name="Esci").click()
    await expect(page.get_by_label("Password")).to_be_visible()


async def readable(page: Page) -> None:
    await accessible(page)
    wider = "document.documentElement.scrollWidth > document.documentElement.clientWidth"
    assert not await page.evaluate(wider), page.url


async def test_set_up_asked_for_and_the_phone_lost(house: House, tmp_path: Path) -> None:
    who = await person(house.crm, house.other, "agent", "Nora Telefono")
    complaints: list[str] = []
    async with async_playwright() as playwright:
        chromium = await playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        context = await chromium.new_context(viewport=NARROW, locale="it-IT")  # type: ignore[arg-type]
        page = await context.new_page()
        page.set_default_timeout(PATIENCE_MS)
        page.on("pageerror", lambda problem: complaints.append(str(problem)))
        # A page that asks for news in the instant it is logged out is refused, as it should be.
        page.on(
            "console",
            lambda said: (
                complaints.append(said.text) if said.type == "error" and "401" not in said.text else None
            ),
        )
        await password(page, house, who)
        await page.locator(".menu.end > summary").click()
        await page.get_by_role("link", name="Secondo fattore").click()
        picture = page.get_by_role("img", name="Codice QR")
        assert await picture.evaluate("image => image.complete && image.naturalWidth > 100")
        await page.get_by_text("Non riesco a inquadrarlo").click()
        key = await page.locator(".key").inner_text()
        await readable(page)
        await page.screenshot(path=tmp_path / "console-factor.png")
        app = pyotp.TOTP(key)
        await page.get_by_label("Codice dell'app").fill(app.at(int(time.time())))
        await page.get_by_role("button", name="Attiva").click()
        codes = await page.locator(".codes code").all_inner_texts()
        assert len(codes) == 10
        await readable(page)
        await page.get_by_role("link", name="Li ho scritti").click()
        await expect(page.locator("#queue")).to_be_visible()

        await log_out(page)
        await password(page, house, who)
        code = page.get_by_label("Codice dell'app")
        await expect(code).to_be_focused()
        await readable(page)
        await code.fill(app.at(int(time.time()) + 30))  # of the next half minute: this one's was used
        await page.get_by_role("button", name="Accedi", exact=True).click()
        await expect(page.locator("#queue")).to_be_visible()

        await log_out(page)
        await password(page, house, who)
        await page.get_by_text("Non ho il telefono").click()
        await page.get_by_label("Codice di recupero").fill(codes[3])
        await page.get_by_role("button", name="Accedi con un codice").click()
        await expect(page.locator("#queue")).to_be_visible()
        await page.goto(f"{house.url}/console/me/factor")
        await expect(page.get_by_role("status")).to_contain_text("rimasti: 9")
        await readable(page)
        await chromium.close()
    assert complaints == []
