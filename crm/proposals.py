"""Proposed facts: what lists say differently from the record, until a person accepts or rejects it."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, time
from decimal import Decimal

from crm import businesses
from crm.businesses import Profile, Service
from crm.differences import DAYS, Change, Listed, Unplaced, differences, value_now
from crm.errors import RecordError
from crm.record import Tx

STATUSES = ("open", "accepted", "rejected", "superseded")


class UnknownProposal(RecordError):
    """No such proposal in this business: `sara facts list` shows the open ones."""


class ProposalClosed(RecordError):
    """This proposal was already accepted or superseded: propose again to see what the lists say now."""


class ProposalConflict(RecordError):
    """The lists contradict each other on this: reject what is wrong first."""


class NoQuestion(RecordError):
    """This proposal does not ask whether two services are the same: accept or reject it."""


class StaleProposal(RecordError):
    """The record has changed since this was proposed: propose again."""


@dataclass(frozen=True)
class ProposalRow:
    """A proposal. `old_value` and `new_value` are as people read them; `similar_to` is a question."""

    proposal_id: int
    kind: str
    subject: str
    subject_name: str
    field: str
    old_value: str | None
    new_value: str
    language: str
    duration_minutes: int | None
    price: Decimal | None
    price_max: Decimal | None
    price_unit: str | None
    similar_to: str | None
    document: str
    row_text: str
    status: str
    agent_id: int | None
    created_at: datetime
    decided_at: datetime | None

    @property
    def about(self) -> tuple[str, str, str]:
        """What it is about: open proposals of one and the same contradict each other."""
        return self.kind, self.subject, self.field

    @property
    def keeps(self) -> bool:
        """Whether it only says that the record is right, against a list that says otherwise."""
        return self.old_value == self.new_value


@dataclass(frozen=True)
class SpanRow:
    opens: time
    closes: time


@dataclass(frozen=True)
class Proposed:
    """What a reading of lists came to; `proposals` are all that are open now, also from earlier readings."""

    proposals: list[ProposalRow]
    added: int
    closed: int
    rejected_before: int
    unplaced: list[Unplaced]
    missing: list[Service]


@dataclass(frozen=True)
class Left:
    """A proposal that was not accepted with the others, and why."""

    proposal: ProposalRow
    reason: str


async def propose(tx: Tx, lists: Sequence[Listed]) -> Proposed:
    """Compares lists with the record and keeps the differences as open proposals.

    What was proposed before is not proposed twice, nor what was rejected while the record is as it was then.
    Open proposals from these documents that they no longer bear out are closed, and so is what the record has
    come to say by itself. Raises UnknownBusiness.
    """
    profile = await _locked(tx)
    found = differences(profile, lists)
    rejected = {(*row.about, row.old_value, row.new_value) for row in await proposals(tx, ("rejected",))}
    kept = [c for c in found.changes if (*c.about, c.old_value, c.new_value) not in rejected]
    wanted = _contested(kept)
    before = await proposals(tx)
    closed = await _close_outdated(tx, profile, before, wanted, {listed.document for listed in lists})
    standing = {(*row.about, row.new_value) for row in before if row.proposal_id not in closed}
    added = [change for change in wanted if (*change.about, change.new_value) not in standing]
    for change in added:
        await _insert(tx, change)
    return Proposed(
        proposals=await proposals(tx),
        added=len(added),
        closed=len(closed),
        rejected_before=len(found.changes) - len(kept),
        unplaced=found.unplaced,
        missing=found.missing,
    )


async def proposals(tx: Tx, statuses: Sequence[str] = ("open",)) -> list[ProposalRow]:
    """Proposals in those states, in the order they were made."""
    return await tx.all(ProposalRow, "proposals", statuses=list(statuses))


def rivals(row: ProposalRow, among: Iterable[ProposalRow]) -> list[ProposalRow]:
    """The proposals that contradict one."""
    return [other for other in among if other.about == row.about and other.proposal_id != row.proposal_id]


async def accept(tx: Tx, ids: Collection[int], *, agent_id: int | None = None) -> list[ProposalRow]:
    """Writes proposals into the record, all or none; one that was rejected may still be accepted.

    Raises UnknownProposal, ProposalClosed, ProposalConflict when lists contradict each other, StaleProposal
    when the record no longer says what it said.
    """
    profile = await _locked(tx)
    everything = await proposals(tx, STATUSES)
    chosen = [_found(everything, wanted) for wanted in dict.fromkeys(ids)]
    contenders = [row for row in everything if row.status == "open" or row in chosen]
    for row in chosen:
        _check_acceptable(row, contenders, profile)
    for row in chosen:
        await _write(tx, row, agent_id)
    return chosen


async def accept_all(tx: Tx, *, agent_id: int | None = None) -> tuple[list[ProposalRow], list[Left]]:
    """Accepts every open proposal that needs no answer first; the rest stays open, each with its reason."""
    profile = await _locked(tx)
    everything = await proposals(tx)
    accepted: list[ProposalRow] = []
    left: list[Left] = []
    for row in everything:
        try:
            _check_acceptable(row, everything, profile)
        except RecordError as error:
            left.append(Left(row, str(error)))
            continue
        if row.similar_to:
            left.append(Left(row, f"may be {row.similar_to} by another name: accept it by its number"))
            continue
        await _write(tx, row, agent_id)
        accepted.append(row)
    return accepted, left


async def same(tx: Tx, ids: Collection[int], *, agent_id: int | None = None) -> list[ProposalRow]:
    """Answers that a proposed new service is the similar one by another name, which that one takes on.

    A later reading of the list compares its price. Raises UnknownProposal, ProposalClosed, NoQuestion,
    StaleProposal.
    """
    profile = await _locked(tx)
    everything = await proposals(tx, STATUSES)
    chosen = [_found(everything, wanted) for wanted in dict.fromkeys(ids)]
    for row in chosen:
        if not row.similar_to:
            raise NoQuestion(f"#{row.proposal_id} is not like a service of the record: accept or reject it")
        _check_acceptable(row, (), profile)
    for row in {row.about: row for row in chosen}.values():
        await tx.run("fact_name", **_values(row))
        for rival in rivals(row, everything):
            if rival.status == "open" and rival not in chosen:
                await _decide(tx, rival, "superseded", agent_id)
    for row in chosen:
        await _settle(tx, row, agent_id, f"{row.subject_name}: another name of {row.similar_to}")
    return chosen


async def reject(tx: Tx, ids: Collection[int], *, agent_id: int | None = None) -> list[ProposalRow]:
    """Puts proposals aside; they are not proposed again while list and record stay as they are.

    Raises UnknownProposal, ProposalClosed.
    """
    await _locked(tx)
    everything = await proposals(tx, STATUSES)
    chosen = [_found(everything, wanted) for wanted in dict.fromkeys(ids)]
    for row in chosen:
        if row.status != "open":
            raise ProposalClosed(f"#{row.proposal_id} is {row.status}: only open proposals can be rejected")
    for row in chosen:
        await _decide(tx, row, "rejected", agent_id)
    await _close_uncontested(tx, everything, chosen)
    return chosen


async def withdraw(tx: Tx, document: str) -> None:
    """Closes the open proposals from a document that does not hold; a later reading may make them again."""
    await tx.value("proposals_lock")
    everything = await proposals(tx)
    gone = [row for row in everything if row.document == document]
    for row in gone:
        await _decide(tx, row, "superseded")
    await _close_uncontested(tx, everything, gone)


async def _locked(tx: Tx) -> Profile:
    """The business as it is, with nobody else reading lists or deciding at the same time."""
    await tx.value("proposals_lock")
    return await businesses.profile(tx)


def _contested(changes: Sequence[Change]) -> list[Change]:
    """Changes without those that keep the record's value and that no other list contradicts (any more)."""
    return [
        change
        for change in changes
        if change.new_value != change.old_value
        or any(other.about == change.about and other is not change for other in changes)
    ]


