"""What a booking is made of, read from words and buttons: service, place, person, people, time."""

import re
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from pydantic import BaseModel

from crm import appointments
from crm.appointments import SkilledRow
from crm.businesses import Service
from crm.record import Tx
from crm.slots import FreeSlot
from inference.appointment_wishes import wants_waiting_list
from inference.extract import party_size
from inference.last_time import as_last_time
from tools.booking_times import Ask, clockwork, of_option, why_not
from tools.matching import place_in, plain, plain_words, services_in
from tools.offer_times import WAIT
from tools.opening import location_of, zone_of
from tools.tool import Call, Slots
from tools.wanted_time import Wanted, at, read
from tools.wanted_time import of_option as wanted_of_option

_WITH = re.compile(r"\b(?<!non )(?<!not )(?<!no )(?<!nao )(?:con|with|com)\s+((?:[^\W\d_]+[\s.]*){1,4})")
_WITH_ANYBODY = re.compile(
    r"\b(?:con chiunque|chiunque va bene|with (?:any(?:one|body)|whoever)|any(?:one|body) is fine"
    r"|con (?:cualquiera|quien sea)|com qualquer (?:um|uma|pessoa)|com quem for)\b"
)
_TO_CHANGE = 0.5
_ENUMERATION = re.compile(r"[,;+\n]|\s(?:e|ed|and|y|&|poi|then|luego|depois)\s", re.IGNORECASE)
_BARE_NUMBER = re.compile(r"\W*\d+\W*")


class Arguments(BaseModel):
    """What a model may suggest; every word of it is checked against the record."""

    service: str | None = None
    when: str | None = None
    people: int | None = None


async def fill(call: Call, slots: Slots, hints: Mapping[str, Any]) -> Slots:
    """Slots: service, service_options, location (keys), when (see Wanted), person (resource id), people,
    slot, waiting (on the list for `when` rather than booked), asked_people (the question was asked last)."""
    begins, slots = not slots, dict(slots)
    guessed = Arguments.model_validate(dict(hints))
    _read_service(call, slots, guessed.service)
    async with call.context.crm.transaction(call.business_id) as tx:
        await _read_last_time(tx, call, slots)
        if begins:
            _take_what_is_spoken_of(call, slots)
        service = service_of(call, slots)
        skilled = await appointments.skilled(tx, service.row.service_id) if service else []
        _read_place(call, slots, skilled)
        _read_person(call, slots, skilled)
        _read_people(call, slots, guessed.people)
        pressed = _read_time(call, slots, guessed.when)
        if call.option_id == WAIT or wants_waiting_list(call.text):
            slots["waiting"] = True
        await _take_if_free(tx, call, slots, skilled, pressed)
    return slots


def service_of(call: Call, slots: Slots) -> Service | None:
    """The service chosen so far."""
    key = slots.get("service")
    return call.profile.service(key) if key else None


def people_of(service: Service, slots: Slots) -> int:
    """The places of a class that are wanted; 1 where nothing is shared."""
    return int(slots.get("people") or 1) if service.row.capacity > 1 else 1


def _read_service(call: Call, slots: Slots, hint: str | None) -> None:
    option = call.option_id or ""
    if option == "change:service":
        _put(slots, "service", None)
        slots.pop("service_options", None)
    elif option.startswith("service:"):
        service = call.profile.service(option.removeprefix("service:"))
        if service is not None:
            _settle(slots, [service])
    # Once a service is chosen, only most of another's name changes it: "não" is also a word of some names.
    least = _TO_CHANGE if slots.get("service") else 0.0
    found = services_in(call.text, call.profile, call.language, at_least=least)
    if not found and not slots.get("service") and not slots.get("service_options") and hint:
        found = services_in(hint, call.profile, call.language)
    several = _each_named(call) if not slots.get("service") and not slots.get("service_options") else []
    if several:
        slots["several"] = True
    if several or found:
        _settle(slots, several or found)
    bookable = [s for s in call.profile.services if s.row.bookable]
    if not slots.get("service") and len(bookable) == 1:
        _settle(slots, bookable)


async def _read_last_time(tx: Tx, call: Call, slots: Slots) -> None:
    """ "The same as last time" is the service of the last visit, and the person who did it."""
    if slots.get("service") or slots.get("service_options") or not as_last_time(call.text):
        return
    for last in await appointments.visits(tx, call.contact_id, most=1):
        service = call.profile.service(last.service_key)
        if service is not None and service.row.bookable:
            _settle(slots, [service])
            skilled = await appointments.skilled(tx, service.row.service_id)
            if any(row.resource_id == last.resource_id and row.kind == "person" for row in skilled):
                _put(slots, "person", last.resource_id)


def _take_what_is_spoken_of(call: Call, slots: Slots) -> None:
    """ "Great, book it" after the price of something."""
    if any(slots.get(key) for key in ("service", "service_options", "several")):
        return
    service = call.profile.service(call.about) if call.about else None
    if service is not None and service.row.bookable:
        _settle(slots, [service])


