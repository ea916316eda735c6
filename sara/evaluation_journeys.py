"""The journeys suite on the whole road: webhook, queue, graph, outbox, simulated phone, record."""

import asyncio
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, get_args

from pydantic import ValidationError

from crm import businesses, journal
from crm.journal import Part
from crm.record import Crm
from evals.dataset import Dataset
from evals.result import Result
from evals.suites import journeys as suite
from evals.suites.journeys import ACTIONS, Walked
from inference.chat import ChatModel
from sara import services
from sara.demo import prepare
from sara.evaluation import apart
from sara.evaluation_injection import stage
from sara.exchange import NoAnswer
from sara.local import Local
from sara.play import Journey, Script, play, record_differences
from sara.settings import Settings

AT_ONCE = 6  # conversations at the same time
AT_ONCE_MODEL = 2  # the same where a real model has to keep up
PATIENCE_S = 600.0  # a small model on a busy machine takes its time; slowness is not judged here
_SHOWN = 160


async def journeys(settings: Settings, dataset: Path | None, split: str | None) -> Result:
    """Every journey by a customer nobody knows yet, spoken with by the model of `settings.llm`.

    Journeys belong to no split: nothing is chosen on them.
    """
    gold = await asyncio.to_thread(suite.load, dataset or suite.FOLDER)
    scripts, gold = readied(gold)
    model = await _model(settings)
    walked = await walk(settings, scripts, model)
    result = suite.judge(walked)
    about = {**result.about, "model": model.name, "rows": gold.path.name}
    return replace(result, about=about, broken=gold.broken)


async def _model(settings: Settings) -> ChatModel:
    """Raises ModelMissing for one that is not installed or not known."""
    if settings.llm == "smollm2":
        from sara.smollm2 import SmolLM2  # an optional package, and 100 MB of weights

        return await asyncio.to_thread(SmolLM2.load)
    return services.chat_model(settings)


Scripts = list[tuple[dict[str, Any], Script]]


def readied(gold: Dataset) -> tuple[Scripts, Dataset]:
    """Rows with their scripts; a row whose steps cannot be played or whose parts are unknown is broken."""
    good: Scripts = []
    bad: list[str] = []
    for row in gold.rows:
        try:
            unknown = set(row["record"]) - set(get_args(Part))
            if unknown:
                raise ValueError(f"the record has no {', '.join(sorted(unknown))}")
            number = f"+39{secrets.randbelow(10**9):09d}"
            script = Script(
                business=row["business"], customer=number, name="Alex", title=row["id"], steps=row["steps"]
            )
        except ValidationError as error:
            bad.append(f"{row['id']}: {error.errors(include_url=False)[0]['msg']}")
        except ValueError as error:
            bad.append(f"{row['id']}: {error}")
        else:
            good.append((row, script))
    return good, Dataset(gold.path, tuple(row for row, _ in good), (*gold.broken, *bad))


async def walk(settings: Settings, scripts: Scripts, model: ChatModel) -> list[Walked]:
    """Several customers at once, on a database of their own that is kept between runs."""
    at_once = AT_ONCE if settings.llm == "extractive" else AT_ONCE_MODEL
    settings = apart(settings, "eval-journeys")
    async with services.database(settings) as dsn:
        async with services.record(settings, dsn) as crm:
            await prepare(settings, dsn, crm, report=lambda _: None)
        async with stage(settings, dsn, model) as whole:
            return await walk_on(whole, scripts, at_once=at_once)


async def walk_on(whole: Local, scripts: Scripts, *, at_once: int = AT_ONCE) -> list[Walked]:
    """The same on what is running already."""
    room = asyncio.Semaphore(at_once)

    async def one(row: dict[str, Any], script: Script) -> Walked:
        async with room:
            return await _walked(whole, row, script)

    return list(await asyncio.gather(*(one(row, script) for row, script in scripts)))


async def _walked(whole: Local, row: Mapping[str, Any], script: Script) -> Walked:
    try:
        journey = await play(whole, script, base=Path(), patience_s=PATIENCE_S)
    except NoAnswer as error:
        return Walked(row, "bot", False, (str(error),), (), 0)
    problems = [
        f"{step.said}: {problem}".replace("\n", " ") for step in journey.steps for problem in step.problems
    ]
    problems += await record_differences(whole, script, row["record"])
    kept = await _kept(whole.crm, script)
    last = next((step.result for step in reversed(journey.steps) if step.result), None)
    return Walked(
        row=row,
        owner=last.owner if last else "bot",
        handed_over=bool(kept["handoffs"]),
        problems=tuple(problems),
        wrong_actions=tuple(_wrong_actions(kept, row["record"])),
        turns=sum(step.result is not None for step in journey.steps),
        transcript=tuple(_transcript(journey)),
    )


async def _kept(crm: Crm, script: Script) -> dict[str, list[dict[str, Any]]]:
    """What the customer's record holds now."""
    parts: tuple[Part, ...] = ("appointments", "quotes", "tickets", "contact", "handoffs")
    async with crm.outside() as tx:
        business_id = await businesses.of_slug(tx, script.business)
    async with crm.transaction(business_id) as tx:
        contact_id = await journal.contact_of(tx, script.customer.lstrip("+"))
        if contact_id is None:
            return {part: [] for part in parts}
        return {part: await journal.rows(tx, part, contact_id) for part in parts}


def _wrong_actions(kept: Mapping[str, Sequence[Mapping[str, Any]]], wanted: Mapping[str, Any]) -> list[str]:
    """Effects nobody asked for: rows beyond those the journey is to leave, and an opt-out it does not name.

    Rows that are there but not as they should be are differences of the record, told elsewhere.
    """
    wrong = [
        f"{part}: {len(kept[part])} rows, expected {len(wanted.get(part, ()))}"
        for part in ACTIONS
        if len(kept[part]) > len(wanted.get(part, ()))
    ]
    leaves = any(
        "opted_out" in row and row["opted_out"].casefold() == "true" for row in wanted.get("contact", ())
    )
    if any(row["opted_out"] for row in kept["contact"]) and not leaves:
        wrong.append("opted out")
    return wrong


def _transcript(journey: Journey) -> list[str]:
    lines = []
    for step in journey.steps:
        lines.append(f"customer: {step.said}")
        if step.result is not None:
            said = " ".join(step.result.reply.split())
            lines.append(f"sara: {said[:_SHOWN]}{'…' if len(said) > _SHOWN else ''}")
    return lines
