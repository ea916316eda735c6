"""What a business's lists say differently from its record. Plain values in, plain values out."""

import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import time
from decimal import Decimal
from difflib import SequenceMatcher
from typing import Protocol

from crm.businesses import HoursRow, LocationRow, Profile, Service, ServiceRow

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
ON_REQUEST = "on request"
CLOSED = "closed"
_NEAR = 0.8  # how alike two names must be for the question whether they are one service
_HALF = 0.5
_MOST_KEY = 60

Span = tuple[time, time]


class StatedService(Protocol):
    """A priced row of a list; `name` is what a new service would be called, `also` are further ways to write
    it. A service called `base` is the same one only if it takes as long, and if `by_length`."""

    @property
    def name(self) -> str: ...
    @property
    def also(self) -> Sequence[str]: ...
    @property
    def base(self) -> str: ...
    @property
    def by_length(self) -> bool: ...
    @property
    def language(self) -> str | None: ...
    @property
    def duration_minutes(self) -> int | None: ...
    @property
    def price(self) -> Decimal | None:
        """None is on request."""

    @property
    def price_max(self) -> Decimal | None: ...
    @property
    def price_unit(self) -> str | None:
        """None where the list does not say."""

    @property
    def row(self) -> str: ...


class StatedHours(Protocol):
    """A day of the week at the place that `context` speaks of; no spans: closed."""

    @property
    def weekday(self) -> int: ...
    @property
    def spans(self) -> Sequence[Span]: ...
    @property
    def context(self) -> Sequence[str]: ...
    @property
    def language(self) -> str | None: ...
    @property
    def row(self) -> str: ...


@dataclass(frozen=True)
class Listed:
    """What one document states; a document that is not in force states nothing."""

    document: str
    services: Sequence[StatedService] = ()
    hours: Sequence[StatedHours] = ()


@dataclass(frozen=True)
class Change:
    """One value of a list against that of the record, as it is stored in a proposal.

    `old_value` None: the record has none. Equal values are a list that contradicts one that changes them.
    """

    kind: str
    subject: str
    subject_name: str
    field: str
    old_value: str | None
    new_value: str
    language: str
    document: str
    row_text: str
    duration_minutes: int | None = None
    price: Decimal | None = None
    price_max: Decimal | None = None
    price_unit: str | None = None
    similar_to: str | None = None
    spans: tuple[Span, ...] = ()

    @property
    def about(self) -> tuple[str, str, str]:
        """What it is about: changes of one and the same with different values contradict each other."""
        return self.kind, self.subject, self.field


@dataclass(frozen=True)
class Unplaced:
    """A row that was read and cannot be laid beside the record."""

    document: str
    row: str
    reason: str


@dataclass(frozen=True)
class Differences:
    """Changes in the order of the lists; `missing` are the services no list names."""

    changes: list[Change] = field(default_factory=list)
    unplaced: list[Unplaced] = field(default_factory=list)
    missing: list[Service] = field(default_factory=list)


def differences(profile: Profile, lists: Iterable[Listed]) -> Differences:
    """Lays lists beside the record. A value only appears where it differs or where lists disagree on it."""
    comparison = _Comparison(profile)
    for listed in lists:
        for service in listed.services:
            comparison.service(listed.document, service)
        for hours in listed.hours:
            comparison.day(listed.document, hours)
    return comparison.result()


def folded(name: str) -> str:
    """A name without case, accents and punctuation: how names are compared."""
    decomposed = unicodedata.normalize("NFKD", name.casefold())
    plain = "".join(char for char in decomposed if not unicodedata.combining(char))
    return re.sub(r"[\W_]+", " ", plain).strip()


def shown_price(low: Decimal | None, high: Decimal | None, unit: str | None) -> str:
    """A price as it is shown and compared: "65.00", "220.00–480.00/hour", "4.50 %", "on request"."""
    if low is None:
        return ON_REQUEST
    amount = f"{low:.2f}" if high is None else f"{low:.2f}–{high:.2f}"
    if unit == "percent":
        return f"{amount} %"
    return amount if unit in (None, "session") else f"{amount}/{unit}"


def shown_length(minutes: int | None) -> str | None:
    """ "50 min"; None for none."""
    return f"{minutes} min" if minutes else None


