"""An agent in a real Chromium and a customer at the phone page: the warm hand-over from end to end.

Screenshots of the way are left in the test's folder; those of the documentation are made of them.
"""

import asyncio
import re
import secrets
import shutil
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import pytest_asyncio
from axe_playwright_python.async_playwright import Axe
from playwright.async_api import Browser, Page, Route, async_playwright, expect

from api.console import stream
from crm import handoffs, queue
from sara.exchange import exchange
from sara.local import Local
from tests.api.console.people import PASSWORD, Agent, changes, enter, somebody_waits, wamid_of
from tests.api.console.test_desk import business_id, long_ago

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine: install Debian's `chromium`"),
]
PATIENCE_MS = 60_000
WIDE, NARROW = {"width": 1280, "height": 860}, {"width": 390, "height": 844}


@dataclass(frozen=True)
class Scene:
    """A browser; errors of scripts and of the content security policy are kept in `complaints`."""

    browser: Browser
    whole: Local
    complaints: list[str]

    async def page(self, size: dict[str, int], scheme: str = "light") -> Page:
        context = await self.browser.new_context(
            viewport={"width": size["width"], "height": size["height"]},
            locale="it-IT",
            color_scheme="dark" if scheme == "dark" else "light",
        )
        page = await context.new_page()
        page.set_default_timeout(PATIENCE_MS)
        page.on("pageerror", lambda problem: self.complaints.append(str(problem)))
        page.on("console", lambda said: self.complaints.append(said.text) if said.type == "error" else None)
        return page

    async def phone(self) -> Page:
        """The phone page of a customer nobody knows, writing to Aurora."""
        page = await self.page({"width": 1000, "height": 900})
        number = f"39348{secrets.randbelow(10**7):07d}"
        await page.goto(f"{self.whole.url}/phone/?business=1001&customer={number}")
        await expect(page.locator("#title")).to_have_text("Aurora Centro Benessere")
        return page

    async def console(self, agent: Agent, size: dict[str, int], scheme: str = "light") -> Page:
        """The console after the login."""
        page = await self.page(size, scheme)
        await page.goto(f"{self.whole.url}/console")
        await page.get_by_label("Email").fill(agent.email)
        await page.get_by_label("Password").fill(PASSWORD)
        await page.get_by_role("button", name="Accedi").click()
        await expect(page.locator("#queue")).to_be_visible()
        return page


@pytest_asyncio.fixture(loop_scope="session")
async def scene(whole: Local) -> AsyncIterator[Scene]:
    async with async_playwright() as playwright:
        chromium = await playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        made = Scene(chromium, whole, [])
        yield made
        await chromium.close()
        assert made.complaints == []


@pytest_asyncio.fixture(loop_scope="session")
async def agent(whole: Local) -> AsyncIterator[Agent]:
    made = await enter(whole, "aurora", name="Elena Neri")
    yield made
    await made.web.aclose()


async def accessible(page: Page) -> None:
    """axe-core finds nothing to complain about."""
    found = await Axe().run(page)
    broken = [(one["id"], one["nodes"][0]["html"][:160]) for one in found.response["violations"]]
    assert broken == [], page.url


async def writes(phone: Page, text: str) -> None:
    await phone.get_by_label("Message", exact=True).fill(text)
    await phone.get_by_role("button", name="Send", exact=True).click()


async def hears(phone: Page, words: str) -> None:
    await expect(phone.locator(".item.theirs").filter(has_text=words).last).to_be_visible(timeout=PATIENCE_MS)


async def draft(whole: Local, conversation_id: int, words: str) -> None:
    """A draft as a model would have left it, over what the responder without one has drafted."""
    while True:
        async with whole.crm.as_owner() as tx:
            asked = await tx.connection.execute(
                "SELECT 1 FROM procrastinate_jobs WHERE task_name = %s AND status IN ('todo', 'doing')",
                (queue.BRIEF_TASK,),
            )
            if await asked.fetchone() is None:
                break
        await asyncio.sleep(0.05)
    async with whole.crm.transaction(await business_id(whole)) as tx:
        handoff_id = await handoffs.open_of(tx, conversation_id)
        assert handoff_id is not None
        summary = "La cliente chiede una persona per un trattamento in gravidanza."
        await handoffs.write(tx, handoff_id, summary=summary, draft=words, written_by="llama3.1")


