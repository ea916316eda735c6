"""Services, prices and opening hours from a business's own lists: proposed, and written when accepted."""

import asyncio
import json
import sys
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Annotated, Any
from zoneinfo import ZoneInfo

import typer

from crm import businesses, library, proposals
from crm.businesses import Profile, Service
from crm.differences import Listed, shown_length
from crm.proposals import Left, ProposalRow, Proposed
from crm.record import Crm
from knowledge import files
from knowledge.errors import UnreadableDocument
from knowledge.facts.reading import read_facts, spoken_in
from knowledge.ingest import Detect
from knowledge.readers.reading import read
from knowledge.validity import Validity
from sara import services
from sara.commands.loop import run
from sara.settings import load

app = typer.Typer(help="Prices and hours from your lists, for you to accept.", no_args_is_help=True)

Business = Annotated[str, typer.Option(help="slug of the business")]
AsJson = Annotated[bool, typer.Option("--json", help="print one JSON object")]
_Row = dict[str, Any]


@dataclass
class _Reading:
    """What the files of one run state, and what could not be taken from them."""

    lists: list[Listed] = field(default_factory=list)
    unread: list[_Row] = field(default_factory=list)
    outdated: list[_Row] = field(default_factory=list)
    failed: list[_Row] = field(default_factory=list)


@app.command("propose")
def propose(
    paths: Annotated[list[Path], typer.Argument(exists=True, help="files and folders")],
    business: Business,
    missing: Annotated[bool, typer.Option("--missing", help="name services that are in no list")] = False,
    as_json: AsJson = False,
) -> None:
    """Compares lists with the record and shows the differences; exits 1 when a file failed."""
    report = run(_propose(paths, business, missing=missing))
    if as_json:
        _print_json(report)
    else:
        _print_report(report)
    if report["failed"]:
        raise typer.Exit(1)


@app.command("list")
def list_(business: Business, as_json: AsJson = False) -> None:
    """The open proposals."""
    rows = run(_list(business))
    if as_json:
        _print_json({"proposals": rows})
    else:
        _print_rows(rows)


