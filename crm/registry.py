"""Businesses are entered and brought up to date here: an operator's act, under the owner's role."""

import secrets
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, time
from typing import Any

from crm import packs, trail
from crm.businesses import token_digest
from crm.errors import RecordError, UnknownAgent, UnknownBusiness
from crm.packs import Pack
from crm.record import Tx
from crm.trail import OPERATOR

# What an entry may leave out.
_USUAL_BUSINESS: Mapping[str, Any] = {
    "dormant_after_days": 180,
    "reminder_hours": (24, 2),
    "asks_nps": False,
    "nps_every_days": 90,
}
_USUAL_SERVICE: Mapping[str, Any] = {"vat_rate": None, "vat_nature": None}

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


class NumberTaken(RecordError):
    """That phone_number_id belongs to another business."""


@dataclass(frozen=True)
class AgentEntry:
    """An agent at one of their businesses (None: at none); `password` and `factor`: whether there is one."""

    email: str
    name: str
    active: bool
    password: bool
    factor: bool
    business: str | None
    role: str | None


@dataclass(frozen=True)
class Shift:
    """A span of the week on some days."""

    days: Sequence[str]
    opens: time
    closes: time


@dataclass(frozen=True)
class ServiceEntry:
    """A service as entered: `fields` are the columns, `names[language]` its name and then its other names."""

    fields: Mapping[str, Any]
    names: Mapping[str, Sequence[str]]
    descriptions: Mapping[str, str]
    locations: Sequence[str]


@dataclass(frozen=True)
class ResourceEntry:
    """A person or room as entered."""

    key: str
    name: str
    kind: str
    location: str
    skills: Sequence[str]
    hours: Sequence[Shift] | None


@dataclass(frozen=True)
class BusinessEntry:
    """A whole business as entered."""

    fields: Mapping[str, Any]
    phone_number_id: str
    persona: Mapping[str, str]
    house_rules: Mapping[str, Mapping[str, str]]
    thresholds: Mapping[str, float]
    locations: Sequence[Mapping[str, Any]]
    hours: Sequence[tuple[str, Shift]]
    closures: Sequence[tuple[str | None, date, date]]
    services: Sequence[ServiceEntry]
    resources: Sequence[ResourceEntry]
    agents: Sequence[Mapping[str, str]]
    fiscal: Mapping[str, Any] | None = None
    service_levels: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    templates: Sequence[Mapping[str, str]] = ()
    pack: Pack = field(default_factory=Pack)


@dataclass(frozen=True)
class StillBooked:
    """A service that is not offered any more, and how many appointments to come are for it."""

    key: str
    visits: int


async def put(tx: Tx, entry: BusinessEntry) -> int:
    """Enters a business or brings it up to date by its slug; returns its id.

    Services, resources and locations keep their ids by key, so appointments stay; what is no longer
    entered is retired, and stays for what refers to it. Raises NumberTaken.
    """
    fields = {**_USUAL_BUSINESS, **entry.fields}
    fields["reminder_hours"] = list(fields["reminder_hours"])
    business: int = await tx.value("put_business", **fields)
    owner = await tx.value(
        "put_number",
        business=business,
        phone_number_id=entry.phone_number_id,
        display_phone=entry.fields.get("display_phone"),
    )
    if owner is None:
        raise NumberTaken(f"{entry.phone_number_id}: {NumberTaken.__doc__}")
    await tx.run("numbers_unused", business=business, phone_number_id=entry.phone_number_id)
    await tx.run("clear_texts", business=business)
    keys = [service.fields["key"] for service in entry.services]
    await tx.run("clear_calendar", business=business, services=keys)
    await _texts(tx, business, entry)
    await packs.put(tx, business, entry.pack)
    places = await _locations(tx, business, entry)
    await tx.run("retire_locations", business=business, locations=list(places))
    await tx.run("retire_services", business=business, services=keys)
    services = await _services(tx, business, entry.services, places)
    await _resources(tx, business, entry.resources, places, services)
    await _terms(tx, business, entry)
    for agent in entry.agents:
        agent_id = await tx.value("put_agent", email=agent["email"], name=agent["name"])
        await tx.run("put_membership", business=business, agent_id=agent_id, role=agent["role"])
    return business


async def still_booked(tx: Tx) -> list[StillBooked]:
    """What the business of this transaction took off its list while people have appointments for it."""
    return await tx.all(StillBooked, "retired_booked")


async def entered_from(tx: Tx, slug: str, digest: bytes) -> int | None:
    """The id of a business that was last entered from what `digest` is of; None when it was not."""
    value: int | None = await tx.value("entered_from", slug=slug, digest=digest)
    return value


async def put_file_digest(tx: Tx, business: int, digest: bytes) -> None:
    """Remembers what a business was entered from."""
    await tx.run("put_file_digest", business=business, digest=digest)


