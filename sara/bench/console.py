"""The agents' console under load: pages, live tabs over two processes, and what a real browser makes of it.

Two `sara serve` processes on one database with 5 000 open conversations; the load is in this process, and
a headless Chromium where one is installed.
"""

import asyncio
import os
import re
import shutil
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from channels.whatsapp.signature import sign
from crm import businesses, crowd, logins, registry
from crm.record import Crm
from sara.bench import processes
from sara.bench.channel import NUMBER, SECRET, installed
from sara.bench.figures import row, shown, spread
from sara.bench.webhooks import text_payload
from sara.settings import Settings

TABS, CROWD = 200, 5_000
PAGE_BYTES, INTERACTIVE_MS, VISIBLE_MS, TAB_MB, QUEUE_MS = 60_000, 600, 500, 0.1, 100
"""The targets: a page over the wire, its readiness, a message's way into it, a tab, a page of the queue."""
_EMAIL, _PASSWORD = "bench@console.example", "correct horse battery staple"
_ASSETS = re.compile(r'(?:href|src)="(/console/static/[\w.]+)"')
_IMPORTS = re.compile(r'from "\./([\w.]+)"')
_PATIENCE_S = 30.0
_WA_ID = "392300900000"


@dataclass(frozen=True)
class _Office:
    """A process that serves the console, and an agent's session in it."""

    url: str
    cookies: dict[str, str]


async def measure(settings: Settings, rounds: int) -> dict[str, Any]:
    """Bytes of a page, milliseconds of the queue and of a message's way into open tabs, MB for each tab."""
    async with installed(settings) as (own, dsn, crm), AsyncExitStack() as stack:
        await _crowd(crm)
        before = set(_children())
        urls = [await stack.enter_async_context(processes.api(own, dsn)) for _ in range(2)]
        served = [pid for pid in _children() if pid not in before and "postgres" not in _name(pid)]
        offices = [await _logged_in(url) for url in urls]
        figures: dict[str, Any] = {"page_bytes": await _weight(offices[0])}
        figures["queue_ms"] = {
            view: spread(await _pages(offices[0], query, rounds))
            for view, query in (
                ("first page", {"view": "waiting"}),
                ("page 90", {"view": "waiting", "page": "90"}),
                ("search", {"view": "all", "q": "question 3"}),
            )
        }
        figures["tabs"] = await _tabs(offices, served, rounds)
        figures["browser"] = await _browser(offices[0], rounds)
        return figures


async def _crowd(crm: Crm) -> None:
    async with crm.as_owner() as tx:
        await registry.add_agent(tx, _EMAIL, "Bench", business="aurora", role="agent")
        await logins.set_password(tx, _EMAIL, _PASSWORD)
    async with crm.outside() as tx:
        business_id = await businesses.of_slug(tx, "aurora")
    async with crm.as_owner() as tx:
        await crowd.wait_for_a_person(tx, business_id, CROWD, NUMBER)


async def _logged_in(url: str) -> _Office:
    async with httpx.AsyncClient(base_url=url, timeout=60) as web:
        answer = await web.post("/console/login", data={"email": _EMAIL, "password": _PASSWORD})
        if answer.status_code != httpx.codes.SEE_OTHER:
            raise RuntimeError(f"the login answered {answer.status_code}")
        return _Office(url, dict(web.cookies))


async def _weight(office: _Office) -> dict[str, int]:
    """Bytes over the wire of the first page, and of a conversation's, with everything they load."""
    async with httpx.AsyncClient(base_url=office.url, cookies=office.cookies, timeout=60) as web:
        queue = await web.get("/console/aurora")
        found = re.search(r'href="(/console/aurora/c/\d+)', queue.text)
        pages = {"queue": "/console/aurora", **({"conversation": found[1]} if found else {})}
        return {name: await _bytes(web, path) for name, path in pages.items()}


