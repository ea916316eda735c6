"""A calendar outside, whoever runs it: events written under our own ids, and the spans others are busy in."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

OURS = "sara-"  # the ids of our own events begin so: they block nothing


@dataclass(frozen=True)
class Event:
    """What is written into a calendar. All times are aware; `zone` is the IANA zone they are shown in."""

    uid: str
    starts: datetime
    ends: datetime
    zone: str
    title: str
    notes: str
    place: str
    changed_at: datetime


@dataclass(frozen=True)
class Busy:
    """A span somebody wrote into a calendar themselves, aware; `uid` names the event it comes from."""

    uid: str
    starts: datetime
    ends: datetime


class Calendar(Protocol):
    """One calendar that is written to and read. Every method raises CalendarError."""

    async def put(self, event: Event) -> None:
        """Writes an event, or over the one of the same uid."""
        ...

    async def remove(self, uid: str) -> None:
        """Takes an event of ours out; one that is not there is no error."""
        ...

    async def busy(self, since: datetime, until: datetime) -> Sequence[Busy]:
        """What others wrote that takes time in [since, until): not ours, not free, not cancelled."""
        ...


def uid_of(appointment_id: int, business_id: int) -> str:
    """The id an appointment has in any calendar: the same at every try."""
    return f"{OURS}{business_id}-{appointment_id}"
