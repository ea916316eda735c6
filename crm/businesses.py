"""A business as the record describes it: who, where, when, what for how much."""

import hashlib
from collections import defaultdict
from dataclasses import dataclass, field
from datetime import date, time, timedelta
from decimal import Decimal

from crm import packs
from crm.errors import UnknownBusiness
from crm.packs import Pack, SentenceRow
from crm.record import Tx
from crm.vat import cents


@dataclass(frozen=True)
class BusinessRow:
    business_id: int
    slug: str
    name: str
    vertical: str
    country: str
    time_zone: str
    currency: str
    languages: list[str]
    email: str | None
    website: str | None
    display_phone: str | None
    lead_time_minutes: int
    cancel_notice_hours: int


@dataclass(frozen=True)
class NumberRow:
    phone_number_id: str
    display_phone: str | None


@dataclass(frozen=True)
class ThresholdRow:
    label: str
    threshold: float


@dataclass(frozen=True)
class LocationRow:
    location_id: int
    key: str
    name: str
    address: str
    city: str
    country: str
    time_zone: str
    retired: bool = False


@dataclass(frozen=True)
class HoursRow:
    location_id: int
    weekday: int
    opens: time
    closes: time


@dataclass(frozen=True)
class ClosureRow:
    location_id: int | None
    first_day: date
    last_day: date


@dataclass(frozen=True)
class ServiceRow:
    service_id: int
    key: str
    duration_minutes: int | None
    buffer_minutes: int
    price: Decimal | None
    price_max: Decimal | None
    price_unit: str
    bookable: bool
    quotable: bool
    capacity: int
    retired: bool = False

    def whole_price(self, people: int) -> Decimal | None:
        """What all of them pay; None where that is not one amount: on request, a range, by the month."""
        if self.price is None or self.price_max is not None or self.price_unit in ("percent", "month"):
            return None
        if self.price_unit == "hour":
            return cents(self.price * self.duration_minutes / 60) if self.duration_minutes else None
        return self.price * people if self.price_unit == "person" else self.price


@dataclass(frozen=True)
class ServiceNameRow:
    service_id: int
    language: str
    ordinal: int
    name: str
    description: str | None


@dataclass(frozen=True)
class ResourceRow:
    resource_id: int
    location_id: int
    key: str
    name: str
    kind: str


@dataclass(frozen=True)
class AgentRow:
    agent_id: int
    email: str
    name: str
    role: str


@dataclass(frozen=True)
class MembershipRow:
    business_id: int
    agent_id: int
    role: str


@dataclass(frozen=True)
class DirectoryRow:
    business_id: int
    slug: str


@dataclass(frozen=True)
class Service:
    """A service with its names: `names[language][0]` is the name, the rest how customers say it."""

    row: ServiceRow
    names: dict[str, list[str]]
    descriptions: dict[str, str]

    def name(self, language: str, fallback: str) -> str:
        """Its name in `language`, else in the business's `fallback` language, else its key."""
        for wanted in (language, fallback):
            if self.names.get(wanted):
                return self.names[wanted][0]
        return next((names[0] for names in self.names.values() if names), self.row.key)


@dataclass(frozen=True)
class Profile:
    """Everything about a business that a turn needs, read in one go."""

    business: BusinessRow
    locations: list[LocationRow]
    hours: list[HoursRow]
    closures: list[ClosureRow]
    services: list[Service]  # on offer
    persona: dict[str, str]
    house_rules: dict[str, list[str]]
    thresholds: dict[str, float]
    pack: Pack = field(default_factory=Pack)
    holding: dict[tuple[str, str], str] = field(default_factory=dict)  # by ("open" or "closed", language)
    retired: list[Service] = field(default_factory=list)  # what appointments may still be for
    left: list[LocationRow] = field(default_factory=list)  # where appointments may still be

    @property
    def language(self) -> str:
        """The business's own language."""
        return self.business.languages[0]

    @property
    def all_services(self) -> list[Service]:
        """What is offered and what was; no two have one key."""
        return [*self.services, *self.retired]

    def service(self, key: str) -> Service | None:
        """The service of that key that is on offer."""
        return next((s for s in self.services if s.row.key == key), None)

    def booked_service(self, key: str) -> Service | None:
        """What an appointment is for, whether it is still offered or not."""
        return next((s for s in self.all_services if s.row.key == key), None)

    def service_of(self, service_id: int) -> Service | None:
        """The service of that id, whether it is still offered or not (`row.retired`)."""
        return next((s for s in self.all_services if s.row.service_id == service_id), None)

    def place(self, location_id: int | None) -> LocationRow | None:
        """The place of that id, one that the business has left as well."""
        return next((p for p in [*self.locations, *self.left] if p.location_id == location_id), None)

    def names(self, language: str) -> dict[str, str]:
        """What its services are called by their keys, those no longer on offer as well."""
        return {s.row.key: s.name(language, self.language) for s in self.all_services}