async def _close_uncontested(tx: Tx, before: Sequence[ProposalRow], gone: Collection[ProposalRow]) -> None:
    """Closes what only keeps the record's value, where what contradicted it is gone."""
    standing = [row for row in before if row.status == "open" and row not in gone]
    for row in standing:
        if row.keeps and not rivals(row, standing):
            await _decide(tx, row, "superseded")


async def _close_outdated(
    tx: Tx, profile: Profile, before: Sequence[ProposalRow], wanted: Sequence[Change], documents: set[str]
) -> set[int]:
    """Closes open proposals that lists or record have overtaken; returns their numbers."""
    still = {(*change.about, change.old_value, change.new_value) for change in wanted}
    closed = set()
    for row in before:
        if (*row.about, row.old_value, row.new_value) in still:
            continue
        again = any((*change.about, change.new_value) == (*row.about, row.new_value) for change in wanted)
        now = value_now(profile, row.kind, row.subject, row.subject_name, row.field)
        come_true = now is not None if row.kind == "new_service" else now == row.new_value
        if row.document in documents or again or (come_true and not (row.keeps and rivals(row, before))):
            await _decide(tx, row, "superseded")
            closed.add(row.proposal_id)
    return closed


async def _insert(tx: Tx, change: Change) -> None:
    values = asdict(change)
    spans = values.pop("spans")
    proposal_id = await tx.value("proposal_insert", **values)
    for opens, closes in spans:
        await tx.run("proposal_hours_insert", proposal_id=proposal_id, opens=opens, closes=closes)


