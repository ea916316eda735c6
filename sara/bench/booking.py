"""Booking: the tools from words to record, the search for free times, and a rush for one time."""

import asyncio
import itertools
import tempfile
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, fields
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import yaml

from crm import appointments, businesses, contacts, conversations
from crm.appointments import AppointmentRow
from crm.errors import SlotTaken
from crm.record import Crm
from crm.slots import FreeSlot, free_slots
from graph.context import Context
from knowledge.business_file import seed_files
from knowledge.phrases import Phrases
from sara import seed, services
from sara.bench.figures import row, spread
from sara.settings import Settings
from tools.registry import TOOLS
from tools.tool import Call, Done, Slots

DAYS, RESOURCES, RUSH, TAKEN = 60, 10, 100, 300
SERVICE = "massaggio_rilassante"
_LANGUAGE = "it"
_senders = itertools.count(39_300_000_000)


class _NoModel:
    """Stands where a model would be: tools work without any."""

    def __getattr__(self, name: str) -> Any:
        raise AssertionError(f"a tool reached for a model ({name})")


@dataclass(frozen=True)
class _Shop:
    """A business with ten people and rooms who can do the same."""

    crm: Crm
    context: Context
    business_id: int
    service_id: int


async def measure(settings: Settings, rounds: int) -> dict[str, Any]:
    """Milliseconds of each tool's execution and of the whole turn around it, `rounds` customers one after
    the other; of a search over 60 days and ten resources; how many of 100 at once get a time."""
    with tempfile.TemporaryDirectory(prefix="sara-bench-") as folder:
        settings = settings.model_copy(update={"data_dir": Path(folder), "database_url": None})
        async with services.database(settings) as dsn, services.record(settings, dsn) as crm:
            shop = await _shop(crm, Path(folder))
            figures: dict[str, Any] = {"tools": await _tools(shop, rounds)}
            figures["searched"] = await _fill_up(shop)
            figures["search_ms"] = spread(await _searches(shop, rounds))
            figures["rush"] = await _rush(shop)
            return figures


async def _shop(crm: Crm, folder: Path) -> _Shop:
    aurora = next(path for path in seed_files() if path.stem == "aurora")
    entry = yaml.safe_load(aurora.read_text(encoding="utf-8"))
    able = sum(SERVICE in resource["skills"] for resource in entry["resources"])
    entry["resources"] += [
        {"key": f"room{n}", "name": f"Room {n}", "kind": "room", "location": "milano", "skills": [SERVICE]}
        for n in range(RESOURCES - able)
    ]
    path = folder / "aurora.yaml"
    path.write_text(yaml.safe_dump(entry, allow_unicode=True, sort_keys=False), encoding="utf-8")
    business_id, _ = await seed.enter(crm, path)
    async with crm.transaction(business_id) as tx:
        profile = await businesses.profile(tx)
    service = profile.service(SERVICE)
    if service is None:
        raise RuntimeError(f"the demo's business no longer has {SERVICE}")
    unused: dict[str, Any] = {field.name: _NoModel() for field in fields(Context)}
    known = {"crm": crm, "phrases": await asyncio.to_thread(Phrases.load), "clock": crm.clock}
    return _Shop(crm, Context(**{**unused, **known}), business_id, service.row.service_id)


async def _tools(shop: _Shop, rounds: int) -> dict[str, dict[str, float]]:
    """Each tool's act alone, and everything a turn asks of the tools, in milliseconds."""
    acts: dict[str, list[float]] = {}
    turns: list[float] = []
    for number in range(rounds + 3):
        took = await _customer(shop, number)
        if number >= 3:  # the first ones warm up
            for name, milliseconds in took.items():
                (turns if name == "asking" else acts.setdefault(name, [])).append(milliseconds)
    return {**{name: spread(values) for name, values in acts.items()}, "asking": spread(turns)}


async def _customer(shop: _Shop, number: int) -> dict[str, float]:
    """One customer books, looks, moves and cancels."""
    days = 3 + number % 50
    took: dict[str, float] = {}
    caller = await _caller(shop)

    async def does(intent: str, text: str) -> None:
        tool, call = TOOLS[intent], await caller(text)
        began = time.perf_counter()
        slots: Slots = await tool.fill(call, {}, {})
        asked = await tool.check(call, slots)
        if asked is None:
            await tool.confirm(call, slots)
        ready = time.perf_counter()
        if asked is not None:  # that day is closed, or full: the next customer has more luck
            return
        outcome = await tool.act(call, slots)
        done = time.perf_counter()
        if isinstance(outcome, Done):
            took[intent] = (done - ready) * 1000
            took.setdefault("asking", (ready - began) * 1000)

    when = shop.context.clock() + timedelta(days=days)
    await does("book_appointment", f"massaggio rilassante il {when:%d/%m/%Y} alle 15")
    if "book_appointment" in took:
        await does("list_my_appointments", "")
        later = when + timedelta(days=1)
        await does("reschedule_appointment", f"il {later:%d/%m/%Y} alle 16")
        await does("cancel_appointment", "")
    return took


