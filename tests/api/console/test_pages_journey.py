"""The further pages in a real Chromium: forms from end to end, readable for everybody, wide and narrow.

Screenshots are left in the test's folder; those of the documentation are made of them.
"""

import re
from datetime import timedelta
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import Locator, Page, expect

from crm import appointments, businesses, contacts, waiting
from sara.local import Local
from tests.api.console import test_journey as journey
from tests.api.console.people import PASSWORD, Agent, enter, somebody_waits
from tests.api.console.test_desk import business_id
from tests.api.console.test_journey import NARROW, PATIENCE_MS, WIDE, Scene, accessible
from tests.api.console.test_tools import weekday

pytestmark = journey.pytestmark
scene = journey.scene  # the browser, with what it complains about
PAGES = ("contacts", "calendar", "calendar?view=week", "knowledge", "settings")


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def busy_day(whole: Local) -> None:
    """Somebody who came, somebody to come, and somebody who waits for a place."""
    async with whole.crm.transaction(await business_id(whole)) as tx:
        profile = await businesses.profile(tx)
        service = profile.service("massaggio_rilassante")
        assert service is not None
        able = await appointments.skilled(tx, service.row.service_id)
        for number, name in enumerate(("Paola Riva", "Sergio Longo", "Noemi Costa")):
            contact_id = await contacts.entered(tx, wa_id=f"39340000000{number}", name=name)
            starts = tx.now.replace(minute=0, second=0, microsecond=0) + timedelta(hours=2 * number - 1)
            ends = starts + timedelta(minutes=50)
            # Other tests may have booked today.
            taken = {
                row.resource_id for row in await appointments.busy(tx, service.row.service_id, starts, ends)
            }
            free = next(row for row in able[number:] + able[:number] if row.resource_id not in taken)
            await appointments.book(
                tx,
                contact_id=contact_id,
                conversation_id=None,
                service_id=service.row.service_id,
                resource_id=free.resource_id,
                starts=starts,
                ends=ends,
                price=service.row.price,
                idempotency_key=f"busy day {number}",
            )
        await waiting.join(
            tx,
            contact_id=await contacts.entered(tx, wa_id="393400000009", name="Ivo Marini"),
            conversation_id=None,
            service_id=service.row.service_id,
            location_id=profile.locations[0].location_id,
            resource_id=None,
            since=tx.now + timedelta(days=1),
            until=tx.now + timedelta(days=2),
            people=1,
            language="it",
            idempotency_key="busy day",
        )


async def admin_at(scene: Scene, size: dict[str, int], scheme: str = "light") -> tuple[Agent, Page]:
    admin = await enter(scene.whole, "aurora", role="admin", name="Ugo Neri")
    return admin, await scene.console(admin, size, scheme)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize(("name", "size"), [("wide", WIDE), ("narrow", NARROW)])
async def test_every_page_is_readable(
    scene: Scene, busy_day: None, tmp_path: Path, name: str, size: dict[str, int], scheme: str
) -> None:
    admin, page = await admin_at(scene, size, scheme)
    marta = await somebody_waits(scene.whole, "Marta Conti")
    for path in PAGES:
        await page.goto(f"{scene.whole.url}/console/aurora/{path}")
        await accessible(page)
        wider = "document.documentElement.scrollWidth > document.documentElement.clientWidth"
        assert not await page.evaluate(wider), path
        if scheme == "light":
            await page.screenshot(path=tmp_path / f"console-{path.replace('?view=', '-')}-{name}.png")
    await page.goto(f"{scene.whole.url}/console/aurora/contacts?q={marta.customer.wa_id}")
    await page.get_by_role("link", name="Marta Conti").click()
    await expect(page.locator(".timeline")).to_contain_text("Vorrei parlare con una persona")
    await accessible(page)
    if scheme == "light":
        await page.screenshot(path=tmp_path / f"console-contact-{name}.png")
    await admin.web.aclose()