@pytest.mark.parametrize(("name", "size"), [("wide", WIDE), ("narrow", NARROW)])
async def test_the_warm_hand_over(
    scene: Scene, agent: Agent, notes: Path, tmp_path: Path, name: str, size: dict[str, int]
) -> None:
    phone, console = await scene.phone(), await scene.console(agent, size)
    wide = size is WIDE
    await accessible(console)
    number = re.sub(r"\D", "", phone.url.split("customer=")[1])
    await console.goto(f"{scene.whole.url}/console/aurora?view=waiting&q={number}")
    await expect(console.locator("#rows .row")).to_have_count(0)
    await writes(phone, "Sono incinta, vorrei parlare con una persona per un massaggio")
    await hears(phone, "team")
    arrived = console.locator("#rows .row")
    await expect(arrived).to_have_count(1, timeout=PATIENCE_MS)  # by itself: nobody loaded the page again
    conversation_id = int(await arrived.get_attribute("data-id") or "0")
    await console.screenshot(path=tmp_path / f"console-queue-{name}.png")
    await arrived.click()
    await expect(console.locator("#thread")).to_contain_text("Sono incinta")

    await draft(scene.whole, conversation_id, "Per il massaggio in gravidanza la richiamiamo.")
    if not wide:
        await console.locator("#known > summary").click()
    await expect(console.locator("#draft")).to_contain_text("la richiamiamo", timeout=PATIENCE_MS)
    await console.screenshot(path=tmp_path / f"console-packet-{name}.png")
    await console.get_by_role("button", name="Prendi", exact=True).click()
    await expect(console.locator("#bar")).to_contain_text("tua")
    await console.get_by_role("button", name="Usa la bozza").click()
    if not wide:
        await console.locator("#known > summary").click()
    text = console.get_by_label("Messaggio", exact=True)
    await expect(text).to_have_value("Per il massaggio in gravidanza la richiamiamo.")
    await text.fill("Sono Elena: per il massaggio in gravidanza la richiamo io oggi.")
    await console.keyboard.press("Control+Enter")
    await hears(phone, "la richiamo io oggi")
    await expect(text).to_have_value("")
    await expect(console.locator(".item.agent .tick").last).to_have_attribute(
        "aria-label", re.compile("Consegnato|Letto"), timeout=PATIENCE_MS
    )

    await phone.locator("#file").set_input_files(notes / "it_price_man.ogg")
    note = console.locator(".item.customer audio")
    await expect(note).to_be_visible(timeout=PATIENCE_MS)
    await expect(console.locator(".item.customer .transcript")).to_be_visible(timeout=PATIENCE_MS)
    await console.locator("details.why summary").first.click()
    await expect(console.locator("details.why .times").first).to_be_visible()
    await console.screenshot(path=tmp_path / f"console-thread-{name}.png")
    await accessible(console)

    await text.fill("Le rispondo subito.")
    await console.get_by_role("button", name="Invia", exact=True).click()
    await hears(phone, "Le rispondo subito.")
    await console.locator("#bar summary").filter(has_text="Restituisci").click()
    await console.get_by_label("Nota per SARA").fill("Richiamata: tutto chiarito.")
    await console.get_by_label(re.compile("Fatti che può dire")).fill("parcheggio = posto 7 nel cortile")
    await console.screenshot(path=tmp_path / f"console-back-{name}.png")
    await console.get_by_role("button", name="Restituisci a SARA").click()
    await expect(console.locator("#composer")).to_contain_text("Sta rispondendo SARA")
    await writes(phone, "Dove trovo il parcheggio?")
    await hears(phone, "posto 7 nel cortile")
    await expect(console.locator("#thread")).to_contain_text("posto 7 nel cortile", timeout=PATIENCE_MS)


async def test_a_note_is_never_sent_to_the_customer(scene: Scene, agent: Agent) -> None:
    """Typed while SARA has the conversation; then it is handed over, and the field could write to them."""
    phone, console = await scene.phone(), await scene.console(agent, WIDE)
    number = re.sub(r"\D", "", phone.url.split("customer=")[1])
    await writes(phone, "Quanto costa un massaggio rilassante?")
    await hears(phone, "65,00")
    await console.goto(f"{scene.whole.url}/console/aurora?view=all&q={number}")
    await console.locator("#rows .row").first.click()
    note = "cliente difficile: niente sconti"
    await console.locator("#text").fill(note)
    await writes(phone, "Vorrei parlare con una persona")
    await hears(phone, "team")
    await expect(console.locator("#problem")).to_contain_text("è una nota", timeout=PATIENCE_MS)
    await expect(console.locator("#text")).to_have_value(note)
    await expect(console.locator("#text")).to_have_attribute("aria-label", "Nota per i colleghi")
    await console.reload()
    await expect(console.get_by_label("Messaggio", exact=True)).to_have_value("")
    await expect(console.locator("#thread")).not_to_contain_text(note)