async def _caller(shop: _Shop) -> Callable[[str], Awaitable[Call]]:
    async with shop.crm.transaction(shop.business_id) as tx:
        number = (await businesses.numbers(tx))[0].phone_number_id
        contact_id = await contacts.seen(tx, wa_id=str(next(_senders)), bsuid=None, name="Anna Rossi")
        conversation_id = await conversations.open_for(tx, contact_id, number)
        profile = await businesses.profile(tx)
    turns = itertools.count()

    async def made(text: str) -> Call:
        return Call(
            context=shop.context,
            profile=profile,
            business_id=shop.business_id,
            conversation_id=conversation_id,
            contact_id=contact_id,
            contact_name="Anna Rossi",
            turn_id=f"{conversation_id}:{next(turns)}",
            language=_LANGUAGE,
            text=text,
            option_id=None,
            now=shop.crm.clock(),
            say=shop.context.phrases.speaker(_LANGUAGE),
        )

    return made


async def _fill_up(shop: _Shop) -> int:
    """Books every fifth free time; returns how many bookings the search has to step over."""
    call = await (await _caller(shop))("")
    async with shop.crm.transaction(shop.business_id) as tx:
        since = tx.now + timedelta(days=1)
        found = await free_slots(
            tx, shop.service_id, since=since, until=since + timedelta(days=DAYS), most=5 * TAKEN
        )
    for slot in found[::5]:
        await _book(shop, call, slot, f"fill:{slot.starts.isoformat()}")
    return len(found[::5])


async def _book(shop: _Shop, call: Call, slot: FreeSlot, key: str) -> AppointmentRow | None:
    try:
        async with shop.crm.transaction(shop.business_id) as tx:
            return await appointments.book(
                tx,
                contact_id=call.contact_id,
                conversation_id=call.conversation_id,
                service_id=shop.service_id,
                resource_id=slot.resource_id,
                starts=slot.starts,
                ends=slot.ends,
                price=None,
                idempotency_key=key,
            )
    except SlotTaken:
        return None


async def _searches(shop: _Shop, rounds: int) -> list[float]:
    took = []
    async with shop.crm.transaction(shop.business_id) as tx:
        since: datetime = tx.now
        until = since + timedelta(days=DAYS)
        for number in range(rounds + 3):
            around = since + timedelta(days=number % DAYS)
            began = time.perf_counter()
            await free_slots(tx, shop.service_id, since=since, until=until, around=around)
            if number >= 3:
                took.append((time.perf_counter() - began) * 1000)
    return took


async def _rush(shop: _Shop) -> dict[str, float]:
    """A hundred customers press the same time at once."""
    call = await (await _caller(shop))("")
    async with shop.crm.transaction(shop.business_id) as tx:
        since = tx.now + timedelta(days=DAYS + 5)
        [slot] = await free_slots(tx, shop.service_id, since=since, until=since + timedelta(days=7), most=1)
    began = time.perf_counter()
    made = await asyncio.gather(*(_book(shop, call, slot, f"rush:{n}") for n in range(RUSH)))
    seconds = time.perf_counter() - began
    return {"at_once": RUSH, "booked": sum(one is not None for one in made), "seconds": round(seconds, 2)}


def table(figures: Mapping[str, Any]) -> str:
    """The figures for a person."""
    lines = [row("", "median ms", "p95 ms")]
    for name, found in figures["tools"].items():
        title = "reading, checking and saying back" if name == "asking" else f"{name}: act"
        lines.append(row(title, found["median"], found["p95"]))
    search = figures["search_ms"]
    lines.append(row(f"free times, {DAYS} days × {RESOURCES} resources", search["median"], search["p95"]))
    rush = figures["rush"]
    title = f"{rush['at_once']} at once for one time"
    lines.append(row(title, f"{rush['booked']} booked", f"{rush['seconds']} s"))
    return "\n".join(lines)