async def add_agent(tx: Tx, email: str, name: str, *, business: str, role: str) -> AgentEntry:
    """Somebody works for a business, as a role; one who is known already keeps everything else.

    Raises UnknownBusiness.
    """
    email = email.strip().lower()
    await tx.run("put_agent", email=email, name=name)
    agent_id = await tx.value("put_agent_of", email=email, slug=business, role=role)
    if agent_id is None:
        raise UnknownBusiness(f"no business is called {business!r}: look at `sara business list`")
    await tx.run("trail_membership", slug=business, whose=agent_id, role=role)
    return next(row for row in await all_agents(tx) if row.email.lower() == email.lower())


async def all_agents(tx: Tx) -> list[AgentEntry]:
    """Everybody who works anywhere, a row for each place."""
    return await tx.all(AgentEntry, "all_agents")


async def new_token(tx: Tx, email: str) -> str:
    """A new API token for an agent; the old one stops working, only a digest is kept. Raises UnknownAgent."""
    token = f"sara_{secrets.token_urlsafe(32)}"
    agent_id = await tx.value("put_token", email=email, digest=token_digest(token))
    if agent_id is None:
        raise UnknownAgent(f"{email}: {UnknownAgent.__doc__}")
    await trail.entered(tx, OPERATOR, "token", agent_id)
    return token


async def _texts(tx: Tx, business: int, entry: BusinessEntry) -> None:
    for language, body in entry.persona.items():
        await tx.run(
            "put_text", business=business, kind="persona", key="persona", language=language, body=body
        )
    for key, texts in entry.house_rules.items():
        for language, body in texts.items():
            await tx.run(
                "put_text", business=business, kind="house_rule", key=key, language=language, body=body
            )
    for label, threshold in entry.thresholds.items():
        await tx.run("put_threshold", business=business, label=label, threshold=threshold)


async def _terms(tx: Tx, business: int, entry: BusinessEntry) -> None:
    """Tax data and the due times of tickets: what is no longer entered is no longer there. Of templates those
    entered are put beside what an operator named for other purposes."""
    await tx.run("clear_terms", business=business)
    if entry.fiscal is not None:
        await tx.run("put_fiscal", business=business, **entry.fiscal)
    for template in entry.templates:
        await tx.run("put_template", business=business, **template)
    for priority, level in entry.service_levels.items():
        await tx.run("put_service_level", business=business, priority=priority, **level)


async def _locations(tx: Tx, business: int, entry: BusinessEntry) -> dict[str, int]:
    places: dict[str, int] = {}
    for location in entry.locations:
        places[location["key"]] = await tx.value("put_location", business=business, **location)
    for key, shift in entry.hours:
        for weekday in _weekdays(shift):
            await tx.run(
                "put_hours",
                business=business,
                location_id=places[key],
                weekday=weekday,
                opens=shift.opens,
                closes=shift.closes,
            )
    for place, first_day, last_day in entry.closures:
        location_id = places[place] if place else None
        await tx.run(
            "put_closure", business=business, location_id=location_id, first_day=first_day, last_day=last_day
        )
    return places


async def _services(
    tx: Tx, business: int, entries: Iterable[ServiceEntry], places: Mapping[str, int]
) -> dict[str, int]:
    services: dict[str, int] = {}
    for entry in entries:
        service_id: int = await tx.value(
            "put_service", business=business, **{**_USUAL_SERVICE, **entry.fields}
        )
        services[entry.fields["key"]] = service_id
        for language, names in entry.names.items():
            for ordinal, name in enumerate(names):
                await tx.run(
                    "put_service_name",
                    business=business,
                    service_id=service_id,
                    language=language,
                    ordinal=ordinal,
                    name=name,
                    description=entry.descriptions.get(language) if ordinal == 0 else None,
                )
        for key in entry.locations:
            await tx.run(
                "put_service_location", business=business, service_id=service_id, location_id=places[key]
            )
    return services


async def _resources(
    tx: Tx,
    business: int,
    entries: Iterable[ResourceEntry],
    places: Mapping[str, int],
    services: Mapping[str, int],
) -> None:
    for entry in entries:
        resource_id = await tx.value(
            "put_resource",
            business=business,
            location_id=places[entry.location],
            key=entry.key,
            name=entry.name,
            kind=entry.kind,
        )
        for skill in entry.skills:
            await tx.run("put_skill", business=business, resource_id=resource_id, service_id=services[skill])
        for shift in entry.hours or ():
            for weekday in _weekdays(shift):
                await tx.run(
                    "put_resource_hours",
                    business=business,
                    resource_id=resource_id,
                    weekday=weekday,
                    starts=shift.opens,
                    ends=shift.closes,
                )


def _weekdays(shift: Shift) -> list[int]:
    return [WEEKDAYS.index(day) for day in shift.days]
