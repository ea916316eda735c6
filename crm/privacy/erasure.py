"""Erasure: nobody can be known any more, and figures stay.

Rows that are nothing but a customer's words, voice, files or identity are deleted. Rows that figures are made
of (conversations, messages, hand-overs, appointments, quotes, invoice drafts) stay, emptied of words and
identities, and hang on a contact without name or number.
"""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Literal

from crm import appointments, conversations, desk, events, handoffs, tickets
from crm.errors import ContactBusy, SomethingOpen
from crm.privacy import people, proof
from crm.privacy.collect import Ids, walk
from crm.privacy.holdings import OF_INVOICES, THREADS, Holding
from crm.privacy.people import Open, Person
from crm.privacy.proof import Proof, Terms
from crm.record import SENDS, TURNS, Crm, Tx
from db import tables

Invoices = Literal["none", "anonymise", "keep"]
Cause = Literal["asked", "retention"]

_PATIENCE_S = 10.0
_PAUSE_S = 0.25
_SETTLED = (
    "person_settle_events",
    "person_settle_outbox",
    "person_settle_hooks",
    "person_settle_follow_ups",
    "person_settle_waiting",
    "person_settle_campaigns",
    "person_settle_conversations",
)


@dataclass(frozen=True)
class Part:
    """What became of one table."""

    table: str
    deleted: int
    emptied: int


@dataclass
class Report:
    """What was done, with the search that proves it. Holds no words and no identity of the customer.

    `threads` are the ids by which LangSmith knows the conversations, where somebody traced them there.
    """

    business_id: int
    contact_id: int
    at: datetime
    cause: Cause
    invoices: Invoices
    closed: Open
    parts: list[Part] = field(default_factory=list)
    raw_webhooks: int = 0
    jobs: int = 0
    threads: list[str] = field(default_factory=list)
    calendar_entries: int = 0
    proof: Proof | None = None

    @property
    def clean(self) -> bool:
        """Whether the search found nothing of the customer but what was kept on purpose."""
        return self.proof is not None and not self.proof.traces


async def erase(
    crm: Crm,
    business_id: int,
    contact_id: int,
    *,
    close: bool = False,
    invoices: Invoices = "none",
    cause: Cause = "asked",
    prove: bool = True,
    unheard_for: timedelta | None = None,
) -> Report:
    """Erases a customer, whole or not at all; a second time changes nothing.

    `close` ends what is open: hand-overs, appointments to come, reports. `invoices` says what becomes of
    drafts that have a number. With `unheard_for`, only who has not written for so long. Raises
    UnknownContact, ContactBusy (also when they have written, or were merged, in the meantime),
    SomethingOpen (which says what to do).
    """
    async with _alone(crm, business_id, contact_id):
        closed = await _close_all(crm, business_id, contact_id, close=close, invoices=invoices)
        async with crm.as_owner() as above:
            tx = Tx(business_id, above.now, above.connection, above.queries)
            await _locked(tx, contact_id, unheard_for)
            report, ids, terms = await _erase(tx, contact_id, closed, invoices, cause)
        if prove:
            report.proof = await _prove(crm, report, ids, terms)
    return report


async def _prove(crm: Crm, report: Report, ids: Ids, terms: Terms) -> Proof:
    """Searches one snapshot of the database, after statuses that came in meanwhile have gone as well."""
    kept = (*OF_INVOICES, "stored_file") if report.invoices == "keep" else ()
    async with crm.as_owner() as tx:
        await tx.connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        report.raw_webhooks += await _drop_payloads(tx, terms)
        found = await proof.search(tx, report.contact_id, ids, terms, kept=kept)
        for erasure_id in ids["new_erasure"]:
            await tx.run("person_searched", erasure_id=erasure_id, traces=len(found.traces))
    return found


async def _drop_payloads(tx: Tx, terms: Terms) -> int:
    known = [one.encode() for one in terms.identities if len(one) >= 6]
    return int(await tx.value("person_payloads", identities=known)) if known else 0


@asynccontextmanager
async def _alone(crm: Crm, business_id: int, contact_id: int) -> AsyncIterator[None]:
    """While no turn and no delivery of the customer's open conversations runs. Raises ContactBusy."""
    async with crm.transaction(business_id) as tx:
        await people.find(tx, f"#{contact_id}")
        going_on = [row for row in await people.threads(tx, contact_id) if row.status == "open"]
    loop = asyncio.get_running_loop()
    deadline = loop.time() + _PATIENCE_S
    while True:
        async with AsyncExitStack() as holds:
            held = [
                await holds.enter_async_context(crm.hold(row.conversation_id, purpose))
                for row in going_on
                for purpose in (TURNS, SENDS)
            ]
            if all(held):
                yield
                return
        if loop.time() > deadline:
            raise ContactBusy(ContactBusy.__doc__)
        await asyncio.sleep(_PAUSE_S)


async def _close_all(crm: Crm, business_id: int, contact_id: int, *, close: bool, invoices: Invoices) -> Open:
    async with crm.transaction(business_id) as tx:
        found = await people.open_with(tx, contact_id)
        _refuse(found, close=close, invoices=invoices)
        for number in found.handoffs:
            await _end_handoff(tx, number)
        for number in found.appointments:
            await appointments.release(tx, number)
            row = await appointments.get(tx, number)
            if row is not None and row.status == "booked":
                await appointments.cancel(tx, number, contact_id)
                await events.happened(
                    tx,
                    "appointment_cancelled",
                    contact_id,
                    key=f"erased:appointment:{number}",
                    subject_id=number,
                )
        for number in found.tickets:
            await tickets.end(tx, number)
    return found