async def test_words_typed_during_a_slow_send_stay_and_a_lost_answer_sends_nothing_twice(
    scene: Scene, agent: Agent
) -> None:
    waiting = await somebody_waits(scene.whole)
    console = await scene.console(agent, WIDE)
    await console.goto(f"{scene.whole.url}/console/aurora/c/{waiting.conversation_id}")
    text = console.get_by_label("Messaggio", exact=True)

    async def slow(route: Route) -> None:
        await asyncio.sleep(1.5)
        await route.continue_()

    async def lost(route: Route) -> None:
        await route.fetch()  # the server has it, the answer is lost
        await route.abort()

    await console.route("**/send", slow)
    await text.fill("Alle cinque va bene.")
    await console.keyboard.press("Control+Enter")
    await text.press_sequentially(" E porti")
    await expect(console.locator(".item.agent")).to_have_count(1, timeout=PATIENCE_MS)
    await expect(text).to_have_value("E porti")
    await console.unroute("**/send")
    await console.route("**/send", lost)
    await text.fill("Sì, alle cinque.")
    await console.keyboard.press("Control+Enter")
    await expect(console.locator("#problem")).to_contain_text("connessione", timeout=PATIENCE_MS)
    await console.unroute("**/send")
    scene.complaints.clear()  # the request that was cut off
    await console.reload()
    await expect(text).to_have_value("Sì, alle cinque.")
    await console.locator("#text").press("Control+Enter")  # the same words: said once
    await expect(text).to_have_value("", timeout=PATIENCE_MS)
    await text.fill("Anzi, alle sei.")  # other words go out
    await console.locator("#text").press("Control+Enter")
    await expect(text).to_have_value("", timeout=PATIENCE_MS)
    await expect(console.locator(".item.agent")).to_have_count(3, timeout=PATIENCE_MS)
    said = await console.locator(".item.agent .body").all_inner_texts()
    assert said == ["Alle cinque va bene.", "Sì, alle cinque.", "Anzi, alle sei."]


async def test_dark_pages_are_as_readable(scene: Scene, agent: Agent, tmp_path: Path) -> None:
    waiting = await somebody_waits(scene.whole)
    console = await scene.console(agent, WIDE, "dark")
    await console.goto(f"{scene.whole.url}/console/aurora/c/{waiting.conversation_id}")
    await accessible(console)
    await exchange(scene.whole, waiting.customer, text="Ci siete ancora?")
    await expect(console.locator(".item.fresh")).to_have_count(1, timeout=PATIENCE_MS)
    # Words that fade in cannot be read meanwhile, whatever their colours.
    moving = "document.getAnimations().flatMap((one) => one.effect.getKeyframes())"
    faded = f"{moving}.filter((one) => 'opacity' in one)"
    assert await console.evaluate(faded) == []
    await console.screenshot(path=tmp_path / "console-dark.png")
    login = await scene.page(NARROW, "dark")
    await login.goto(f"{scene.whole.url}/console/login")
    await accessible(login)


async def test_what_was_typed_survives_a_session_that_ends_and_a_colleague_who_was_faster(
    scene: Scene, agent: Agent, davide: Agent
) -> None:
    waiting = await somebody_waits(scene.whole)
    where = f"{scene.whole.url}/console/aurora/c/{waiting.conversation_id}"
    console = await scene.console(agent, WIDE)
    await console.goto(where)
    text = console.get_by_label("Messaggio", exact=True)
    await text.fill("Una risposta lunga, scritta con cura")
    async with scene.whole.crm.as_owner() as tx:
        await tx.connection.execute("DELETE FROM agent_session WHERE agent_id = %s", (agent.agent_id,))
    await console.get_by_role("button", name="Invia", exact=True).click()
    await expect(console.locator("#problem")).to_contain_text("La sessione è finita")
    await expect(text).to_have_value("Una risposta lunga, scritta con cura")
    await console.locator("#problem").get_by_role("link").click()
    await console.get_by_label("Email").fill(agent.email)
    await console.get_by_label("Password").fill(PASSWORD)
    await console.get_by_role("button", name="Accedi").click()
    text = console.get_by_label("Messaggio", exact=True)
    await expect(text).to_have_value("Una risposta lunga, scritta con cura")

    await davide.did(waiting.conversation_id, "send", text="Sono Davide", attempt=secrets.token_hex(4))
    await expect(console.locator("#composer")).to_contain_text("Davide Prova", timeout=PATIENCE_MS)
    kept = console.locator("#text")
    await expect(kept).to_have_value("Una risposta lunga, scritta con cura")
    scene.complaints[:] = [one for one in scene.complaints if "401" not in one]


