"""A customer in a real Chromium, with the whole of SARA behind the phone page."""

import re
import secrets
import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import Page, async_playwright, expect

from sara.local import Local

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine: install Debian's `chromium`"),
]
ANSWER_MS = 60_000


@pytest_asyncio.fixture
async def phone(whole: Local) -> AsyncIterator[Page]:
    """The phone of a customer nobody knows, with Aurora chosen from the list."""
    async with async_playwright() as playwright:
        chromium = await playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        page = await chromium.new_page(viewport={"width": 1000, "height": 900}, locale="it-IT")
        page.set_default_timeout(20_000)
        complaints: list[str] = []
        page.on("pageerror", lambda problem: complaints.append(str(problem)))
        number = f"39347{secrets.randbelow(10**7):07d}"
        await page.goto(f"{whole.url}/phone/?business=1002&customer={number}")
        await page.get_by_label("Business").select_option("1001")
        await expect(page.locator("#title")).to_have_text("Aurora Centro Benessere")
        yield page
        await chromium.close()
        assert complaints == []


async def test_a_price_a_booking_and_a_voice_note(phone: Page, notes: Path) -> None:
    theirs, mine = phone.locator(".item.theirs"), phone.locator(".item.mine")
    await _type(phone, "Quanto costa un massaggio rilassante?")
    await expect(theirs.filter(has_text="65,00")).to_be_visible(timeout=ANSWER_MS)
    await expect(mine.first.get_by_role("img", name="Read")).to_be_visible()

    await _type(phone, "Vorrei prenotare un massaggio rilassante sabato mattina")
    # Three times are buttons; where the morning is full the nearest ones are a list, behind its own button.
    times = phone.get_by_role("button", name=re.compile(r"\d:\d{2}"))
    opener = phone.get_by_role("button", name="Scegli")
    await expect(times.or_(opener).first).to_be_visible(timeout=ANSWER_MS)
    if await opener.count():
        await opener.last.click()
    await times.first.click()
    yes = phone.get_by_role("button", name=re.compile("^Sì"))
    await expect(yes).to_be_visible(timeout=ANSWER_MS)
    await yes.click()
    await expect(theirs.filter(has_text=re.compile("prenotat", re.IGNORECASE)).last).to_be_visible(
        timeout=ANSWER_MS
    )

    answers = await theirs.count()
    await phone.locator("#file").set_input_files(notes / "it_price_man.ogg")
    await expect(phone.get_by_label("Voice note", exact=True)).to_be_visible()
    await expect(theirs.nth(answers)).to_be_visible(timeout=ANSWER_MS)
    await expect(phone.get_by_role("alert")).to_be_hidden()


async def _type(phone: Page, text: str) -> None:
    await phone.get_by_label("Message", exact=True).fill(text)
    await phone.get_by_role("button", name="Send", exact=True).click()