@app.command("accept")
def accept(
    business: Business,
    ids: Annotated[list[int] | None, typer.Argument(help="numbers from `sara facts list`")] = None,
    everything: Annotated[bool, typer.Option("--all", help="all that need no answer first")] = False,
    same: Annotated[
        bool, typer.Option("--same", help="yes, it is the similar service by another name")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Writes proposals into the record: from the next message on SARA answers with them."""
    if bool(ids) == everything:
        raise typer.BadParameter("give the numbers of proposals, or --all")
    if same and everything:
        raise typer.BadParameter("--same answers a question: give the numbers of proposals")
    accepted, left = run(_accept(business, ids or [], same=same))
    if as_json:
        _print_json({"accepted": accepted, "left": left})
        return
    print(f"accepted {len(accepted)}{': propose again to compare prices' if same else ''}")
    for row in left:
        print(f"left #{row['id']}: {row['reason']}")


@app.command("reject")
def reject(
    business: Business,
    ids: Annotated[list[int], typer.Argument(help="numbers from `sara facts list`")],
    as_json: AsJson = False,
) -> None:
    """Puts proposals aside; they come back only when the list or the record changes."""
    rejected = run(_reject(business, ids))
    if as_json:
        _print_json({"rejected": rejected})
    else:
        print(f"rejected {len(rejected)}")


async def _propose(paths: Sequence[Path], business: str, *, missing: bool) -> _Row:
    async with _business(business) as (crm, business_id):
        async with crm.transaction(business_id) as tx:
            profile = await businesses.profile(tx)
            by_hand = {name: Validity(*days) for name, days in (await library.dated_by_hand(tx)).items()}
        today = crm.clock().astimezone(ZoneInfo(profile.business.time_zone)).date()
        tell = services.telling_languages()
        reading = await asyncio.to_thread(_read, paths, profile, today, tell, by_hand)
        async with crm.transaction(business_id) as tx:
            done = await proposals.propose(tx, reading.lists)
    return _report(reading, done, profile, missing=missing)


async def _list(business: str) -> list[_Row]:
    async with _business(business) as (crm, business_id), crm.transaction(business_id) as tx:
        rows = await proposals.proposals(tx)
        return _as_rows(rows, await businesses.profile(tx))


async def _accept(business: str, ids: Sequence[int], *, same: bool) -> tuple[list[_Row], list[_Row]]:
    """Without numbers all that can be accepted."""
    async with _business(business) as (crm, business_id), crm.transaction(business_id) as tx:
        profile = await businesses.profile(tx)
        left: list[Left] = []
        if ids:
            accepted = await (proposals.same if same else proposals.accept)(tx, ids)
        else:
            accepted, left = await proposals.accept_all(tx)
    reasons = [{"id": entry.proposal.proposal_id, "reason": entry.reason} for entry in left]
    return _as_rows(accepted, profile), reasons


async def _reject(business: str, ids: Sequence[int]) -> list[_Row]:
    async with _business(business) as (crm, business_id), crm.transaction(business_id) as tx:
        return _as_rows(await proposals.reject(tx, ids), await businesses.profile(tx))


@asynccontextmanager
async def _business(slug: str) -> AsyncIterator[tuple[Crm, int]]:
    settings = load()
    async with services.database(settings) as dsn, services.record(settings, dsn) as crm:
        async with crm.outside() as tx:
            business_id = await businesses.of_slug(tx, slug)
        yield crm, business_id


def _read(
    paths: Sequence[Path], profile: Profile, on: date, tell: Detect, by_hand: Mapping[str, Validity]
) -> _Reading:
    """Reads every file; one that cannot be read never stops the others."""
    planned = files.plan(paths)
    reading = _Reading(failed=[{"path": gone.path, "error": gone.error} for gone in planned.failed])
    for file in planned.files:
        try:
            document = read(files.load(file.path), file.path.name)
        except UnreadableDocument as error:
            reading.failed.append({"path": file.name, "error": str(error)})
            continue
        valid = by_hand.get(file.name)
        stated = read_facts(document, currency=profile.business.currency, on=on, valid=valid)
        if stated.not_in_force:
            reading.outdated.append({"document": file.name, "reason": stated.not_in_force})
        facts = stated.facts
        if facts.untold:
            facts = spoken_in(facts, tell(document.text, profile.language) or profile.language)
        reading.lists.append(Listed(file.name, facts.services, facts.hours))
        reading.unread += [
            {"document": file.name, "row": row.row, "reason": row.reason} for row in facts.unread
        ]
    return reading


def _report(reading: _Reading, done: Proposed, profile: Profile, *, missing: bool) -> _Row:
    unplaced = [{"document": row.document, "row": row.row, "reason": row.reason} for row in done.unplaced]
    report: _Row = {
        "proposals": _as_rows(done.proposals, profile),
        "added": done.added,
        "closed": done.closed,
        "rejected_before": done.rejected_before,
        "unread": reading.unread + unplaced,
        "outdated": reading.outdated,
        "failed": reading.failed,
    }
    if missing:
        report["missing"] = [
            {"key": service.row.key, "name": _called(service, profile)} for service in done.missing
        ]
    return report


def _as_rows(rows: Sequence[ProposalRow], profile: Profile) -> list[_Row]:
    return [
        {
            "id": row.proposal_id,
            "kind": row.kind,
            "subject": row.subject,
            "name": row.subject_name,
            "field": row.field,
            "old": row.old_value,
            "new": row.new_value,
            "language": row.language,
            "similar_to": row.similar_to,
            "question": _question(row, profile),
            "conflicts_with": [other.proposal_id for other in proposals.rivals(row, rows)],
            "document": row.document,
            "row": row.row_text,
            "status": row.status,
            "created_at": row.created_at.isoformat(),
        }
        for row in rows
    ]


def _question(row: ProposalRow, profile: Profile) -> str | None:
    """ "like «Massaggio rilassante lungo», 80 min: same?" """
    similar = profile.service(row.similar_to) if row.similar_to else None
    if similar is None:
        return None
    length = shown_length(similar.row.duration_minutes)
    return f"like «{_called(similar, profile)}»{f', {length}' if length else ''}: same?"


def _called(service: Service, profile: Profile) -> str:
    return service.name(profile.language, profile.language)


def _print_json(value: _Row) -> None:
    print(json.dumps(value, ensure_ascii=False))


def _print_report(report: _Row) -> None:
    _print_rows(report["proposals"])
    for row in report["unread"]:
        print(f"unread {row['document']}: {row['row']}\n       {row['reason']}")
    for row in report["outdated"]:
        print(f"not in force {row['document']}: {row['reason']}")
    for service in report.get("missing", ()):
        print(f"in no list: {service['name']} ({service['key']})")
    print(f"{report['added']} new, {len(report['proposals'])} open, {report['closed']} closed", end="")
    print(f", {report['rejected_before']} rejected before" if report["rejected_before"] else "")
    for failure in report["failed"]:
        print(f"failed {failure['path']}: {failure['error']}", file=sys.stderr)


def _print_rows(rows: Sequence[_Row]) -> None:
    for row in rows:
        if row["kind"] == "new_service":
            change = f"new service «{row['name']}»: {row['new']}"
        elif row["old"] == row["new"]:
            change = f"{row['name']}, {row['field']}: stays {row['new']}"
        else:
            change = f"{row['name']}, {row['field']}: {row['old'] or '—'} → {row['new']}"
        print(f"#{row['id']:<5} {change}")
        print(f"       {row['document']}: {row['row']}")
        if row["question"]:
            print(f"       {row['question']}")
        if row["conflicts_with"]:
            numbers = ", ".join(f"#{number}" for number in row["conflicts_with"])
            print(f"       conflict with {numbers}: reject what is wrong")