def shown_spans(spans: Iterable[Span]) -> str:
    """ "10:00–13:00, 15:00–19:00", or closed."""
    return ", ".join(f"{opens:%H:%M}–{closes:%H:%M}" for opens, closes in sorted(spans)) or CLOSED


def value_now(profile: Profile, kind: str, subject: str, name: str, of: str) -> str | None:
    """What the record says now on what a proposal is about; of a new service whether it has come to exist."""
    if kind == "hours":
        place = next((place for place in profile.locations if place.key == subject), None)
        return None if place is None else shown_spans(_spans(profile.hours, place, DAYS.index(of)))
    if kind == "new_service":
        found = profile.service(subject) or _Names(profile.services).any_called(name)
        return None if found is None else _shown_service(found.row)
    service = profile.service(subject)
    if service is None:
        return None
    return shown_length(service.row.duration_minutes) if of == "duration" else _shown_price_of(service.row)


def _shown_price_of(row: ServiceRow) -> str:
    return shown_price(row.price, row.price_max, row.price_unit)


def _shown_service(row: ServiceRow) -> str:
    return ", ".join(part for part in (_shown_price_of(row), shown_length(row.duration_minutes)) if part)


def _spans(hours: Iterable[HoursRow], place: LocationRow, weekday: int) -> list[Span]:
    return [
        (row.opens, row.closes)
        for row in hours
        if row.location_id == place.location_id and row.weekday == weekday
    ]


class _Names:
    """The record's services by every name they have in any language."""

    def __init__(self, services: Sequence[Service]) -> None:
        self._services: dict[str, dict[int, Service]] = defaultdict(dict)
        for service in services:
            for names in service.names.values():
                for name in names:
                    self._services[folded(name)][service.row.service_id] = service

    def exact(self, names: Iterable[str]) -> Service | None:
        """The one service of the first of these names that is known. Raises LookupError for several."""
        for name in names:
            found = self._services.get(folded(name), {})
            if len(found) > 1:
                raise LookupError(f"«{name}» is a name of {' and '.join(s.row.key for s in found.values())}")
            if found:
                return next(iter(found.values()))
        return None

    def any_called(self, name: str) -> Service | None:
        """A service of that name."""
        return next(iter(self._services.get(folded(name), {}).values()), None)

    def alike(self, name: str) -> Service | None:
        """The service whose name is nearest, if it is near enough to ask whether it is the same."""
        wanted = folded(name)
        near = max(self._services, key=lambda known: _likeness(wanted, known), default="")
        return (
            next(iter(self._services[near].values())) if near and _likeness(wanted, near) >= _NEAR else None
        )


def _likeness(one: str, other: str) -> float:
    """0..1; a name that is the shorter form of another is near enough when it has half of its words."""
    words, others = set(one.split()), set(other.split())
    ratio = SequenceMatcher(None, one, other, autojunk=False).ratio()
    within = words <= others or others <= words
    if within and min(len(words), len(others)) >= _HALF * max(len(words), len(others)):
        return _NEAR + ratio * (1 - _NEAR)
    return ratio