def _each_named(call: Call) -> list[Service]:
    """The services of an enumeration, each in a part of its own: they are booked one after the other."""
    named: dict[str, Service] = {}
    parts = [part for part in _ENUMERATION.split(call.text) if part.strip()]
    for part in parts if len(parts) > 1 else []:
        found = services_in(part, call.profile, call.language, at_least=_TO_CHANGE)
        if len(found) == 1 and found[0].row.bookable:
            named.setdefault(found[0].row.key, found[0])
    return list(named.values()) if len(named) > 1 else []


def _settle(slots: Slots, found: list[Service]) -> None:
    """One service is chosen; several are remembered to choose from, unless one of them already is."""
    found = [s for s in found if s.row.bookable] or found
    keys = [s.row.key for s in found]
    earlier = [key for key in keys if key in slots.get("service_options", [])]
    keys = earlier or keys
    if slots.get("service") in keys:
        return
    _put(slots, "service", keys[0] if len(keys) == 1 else None)
    slots.pop("service_options", None)
    if len(keys) > 1:
        slots["service_options"] = keys


def _put(slots: Slots, key: str, value: Any) -> None:
    """Sets or clears a slot; the time chosen for the old value no longer holds."""
    if slots.get(key) != value:
        slots.pop("slot", None)
        slots.pop("waiting", None)
    if value is None:
        slots.pop(key, None)
    else:
        slots[key] = value


def _read_place(call: Call, slots: Slots, skilled: list[SkilledRow]) -> None:
    offered = {row.location_id for row in skilled}
    places = [place for place in call.profile.locations if place.location_id in offered]
    option = call.option_id or ""
    named = place_in(call.text, call.profile)
    if option.startswith("location:"):
        named = location_of(call.profile, option.removeprefix("location:"))
    if len(places) == 1:
        named = places[0]
    if named is not None and (named in places or not places):
        _put(slots, "location", named.key)


def _read_person(call: Call, slots: Slots, skilled: list[SkilledRow]) -> None:
    said: set[str] = set()
    for after in _WITH.findall(plain(call.text)):
        said |= plain_words(after)
    people = [row for row in skilled if row.kind == "person" and said & plain_words(row.name)]
    if len(people) == 1:
        _put(slots, "person", people[0].resource_id)
        return
    gone = slots.get("person") not in (None, *[row.resource_id for row in skilled])
    if gone or _WITH_ANYBODY.search(plain(call.text)):
        _put(slots, "person", None)


def _read_people(call: Call, slots: Slots, hint: int | None) -> None:
    """How many come. A number alone counts only where it was asked for: "3" may be an hour or a choice."""
    if call.option_id == "change:people":
        _put(slots, "people", None)
        slots["asked_people"] = True
        return
    people = party_size(call.text, call.language)
    if people is not None and _BARE_NUMBER.fullmatch(call.text) and not slots.get("asked_people"):
        people = None
    if people is None and "people" not in slots and hint is not None and hint > 0:
        people = hint
    if people is not None:
        _put(slots, "people", people)
        slots.pop("asked_people", None)


def _read_time(call: Call, slots: Slots, hint: str | None) -> int | None:
    """Reads `when`; returns the resource of the free time that was pressed, if one was."""
    place = location_of(call.profile, slots.get("location"))
    work, zone = clockwork(call, place), zone_of(call.profile, place)
    before = Wanted.from_slot(slots.get("when"), zone)
    kind, _, value = (call.option_id or "").partition(":")
    pressed, wanted = None, None
    if kind == "change" and value == "when":
        before = None
        _put(slots, "when", None)
    elif kind == "when":
        wanted = wanted_of_option(value, zone)
    elif kind == "slot" and (offered := of_option(value)):
        wanted, pressed = at(offered[0].astimezone(zone)), offered[1]
        slots.pop("slot", None)
        slots.pop("waiting", None)
    wanted = read(call.text, call.language, work, before) or wanted
    if wanted is None and before is None and hint:
        wanted = read(hint, call.language, work, None)
    if wanted is not None:
        _put(slots, "when", wanted.to_slot())
    return pressed


async def _take_if_free(
    tx: Tx, call: Call, slots: Slots, skilled: list[SkilledRow], pressed: int | None
) -> None:
    """Chooses the exact time asked for when it is free. A time chosen before is left as it is."""
    service, place = service_of(call, slots), location_of(call.profile, slots.get("location"))
    if slots.get("slot") or service is None or place is None or not service.row.bookable:
        return
    ask = Ask(call, service, place, pressed or slots.get("person"), people_of(service, slots))
    wanted = Wanted.from_slot(slots.get("when"), ask.zone)
    if wanted is None or wanted.start is None or not wanted.is_exact or why_not(ask, wanted):
        return
    free = await ask.free(tx, wanted.start, wanted.start + timedelta(minutes=1), most=1)
    if free:
        people = {row.resource_id for row in skilled if row.kind == "person"}
        slots["slot"] = _as_slot(free[0], free[0].resource_id in people)


def _as_slot(free: FreeSlot, is_person: bool) -> dict[str, Any]:
    return {
        "starts": free.starts.isoformat(),
        "ends": free.ends.isoformat(),
        "resource_id": free.resource_id,
        "person": free.resource_name if is_person else None,
    }
