"""Reminders of appointments, and the templates for what a business says first."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from crm.record import Tx

Purpose = Literal["reminder", "freed_place"]


@dataclass(frozen=True)
class DueRow:
    """An appointment somebody has to be reminded of now; `hours` is which reminder it is."""

    appointment_id: int
    contact_id: int
    conversation_id: int | None
    service_key: str
    resource_name: str
    resource_kind: str
    location_id: int
    starts: datetime
    hours: int
    language: str | None
    told_language: str | None
    opted_out: bool


@dataclass(frozen=True)
class TemplateRow:
    name: str
    code: str


@dataclass(frozen=True)
class _BusinessRow:
    business_id: int


async def due(tx: Tx) -> list[DueRow]:
    """The reminders to write now, the latest of an appointment first."""
    return await tx.all(DueRow, "reminders_due")


async def written(tx: Tx, row: DueRow) -> bool:
    """Notes a reminder; False when it was noted before."""
    noted = await tx.value(
        "reminder_written", appointment_id=row.appointment_id, hours=row.hours, starts=row.starts
    )
    return noted is not None


async def template(tx: Tx, purpose: Purpose, language: str) -> TemplateRow | None:
    """The approved template for a purpose in a language, else in the business's own; None without one."""
    return await tx.first(TemplateRow, "message_template", purpose=purpose, language=language)


async def zone_of(tx: Tx, appointment_id: int) -> str | None:
    """The time zone of the place an appointment is at; None for one that is gone."""
    zone: str | None = await tx.value("zone_of_appointment", appointment_id=appointment_id)
    return zone


async def businesses_with_work(tx: Tx) -> list[int]:
    """Businesses, of all tenants, with reminders to write or places to give away."""
    return [row.business_id for row in await tx.all(_BusinessRow, "agenda_businesses")]