class _Comparison:
    """One comparison: every value the lists state, by what it is about."""

    def __init__(self, profile: Profile) -> None:
        self._profile = profile
        self._names = _Names(profile.services)
        self._said: dict[tuple[str, str, str], dict[str, Change]] = defaultdict(dict)
        self._unplaced: list[Unplaced] = []
        self._named: set[str] = set()
        self._new: dict[str, str] = {}  # keys of new services by their folded names

    def result(self) -> Differences:
        changes = [
            change
            for values in self._said.values()
            for change in values.values()
            if len(values) > 1 or change.new_value != change.old_value
        ]
        missing = [s for s in self._profile.services if s.names and s.row.key not in self._named]
        return Differences(changes, self._unplaced, missing)

    def service(self, document: str, stated: StatedService) -> None:
        try:
            known = self._known(stated)
        except LookupError as error:
            self._unplaced.append(Unplaced(document, stated.row, str(error.args[0])))
            return
        changes = self._of_known(known, stated) if known else self._of_new(stated)
        for change in changes:
            self._say(replace(change, document=document, row_text=stated.row))

    def day(self, document: str, stated: StatedHours) -> None:
        place = self._place(stated.context)
        if place is None:
            reason = "nothing tells which place this is: name it in the heading"
            self._unplaced.append(Unplaced(document, stated.row, reason))
            return
        now = _spans(self._profile.hours, place, stated.weekday)
        self._say(
            Change(
                kind="hours",
                subject=place.key,
                subject_name=place.name,
                field=DAYS[stated.weekday],
                old_value=shown_spans(now),
                new_value=shown_spans(stated.spans),
                language=stated.language or self._profile.language,
                document=document,
                row_text=stated.row,
                spans=tuple(stated.spans),
            )
        )

    def _say(self, change: Change) -> None:
        self._said[change.about].setdefault(change.new_value, change)

    def _known(self, stated: StatedService) -> Service | None:
        """The service of the record a row means; near names are none. Raises LookupError for several."""
        found = self._names.exact((*stated.also, stated.name))
        if found is None and stated.by_length:
            same = self._names.exact((stated.base,))
            return same if same and same.row.duration_minutes == stated.duration_minutes else None
        return found

    def _of_known(self, known: Service, stated: StatedService) -> Iterator[Change]:
        row = known.row
        self._named.add(row.key)
        name = known.name(stated.language or self._profile.language, self._profile.language)
        change = Change(
            kind="service",
            subject=row.key,
            subject_name=name,
            field="price",
            old_value=_shown_price_of(row),
            new_value="",
            language=stated.language or self._profile.language,
            document="",
            row_text="",
        )
        unit = _unit(stated, row.price_unit)
        yield replace(
            change,
            new_value=shown_price(stated.price, stated.price_max, unit),
            price=stated.price,
            price_max=stated.price_max,
            price_unit=unit,
        )
        if length := shown_length(stated.duration_minutes):
            old = shown_length(row.duration_minutes)
            minutes = stated.duration_minutes
            yield replace(change, field="duration", old_value=old, new_value=length, duration_minutes=minutes)

    def _of_new(self, stated: StatedService) -> Iterator[Change]:
        similar = self._names.alike(stated.name) or self._names.alike(stated.base)
        unit = _unit(stated, "session")
        shown = (shown_price(stated.price, stated.price_max, unit), shown_length(stated.duration_minutes))
        yield Change(
            kind="new_service",
            subject=self._new_key(stated.name),
            subject_name=stated.name,
            field="service",
            old_value=None,
            new_value=", ".join(part for part in shown if part),
            language=stated.language or self._profile.language,
            document="",
            row_text="",
            duration_minutes=stated.duration_minutes,
            price=stated.price,
            price_max=stated.price_max,
            price_unit=unit,
            similar_to=similar.row.key if similar else None,
        )

    def _new_key(self, name: str) -> str:
        """A key for a new service, made from its name; one name has one key, two names have two."""
        plain = folded(name)
        if plain not in self._new:
            stem = re.sub(r"[^a-z0-9]+", "_", plain).strip("_")[:_MOST_KEY].strip("_")
            stem = stem if stem[:1].isalpha() else f"service_{stem}".strip("_")
            taken = {service.row.key for service in self._profile.all_services} | set(self._new.values())
            candidates = (stem if number == 1 else f"{stem}_{number}" for number in range(1, len(taken) + 2))
            self._new[plain] = next(key for key in candidates if key not in taken)
        return self._new[plain]

    def _place(self, context: Iterable[str]) -> LocationRow | None:
        """The one location the words speak of, the nearest words first."""
        places = self._profile.locations
        if len(places) == 1:
            return places[0]
        for words in context:
            said = f" {folded(words)} "
            meant = [p for p in places if any(f" {name} " in said for name in _names_of(p) if name)]
            if len(meant) == 1:
                return meant[0]
        return None


def _unit(stated: StatedService, unit_now: str) -> str:
    """The unit a stated price is in; one that is not said stays, except that an amount is no percentage."""
    if stated.price_unit:
        return stated.price_unit
    return "session" if unit_now == "percent" and stated.price is not None else unit_now


def _names_of(place: LocationRow) -> tuple[str, ...]:
    return folded(place.city), folded(place.name), folded(place.key)
