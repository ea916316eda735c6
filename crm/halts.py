"""Numbers on which nothing passes until somebody acts: an expired token, a locked account.

Nothing is sent on such a number and nothing is given up: its messages stay queued, and every so often one
question, by one process, finds out whether it works again.
"""

from dataclasses import dataclass
from datetime import datetime

from crm import queue
from crm.record import Tx


@dataclass(frozen=True)
class HaltRow:
    """`ask_at` is when the next question is due."""

    phone_number_id: str
    error_code: int | None
    reason: str
    since: datetime
    ask_at: datetime


@dataclass(frozen=True)
class DueRow:
    business_id: int
    phone_number_id: str


@dataclass(frozen=True)
class _Waiting:
    conversation_id: int


async def halt(
    tx: Tx, phone_number_id: str, *, error_code: int | None, reason: str, ask_at: datetime
) -> bool:
    """Stops a number; False when it was stopped before."""
    done = await tx.value(
        "halt", phone_number_id=phone_number_id, error_code=error_code, reason=reason, ask_at=ask_at
    )
    return done is not None


async def of_number(tx: Tx, phone_number_id: str) -> HaltRow | None:
    """Why a number may not send; None when it may."""
    return await tx.first(HaltRow, "halt_of", phone_number_id=phone_number_id)


async def all_(tx: Tx) -> list[HaltRow]:
    """The business's numbers that may not send."""
    return await tx.all(HaltRow, "halts")


async def claim(tx: Tx, phone_number_id: str, ask_at: datetime) -> bool:
    """Whether this process may ask; the others wait until `ask_at`."""
    taken = await tx.value(
        "halt_ask", phone_number_id=phone_number_id, ask_at=ask_at, reason=None, always=False
    )
    return taken is not None


async def lift(tx: Tx, phone_number_id: str) -> int:
    """The number works again: what waited for it is due at once; how many conversations that is."""
    if await tx.value("halt_lift", phone_number_id=phone_number_id) is None:
        return 0
    rows = await tx.all(_Waiting, "outbox_of_number", phone_number_id=phone_number_id)
    waiting = sorted({row.conversation_id for row in rows})
    for conversation_id in waiting:
        await queue.send_now(tx, conversation_id)
    return len(waiting)


async def to_ask(tx: Tx) -> list[DueRow]:
    """Stopped numbers, of any tenant, whose next question is due."""
    return await tx.all(DueRow, "halts_to_ask")
