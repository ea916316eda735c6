"""Business files become rows of the record."""

import asyncio
from pathlib import Path
from typing import Any

from crm import registry
from crm.record import Crm
from crm.registry import BusinessEntry, ResourceEntry, ServiceEntry, Shift
from knowledge import business_file
from knowledge.business_file import BusinessFile, load_business

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
)


async def enter(crm: Crm, path: Path) -> tuple[int, BusinessFile]:
    """Enters one business file; returns its id and what was read. Raises BusinessFileError, NumberTaken."""
    business = await asyncio.to_thread(load_business, path)
    async with crm.as_owner() as tx:
        return await registry.put(tx, entry_of(business)), business


async def enter_seeds(crm: Crm) -> dict[str, int]:
    """Enters the demo businesses; returns their ids by slug."""
    entered = {}
    for path in await asyncio.to_thread(business_file.seed_files):
        business_id, business = await enter(crm, path)
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
        persona={str(k): v for k, v in business.persona.items()},
        house_rules={rule.key: {str(k): v for k, v in rule.text.items()} for rule in business.house_rules},
        thresholds={str(k): v for k, v in (business.sensitive.thresholds or {}).items()},
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
