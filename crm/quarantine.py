"""Turns that were given up, for whoever looks after the installation: what they were, and another try."""

from dataclasses import dataclass
from datetime import datetime

from crm import desk, queue
from crm.errors import UnknownQuarantine
from crm.record import Tx


@dataclass(frozen=True)
class QuarantineRow:
    """A turn that was given up. `tries` raised an error, `deaths` ended the process; `cause` is the last
    error's kind and place. `status` is that of the hand-over that has the conversation since."""

    quarantine_id: int
    conversation_id: int
    handoff_id: int
    tries: int
    deaths: int
    cause: str
    at: datetime
    released_at: datetime | None
    status: str
    wants: str


async def put(
    tx: Tx, conversation_id: int, handoff_id: int, *, last_event_id: int, tries: int, deaths: int, cause: str
) -> None:
    """Writes down that a turn was given up, once."""
    await tx.run(
        "quarantine_insert",
        conversation_id=conversation_id,
        handoff_id=handoff_id,
        last_event_id=last_event_id,
        tries=tries,
        deaths=deaths,
        cause=cause,
    )


async def listed(tx: Tx, *, every: bool = False, most: int = 50) -> list[QuarantineRow]:
    """What was given up and waits for somebody, the newest first; `every`: what is over as well."""
    return await tx.all(QuarantineRow, "quarantined", every=every, most=most)


async def release(tx: Tx, quarantine_id: int, *, note: str) -> None:
    """SARA tries again what nobody has answered meanwhile. Raises UnknownQuarantine, HandoffClosed."""
    handoff_id: int | None = await tx.value("quarantine_release", quarantine_id=quarantine_id)
    if handoff_id is None:
        raise UnknownQuarantine(UnknownQuarantine.__doc__)
    await desk.hand_back(tx, handoff_id, None, note=note)


async def suspect_counted(tx: Tx, conversation_id: int, deaths: int) -> None:
    """The try that is about to begin counts as a death unless it ends. Commit before it begins."""
    await tx.run("suspect_counted", lock=f"conv:{conversation_id}", deaths=deaths, task=queue.DRAIN_TASK)


async def suspects(tx: Tx, *, deaths: int) -> int:
    """How many turns, of all tenants, workers died in at least so often, and that are not given up yet."""
    return int(await tx.value("suspects", deaths=deaths, task=queue.DRAIN_TASK))