@pytest.mark.parametrize(("name", "size"), [("wide", WIDE), ("narrow", NARROW)])
async def test_booking_from_the_thread(scene: Scene, tmp_path: Path, name: str, size: dict[str, int]) -> None:
    agent = await enter(scene.whole, "aurora", name="Elena Neri")
    giada = await somebody_waits(scene.whole, "Giada Form")
    page = await scene.console(agent, size)
    await page.goto(f"{scene.whole.url}/console/aurora/c/{giada.conversation_id}")
    await page.locator("#bar summary").filter(has_text="Esegui").click()
    await page.get_by_role("link", name="Prenota", exact=True).click()
    sheet = page.locator("#sheet")
    await sheet.get_by_label("Servizio").select_option("massaggio_rilassante")
    await sheet.get_by_label("Giorno").fill(weekday(10 if size is WIDE else 11))
    await sheet.get_by_label("Ora", exact=True).fill("03:00")
    await sheet.get_by_role("button", name="Prenota", exact=True).click()
    await expect(sheet.locator(".fault")).to_be_visible(timeout=PATIENCE_MS)
    await expect(sheet.get_by_label("Ora", exact=True)).to_have_value("03:00")
    await accessible(page)
    await page.screenshot(path=tmp_path / f"console-tool-{name}.png")
    await sheet.locator(".choices button").first.click()
    await expect(sheet).not_to_be_visible(timeout=PATIENCE_MS)
    await expect(page.locator("#thread")).to_contain_text("ha eseguito")
    await expect(page.get_by_label("Messaggio", exact=True)).to_have_value(re.compile("Fatto"))
    await agent.web.aclose()
    scene.complaints[:] = [one for one in scene.complaints if "422" not in one]


async def test_an_upload_tells_how_far_it_is_and_what_went_wrong(scene: Scene, tmp_path: Path) -> None:
    admin, page = await admin_at(scene, WIDE)
    await page.goto(f"{scene.whole.url}/console/aurora/knowledge")
    bad = tmp_path / "vuoto.md"
    bad.write_text(" ")
    await page.get_by_label("File").set_input_files(bad)
    await page.get_by_role("button", name="Carica").click()
    await expect(page.get_by_role("alert")).to_contain_text("vuoto.md", timeout=PATIENCE_MS)
    good = tmp_path / "serra.md"
    good.write_text("# La serra\n\nNella serra crescono quaranta orchidee bianche.\n")
    await page.get_by_label("File").set_input_files(good)
    await page.get_by_role("button", name="Carica").click()
    await expect(page.locator(".done")).to_be_visible(timeout=PATIENCE_MS)
    await page.get_by_label("Ciò che scriverebbe un cliente").fill("Quante orchidee ci sono nella serra?")
    await page.get_by_role("button", name="Chiedi").click()
    await expect(page.locator(".hits")).to_contain_text("quaranta orchidee", timeout=PATIENCE_MS)
    await accessible(page)
    await page.screenshot(path=tmp_path / "console-knowledge-asked.png")
    await admin.web.aclose()
    scene.complaints[:] = [one for one in scene.complaints if "422" not in one]


async def test_a_session_that_ends_in_the_middle_of_a_form_loses_nothing(whole: Local, scene: Scene) -> None:
    agent = await enter(whole, "aurora", name="Elena Neri")
    livia = await somebody_waits(whole)
    page = await scene.console(agent, WIDE)
    await page.goto(f"{whole.url}/console/aurora/c/{livia.conversation_id}")
    await page.locator("#bar summary").filter(has_text="Esegui").click()
    await page.get_by_role("link", name="Segnalazione").click()
    words = page.locator("#sheet").get_by_label("Che cosa è successo")
    await words.fill("La caldaia perde acqua in bagno")
    await session_ends(whole, agent)
    await page.get_by_role("button", name="Apri la segnalazione").click()
    await expect(page.locator("#sheet .problem")).to_contain_text("La sessione è finita")
    await expect(words).to_have_value("La caldaia perde acqua in bagno")
    await logs_in_elsewhere(page, page.locator("#sheet .problem"), agent)
    await page.get_by_role("button", name="Apri la segnalazione").click()
    await expect(page.locator("#sheet")).not_to_be_visible(timeout=PATIENCE_MS)
    await expect(page.locator("#thread")).to_contain_text("ha eseguito")
    await agent.web.aclose()
    scene.complaints[:] = without_refusals(scene)


