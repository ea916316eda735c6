"""The phone page in a real Chromium, against a real simulator."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import Page, async_playwright, expect

from channels.messages import Button, OutboundMessage, Row

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine: install Debian's `chromium`"),
]

expect.set_options(timeout=15_000)

GIULIA = "393331112222"
ASK = OutboundMessage(
    kind="buttons",
    body="**Massaggio rilassante**, giovedì 19 novembre alle 10:00, 65,00 €. Confermo? https://aurora.example/x",
    buttons=(Button(id="yes", title="Sì, confermo"), Button(id="no", title="No")),
    footer="Aurora",
)
PICK = OutboundMessage(
    kind="list",
    body="Quando le va bene?",
    opener="Vedi orari",
    rows=(Row(id="s1", title="Oggi alle 10", description="con Marta"), Row(id="s2", title="Domani alle 9")),
)


class Browser:
    """One page, with everything its console complained about."""

    def __init__(self, page: Page, stage: Any) -> None:
        self.page = page
        self.stage = stage
        self.complaints: list[str] = []
        page.on(
            "console", lambda m: self.complaints.append(m.text) if m.type in ("error", "warning") else None
        )
        page.on("pageerror", lambda problem: self.complaints.append(str(problem)))

    async def open(self, query: str = f"?business=1001&customer={GIULIA}") -> None:
        await self.page.goto(f"{self.stage.base_url}/phone/{query}")
        await expect(self.page.locator("#title")).not_to_be_empty()

    async def type(self, text: str) -> None:
        await self.page.get_by_label("Message", exact=True).fill(text)
        await self.page.get_by_role("button", name="Send", exact=True).click()

    async def business_says(self, message: OutboundMessage, to: str = GIULIA) -> str:
        sent = await self.stage.client.send("1001", to=to, recipient=None, message=message, callback_data="x")
        return str(sent.wamid)


@pytest_asyncio.fixture
async def browser(stage: Any) -> AsyncIterator[Browser]:
    flags = ["--no-sandbox", "--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream"]
    async with async_playwright() as playwright:
        chromium = await playwright.chromium.launch(executable_path=CHROMIUM, args=flags)
        page = await chromium.new_page(viewport={"width": 1000, "height": 900}, locale="it-IT")
        page.set_default_timeout(15_000)
        opened = Browser(page, stage)
        await opened.open()
        yield opened
        await chromium.close()
        assert opened.complaints == []


async def test_words_ticks_typing_and_escaping(browser: Browser, inbox: Any) -> None:
    nasty = "<img src=x onerror=alert(1)> *ciao* & </li>"
    await browser.type(nasty)
    mine = browser.page.locator(".item.mine")
    await expect(mine.locator(".body")).to_have_text("<img src=x onerror=alert(1)> ciao & </li>")
    await expect(mine.locator(".body strong")).to_have_text("ciao")
    await expect(mine.get_by_role("img", name="Delivered")).to_be_visible()
    assert inbox.messages[0].text == nasty
    await browser.stage.client.mark_read("1001", inbox.messages[0].wamid, typing=True)
    await expect(mine.get_by_role("img", name="Read")).to_be_visible()
    await expect(browser.page.get_by_role("status")).to_have_text("typing…")
    await browser.business_says(OutboundMessage(body="Buongiorno <b>Giulia</b>"))
    await expect(browser.page.locator(".item.theirs .body")).to_have_text("Buongiorno <b>Giulia</b>")
    await expect(browser.page.get_by_role("status")).to_be_empty()


async def test_buttons_lists_and_links_are_pressable_and_survive_a_reload(
    browser: Browser, inbox: Any
) -> None:
    await browser.type("Ciao")
    await expect(browser.page.locator(".item.mine")).to_have_count(1)
    await browser.business_says(ASK)
    await browser.page.get_by_role("button", name="Sì, confermo").click()
    await expect(browser.page.get_by_role("button", name="Sì, confermo")).to_be_disabled()
    link = browser.page.get_by_role("link", name="https://aurora.example/x")
    assert await link.get_attribute("rel") == "noopener noreferrer"
    await browser.business_says(PICK)
    await browser.page.get_by_role("button", name="Vedi orari").click()
    await browser.page.get_by_role("button", name="Domani alle 9").click()
    await expect(browser.page.locator(".item.mine")).to_have_count(3)
    await browser.stage.simulator.settle()
    assert [message.button_id for message in inbox.messages] == [None, "yes", "s2"]
    await browser.page.reload()
    await expect(browser.page.locator(".item")).to_have_count(5)
    await expect(browser.page.get_by_role("button", name="Sì, confermo")).to_be_disabled()


async def test_a_voice_note_is_recorded_sent_and_playable(browser: Browser, inbox: Any) -> None:
    await browser.page.get_by_role("button", name="Record a voice note").click()
    await expect(browser.page.get_by_role("timer")).to_be_visible()
    await asyncio.sleep(1.2)
    await browser.page.get_by_role("button", name="Send", exact=True).click()
    player = browser.page.get_by_label("Voice note", exact=True)
    await expect(player).to_be_visible()
    await browser.stage.simulator.settle()
    media = inbox.messages[0].media
    assert media.voice
    assert media.mime_type.startswith("audio/webm")
    kept = browser.stage.simulator.world.media(media.id)
    assert kept.data.startswith(b"\x1aE\xdf\xa3")  # the mark of a WebM file
    await player.evaluate(
        "player => new Promise((ready) => player.readyState ? ready() : (player.onloadedmetadata = ready))"
    )


async def test_a_cancelled_recording_sends_nothing_and_a_file_can_be_sent(
    browser: Browser, inbox: Any
) -> None:
    await browser.page.get_by_role("button", name="Record a voice note").click()
    await browser.page.get_by_role("button", name="Cancel").click()
    await expect(browser.page.get_by_label("Message", exact=True)).to_be_visible()
    file = {"name": "nota.ogg", "mimeType": "audio/ogg", "buffer": b"OggS" + bytes(100)}
    await browser.page.locator("#file").set_input_files(file)
    await expect(browser.page.get_by_label("Voice note", exact=True)).to_have_count(1)
    await browser.stage.simulator.settle()
    assert [message.type for message in inbox.messages] == ["audio"]
    assert browser.stage.simulator.world.media(inbox.messages[0].media.id).data == file["buffer"]


async def test_another_number_another_business_and_their_own_threads(browser: Browser, inbox: Any) -> None:
    await browser.type("Per Aurora")
    await expect(browser.page.locator(".item")).to_have_count(1)
    await browser.page.get_by_label("Business").select_option("1002")
    await expect(browser.page.locator("#title")).to_have_text("Conti")
    await expect(browser.page.locator(".item")).to_have_count(0)
    await browser.page.locator("#customer").select_option("Another number…")
    await browser.page.get_by_label("Phone number").fill("12")
    await browser.page.get_by_role("button", name="Use this number").click()
    await expect(browser.page.locator("#number-problem")).to_be_visible()
    await browser.page.get_by_label("Phone number").fill("+34 600 999 888")
    await browser.page.get_by_label("Name").fill("Nuria")
    await browser.page.get_by_role("button", name="Use this number").click()
    await browser.type("Hola")
    await expect(browser.page.locator(".item")).to_have_count(1)
    await browser.stage.simulator.settle()
    last = inbox.messages[-1]
    assert (last.phone_number_id, last.sender.wa_id, last.sender.name) == ("1002", "34600999888", "Nuria")


async def test_it_fits_a_small_screen_in_the_dark(browser: Browser) -> None:
    await browser.page.set_viewport_size({"width": 360, "height": 640})
    await browser.page.emulate_media(color_scheme="dark")
    await browser.type("parola" * 60)
    await expect(browser.page.locator(".item")).to_have_count(1)
    width = await browser.page.evaluate("document.documentElement.scrollWidth")
    assert width <= 360
    await expect(browser.page.get_by_label("Message", exact=True)).to_be_in_viewport()
    background = await browser.page.evaluate(
        "getComputedStyle(document.querySelector('.thread').parentElement).backgroundColor"
    )
    assert background == "rgb(13, 22, 20)"


async def test_a_refusal_is_shown_and_the_words_are_kept(browser: Browser) -> None:
    await browser.page.route(
        "**/api/text", lambda route: route.fulfill(status=503, json={"detail": "Too busy."})
    )
    await browser.type("Non perdermi")
    await expect(browser.page.get_by_role("alert")).to_have_text("Too busy.")
    await expect(browser.page.get_by_label("Message", exact=True)).to_have_value("Non perdermi")
    browser.complaints.clear()  # Chromium itself logs the 503


async def test_faults_limits_and_news_are_switched_on_the_page(browser: Browser, inbox: Any) -> None:
    simulator, page = browser.stage.simulator, browser.page
    await browser.type("Ciao")
    await expect(page.locator(".item.mine")).to_have_count(1)
    await page.get_by_text("WhatsApp misbehaves").click()
    await page.get_by_label("The token has expired").check()
    await page.get_by_label("Statuses come 20 seconds late").check()
    await page.get_by_label("Messages a second").select_option("20")
    await page.get_by_text("WhatsApp misbehaves").click()
    await page.get_by_text("WhatsApp misbehaves").click()  # read anew from the simulator
    await expect(page.get_by_label("The token has expired")).to_be_checked()
    assert simulator.faults.now.token_expired
    assert (simulator.faults.now.late_status_s, simulator.quotas.throughput_per_s) == (20, 20)
    await page.get_by_text("Meta decides").click()
    await page.get_by_text("This conversation").click()
    told = page.locator("#told")
    await page.get_by_label("Quality of the number").select_option("RED")
    await expect(told).to_have_text("Done.")
    await page.get_by_text("Meta decides").click()
    await page.get_by_text("Meta decides").click()
    await expect(told).to_be_empty()  # read anew
    await page.get_by_role("button", name="The 24 hours are over").click()
    await expect(told).to_have_text("Done.")
    assert simulator.account.quality == {"1001": "RED"}
    assert not simulator.world.window_is_open("1001", GIULIA)