async def _bytes(web: httpx.AsyncClient, path: str) -> int:
    answer = await web.get(path)
    total, known = len(answer.content), set(_ASSETS.findall(answer.text))
    waiting = sorted(known)
    while waiting:
        asset = await web.get(waiting.pop())
        total += int(asset.headers["content-length"])
        more = {f"/console/static/{name}" for name in _IMPORTS.findall(asset.text)} - known
        known |= more
        waiting += sorted(more)
    return total


async def _pages(office: _Office, query: Mapping[str, str], rounds: int) -> list[float]:
    """Milliseconds of a page of the queue, from request to last byte."""
    took = []
    async with httpx.AsyncClient(base_url=office.url, cookies=office.cookies, timeout=60) as web:
        for number in range(rounds + 3):
            began = time.perf_counter()
            answer = await web.get("/console/aurora", params={**query, "part": "queue"})
            answer.raise_for_status()
            if number >= 3:
                took.append((time.perf_counter() - began) * 1000)
    return took


async def _tabs(offices: Sequence[_Office], served: Sequence[int], rounds: int) -> dict[str, Any]:
    """200 open streams, half on each process: how long until the last one has heard of a message."""
    before = sum(map(_rss_mb, served))
    heard: list[asyncio.Queue[float]] = [asyncio.Queue() for _ in range(TABS)]
    async with AsyncExitStack() as stack:
        opening = [
            stack.enter_async_context(_stream(offices[n % len(offices)], heard[n])) for n in range(TABS)
        ]
        for opened in opening:
            await opened
        grown = sum(map(_rss_mb, served)) - before
        last, missed = [], 0
        async with httpx.AsyncClient(timeout=60) as web:
            for number in range(rounds):
                for queue in heard:
                    while not queue.empty():
                        queue.get_nowait()
                began = time.perf_counter()
                url = offices[number % len(offices)].url
                await _webhook(web, url, f"3923{number:08d}", f"wamid.tab.{number}", "Siete aperti?")
                times = await asyncio.gather(*(_first(queue) for queue in heard))
                missed += sum(at is None for at in times)
                last.append(max((at - began) * 1000 for at in times if at is not None))
    return {
        "open": TABS,
        "processes": len(offices),
        "heard_by_all_ms": spread(last),
        "missed": missed,
        "mb_per_tab": round(max(0.0, grown) / TABS, 3),
    }


async def _first(queue: asyncio.Queue[float]) -> float | None:
    try:
        return await asyncio.wait_for(queue.get(), _PATIENCE_S)
    except TimeoutError:
        return None


@asynccontextmanager
async def _stream(office: _Office, heard: asyncio.Queue[float]) -> AsyncIterator[None]:
    """An open tab: puts the moment of each change into `heard`."""
    opened = asyncio.Event()

    async def read() -> None:
        async with (
            httpx.AsyncClient(base_url=office.url, cookies=office.cookies, timeout=None) as web,  # noqa: S113
            web.stream("GET", "/console/aurora/live") as stream,
        ):
            async for line in stream.aiter_lines():
                if line == "event: open":
                    opened.set()
                elif '"k": "message"' in line:
                    heard.put_nowait(time.perf_counter())

    reading = asyncio.create_task(read())
    try:
        await asyncio.wait_for(opened.wait(), _PATIENCE_S)
        yield
    finally:
        reading.cancel()
        await asyncio.gather(reading, return_exceptions=True)


async def _webhook(web: httpx.AsyncClient, url: str, wa_id: str, wamid: str, text: str) -> None:
    """A customer's message."""
    body = text_payload(NUMBER, wa_id, wamid, text)
    headers = {"X-Hub-Signature-256": sign(SECRET, body), "Content-Type": "application/json"}
    (await web.post(f"{url}/webhooks/whatsapp", content=body, headers=headers)).raise_for_status()


