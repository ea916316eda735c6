"""The parts of `message_status`, one for each month with many messages: cut, looked at, dropped.

Parts are ranges of message ids, which grow with time.
"""

from dataclasses import dataclass
from datetime import date, timedelta

from crm.record import Tx

LEAST = 100_000
"""Messages since the last cut from which another part is worth it."""


@dataclass(frozen=True)
class PartRow:
    """From `lower_id` (None: the first there are) to before `upper_id` (None: it takes what comes).

    `cut_id`: where it is being cut; from there on it takes nothing until the cut is finished.
    """

    part: str
    lower_id: int | None
    upper_id: int | None
    cut_id: int | None


async def parts(tx: Tx) -> list[PartRow]:
    """All of them, the oldest first, without the net for statuses of parts that are gone."""
    return await tx.all(PartRow, "status_parts")


async def cut_begin(tx: Tx, month: date, *, least: int = LEAST) -> bool:
    """Begins a part for `month` unless there is one, or goes on with a cut that was not finished.

    False: nothing to do. Otherwise `cut_look` and `cut_end` follow, each in a transaction of its own.
    """
    begun: bool = await tx.value("status_cut_begin", month=month, least=least)
    return begun


async def cut_look(tx: Tx) -> None:
    """Reads the open part, beside whoever writes."""
    await tx.run("status_cut_look")


async def cut_end(tx: Tx, month: date) -> str:
    """Cuts; the new part's name. Writers wait for some milliseconds."""
    return str(await tx.value("status_cut_end", month=month))


async def drop(tx: Tx, older_than: timedelta) -> str | None:
    """Drops the oldest part if its newest message is older; its name."""
    gone: str | None = await tx.value("status_drop", older_than=older_than)
    return gone
