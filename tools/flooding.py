"""More messages than a person writes: another machine's automatic answers, or somebody out of bounds."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from crm import messages
from crm.record import Crm
from graph.state import KEPT, Line

# In which as many lines were said as a window always keeps: a person may, so the record is asked.
_SUSPICIOUS_S = 60.0


async def flooding(
    crm: Crm, event: Mapping[str, Any], window: Sequence[Line], now: datetime, *, most: int, minutes: float
) -> bool:
    """Whether the event's customer wrote more than `most` messages in the last `minutes`.

    Two machines that answer each other would go on all night, and every turn costs. The record is asked only
    where the `window` was filled within a minute.
    """
    if len(window) < KEPT or not _within(window[-KEPT], now, _SUSPICIOUS_S):
        return False
    async with crm.transaction(event["business_id"]) as tx:
        since = now - timedelta(minutes=minutes)
        return await messages.lately(tx, event["contact_id"], since, most=most + 1) > most


def _within(line: Line, now: datetime, seconds: float) -> bool:
    try:
        return (now - datetime.fromisoformat(line["at"])).total_seconds() <= seconds
    except ValueError:  # a line that was given to the graph by hand
        return False
