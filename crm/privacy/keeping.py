"""What goes by itself when its time is over. How long is the installation's decision, and the caller's."""

from dataclasses import dataclass
from datetime import timedelta

from crm.record import Tx


@dataclass(frozen=True)
class OutOfTimeRow:
    business_id: int
    contact_id: int


async def forget_webhooks(tx: Tx, older_than: timedelta) -> int:
    """Deletes, over all tenants, raw webhooks that came longer ago; how many."""
    return int(await tx.value("webhooks_forget", older_than=older_than))


async def forget_threads(tx: Tx, older_than: timedelta, *, most: int) -> int:
    """Deletes the checkpoints of conversations closed longer ago, of any tenant; how many threads.

    The record keeps the conversation with its messages and its summary. One with an open hand-over or a
    waiting event is left alone.
    """
    return int(await tx.value("threads_forget", older_than=older_than, most=most))


@dataclass(frozen=True)
class PrunedRow:
    """What one portion did: the last conversation looked at (None: there was none), threads made shorter,
    checkpoints that went."""

    last: int | None
    threads: int
    pruned: int


async def prune_threads(tx: Tx, turns: int, *, after: int, most: int) -> PrunedRow:
    """Of open conversations, of any tenant, that were at work in the last hours: leaves the checkpoints of
    their last `turns` turns. The conversations after `after` in order of their ids, at most so many."""
    found = await tx.first(PrunedRow, "threads_prune", turns=turns, after=after, most=most)
    return found or PrunedRow(None, 0, 0)


async def forget_events(tx: Tx, older_than: timedelta, *, most: int) -> int:
    """Deletes, over all tenants, events that were done longer ago; how many."""
    return int(await tx.value("events_forget", older_than=older_than, most=most))


async def out_of_time(tx: Tx, older_than: timedelta, *, most: int) -> list[OutOfTimeRow]:
    """Customers of any tenant not heard of for longer, with whom nothing is open."""
    return await tx.all(OutOfTimeRow, "contacts_out_of_time", older_than=older_than, most=most)
