"""A business as its owner writes it down: one YAML file, read strictly.

A wrong price or a misspelt key here becomes a wrong answer to a customer, so nothing is guessed: a file that
is not right throughout is refused, with the line that is wrong and what to write instead.
"""

import datetime as dt
from collections.abc import Iterator, Mapping
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any, Literal, Self
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, Field, ValidationError, model_validator

from knowledge.strict_yaml import (
    LANGUAGES,
    FileRefused,
    Key,
    Language,
    Location,
    StrictFile,
    Text,
    Texts,
    Value,
    written,
)
from knowledge.vertical import SensitiveTopic, Unmergeable, Vertical, load_raw, merged, verticals

Weekday = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
PriceUnit = Literal["session", "hour", "person", "month", "percent", "case"]


class BusinessFileError(FileRefused):
    """A business file cannot be used: `line` (from 1) is wrong, `reason` says what to write instead."""


def _known_vertical(name: str) -> str:
    if name not in verticals():
        raise ValueError("not a vertical: write one of " + ", ".join(map(repr, verticals())))
    return name


def _known_zone(name: str) -> str:
    try:
        return ZoneInfo(name).key
    except (KeyError, ValueError, OSError) as error:
        raise ValueError("not a known time zone: write an IANA name such as Europe/Rome") from error


