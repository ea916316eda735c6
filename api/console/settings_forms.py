"""What the settings' forms hold, checked before anything is changed."""

import re
from collections.abc import Mapping, Sequence
from datetime import date, time
from decimal import Decimal
from typing import Annotated, Literal, Self

from pydantic import BaseModel, BeforeValidator, Field, ValidationError, model_validator

from crm.configure import Span

_SPAN = re.compile(r"(\d{1,2})(?:[:.h](\d{2}))?\s*[-–—]\s*(\d{1,2})(?:[:.h](\d{2}))?")
LABELS = ("legal", "medical", "financial", "emergency")
KEYS = ("open", "closed")


def _blank(value: object) -> object:
    return None if value == "" else value


def _decimal(value: object) -> object:
    return value.replace(",", ".") if isinstance(value, str) and value else _blank(value)


Minutes = Annotated[int, Field(ge=0, le=60 * 24 * 14)]
Amount = Annotated[Decimal, Field(ge=0, le=10_000_000, decimal_places=2)]
Price = Annotated[Amount | None, BeforeValidator(_decimal)]
Length = Annotated[Annotated[int, Field(ge=1, le=60 * 24)] | None, BeforeValidator(_blank)]
Ticked = Annotated[bool, BeforeValidator(lambda value: value or False)]
Threshold = Annotated[Annotated[float, Field(gt=0, le=1)] | None, BeforeValidator(_decimal)]


class PatienceForm(BaseModel):
    """What the business waits for."""

    lead_time_minutes: Minutes
    cancel_notice_hours: Annotated[int, Field(ge=0, le=24 * 30)]
    unanswered_minutes: Annotated[int, Field(ge=1, le=60 * 24)]
    due_soon_minutes: Annotated[int, Field(ge=1, le=60 * 24 * 7)]
    dormant_after_days: Annotated[int, Field(ge=1, le=3650)]


class NpsForm(BaseModel):
    """Whether customers are asked how likely they are to recommend the business, and how often."""

    asks_nps: bool = False
    nps_every_days: Annotated[int, Field(ge=7, le=3650)]


class ServiceForm(BaseModel):
    """What a service takes and costs."""

    duration_minutes: Length = None
    buffer_minutes: Annotated[int, BeforeValidator(lambda v: v or 0), Field(ge=0, le=60 * 12)] = 0
    price: Price = None
    price_max: Price = None
    bookable: Ticked = False
    quotable: Ticked = False


class ClosureForm(BaseModel):
    """Days it is shut."""

    first: date
    last: date
    location: Annotated[str | None, BeforeValidator(_blank)] = None

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.last < self.first:
            raise ValueError("last")
        return self


class ThresholdForm(BaseModel):
    """Thresholds of its own; an empty one is the usual one."""

    legal: Threshold = None
    medical: Threshold = None
    financial: Threshold = None
    emergency: Threshold = None


class HoldingForm(BaseModel):
    """The business's own holding messages; empty: SARA's."""

    key: Literal["open", "closed"]
    it: Annotated[str, Field(max_length=900)] = ""
    en: Annotated[str, Field(max_length=900)] = ""
    es: Annotated[str, Field(max_length=900)] = ""
    pt: Annotated[str, Field(max_length=900)] = ""


def service_seen(values: Mapping[str, str]) -> ServiceForm | None:
    """What a service's form showed (`was_…`) when it was filled in; None for one that does not say."""
    was = {name: values.get(f"was_{name}") for name in ServiceForm.model_fields}
    return None if None in was.values() else ServiceForm.model_validate(was)


def fields_of(error: ValidationError) -> set[str]:
    """The fields a form's problems are about; a rule over several names its field itself."""
    found = set()
    for problem in error.errors():
        named = str(problem.get("ctx", {}).get("error", "")) if not problem["loc"] else str(problem["loc"][0])
        found.add(named)
    return found


def week_of(values: Mapping[str, str]) -> tuple[dict[int, Sequence[Span]], set[str]]:
    """Opening hours by weekday from fields `d0` to `d6`, and the fields that cannot be read."""
    week: dict[int, Sequence[Span]] = {}
    wrong = set()
    for day in range(7):
        spans = spans_of(values.get(f"d{day}", ""))
        if spans is None:
            wrong.add(f"d{day}")
        else:
            week[day] = spans
    return week, wrong


def spans_of(text: str) -> list[Span] | None:
    """ "9-13, 15:30-19" as spans in order; [] for a closed day, None for what makes no sense."""
    parts = [part.strip() for part in re.split(r"[,;]", text) if part.strip()]
    spans: list[Span] = []
    for part in parts:
        read = _SPAN.fullmatch(part)
        try:
            opens = time(int(read[1]), int(read[2] or 0)) if read else None
            closes = time(int(read[3]), int(read[4] or 0)) if read else None
        except ValueError:
            return None
        if opens is None or closes is None or closes <= opens or (spans and opens < spans[-1][1]):
            return None
        spans.append((opens, closes))
    return spans
