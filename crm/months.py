"""Months of work at once, for benchmarks and seeded histories; as the owner, above all tenants."""

from dataclasses import dataclass

from crm.record import Tx

_STEPS = (
    "months_people",
    "months_talks",
    "months_said",
    "months_sent",
    "months_turns",
    "months_handed",
    "months_taken_up",
    "months_leads",
    "months_stages",
    "months_bookings",
    "months_place",
    "months_rooms",
    "months_service",
    "months_visits",
    "months_quotes",
    "months_tickets",
)


@dataclass(frozen=True)
class PlaceRow:
    """A service, and who or what can do it."""

    service_id: int
    resource_id: int


async def enter(tx: Tx, slug: str, *, talks: int, days: int) -> int:
    """A new business with `talks` conversations of ten messages in the `days` until now; returns its id.

    Sets the session's replication role for the transaction, which takes a superuser: no trigger runs.
    """
    business: int = await tx.value("months_business", slug=slug)
    await tx.run("months_quietly")
    for step in _STEPS:
        await tx.run(step, business=business, people=max(1, talks // 4), talks=talks, days=days)
    return business


async def counted(tx: Tx) -> None:
    """Tells the planner how much there is."""
    await tx.run("months_counted")


async def places(tx: Tx) -> list[PlaceRow]:
    """What can be booked with whom, at the transaction's business."""
    return await tx.all(PlaceRow, "months_places")