async def session_ends(whole: Local, agent: Agent) -> None:
    async with whole.crm.as_owner() as tx:
        await tx.connection.execute("DELETE FROM agent_session WHERE agent_id = %s", (agent.agent_id,))


async def logs_in_elsewhere(page: Page, told: Locator, agent: Agent) -> None:
    """By the link beside what was told, which leaves the page as it is."""
    async with page.context.expect_page() as opened:
        await told.get_by_role("link", name="Accedi").click()
    other = await opened.value
    await other.get_by_label("Email").fill(agent.email)
    await other.get_by_label("Password").fill(PASSWORD)
    await other.get_by_role("button", name="Accedi").click()
    await expect(other.locator("#queue")).to_be_visible(timeout=PATIENCE_MS)


def without_refusals(scene: Scene) -> list[str]:
    """What the browser complained of, but for the session that was over and the form of another one."""
    return [one for one in scene.complaints if "401" not in one and "403" not in one]


async def test_a_note_for_the_hand_back_survives_a_reload_and_a_session_that_ends(
    whole: Local, scene: Scene
) -> None:
    agent = await enter(whole, "aurora", name="Elena Neri")
    livia = await somebody_waits(whole)
    await agent.did(livia.conversation_id, "claim")
    page = await scene.console(agent, WIDE)
    await page.goto(f"{whole.url}/console/aurora/c/{livia.conversation_id}")
    menu = page.locator("#bar summary").filter(has_text="Restituisci")
    note = page.get_by_label("Nota per SARA")
    await menu.click()
    await note.fill("Ha un cane che abbaia")
    await page.reload()
    await menu.click()
    await expect(note).to_have_value("Ha un cane che abbaia")
    await session_ends(whole, agent)
    await page.get_by_role("button", name="Restituisci a SARA").click()
    told = page.locator("#bar .problem")
    await expect(told).to_contain_text("La sessione è finita")
    await logs_in_elsewhere(page, told, agent)
    await expect(note).to_have_value("Ha un cane che abbaia")
    await page.get_by_role("button", name="Restituisci a SARA").click()
    await expect(page.locator("#composer")).to_contain_text("Sta rispondendo SARA", timeout=PATIENCE_MS)
    await expect(page.locator("#packet")).to_contain_text("Ha un cane che abbaia")
    kept = "Object.keys(localStorage).filter((key) => key.endsWith('-back-note')).length"
    assert await page.evaluate(kept) == 0
    await agent.web.aclose()
    scene.complaints[:] = without_refusals(scene)


async def test_a_card_is_not_sent_where_the_session_is_over(whole: Local, scene: Scene) -> None:
    agent = await enter(whole, "aurora", name="Elena Neri")
    olga = await somebody_waits(whole, "Olga Card")
    page = await scene.console(agent, WIDE)
    await page.goto(f"{whole.url}/console/aurora/contacts?q={olga.customer.wa_id}")
    await page.get_by_role("link", name="Olga Card").click()
    name = page.get_by_label("Nome", exact=True)
    await name.fill("Olga Cardini")
    await session_ends(whole, agent)
    await page.get_by_role("button", name="Salva").click()
    told = page.locator("form .problem").filter(has_text="La sessione è finita")
    await expect(told).to_be_visible(timeout=PATIENCE_MS)
    await expect(name).to_have_value("Olga Cardini")
    await logs_in_elsewhere(page, told, agent)
    await page.get_by_role("button", name="Salva").click()
    await expect(page.locator(".done")).to_be_visible(timeout=PATIENCE_MS)
    await expect(name).to_have_value("Olga Cardini")
    await agent.web.aclose()
    scene.complaints[:] = without_refusals(scene)