async def _browser(office: _Office, rounds: int) -> dict[str, Any] | None:
    """Readiness of a page in headless Chromium, and a message's way from the webhook into an open page.

    None where neither playwright nor a Chromium is installed.
    """
    binary = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    try:
        from playwright.async_api import async_playwright
    except ImportError:
        return None
    if binary is None:
        return None
    async with async_playwright() as playwright:
        chromium = await playwright.chromium.launch(executable_path=binary, args=["--no-sandbox"])
        context = await chromium.new_context(viewport={"width": 1280, "height": 860})
        await context.add_cookies(
            [
                {"name": name, "value": value, "url": f"{office.url}/console"}
                for name, value in office.cookies.items()
            ]
        )
        page = await context.new_page()
        ready = []
        for number in range(rounds + 1):
            await page.goto(f"{office.url}/console/aurora", wait_until="domcontentloaded")
            took = await page.evaluate(
                "performance.getEntriesByType('navigation')[0].domContentLoadedEventEnd"
            )
            if number:  # the first one fills the browser's caches
                ready.append(float(took))
        visible = await _visible(page, office, rounds)
        await chromium.close()
    return {"interactive_ms": spread(ready), "visible_ms": spread(visible)}


async def _visible(page: Any, office: _Office, rounds: int) -> list[float]:
    """From the webhook's request to the words in the open conversation."""
    took = []
    async with httpx.AsyncClient(timeout=60) as web:
        await _webhook(web, office.url, _WA_ID, "wamid.page", "Buongiorno")
        await page.goto(f"{office.url}/console/aurora?view=all&q={_WA_ID}")
        await page.locator("#rows .row").first.click()
        await page.locator("#thread").wait_for()
        await page.wait_for_function("document.querySelector('#line').textContent === ''")
        await asyncio.sleep(1.0)  # the stream is open
        for number in range(rounds):
            words = f"Siete aperti? {number}"
            waits = asyncio.create_task(page.wait_for_function(_SHOWN, arg=words, polling=10))
            await asyncio.sleep(0.05)
            began = time.perf_counter()
            await _webhook(web, office.url, _WA_ID, f"wamid.page.{number}", words)
            await waits
            took.append((time.perf_counter() - began) * 1000)
    return took


_SHOWN = """(words) => [...document.querySelectorAll('#thread .body')]
    .some((one) => one.textContent === words)"""


def _children() -> list[int]:
    """Processes started by this one."""
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if int(fields[1]) == os.getpid():
            found.append(int(stat.parent.name))
    return found


def _name(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_text()
    except OSError:
        return ""


def _rss_mb(pid: int) -> float:
    try:
        pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    except OSError:
        return 0.0
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


def table(figures: Mapping[str, Any]) -> str:
    """The figures for a person, beside what they are to be."""
    tabs, browser = figures["tabs"], figures["browser"]
    lines = [row("", "median", "p95", "wanted")]
    lines += [
        row(f"{name} page, bytes", size, "", f"<= {PAGE_BYTES}")
        for name, size in figures["page_bytes"].items()
    ]
    lines += [
        row(f"queue of {CROWD}: {name}, ms", *shown(times), f"<= {QUEUE_MS}")
        for name, times in figures["queue_ms"].items()
    ]
    title = f"message heard by all {tabs['open']} tabs, ms"
    lines.append(row(title, *shown(tabs["heard_by_all_ms"]), f"<= {VISIBLE_MS}"))
    lines.append(row("tabs that missed one", tabs["missed"], "", 0))
    lines.append(row("memory of a tab, MB", tabs["mb_per_tab"], "", f"<= {TAB_MB}"))
    if browser is None:
        return "\n".join([*lines, "no Chromium on this machine: the rest was not measured"])
    lines.append(
        row("interactive in Chromium, ms", *shown(browser["interactive_ms"]), f"<= {INTERACTIVE_MS}")
    )
    lines.append(row("message visible in Chromium, ms", *shown(browser["visible_ms"]), f"<= {VISIBLE_MS}"))
    return "\n".join(lines)
