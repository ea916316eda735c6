"""Live facts: what the record says about the customer's question, in sentences ready to be said."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Literal
from zoneinfo import ZoneInfo

from crm.businesses import LocationRow, Profile, Service
from inference.when import parse
from knowledge.phrases import Say
from tools.matching import place_in, plain, plain_words, services_in
from tools.opening import closure_on, day_bounds, shifts_of_week, shifts_on
from tools.topics import CONTACT, DURATION, HOURS, PRICE, SERVICES, WHERE
from tools.wording import clock, day, duration, price, weekday

FactKind = Literal[
    "price", "duration", "hours", "address", "closure", "service_list", "house_rule", "contact"
]

_NAMED = 0.95  # the share of a service's name that makes a text be about it
_MOST_APART = 4  # more services than this are told as one list
_RULE_STEMS = 2  # a house rule is told when the question shares at least so many words with it
_DAYS_OF_WEEK = 7
_NOW = re.compile(
    r"\b(?:adesso|in questo momento|proprio ora|right now|now|currently|ahora|en este momento|agora"
    r"|neste momento)\b"
)


@dataclass(frozen=True)
class Fact:
    """One sentence of the record in the customer's language.

    `subject` is the key of the service or location it is about ("" for the business as a whole), `names`
    what that subject is called.
    """

    id: str
    kind: FactKind
    subject: str
    text: str
    names: tuple[str, ...] = ()
    asked: bool = True  # False when the words only touch its subject


@dataclass(frozen=True)
class _Asked:
    """The question and what is needed to answer it."""

    profile: Profile
    text: str
    bare: str
    language: str
    now: datetime
    said_at: datetime
    say: Say


def live_facts(
    profile: Profile, text: str, language: str, now: datetime, say: Say, *, said_at: datetime | None = None
) -> list[Fact]:
    """The facts a question touches, most specific first; empty when the record has nothing on it.

    `now` is aware, and so is `said_at`, from which "tomorrow" is told; `say` speaks `language`. Figures and
    dates come from the record's typed values alone.
    """
    asked = _Asked(profile, text, plain(text), language, now, said_at or now, say)
    facts = [*_services(asked), *_opening(asked), *_places(asked), *_contacts(asked), *_rules(asked)]
    return list({fact.id: fact for fact in facts}.values())


def _services(asked: _Asked) -> Iterator[Fact]:
    """Prices and durations when they are asked for; a service that is merely named in full is described."""
    everything, bare = asked.profile.services, asked.bare
    about_figures = bool(PRICE.search(bare) or DURATION.search(bare))
    least = 0.0 if about_figures else _NAMED
    found = services_in(asked.text, asked.profile, asked.language, at_least=least)
    if SERVICES.search(bare) and len(found) != 1:
        yield _list(asked, found or everything)
    elif len(found) > _MOST_APART:
        yield _list(asked, found)
    else:
        for service in found:
            yield _service(asked, service, described=not about_figures)


def _service(asked: _Asked, service: Service, *, described: bool) -> Fact:
    key, row = service.row.key, service.row
    kind: FactKind = "duration" if row.price is None and row.duration_minutes else "price"
    text = _line(asked, service) + "."
    description = service.descriptions.get(asked.language)
    if described and description:
        text += f" {description}"
    return Fact(f"{kind}:{key}", kind, key, text, _names(service), asked=not described)


def _list(asked: _Asked, services: list[Service]) -> Fact:
    lines = "\n".join(f"• {_line(asked, service)}" for service in services)
    names = tuple(name for service in services for name in _names(service))
    keys = ",".join(service.row.key for service in services)
    return Fact(f"service_list:{keys}", "service_list", "", lines, names)


def _line(asked: _Asked, service: Service) -> str:
    """ "Massaggio rilassante: 65,00 €, 50 minuti"."""
    name = service.name(asked.language, asked.profile.language)
    cost = price(service.row, asked.profile.business, asked.language, asked.say)
    parts = [cost or asked.say("price on request")]
    if service.row.duration_minutes:
        parts.append(duration(service.row.duration_minutes, asked.language))
    return f"{name}: {', '.join(parts)}"


def _names(service: Service) -> tuple[str, ...]:
    return tuple(dict.fromkeys(names[0] for names in service.names.values() if names))


def _opening(asked: _Asked) -> Iterator[Fact]:
    about_hours = HOURS.search(asked.bare) is not None
    for place in _concerned(asked):
        today = asked.now.astimezone(ZoneInfo(place.time_zone)).date()
        meant = _days_meant(asked, place)
        if about_hours and not meant and _NOW.search(asked.bare):
            meant = [today]
        for on in meant:
            if about_hours or closure_on(asked.profile, place, on):
                yield _day(asked, place, on)
        if about_hours and (not meant or today in meant):
            yield _week(asked, place)
            # The regular week is not the whole truth while something shuts it.
            yield from (_day(asked, place, on) for on in _shut_soon(asked, place, today) if on not in meant)


def _concerned(asked: _Asked) -> list[LocationRow]:
    named = place_in(asked.text, asked.profile)
    return [named] if named else list(asked.profile.locations)


def _days_meant(asked: _Asked, place: LocationRow) -> list[date]:
    """The days that are named, those of a range and of "Christmas and Boxing Day" too; not one that is over
    by the time the question is read."""
    opens, closes = day_bounds(asked.profile, place)
    local = asked.said_at.astimezone(ZoneInfo(place.time_zone))
    said = parse(
        asked.text, language=asked.language, now=local, country=place.country, opens=opens, closes=closes
    )
    first = [said.date] if said.date else sorted({date.fromisoformat(one[:10]) for one in said.candidates})
    days = said.date and said.end and said.start is None  # not the hours of an evening that passes midnight
    last = said.end.date() if days and said.end else first[-1] if first else None
    if len(first) == 1 and last is not None:
        first = [first[0] + timedelta(days=n) for n in range((last - first[0]).days + 1)]
    today = asked.now.astimezone(local.tzinfo).date()
    return [on for on in first if on >= today or said.problem][:_DAYS_OF_WEEK]


def _shut_soon(asked: _Asked, place: LocationRow, today: date) -> list[date]:
    """Days of the coming week on which a closure shuts what is open otherwise."""
    coming = [today + timedelta(days=n) for n in range(_DAYS_OF_WEEK)]
    return [
        on
        for on in coming
        if closure_on(asked.profile, place, on) and shifts_of_week(asked.profile, place, on.weekday())
    ]


def _day(asked: _Asked, place: LocationRow, on: date) -> Fact:
    shown = day(on, asked.language)
    shifts = shifts_on(asked.profile, place, on)
    if shifts:
        hours = ", ".join(
            f"{clock(s.opens, asked.language)}–{clock(s.closes, asked.language)}" for s in shifts
        )
        text = asked.say("{place}: on {date} we are open {hours}.", place=place.name, date=shown, hours=hours)
        return Fact(f"hours:{place.key}:{on}", "hours", place.key, text, (place.name, place.city))
    text = asked.say("{place}: on {date} we are closed.", place=place.name, date=shown)
    kind: FactKind = "closure" if closure_on(asked.profile, place, on) else "hours"
    return Fact(f"{kind}:{place.key}:{on}", kind, place.key, text, (place.name, place.city))


def _week(asked: _Asked, place: LocationRow) -> Fact:
    """The regular week, days with the same hours together: "lunedì–venerdì 10:00–21:00; …"."""
    groups: list[tuple[int, int, str]] = []
    for number in range(_DAYS_OF_WEEK):
        shifts = shifts_of_week(asked.profile, place, number)
        hours = ", ".join(
            f"{clock(s.opens, asked.language)}–{clock(s.closes, asked.language)}" for s in shifts
        )
        hours = hours or asked.say("closed")
        if groups and groups[-1][2] == hours:
            groups[-1] = (groups[-1][0], number, hours)
        else:
            groups.append((number, number, hours))
    week = "; ".join(f"{_days(asked, first, last)} {hours}" for first, last, hours in groups)
    text = asked.say("Opening hours of {place}: {week}.", place=place.name, week=week)
    return Fact(f"hours:{place.key}", "hours", place.key, text, (place.name, place.city))


def _days(asked: _Asked, first: int, last: int) -> str:
    names = [weekday(number, asked.language) for number in dict.fromkeys((first, last))]
    return "–".join(names)


def _places(asked: _Asked) -> Iterator[Fact]:
    if WHERE.search(asked.bare):
        for place in _concerned(asked):
            text = asked.say("{place} is at {address}.", place=place.name, address=place.address)
            yield Fact(f"address:{place.key}", "address", place.key, text, (place.name, place.city))


def _contacts(asked: _Asked) -> Iterator[Fact]:
    row = asked.profile.business
    known = [value for value in (row.display_phone, row.email, row.website) if value]
    if known and CONTACT.search(asked.bare):
        text = asked.say("You can reach us here: {contacts}.", contacts=" · ".join(known))
        yield Fact("contact", "contact", "", text, (row.name,))


def _rules(asked: _Asked) -> Iterator[Fact]:
    said = _stems(asked.text)
    for number, rule in enumerate(asked.profile.house_rules.get(asked.language, [])):
        if len(said & _stems(rule)) >= _RULE_STEMS:
            yield Fact(f"house_rule:{number}", "house_rule", "", rule, asked=False)


def _stems(text: str) -> set[str]:
    """The first letters of the longer words: enough to tell that two sentences speak of the same things."""
    return {word[:5] for word in plain_words(text) if len(word) > 3}