Slug = Annotated[str, written(r"[a-z][a-z0-9-]{0,63}", "write a slug in small letters, digits and -")]
Country = Annotated[str, written(r"[A-Z]{2}", "write the country as two capital letters, such as IT")]
Currency = Annotated[str, written(r"[A-Z]{3}", "write the currency as three capital letters, such as EUR")]
NumberId = Annotated[str, written(r"[0-9]{1,32}", 'write Meta\'s number id in quotes, digits only: "1001"')]
Phone = Annotated[str, written(r"\+[1-9][0-9 ]{6,20}", 'write it with the country code: "+39 02 1234567"')]
Email = Annotated[str, written(r"[^@\s]+@[^@\s]+\.[^@\s]+", "write an address such as info@aurora.example")]
Website = Annotated[str, written(r"https?://\S+", "write the whole address, starting with https://")]
Zone = Annotated[str, AfterValidator(_known_zone)]
Clock = Annotated[dt.time, written(r"([01][0-9]|2[0-3]):[0-5][0-9]", 'write the time as "09:00", in quotes')]
Day = Annotated[dt.date, written(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", "write it as year-month-day: 2026-12-25")]
Price = Annotated[Decimal, written(r"[0-9]{1,9}\.[0-9]{2}", 'write a dot and two digits: "65.00"')]
VerticalName = Annotated[str, AfterValidator(_known_vertical)]


class Shift(Value):
    """The same opening on several days, in the location's wall-clock time; a lunch break makes two."""

    days: Annotated[tuple[Weekday, ...], Field(min_length=1)]
    opens: Clock
    closes: Clock

    @model_validator(mode="after")
    def _closes_later(self) -> Self:
        if self.closes <= self.opens:
            raise ValueError("`closes` must be later than `opens`: split hours that pass midnight in two")
        if len(set(self.days)) != len(self.days):
            raise ValueError("the same day is listed twice: keep it once")
        return self


class Hours(Shift):
    """A shift of one location."""

    location: Key


class Place(Value):
    """An office or shop customers can go to."""

    key: Key
    name: Text
    address: Text
    city: Text
    country: Country
    time_zone: Zone


class Closure(Value):
    """Days shut in full, first and last included; without `location` every location is shut."""

    date: Day
    until: Day | None = None
    reason: Texts
    location: Key | None = None

    @model_validator(mode="after")
    def _ends_later(self) -> Self:
        if self.until is not None and self.until < self.date:
            raise ValueError("`until` is before `date`: write the last day shut, or leave it out")
        return self


class Rule(Value):
    """A house rule SARA must follow and may quote."""

    key: Key
    text: Texts


class Service(Value):
    """What is sold. `price` is in the business's currency, taxes included; with unit percent a percentage.

    `price` null means on request; `price_max` makes a range. `duration_minutes` is what the customer gets,
    `buffer_minutes` is added after it before the resource is free, and may run past closing time. `capacity`
    is how many customers share one slot.
    """

    key: Key
    names: Texts
    aliases: Mapping[Language, tuple[Text, ...]] = Field(default_factory=dict)
    description: Texts = Field(default_factory=dict)
    duration_minutes: Annotated[int, Field(ge=5, le=1440, strict=True)] | None
    buffer_minutes: Annotated[int, Field(ge=0, le=240, strict=True)] = 0
    price: Price | None
    price_max: Price | None = None
    price_unit: PriceUnit
    bookable: Annotated[bool, Field(strict=True)]
    quotable: Annotated[bool, Field(strict=True)]
    capacity: Annotated[int, Field(ge=1, le=1000, strict=True)] = 1
    locations: Annotated[tuple[Key, ...], Field(min_length=1)]

    @model_validator(mode="after")
    def _sellable(self) -> Self:
        if absent := [language for language in LANGUAGES if language not in self.names]:
            raise ValueError(f"`names` lacks {', '.join(absent)}: give the name in it, en, es and pt")
        if self.bookable and self.duration_minutes is None:
            raise ValueError("a bookable service needs `duration_minutes`: give it, or set `bookable: false`")
        if self.price_max is not None and (self.price is None or self.price_max <= self.price):
            raise ValueError("`price_max` is the top of a range: give a lower `price`, or leave it out")
        if self.price_unit == "percent" and max(self.price or 0, self.price_max or 0) > 100:
            raise ValueError("a price in percent is at most 100.00")
        if self.price is None and not (self.quotable or self.bookable):
            raise ValueError("a service without price must be `quotable` or `bookable`: set one, or a price")
        return self


class Resource(Value):
    """A person or room that can be booked. Without `hours` it works whenever its location is open."""

    key: Key
    name: Text
    kind: Literal["person", "room"]
    location: Key
    skills: Annotated[tuple[Key, ...], Field(min_length=1)]
    hours: tuple[Shift, ...] | None = None


class Agent(Value):
    """A human who answers handed-over conversations."""

    name: Text
    email: Email
    role: Literal["agent", "supervisor", "admin"]


class Sensitive(Value):
    """Own thresholds, 0..1, over which a topic goes to a human at once; absent topics use the vertical's."""

    thresholds: Mapping[SensitiveTopic, Annotated[float, Field(ge=0, le=1)]] | None = None


class BusinessFile(Value):
    """One business. Build it with `load_business`, which also checks that its parts agree."""

    slug: Slug
    name: Text
    vertical: VerticalName
    country: Country
    time_zone: Zone
    currency: Currency
    languages: Annotated[tuple[Language, ...], Field(min_length=1)]
    phone_number_id: NumberId
    display_phone: Phone
    email: Email
    website: Website
    persona: Texts = Field(default_factory=dict)
    house_rules: tuple[Rule, ...]
    lead_time_minutes: Annotated[int, Field(ge=0, le=86400, strict=True)]
    cancel_notice_hours: Annotated[int, Field(ge=0, le=720, strict=True)]
    locations: Annotated[tuple[Place, ...], Field(min_length=1)]
    hours: Annotated[tuple[Hours, ...], Field(min_length=1)]
    closures: tuple[Closure, ...] = ()
    services: Annotated[tuple[Service, ...], Field(min_length=1)]
    resources: tuple[Resource, ...]
    agents: Annotated[tuple[Agent, ...], Field(min_length=1)]
    sensitive: Sensitive = Field(default_factory=Sensitive)
    pack: Vertical

    @property
    def personas(self) -> dict[str, str]:
        """Who SARA is, per language: the business's own words where it has any, else its vertical's."""
        texts = {**self.pack.persona, **self.persona}
        return {str(language): text.replace("{business}", self.name) for language, text in texts.items()}

    @property
    def thresholds(self) -> dict[str, float]:
        """Its sensitivity thresholds: its own before its vertical's; what is in neither stays as trained."""
        levels = {**self.pack.sensitive.thresholds, **(self.sensitive.thresholds or {})}
        return {str(topic): level for topic, level in levels.items()}


def seed_files() -> list[Path]:
    """The businesses that come with SARA, sorted by name."""
    return sorted((Path(__file__).parent / "businesses").glob("*.yaml"))


def seed_documents(slug: str) -> list[Path]:
    """The documents that come with a seeded business, sorted by name; empty for a business without any."""
    return sorted(path for path in (Path(__file__).parent / "documents" / slug).glob("*") if path.is_file())


def load_business(path: Path) -> BusinessFile:
    """Read and check one business file; raise BusinessFileError at the first line that is wrong."""
    file = StrictFile.read(path, BusinessFileError, "a business file", "slug")
    data = file.plain()
    try:
        business = BusinessFile.model_validate(_with_pack(file, data))
    except ValidationError as error:
        raise file.invalid(error) from error
    for location, reason in _cross_checks(business):
        raise file.refused(location, reason)
    return business


def _with_pack(file: StrictFile, data: dict[str, Any]) -> dict[str, Any]:
    """The file's values on top of its vertical's pack: `pack` merged, typical services filled in by key."""
    name = data.get("vertical")
    if name not in verticals():
        # The vertical is what has to be corrected; any pack stands in, so that only that is reported.
        return {**data, "pack": load_raw(verticals()[0])}
    try:
        pack = merged(load_raw(str(name)), data.get("pack") or {})
    except Unmergeable as error:
        raise file.refused(("pack", *error.location), error.reason) from error
    typical, services = pack.get("services"), data.get("services")
    if isinstance(typical, dict) and isinstance(services, list):
        data["services"] = [_filled(service, typical) for service in services]
    return {**data, "pack": pack}


def _filled(service: object, typical: Mapping[str, object]) -> object:
    """A service with its names, duration and kind taken from the pack where the file does not give them."""
    usual = typical.get(str(service.get("key"))) if isinstance(service, dict) else None
    return {**usual, **service} if isinstance(service, dict) and isinstance(usual, dict) else service


def _cross_checks(business: BusinessFile) -> Iterator[tuple[Location, str]]:
    """What is wrong between parts that are each right: (where, what to write instead), causes first."""
    checks = (_repeated_keys, _unknown_references, _untranslated, _ambiguous_names, _impossible_hours)
    for check in checks:
        yield from check(business)
    skills = {(skill, resource.location) for resource in business.resources for skill in resource.skills}
    for i, service in enumerate(business.services):
        for place in service.locations:
            if service.bookable and (service.key, place) not in skills:
                reason = f"nobody at {place} has the skill `{service.key}`: add it to a resource there"
                yield ("services", i), f"{reason}, or set `bookable: false`"


def _repeated_keys(business: BusinessFile) -> Iterator[tuple[Location, str]]:
    groups: dict[str, list[str]] = {
        "languages": list(business.languages),
        "locations": [place.key for place in business.locations],
        "services": [service.key for service in business.services],
        "resources": [resource.key for resource in business.resources],
        "house_rules": [rule.key for rule in business.house_rules],
        "agents": [agent.email.lower() for agent in business.agents],
    }
    for group, keys in groups.items():
        for i in (i for i, key in enumerate(keys) if key in keys[:i]):
            yield (group, i), f"`{keys[i]}` is already used in `{group}`: give each its own"


def _unknown_references(business: BusinessFile) -> Iterator[tuple[Location, str]]:
    places = [place.key for place in business.locations]
    services = [service.key for service in business.services]
    used: list[tuple[Location, str | None, list[str]]] = []
    used += [(("hours", i, "location"), row.location, places) for i, row in enumerate(business.hours)]
    used += [(("closures", i, "location"), row.location, places) for i, row in enumerate(business.closures)]
    for i, service in enumerate(business.services):
        used += [(("services", i, "locations", j), key, places) for j, key in enumerate(service.locations)]
    for i, resource in enumerate(business.resources):
        used.append((("resources", i, "location"), resource.location, places))
        used += [(("resources", i, "skills", j), key, services) for j, key in enumerate(resource.skills)]
    for where, key, known in used:
        if key is not None and key not in known:
            yield where, f"`{key}` is not defined: use one of {', '.join(known)}"


def _untranslated(business: BusinessFile) -> Iterator[tuple[Location, str]]:
    texts: list[tuple[Location, Texts]] = [(("persona",), business.persona)] if business.persona else []
    texts += [(("house_rules", i, "text"), rule.text) for i, rule in enumerate(business.house_rules)]
    texts += [(("closures", i, "reason"), row.reason) for i, row in enumerate(business.closures)]
    for where, text in texts:
        if absent := [language for language in business.languages if language not in text]:
            yield where, f"`{where[-1]}` lacks {', '.join(absent)}: write it in every one of `languages`"


def _ambiguous_names(business: BusinessFile) -> Iterator[tuple[Location, str]]:
    owner: dict[tuple[str, str], str] = {}
    for index, service in enumerate(business.services):
        for language in LANGUAGES:
            for name in (service.names[language], *service.aliases.get(language, ())):
                first = owner.setdefault((language, name.casefold()), service.key)
                if first != service.key:
                    yield ("services", index), f"`{name}` ({language}) also names `{first}`: make it specific"


def _impossible_hours(business: BusinessFile) -> Iterator[tuple[Location, str]]:
    for i, row in enumerate(business.hours):
        for other in business.hours[:i]:
            shared = set(row.days) & set(other.days) if row.location == other.location else set()
            if shared and row.opens < other.closes and other.opens < row.closes:
                yield ("hours", i), f"overlaps earlier hours on {', '.join(sorted(shared))}: merge them"
    for i, resource in enumerate(business.resources):
        home = [row for row in business.hours if row.location == resource.location]
        for j, shift in enumerate(resource.hours or ()):
            around = [row for row in home if row.opens <= shift.opens and shift.closes <= row.closes]
            if shut := [day for day in shift.days if not any(day in row.days for row in around)]:
                reason = f"{resource.location} is not open all this time on {', '.join(shut)}"
                yield ("resources", i, "hours", j), f"{reason}: keep within its `hours`"