async def test_one_tab_holds_the_stream_for_all(scene: Scene, agent: Agent) -> None:
    name = f"Finestra{secrets.token_hex(3)}"
    where = f"{scene.whole.url}/console/aurora?view=all&q={name}"
    first = await scene.console(agent, WIDE)
    second = await first.context.new_page()
    await first.goto(where)
    await second.goto(where)
    held = "navigator.locks.query().then((all) => [all.held.length, all.pending.length])"
    assert await second.evaluate(held) == [1, 1]
    await somebody_waits(scene.whole, name)
    for page in (first, second):
        await expect(page.locator("#rows .row")).to_have_count(1, timeout=PATIENCE_MS)
    await first.close()
    await somebody_waits(scene.whole, name)
    await expect(second.locator("#rows .row")).to_have_count(2, timeout=PATIENCE_MS)


async def test_a_session_that_ends_is_told_in_every_tab_and_whoever_logs_in_again_hears_everything(
    scene: Scene, agent: Agent, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stream, "HEARTBEAT_S", 0.5)
    name = f"Finestra{secrets.token_hex(3)}"
    where = f"{scene.whole.url}/console/aurora?view=all&q={name}"
    first = await scene.console(agent, WIDE)
    await first.goto(where)
    second = await first.context.new_page()
    second.set_default_timeout(PATIENCE_MS)
    await second.goto(where)
    held = "navigator.locks.query().then((all) => [all.held.length, all.pending.length])"
    await expect_soon(second, held, [1, 1])
    async with scene.whole.crm.as_owner() as tx:
        await tx.connection.execute("DELETE FROM agent_session WHERE agent_id = %s", (agent.agent_id,))
    for page in (first, second):
        await expect(page.locator("#line")).to_contain_text("La sessione è finita", timeout=PATIENCE_MS)
    await expect_soon(second, held, [0, 0])
    await second.locator("#line").get_by_role("link").click()
    await second.get_by_label("Email").fill(agent.email)
    await second.get_by_label("Password").fill(PASSWORD)
    await second.get_by_role("button", name="Accedi").click()
    await expect_soon(second, held, [1, 1])
    await somebody_waits(scene.whole, name)
    for page in (second, first):
        await expect(page.locator("#rows .row")).to_have_count(1, timeout=PATIENCE_MS)
        await expect(page.locator("#line")).to_have_text("")
    await second.close()  # the one that hears for both
    await somebody_waits(scene.whole, name)
    await expect(first.locator("#rows .row")).to_have_count(2, timeout=PATIENCE_MS)
    scene.complaints[:] = [one for one in scene.complaints if "401" not in one]


async def expect_soon(page: Page, asked: str, answer: object) -> None:
    """What a script says, once it does."""
    async with asyncio.timeout(PATIENCE_MS / 1000):
        while True:
            if await page.evaluate(asked) == answer:
                return
            await asyncio.sleep(0.05)


SILENT_PHONE = """
self.Notification = class {
  static permission = "granted";
  static requestPermission = async () => "granted";
  constructor() { throw new TypeError("Illegal constructor"); }
};
self.beeps = 0;
const tone = { connect: (to) => to, start: () => { self.beeps += 1; }, stop: () => {} };
self.AudioContext = class {
  currentTime = 0;
  createOscillator() { return tone; }
  createGain() { return { gain: {}, connect: (to) => to }; }
};
"""
IN_A_POCKET = "Object.defineProperty(document, 'hidden', { get: () => true });"