async def _end_handoff(tx: Tx, handoff_id: int) -> None:
    """As an agent resolves it, without a turn for it: its thread goes in a moment."""
    handoff = await desk.open_one(tx, handoff_id)
    await handoffs.close(tx, handoff_id, "resolved", note="", agent_id=None)
    await conversations.give_to_bot(tx, handoff.conversation_id)
    await conversations.close(tx, handoff.conversation_id)
    await handoffs.step(tx, handoff_id, "resolved", None)


def _refuse(found: Open, *, close: bool, invoices: Invoices) -> None:
    if found.invoices and invoices == "none":
        raise SomethingOpen(
            f"there are numbered invoice drafts ({_numbers(found.invoices)}): add `--invoices anonymise`"
            " when your accounting has the invoices that were issued, or `--invoices keep` when SARA's"
            " copies are the only ones, since the law wants invoices kept"
        )
    if close:
        return
    open_things = [
        (found.handoffs, "hand-overs", "`sara handoff resolve`"),
        (found.appointments, "appointments to come", "cancel them"),
        (found.tickets, "reports", "`sara ticket close`"),
    ]
    named = [f"{what} {_numbers(numbers)} ({how})" for numbers, what, how in open_things if numbers]
    if named:
        raise SomethingOpen(f"something is open: {', '.join(named)}; or end it all with `--close`")


def _numbers(numbers: Sequence[int]) -> str:
    return ", ".join(f"#{number}" for number in numbers)


async def _locked(tx: Tx, contact_id: int, unheard_for: timedelta | None) -> None:
    """Only now nothing of them can come in: what was asked of them before may not be so any more."""
    if await tx.first(Person, "person_lock", contact_id=contact_id, unheard_for=unheard_for) is None:
        raise ContactBusy("the customer wrote or was merged into another entry at this moment: try again")


async def _erase(
    tx: Tx, contact_id: int, closed: Open, invoices: Invoices, cause: Cause
) -> tuple[Report, Ids, Terms]:
    report = Report(tx.business_id, contact_id, tx.now, cause, invoices, closed)
    found: list[tuple[Holding, list[dict[str, Any]]]] = []
    ids: Ids = {}
    async for holding, rows, known_ids in walk(tx.connection, contact_id):
        found.append((holding, rows))
        ids = known_ids
    rows_of = {holding.table: rows for holding, rows in found}
    terms = proof.terms_of(rows_of, await people.former_numbers(tx, contact_id))
    ids["thread_id"] = {row["thread_id"] for row in rows_of["conversation"]}
    report.threads = sorted(str(thread) for thread in ids["thread_id"])
    report.calendar_entries = len(rows_of["calendar_event"])
    await _settle(tx, contact_id, ids, report)
    schema = await tables.columns(tx.connection)
    for holding, rows in reversed(found):  # children before parents
        if rows:
            await _empty_or_delete(tx, holding, ids, schema, report, invoices)
    for table in THREADS:
        gone = await tables.delete(tx.connection, table, "thread_id", ids["thread_id"])
        report.parts.append(Part(table, gone, 0))
    report.raw_webhooks = await _drop_payloads(tx, terms)
    await tx.run("person_named_in_alerts", words=list(terms.all))
    await tx.run("person_mark_erased", contact_id=contact_id)
    erasure_id = await _remember(tx, report)
    return report, {**ids, "new_erasure": {erasure_id}}, terms


async def _settle(tx: Tx, contact_id: int, ids: Ids, report: Report) -> None:
    """Nothing waits any more: no turn, no message, no job."""
    about = {
        "contact_id": contact_id,
        "conversations": list(ids["conversation_id"]),
        "messages": list(ids["message_id"]),
        "handoffs": list(ids["handoff_id"]),
    }
    if await tx.value("person_jobs_running", **about):
        raise ContactBusy(ContactBusy.__doc__)
    report.jobs = await tx.run("person_jobs_drop", **about)
    for query in _SETTLED:
        await tx.run(query, **about)


async def _empty_or_delete(
    tx: Tx,
    holding: Holding,
    ids: Ids,
    schema: dict[str, list[tables.Column]],
    report: Report,
    invoices: Invoices,
) -> None:
    if invoices == "keep" and holding.table in OF_INVOICES:
        return
    wanted = ids[holding.via]
    if holding.table == "stored_file" and invoices == "keep":
        files = await tables.rows(tx.connection, holding.table, holding.via, wanted)
        gone = {row["file_id"] for row in files if row["invoice_draft_id"] is None}
        deleted = await tables.delete(tx.connection, holding.table, "file_id", gone)
        report.parts.append(Part(holding.table, deleted, 0))
    elif holding.delete:
        deleted = await tables.delete(tx.connection, holding.table, holding.via, wanted)
        report.parts.append(Part(holding.table, deleted, 0))
    elif holding.empty:
        columns = [column for column in schema[holding.table] if column.name in holding.empty]
        if holding.table == "contact":  # its row needs a name of some kind until it counts as erased
            await tx.run("person_mark_erased", contact_id=report.contact_id)
        emptied = await tables.empty(tx.connection, holding.table, holding.via, wanted, columns)
        report.parts.append(Part(holding.table, 0, emptied))


async def _remember(tx: Tx, report: Report) -> int:
    erasure_id = int(
        await tx.value(
            "person_erased", contact_id=report.contact_id, cause=report.cause, invoices=report.invoices
        )
    )
    for part in report.parts:
        await tx.run(
            "person_erased_part",
            erasure_id=erasure_id,
            table_name=part.table,
            deleted=part.deleted,
            emptied=part.emptied,
        )
    return erasure_id
