"""A business as its owner writes it down: one YAML file, read strictly.

A wrong price or a misspelt key here becomes a wrong answer to a customer, so nothing is guessed: a file that
is not right throughout is refused, with the line that is wrong and what to write instead.
"""

import datetime as dt
from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any, Literal, Self
from zoneinfo import ZoneInfo

from phonenumbers import SUPPORTED_REGIONS
from pydantic import AfterValidator, Field, ValidationError, model_validator

from knowledge.business_checks import contradictions
from knowledge.strict_yaml import (
    LANGUAGES,
    FileRefused,
    Key,
    Language,
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


def _known_country(code: str) -> str:
    if code not in SUPPORTED_REGIONS:
        raise ValueError("not a country: write its two capital letters, such as IT or GB")
    return code


Slug = Annotated[str, written(r"[a-z][a-z0-9-]{1,40}", "write a slug of 2 to 41 small letters, digits and -")]
Country = Annotated[str, AfterValidator(_known_country)]
Currency = Annotated[str, written(r"[A-Z]{3}", "write the currency as three capital letters, such as EUR")]
NumberId = Annotated[str, written(r"[0-9]{1,32}", 'write Meta\'s number id in quotes, digits only: "1001"')]
Phone = Annotated[str, written(r"\+[1-9][0-9 ]{6,20}", 'write it with the country code: "+39 02 1234567"')]
Email = Annotated[str, written(r"[^@\s]+@[^@\s]+\.[^@\s]+", "write an address such as info@aurora.example")]
Website = Annotated[str, written(r"https?://\S+", "write the whole address, starting with https://")]
Zone = Annotated[str, AfterValidator(_known_zone)]
Clock = Annotated[dt.time, written(r"([01][0-9]|2[0-3]):[0-5][0-9]", 'write the time as "09:00", in quotes')]
Day = Annotated[dt.date, written(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", "write it as year-month-day: 2026-12-25")]
Price = Annotated[Decimal, written(r"[0-9]{1,9}\.[0-9]{2}", 'write a dot and two digits: "65.00"')]
Rate = Annotated[Decimal, written(r"[0-9]{1,2}\.[0-9]{2}", 'write the percentage with two digits: "22.00"')]
Nature = Annotated[str, written(r"N[1-7](\.[1-9])?", "write Italy's code of the reason: N4")]
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
    is how many customers share one slot. `vat_rate` differs from the business's own only where it is given.
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
    vat_rate: Rate | None = None
    vat_nature: Nature | None = None
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


ReminderHours = Annotated[int, Field(ge=1, le=168, strict=True)]
TemplatePurpose = Literal["reminder", "freed_place"]


class Template(Value):
    """An approved template at Meta: its name, and its language as Meta writes it, such as pt_BR."""

    name: Annotated[str, written(r"[a-z0-9_]{1,512}", "write the name as in WhatsApp Manager: small letters")]
    code: Annotated[str, written(r"[a-z]{2,3}(_[A-Z]{2})?", "write the language as Meta does: it, pt_BR")]


class Fiscal(Value):
    """Who the business is to the tax office, and the terms of its quotes; without it none is issued.

    `vat_rate` is that of its services, in percent; `vat_nature` is Italy's code for why there is none where
    the rate is 0. `quote_limit` is the largest quote SARA issues without a person, VAT included.
    """

    legal_name: Annotated[str, Field(min_length=1, max_length=80, pattern=r"\S")]
    vat_number: Annotated[str, written(r"[0-9A-Z]{2,14}", "write it without the country's letters")]
    tax_code: Annotated[str, written(r"[0-9A-Z]{11,16}", "write it in capitals, without spaces")] | None = (
        None
    )
    regime: Annotated[str, written(r"RF[0-2][0-9]", "write Italy's code of the tax regime: RF01")] = "RF01"
    street: Annotated[str, Field(min_length=1, max_length=60, pattern=r"\S")]
    postal_code: Annotated[str, written(r"[0-9A-Z -]{3,10}", 'write it in quotes: "20122"')]
    city: Annotated[str, Field(min_length=1, max_length=60, pattern=r"\S")]
    province: Annotated[str, written(r"[A-Z]{2}", "write its two letters: MI")] | None = None
    vat_rate: Rate
    vat_nature: Nature | None = None
    quote_valid_days: Annotated[int, Field(ge=1, le=365, strict=True)] = 30
    quote_limit: Price | None = None

    @model_validator(mode="after")
    def _no_vat_has_a_reason(self) -> Self:
        if self.vat_rate and self.vat_nature:
            raise ValueError("`vat_nature` says why there is no VAT: leave it out beside a rate")
        return self


class ServiceLevel(Value):
    """By when a ticket is answered and solved, in minutes of opening hours."""

    answer_minutes: Annotated[int, Field(ge=1, le=100_000, strict=True)]
    solve_minutes: Annotated[int, Field(ge=1, le=100_000, strict=True)]

    @model_validator(mode="after")
    def _solved_later(self) -> Self:
        if self.solve_minutes < self.answer_minutes:
            raise ValueError("`solve_minutes` must not be less than `answer_minutes`")
        return self


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
    fiscal: Fiscal | None = None
    service_levels: Mapping[Literal["low", "normal", "high", "urgent"], ServiceLevel] = Field(
        default_factory=dict
    )
    dormant_after_days: Annotated[int, Field(ge=1, le=3650, strict=True)] = 180
    reminder_hours: Annotated[tuple[ReminderHours, ...], Field(max_length=4)] = (24, 2)
    asks_nps: Annotated[bool, Field(strict=True)] = False
    nps_every_days: Annotated[int, Field(ge=7, le=3650, strict=True)] = 90
    templates: Mapping[TemplatePurpose, Mapping[Language, Template]] = Field(default_factory=dict)
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
    for location, reason in contradictions(business):
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