async def test_a_browser_without_notifications_rings_once_and_says_that_it_only_rings(
    scene: Scene, agent: Agent
) -> None:
    """Chrome on Android: the constructor is there and throws."""
    name = f"Telefono{secrets.token_hex(3)}"
    waiting = await somebody_waits(scene.whole, name)
    first = await scene.console(agent, WIDE)
    await first.context.add_init_script(SILENT_PHONE)
    where = f"{scene.whole.url}/console/aurora"
    await first.goto(where)
    await first.locator("#bell").click()
    await expect(first.locator("#line")).to_contain_text("non permette le notifiche")
    assert await first.evaluate("self.beeps") == 1
    await first.context.add_init_script(IN_A_POCKET)
    await first.goto(f"{where}/c/{waiting.conversation_id}")
    second = await first.context.new_page()
    second.on("pageerror", lambda problem: scene.complaints.append(str(problem)))
    await second.goto(f"{where}?view=all&q={name}")
    for page in (first, second):
        await page.locator(".brand").dispatch_event("pointerdown")
    await exchange(scene.whole, waiting.customer, text="Ci siete ancora?")
    await expect(first.locator("#thread")).to_contain_text("Ci siete ancora?", timeout=PATIENCE_MS)
    await expect(second.locator("#rows")).to_contain_text("Ci siete ancora?", timeout=PATIENCE_MS)
    assert await first.evaluate("self.beeps") >= 1
    assert await second.evaluate("self.beeps") == 0  # that row was there before
    await somebody_waits(scene.whole, name)
    await expect(second.locator("#rows .row")).to_have_count(2, timeout=PATIENCE_MS)
    await expect_soon(second, "self.beeps", 1)
    await expect(second.locator("#line")).to_contain_text("non permette le notifiche")
    await exchange(scene.whole, waiting.customer, text="Ci siete o no?")
    await expect(second.locator("#rows")).to_contain_text("Ci siete o no?", timeout=PATIENCE_MS)
    assert await second.evaluate("self.beeps") == 1  # that row was heard before
    await expect(second.locator("#line")).to_contain_text("non permette le notifiche")


async def test_an_answer_from_among_earlier_messages_stays_in_sight(scene: Scene, agent: Agent) -> None:
    waiting = await somebody_waits(scene.whole)
    await long_ago(scene.whole, waiting)
    console = await scene.console(agent, WIDE)
    await console.goto(f"{scene.whole.url}/console/aurora/c/{waiting.conversation_id}?view=mine")
    await console.get_by_role("link", name="Messaggi precedenti").click()
    await expect(console.get_by_role("link", name="Ultimi messaggi")).to_be_visible()
    await expect(console.locator("#thread")).not_to_contain_text("domanda 70")
    text = console.get_by_label("Messaggio", exact=True)
    await text.fill("Eccomi, dica pure.")
    await console.keyboard.press("Control+Enter")
    await expect(text).to_have_value("", timeout=PATIENCE_MS)
    await exchange(scene.whole, waiting.customer, text="Grazie, finalmente")
    await expect(console.locator("#thread")).to_contain_text("Grazie, finalmente", timeout=PATIENCE_MS)
    await expect(console.locator("#thread")).to_contain_text("Eccomi, dica pure.")
    assert console.url.endswith("?view=mine")


async def test_the_same_words_are_said_again_where_they_are_meant_again(scene: Scene, agent: Agent) -> None:
    """After an answer that was lost: once the field was emptied, and after a while."""
    waiting = await somebody_waits(scene.whole)
    console = await scene.console(agent, WIDE)
    await console.goto(f"{scene.whole.url}/console/aurora/c/{waiting.conversation_id}")
    text = console.get_by_label("Messaggio", exact=True)
    said = console.locator(".item.agent")

    async def lost(route: Route) -> None:
        await route.fetch()  # the server has it, the answer is lost
        await route.abort()

    problem = console.locator("#problem")

    async def says(words: str) -> None:
        await text.fill(words)
        await console.keyboard.press("Control+Enter")

    await console.route("**/send", lost)
    await says("Un momento.")
    await expect(problem).to_contain_text("connessione", timeout=PATIENCE_MS)
    await expect(said).to_have_count(1, timeout=PATIENCE_MS)  # by the live thread
    await text.fill("")
    await console.unroute("**/send")
    await says("Un momento.")
    await expect(said).to_have_count(2, timeout=PATIENCE_MS)
    await expect(text).to_have_value("", timeout=PATIENCE_MS)
    await console.route("**/send", lost)
    await says("Ancora un momento.")
    await expect(problem).to_contain_text("connessione", timeout=PATIENCE_MS)
    await expect(said).to_have_count(3, timeout=PATIENCE_MS)
    await console.unroute("**/send")
    eleven_minutes_later = "() => { const now = Date.now; Date.now = () => now() + 660_000; }"
    await console.evaluate(eleven_minutes_later)
    await console.locator("#text").press("Control+Enter")
    await expect(said).to_have_count(4, timeout=PATIENCE_MS)
    scene.complaints.clear()  # the requests that were cut off


