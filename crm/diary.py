"""The diary as the team reads it: who comes when, who is not there, who waits for a place."""

from dataclasses import dataclass
from datetime import datetime

from crm.appointments import BusyRow
from crm.record import Tx


@dataclass(frozen=True)
class VisitRow:
    """An appointment with who comes; `held` ones wait for an answer of somebody of the waiting list."""

    appointment_id: int
    contact_id: int
    service_key: str
    resource_id: int
    resource_name: str
    location_id: int
    starts: datetime
    ends: datetime
    status: str
    people: int
    contact_name: str | None
    wa_id: str | None


@dataclass(frozen=True)
class WaiterRow:
    """Somebody who waits for a place, or has been offered one until `answer_by`."""

    waiting_id: int
    contact_id: int
    contact_name: str | None
    wa_id: str | None
    service_key: str
    resource_name: str | None
    location_id: int
    since: datetime
    until: datetime
    people: int
    status: str
    answer_by: datetime | None


async def visits(
    tx: Tx, since: datetime, until: datetime, *, resource_id: int | None = None
) -> list[VisitRow]:
    """What begins in [since, until), in order; of one resource or of all."""
    return await tx.all(VisitRow, "diary_visits", since=since, until=until, resource_id=resource_id)


async def busy(tx: Tx, since: datetime, until: datetime) -> list[BusyRow]:
    """What people wrote into their own calendars."""
    return await tx.all(BusyRow, "diary_busy", since=since, until=until)


async def waiters(tx: Tx) -> list[WaiterRow]:
    """Who waits for a place, whoever came first first; at most a hundred."""
    return await tx.all(WaiterRow, "diary_waiting")


async def talk(tx: Tx, contact_id: int) -> int | None:
    """The conversation a customer is spoken with in; None for one who has never written."""
    value: int | None = await tx.value("diary_talk", contact_id=contact_id)
    return value
