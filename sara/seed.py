"""Business files become rows of the record."""

import asyncio
import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from crm import registry
from crm.packs import Asked, Disclaimer, Pack, Topic
from crm.record import Crm
from crm.registry import BusinessEntry, ResourceEntry, ServiceEntry, Shift
from knowledge import business_file
from knowledge.business_file import BusinessFile, load_business
from knowledge.strict_yaml import Language
from knowledge.vertical import Vertical

# Part of every digest: raise it when the same file enters other rows.
_LAYOUT = b"2"
_COLUMNS = (
    "slug",
    "name",
    "vertical",
    "country",
    "time_zone",
    "currency",
    "email",
    "website",
    "display_phone",
    "lead_time_minutes",
    "cancel_notice_hours",
    "dormant_after_days",
    "reminder_hours",
    "asks_nps",
    "nps_every_days",
)
_SERVICE_COLUMNS = (
    "key",
    "duration_minutes",
    "buffer_minutes",
    "price",
    "price_max",
    "price_unit",
    "bookable",
    "quotable",
    "capacity",
    "vat_rate",
    "vat_nature",
)


async def enter(crm: Crm, path: Path) -> tuple[int, BusinessFile]:
    """Enters one business file; returns its id and what was read. Raises BusinessFileError, NumberTaken."""
    business = await asyncio.to_thread(load_business, path)
    async with crm.as_owner() as tx:
        return await registry.put(tx, entry_of(business)), business


async def enter_seeds(crm: Crm) -> dict[str, int]:
    """Enters the demo businesses whose files changed since; returns all their ids by slug."""
    entered = {}
    for business in await asyncio.to_thread(seeds):
        digest = hashlib.sha256(_LAYOUT + business.model_dump_json().encode()).digest()
        async with crm.as_owner() as tx:
            business_id = await registry.entered_from(tx, business.slug, digest)
            if business_id is None:
                business_id = await registry.put(tx, entry_of(business))
                await registry.put_file_digest(tx, business_id, digest)
        entered[business.slug] = business_id
    return entered


def seeds() -> list[BusinessFile]:
    """The demo businesses as they are written in their files."""
    return [load_business(path) for path in business_file.seed_files()]


def entry_of(business: BusinessFile) -> BusinessEntry:
    """What the record takes of a business file."""
    fields = {name: getattr(business, name) for name in _COLUMNS}
    return BusinessEntry(
        fields={**fields, "languages": list(business.languages)},
        phone_number_id=business.phone_number_id,
        persona=business.personas,
        house_rules={rule.key: {str(k): v for k, v in rule.text.items()} for rule in business.house_rules},
        thresholds=business.thresholds,
        locations=[place.model_dump() for place in business.locations],
        hours=[(hours.location, _shift(hours)) for hours in business.hours],
        closures=[(c.location, c.date, c.until or c.date) for c in business.closures],
        services=[_service(service) for service in business.services],
        resources=[
            ResourceEntry(
                key=resource.key,
                name=resource.name,
                kind=resource.kind,
                location=resource.location,
                skills=resource.skills,
                hours=[_shift(shift) for shift in resource.hours] if resource.hours else None,
            )
            for resource in business.resources
        ],
        agents=[agent.model_dump() for agent in business.agents],
        fiscal={**business.fiscal.model_dump(), "country": business.country} if business.fiscal else None,
        templates=[
            {"purpose": purpose, "language": language, **template.model_dump()}
            for purpose, languages in business.templates.items()
            for language, template in languages.items()
        ],
        service_levels={priority: level.model_dump() for priority, level in business.service_levels.items()},
        pack=pack_of(business.pack),
    )


def _shift(shift: business_file.Shift) -> Shift:
    return Shift(days=shift.days, opens=shift.opens, closes=shift.closes)


def _service(service: business_file.Service) -> ServiceEntry:
    fields: dict[str, Any] = {name: getattr(service, name) for name in _SERVICE_COLUMNS}
    names = {
        str(language): [name, *service.aliases.get(language, ())] for language, name in service.names.items()
    }
    descriptions = {str(language): text for language, text in service.description.items()}
    return ServiceEntry(fields=fields, names=names, descriptions=descriptions, locations=service.locations)


def pack_of(vertical: Vertical) -> Pack:
    questions = {
        intent: [
            Asked(
                key,
                question.type,
                question.required,
                _by_language(question.ask),
                {option: _by_language(titles) for option, titles in question.options.items()},
                weight=question.weight,
                shares=dict(question.shares),
            )
            for key, question in asked.items()
        ]
        for intent, asked in vertical.questions.items()
    }
    return Pack(
        tone=_by_language(vertical.tone),
        address=_by_language(vertical.address),
        queue=vertical.queue.key,
        queue_names=_by_language(vertical.queue.names),
        intents_off=frozenset(vertical.off),
        questions={intent: asked for intent, asked in questions.items() if asked},
        topics=[Topic(key, t.kind, _lists(t.words)) for key, t in sorted(vertical.topics.items())],
        disclaimers=[
            Disclaimer(key, d.said, _by_language(d.text), _lists(d.about or {}))
            for key, d in sorted(vertical.disclaimers.items())
        ],
        prefer=_lists(vertical.words.prefer),
        avoid=_lists(vertical.words.avoid),
    )


def _by_language(texts: Mapping[Language, str]) -> dict[str, str]:
    return {str(language): text for language, text in texts.items()}


def _lists(phrases: Mapping[Language, Sequence[str]]) -> dict[str, list[str]]:
    return {str(language): list(bodies) for language, bodies in phrases.items()}
