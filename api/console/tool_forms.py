"""The tools an agent can carry out from a form: their fields, and how what is entered becomes slots."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from datetime import time as wall_clock
from typing import Any, Literal
from zoneinfo import ZoneInfo

from pydantic import BaseModel, Field, ValidationError, field_validator

from crm.businesses import Profile
from tools.details import PREFIX
from tools.opening import location_of, zone_of
from tools.tool import Slots
from tools.wanted_time import at

Form = Literal["book", "move", "cancel", "quote", "ticket"]
INTENTS: Mapping[Form, str] = {
    "book": "book_appointment",
    "move": "reschedule_appointment",
    "cancel": "cancel_appointment",
    "quote": "request_quote",
    "ticket": "open_ticket",
}
_WHOLE_FORM = ""
# A tool's questions by the field they are about; a field a form does not have is about the whole form.
_FIELDS = {"slot": "time", "when": "time", "services": "service"}


class Entered(BaseModel):
    """What a form may hold; each form uses some of it. Empty fields are absent."""

    service: list[str] = Field(default_factory=list, max_length=10)
    location: str | None = Field(None, max_length=80)
    person: int | None = Field(None, ge=1, lt=2**63)
    people: int | None = Field(None, ge=1, le=1000)
    day: date | None = None
    time: wall_clock | None = None
    appointment: int | None = Field(None, ge=1, lt=2**63)
    quantity: int | None = Field(None, ge=1, le=10_000)
    words: str = Field("", max_length=1000)
    description: str = Field("", max_length=2000)
    option: str | None = Field(None, max_length=200)
    details: dict[str, str] = Field(default_factory=dict)

    @field_validator("time")
    @classmethod
    def _wall_clock(cls, value: wall_clock | None) -> wall_clock | None:
        return value.replace(tzinfo=None, second=0, microsecond=0) if value else None


@dataclass(frozen=True)
class Fault:
    """Why a form was not carried out: a sentence beside a field ("" for the whole form).

    `options` are (id, title) of what could be chosen instead.
    """

    field: str
    text: str
    options: Sequence[tuple[str, str]] = ()


def entered(form: Mapping[str, list[str]]) -> tuple[Entered | None, list[str]]:
    """What was entered, and the names of fields that hold what they cannot."""
    values: dict[str, Any] = {"details": {}}
    for name, given in form.items():
        filled = [value for value in given if value]
        if not filled or (name not in {*Entered.model_fields} and not name.startswith(PREFIX)):
            continue
        if name.startswith(PREFIX):
            values["details"][name.removeprefix(PREFIX)] = filled[0][:300]
        else:
            values[name] = filled if name == "service" else filled[0]
    try:
        return Entered.model_validate(values), []
    except ValidationError as error:
        return None, [str(problem["loc"][0]) for problem in error.errors()]


def slots_of(form: Form, given: Entered, profile: Profile, zone: ZoneInfo | None = None) -> Slots:
    """The slots a tool starts from. `zone` is the place's of an appointment that is moved."""
    known = {q.key: q for q in profile.pack.questions.get(INTENTS[form], [])}
    answers = {key: given.details.get(key, "") for key in known}
    answers = {key: said for key, said in answers.items() if said or not known[key].required}
    slots: Slots = {"details": answers} if answers else {}
    match form:
        case "book":
            slots |= _booking(given, profile)
        case "move":
            slots |= {"appointment": given.appointment, "when": _when(given, zone or zone_of(profile, None))}
        case "cancel":
            slots["appointment"] = given.appointment
        case "quote":
            services = [key for key in given.service if profile.service(key)]
            slots |= {"services": services, "quantity": given.quantity, "words": given.words}
            slots |= {} if services else {"other": given.words}
        case "ticket":
            slots |= {"description": given.description, "asked": True}
    return {name: value for name, value in slots.items() if value not in (None, "", [])}


def _booking(given: Entered, profile: Profile) -> Slots:
    place = location_of(profile, given.location)
    return {
        "service": next(iter(given.service), None),
        "location": place.key if place else None,
        "person": given.person,
        "people": given.people,
        "when": _when(given, zone_of(profile, place)),
    }


def _when(given: Entered, zone: ZoneInfo) -> dict[str, Any] | None:
    if given.day is None:
        return None
    if given.time is None:
        return {"day": given.day.isoformat()}
    return at(datetime.combine(given.day, given.time, zone)).to_slot()


def field_of(slot: str) -> str:
    """The field of a form that a tool's question is about."""
    name = _FIELDS.get(slot, slot)
    known = name in Entered.model_fields or name.startswith(PREFIX)
    return name if known else _WHOLE_FORM
