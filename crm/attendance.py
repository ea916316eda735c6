"""How appointments ended: the customer came, or did not. What follows is in crm/handlers.py."""

from crm import events
from crm.errors import UnknownAppointment
from crm.record import Tx


async def attended(tx: Tx, appointment_id: int, *, agent_id: int | None = None) -> None:
    """It took place: the customer is a client, the invoice draft is due. Raises UnknownAppointment."""
    await _close(tx, appointment_id, "completed", "appointment_completed", agent_id)


async def missed(tx: Tx, appointment_id: int, *, agent_id: int | None = None) -> None:
    """Nobody came: nothing is to be paid. Raises UnknownAppointment."""
    await _close(tx, appointment_id, "no_show", "appointment_missed", agent_id)


async def _close(tx: Tx, appointment_id: int, status: str, kind: str, agent_id: int | None) -> None:
    contact_id: int | None = await tx.value("appointment_close", appointment_id=appointment_id, status=status)
    if contact_id is None:
        raise UnknownAppointment(UnknownAppointment.__doc__)
    key = f"{kind}:{appointment_id}"
    await events.happened(tx, kind, contact_id, key=key, subject_id=appointment_id, agent_id=agent_id)