def _found(rows: Iterable[ProposalRow], proposal_id: int) -> ProposalRow:
    row = next((row for row in rows if row.proposal_id == proposal_id), None)
    if row is None:
        raise UnknownProposal(f"no proposal #{proposal_id}: `sara facts list` shows the open ones")
    return row


def _check_acceptable(row: ProposalRow, contenders: Iterable[ProposalRow], profile: Profile) -> None:
    """Raises ProposalClosed, ProposalConflict, StaleProposal."""
    if row.status not in ("open", "rejected"):
        raise ProposalClosed(
            f"#{row.proposal_id} is {row.status}: propose again to see what the lists say now"
        )
    if others := rivals(row, contenders):
        numbers = ", ".join(f"#{other.proposal_id} ({other.new_value}, {other.document})" for other in others)
        raise ProposalConflict(
            f"#{row.proposal_id} ({row.new_value}, {row.document}) contradicts {numbers}: "
            "reject what is wrong first"
        )
    now = value_now(profile, row.kind, row.subject, row.subject_name, row.field)
    if now != row.old_value:
        raise StaleProposal(
            f"#{row.proposal_id}: the record says {now or 'nothing'} for {row.subject_name}, "
            f"no longer {row.old_value or 'nothing'}: propose again"
        )


async def _write(tx: Tx, row: ProposalRow, agent_id: int | None) -> None:
    """Writes an accepted value into the record, with an event that says so."""
    if row.kind == "hours":
        await _write_day(tx, row)
    elif row.kind == "new_service":
        await tx.run("fact_service", **_values(row))
    elif row.field == "duration":
        await tx.run("fact_duration", **_values(row))
    else:
        await tx.run("fact_price", **_values(row))
    detail = f"{row.subject_name}: {row.field} {row.old_value or '—'} → {row.new_value}"
    await _settle(tx, row, agent_id, detail)


async def _settle(tx: Tx, row: ProposalRow, agent_id: int | None, detail: str) -> None:
    """Marks a proposal accepted, with an event of the business that says what became of it."""
    await _decide(tx, row, "accepted", agent_id)
    await tx.run(
        "crm_event_insert",
        contact_id=None,
        conversation_id=None,
        kind="fact_accepted",
        subject_id=row.proposal_id,
        detail=f"{detail} ({row.document})",
    )


def _values(row: ProposalRow) -> dict[str, object]:
    names = ("subject", "subject_name", "language", "similar_to")
    values = ("duration_minutes", "price", "price_max", "price_unit")
    return {name: getattr(row, name) for name in (*names, *values)}


async def _write_day(tx: Tx, row: ProposalRow) -> None:
    weekday = DAYS.index(row.field)
    await tx.run("fact_day_clear", subject=row.subject, weekday=weekday)
    for span in await tx.all(SpanRow, "proposal_hours", proposal_id=row.proposal_id):
        await tx.run(
            "fact_day_insert", subject=row.subject, weekday=weekday, opens=span.opens, closes=span.closes
        )


async def _decide(tx: Tx, row: ProposalRow, status: str, agent_id: int | None = None) -> None:
    await tx.run("proposal_decide", proposal_id=row.proposal_id, status=status, agent_id=agent_id)
