"""Businesses and the people who work for them."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, get_args

import typer

from crm import businesses, registry
from knowledge import vertical
from knowledge.strict_yaml import Language
from knowledge.vertical import Vertical, load_vertical
from sara import seed, services
from sara.commands.loop import run
from sara.settings import load

app = typer.Typer(help="Businesses and their agents.", no_args_is_help=True)


@app.command("add")
def add(
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="a business file (YAML)")],
) -> None:
    """Enters a business, or brings it up to date by its slug."""
    added = run(_add(file))
    print(f"{added.slug}: business {added.business_id}, phone_number_id {added.number}")
    if added.others:
        print(f"  and {', '.join(added.others)}, which customers have written to")
    for one in added.still_booked:
        print(f"  {one.key} is not offered any more; appointments still booked for it: {one.visits}")


@dataclass(frozen=True)
class _Added:
    business_id: int
    slug: str
    number: str
    others: list[str]
    still_booked: list[registry.StillBooked]


async def _add(file: Path) -> _Added:
    settings = load()
    async with services.database(settings) as dsn, services.record(settings, dsn) as crm:
        business_id, business = await seed.enter(crm, file)
        async with crm.transaction(business_id) as tx:
            numbers = [number.phone_number_id for number in await businesses.numbers(tx)]
            still_booked = await registry.still_booked(tx)
        own = business.phone_number_id
        others = [number for number in numbers if number != own]
        return _Added(business_id, business.slug, own, others, still_booked)


@app.command("list")
def list_(as_json: Annotated[bool, typer.Option("--json")] = False) -> None:
    """The businesses there are, with their numbers."""
    for row in run(_list()):
        if as_json:
            print(json.dumps(row, ensure_ascii=False))
        else:
            numbers = ", ".join(str(number) for number in row["phone_number_ids"])
            print(f"{row['slug']:<20} {row['name']:<32} {numbers}")


async def _list() -> list[dict[str, Any]]:
    settings = load()
    found: list[dict[str, Any]] = []
    async with services.database(settings) as dsn, services.record(settings, dsn) as crm:
        async with crm.outside() as tx:
            directory = await businesses.directory(tx)
        for entry in directory:
            async with crm.transaction(entry.business_id) as tx:
                name = (await businesses.profile(tx)).business.name
                numbers = [number.phone_number_id for number in await businesses.numbers(tx)]
            found.append({"slug": entry.slug, "name": name, "phone_number_ids": numbers})
    return found


@app.command("verticals")
def verticals(
    name: Annotated[str | None, typer.Argument(help="one vertical, to see what it holds")] = None,
    language: Annotated[Language, typer.Option(help="it, en, es or pt")] = "en",
) -> None:
    """The verticals a business can name, or one of them with every key that its `pack:` may change."""
    if name is not None:
        print("\n".join(_outline(load_vertical(name), language)))
        return
    for known in vertical.verticals():
        pack = load_vertical(known)
        typical = ", ".join(service.names[language] for service in list(pack.services.values())[:3])
        print(f"{known:<14} {pack.queue.names[language]:<24} {typical}")


def _outline(pack: Vertical, language: Language) -> list[str]:
    """A pack in one language, each line headed by the key that changes it."""
    lines = [f"persona.{language}: {pack.persona[language]}", f"tone.{language}: {pack.tone[language]}"]
    lines.append(f"address.{language}: {pack.address.get(language, 'informal')}")
    lines += [f"intents.{i}: {'false' if i in pack.off else 'true'}" for i in get_args(vertical.Switchable)]
    for path, questions in [("lead", pack.lead), *((f"required.{i}", q) for i, q in pack.required.items())]:
        lines += [f"{path}.{key}: {_question(q, language)}" for key, q in questions.items()]
    lines += [f"sensitive.thresholds.{topic}: {level}" for topic, level in pack.sensitive.thresholds.items()]
    lines += [
        f"topics.{key}: to a human ({topic.kind}) at {', '.join(topic.words[language])}"
        for key, topic in pack.topics.items()
    ]
    lines += [f"disclaimers.{key}: ({d.said}) {d.text[language]}" for key, d in pack.disclaimers.items()]
    lines += [f"services.{key}: {_service(service, language)}" for key, service in pack.services.items()]
    lines.append(f"queue: {pack.queue.key} ({pack.queue.names[language]})")
    lines.append(f"words.prefer.{language}: {', '.join(pack.words.prefer[language])}")
    lines.append(f"words.avoid.{language}: {', '.join(pack.words.avoid[language])}")
    return lines


def _question(question: vertical.Question, language: Language) -> str:
    options = [titles[language] for titles in question.options.values()]
    chosen = f" [{' | '.join(options)}]" if options else ""
    need = "required" if question.required else "optional"
    return f"{question.order}. {question.ask[language]}{chosen} ({question.type}, {need})"


def _service(service: vertical.Typical, language: Language) -> str:
    length = f", {service.duration_minutes} minutes" if service.duration_minutes else ""
    kinds = [kind for kind, on in (("bookable", service.bookable), ("quotable", service.quotable)) if on]
    return f"{service.names[language]}{length}, {' and '.join(kinds)}"


@app.command("token")
def token(email: Annotated[str, typer.Argument(help="the agent's e-mail address")]) -> None:
    """Makes a new API token for an agent and prints it once; the old one stops working."""
    print(run(_token(email)))


async def _token(email: str) -> str:
    settings = load()
    async with (
        services.database(settings) as dsn,
        services.record(settings, dsn) as crm,
        crm.as_owner() as tx,
    ):
        return await registry.new_token(tx, email)