async def row(tx: Tx) -> BusinessRow:
    """The business of the transaction by itself. Raises UnknownBusiness when there is none."""
    found = await tx.first(BusinessRow, "business")
    if found is None:
        raise UnknownBusiness(UnknownBusiness.__doc__)
    return found


async def number_to_tell(tx: Tx, contact_id: int) -> str:
    """The number SARA writes to a customer on unasked: the one they wrote to last."""
    number: str = await tx.value("number_to_tell", contact_id=contact_id)
    return number


async def profile(tx: Tx) -> Profile:
    """The business of the transaction. Raises UnknownBusiness when there is none."""
    business = await tx.first(BusinessRow, "business")
    if business is None:
        raise UnknownBusiness(UnknownBusiness.__doc__)
    sentences = await tx.all(SentenceRow, "texts")
    places, offered = await tx.all(LocationRow, "locations"), await services(tx)
    house_rules: dict[str, list[str]] = defaultdict(list)
    for sentence in sentences:
        if sentence.kind == "house_rule":
            house_rules[sentence.language].append(sentence.body)
    return Profile(
        business=business,
        locations=[place for place in places if not place.retired],
        hours=await tx.all(HoursRow, "opening_hours"),
        # In the Americas it is still the day before: its closure has not ended there.
        closures=await tx.all(ClosureRow, "closures", since=tx.now.date() - timedelta(days=1)),
        services=[service for service in offered if not service.row.retired],
        persona={text.language: text.body for text in sentences if text.kind == "persona"},
        house_rules=dict(house_rules),
        thresholds={row.label: row.threshold for row in await tx.all(ThresholdRow, "thresholds")},
        pack=await packs.pack(tx, sentences),
        holding={(one.key, one.language): one.body for one in sentences if one.kind == "holding"},
        retired=[service for service in offered if service.row.retired],
        left=[place for place in places if place.retired],
    )


async def profile_version(tx: Tx) -> int:
    """A number that every change of what `profile` reads moves; read it before the profile it stands for."""
    return int(await tx.value("profile_version") or 0)


async def services(tx: Tx) -> list[Service]:
    """Its services in the order they were entered, those no longer on offer as well."""
    names: dict[int, dict[str, list[str]]] = defaultdict(lambda: defaultdict(list))
    descriptions: dict[int, dict[str, str]] = defaultdict(dict)
    for name in await tx.all(ServiceNameRow, "service_names"):
        names[name.service_id][name.language].append(name.name)
        if name.description:
            descriptions[name.service_id][name.language] = name.description
    return [
        Service(row, {k: list(v) for k, v in names[row.service_id].items()}, descriptions[row.service_id])
        for row in await tx.all(ServiceRow, "services")
    ]


async def resources(tx: Tx) -> list[ResourceRow]:
    """The people and rooms that can be booked."""
    return await tx.all(ResourceRow, "resources")


async def agents(tx: Tx) -> list[AgentRow]:
    """Who works for the business."""
    return await tx.all(AgentRow, "agents")


async def numbers(tx: Tx) -> list[NumberRow]:
    """Its WhatsApp numbers."""
    return await tx.all(NumberRow, "numbers")


async def of_number(tx: Tx, phone_number_id: str) -> int | None:
    """Which business a number belongs to; asked before the tenant is known."""
    value: int | None = await tx.value("business_of_number", phone_number_id=phone_number_id)
    return value


async def of_slug(tx: Tx, slug: str) -> int:
    """The id behind a slug. Raises UnknownBusiness."""
    value: int | None = await tx.value("business_of_slug", slug=slug)
    if value is None:
        raise UnknownBusiness(f"no business is called {slug!r}: `sara business list` shows those there are")
    return value


async def directory(tx: Tx) -> list[DirectoryRow]:
    """Every business, ids and slugs only."""
    return await tx.all(DirectoryRow, "business_directory")


def token_digest(token: str) -> bytes:
    """What the record keeps of an API token."""
    return hashlib.sha256(token.encode()).digest()


async def memberships_of_token(tx: Tx, token: str) -> list[MembershipRow]:
    """Where the holder of an API token works; empty for a token nobody holds."""
    return await tx.all(MembershipRow, "memberships_of_token", digest=token_digest(token))