async def test_an_open_page_follows_what_is_edited_and_taken_back(scene: Scene, agent: Agent) -> None:
    waiting = await somebody_waits(scene.whole)
    at, who = waiting.conversation_id, waiting.customer
    for words in ("Vengo alle 10", "Il mio codice è 7311"):
        await exchange(scene.whole, who, text=words)
    console = await scene.console(agent, WIDE)
    await console.goto(f"{scene.whole.url}/console/aurora/c/{at}")
    thread = console.locator("#thread")
    await console.get_by_label("Messaggio", exact=True).fill("Va bene alle 10")
    await console.keyboard.press("Control+Enter")
    await expect(console.locator(".item.agent .tick").last).to_have_attribute(
        "aria-label", re.compile("Consegnato|Letto"), timeout=PATIENCE_MS
    )
    await changes(scene.whole, who, await wamid_of(scene.whole, at, "Il mio codice è 7311"))
    await expect(thread).to_contain_text("Eliminato dal cliente", timeout=PATIENCE_MS)
    await expect(thread).not_to_contain_text("7311")
    await changes(scene.whole, who, await wamid_of(scene.whole, at, "Vengo alle 10"), words="Vengo alle 11")
    await expect(thread).to_contain_text("modificato: Vengo alle 10", timeout=PATIENCE_MS)
    await expect(console.locator(".item.customer .body").filter(has_text="Vengo alle 11")).to_have_count(1)
    own = await wamid_of(scene.whole, at, "Va bene alle 10")
    await changes(scene.whole, who, own, by_owner=True)
    await expect(thread).to_contain_text("Eliminato dal telefono", timeout=PATIENCE_MS)
    await expect(thread).not_to_contain_text("Va bene alle 10")
    await accessible(console)


async def test_what_runs_out_without_anything_happening_is_seen_to(
    scene: Scene, agent: Agent, davide: Agent
) -> None:
    name = f"Scade{secrets.token_hex(3)}"
    waiting = await somebody_waits(scene.whole, name)
    console = await scene.console(agent, WIDE)
    await console.clock.install()
    await console.goto(f"{scene.whole.url}/console/aurora/c/{waiting.conversation_id}?view=all&q={name}")
    await davide.act(waiting.conversation_id, "presence", doing="typing")
    present, left = console.locator("#present"), console.locator("#bar .left")
    async with asyncio.timeout(30):
        while "Davide" not in await present.inner_text():
            await console.clock.run_for(1_000)  # the page's time stands still but for this
    async with scene.whole.crm.as_owner() as tx:
        await tx.connection.execute(
            "UPDATE presence SET until = now() WHERE conversation_id = %s", (waiting.conversation_id,)
        )
        await tx.connection.execute(
            "UPDATE conversation SET last_customer_at = now() - interval '25 h' WHERE conversation_id = %s",
            (waiting.conversation_id,),
        )
    await expect(left).to_contain_text("23:5")
    await console.clock.run_for(61_000)
    await console.clock.run_for(1_000)
    await expect(left).to_contain_text("solo modello", timeout=PATIENCE_MS)
    await expect(present).not_to_contain_text("Davide")
    await expect(console.locator(f'#rows [data-id="{waiting.conversation_id}"] .left')).to_contain_text(
        "solo"
    )
    await expect(console.locator("#composer")).to_have_attribute("data-mode", "window")
    async with scene.whole.crm.as_owner() as tx:
        await tx.connection.execute(
            "UPDATE conversation SET last_customer_at = now() WHERE conversation_id = %s",
            (waiting.conversation_id,),
        )
    await console.evaluate("document.dispatchEvent(new Event('visibilitychange'))")  # somebody comes back
    await console.clock.run_for(1_000)
    await expect(left).not_to_contain_text("solo modello", timeout=PATIENCE_MS)
