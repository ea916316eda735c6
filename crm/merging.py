"""Two entries of one customer become one: everything hangs on the one that stays, and nothing is lost.

The other entry keeps its row, without name and number. The customer is answered on the number they wrote
from last, whichever entry had it. The others become further ones: whoever writes from one of them is that
customer, and is answered there.
"""

from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import datetime

from crm import conversations, events
from crm.contacts import ContactRow
from crm.errors import ContactBusy, SomethingOpen, UnknownContact
from crm.privacy import people
from crm.privacy.holdings import HOLDINGS
from crm.record import TURNS, Crm, Tx
from db import tables

# Told apart by what a plain change of owner would break; `contact` is the entry itself, and what was written
# down of looks is never changed: it is found through the entry that was merged.
_BY_HAND = frozenset(
    {"access_log", "contact", "contact_fiscal", "campaign_recipient", "contact_merge", "erasure"}
)
_RANK = {"lead": 0, "dormant": 0, "qualified": 1, "client": 2}


class SameContact(UnknownContact):
    """A customer cannot be merged with themselves: choose another entry."""


@dataclass(frozen=True)
class _OpenRow:
    conversation_id: int
    contact_id: int
    owner: str
    last_activity_at: datetime


async def merge(crm: Crm, business_id: int, kept: int, gone: int, agent_id: int | None) -> int:
    """Merges entry `gone` into entry `kept`; returns how many rows moved. All of it happens, or nothing.

    Where both have an open conversation on one number, the one SARA has and that was quiet longer is closed.
    Raises UnknownContact, SameContact, ContactBusy while a turn of theirs runs, SomethingOpen when a human
    has one of two open conversations.
    """
    if kept == gone:
        raise SameContact(SameContact.__doc__)
    async with AsyncExitStack() as holds:
        async with crm.transaction(business_id) as tx:
            talking = [row for one in (kept, gone) for row in await people.threads(tx, one)]
        for row in sorted(talking, key=lambda row: row.conversation_id):
            if row.status == "open" and not await holds.enter_async_context(
                crm.hold(row.conversation_id, TURNS)
            ):
                raise ContactBusy(ContactBusy.__doc__)
        async with crm.transaction(business_id) as tx:
            return await _merged(tx, kept, gone, agent_id)


async def _merged(tx: Tx, kept: int, gone: int, agent_id: int | None) -> int:
    rows = {row.contact_id: row for row in await tx.all(ContactRow, "merge_lock", ids=[kept, gone])}
    if set(rows) != {kept, gone}:
        raise UnknownContact(UnknownContact.__doc__)
    await _one_conversation(tx, kept, gone)
    await tx.run("merge_lead", kept=kept, gone=gone)
    billing = await tx.value("merge_billing", kept=kept, gone=gone) or ""
    moved = await tx.run("merge_campaigns", kept=kept, gone=gone)
    for holding in HOLDINGS:
        if holding.via == "contact_id" and holding.table not in _BY_HAND:
            moved += await tables.move(tx.connection, holding.table, "contact_id", gone, kept)
    moved += await tables.move(tx.connection, "contact_merge", "contact_id", gone, kept)
    await _identities(tx, rows[kept], rows[gone])
    other = rows[gone]
    await tx.run(
        "merge_written",
        kept=kept,
        gone=gone,
        agent_id=agent_id,
        wa_id=other.wa_id,
        bsuid=other.bsuid,
        name=other.name,
        email=other.email,
        billing=billing,
        rows_moved=moved,
    )
    await events.happened(
        tx,
        "contact_merged",
        kept,
        key=f"contact_merged:{gone}",
        subject_id=gone,
        detail=f"#{gone}",
        agent_id=agent_id,
    )
    return moved


async def _one_conversation(tx: Tx, kept: int, gone: int) -> None:
    """Only one conversation of a customer on a number can be open."""
    found = await tx.all(_OpenRow, "merge_open", ids=[kept, gone])
    if any(row.owner == "human" for row in found):
        numbers = ", ".join(f"#{row.conversation_id}" for row in found)
        raise SomethingOpen(
            f"both have an open conversation ({numbers}): hand back or resolve one of them first"
        )
    for row in found[:-1]:
        await conversations.close(tx, row.conversation_id)


async def _identities(tx: Tx, one: ContactRow, other: ContactRow) -> None:
    """The one that stays learns what only the other knew, and takes the number and id heard of last; a second
    one becomes a further one."""
    last, earlier = (other, one) if _heard_later(other, one) else (one, other)
    await tx.run("merge_empty", kept=one.contact_id, gone=other.contact_id)
    seen = [at for at in (one.last_seen_at, other.last_seen_at) if at is not None]
    out = [at for at in (one.opted_out_at, other.opted_out_at) if at is not None]
    await tx.run(
        "merge_fill",
        kept=one.contact_id,
        wa_id=last.wa_id or earlier.wa_id,
        bsuid=last.bsuid or earlier.bsuid,
        name=one.name or other.name,
        email=one.email or other.email,
        language=one.language or other.language,
        told_language=one.told_language or other.told_language,
        lifecycle=max(one.lifecycle, other.lifecycle, key=_RANK.__getitem__),
        opted_out_at=min(out) if out else None,
        created_at=min(one.created_at, other.created_at),
        last_seen_at=max(seen) if seen else None,
    )
    if last.wa_id and earlier.wa_id:
        await tx.run("merge_alias", kept=one.contact_id, wa_id=earlier.wa_id, bsuid=None)
    if last.bsuid and earlier.bsuid:
        await tx.run("merge_alias", kept=one.contact_id, wa_id=None, bsuid=earlier.bsuid)


def _heard_later(one: ContactRow, other: ContactRow) -> bool:
    """Whether one wrote after the other did, or the other never."""
    if one.last_seen_at is None:
        return False
    return other.last_seen_at is None or one.last_seen_at > other.last_seen_at
