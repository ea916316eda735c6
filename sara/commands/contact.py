"""What a customer may ask for: their data, and that it goes."""

import asyncio
import json
import os
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any, Literal, get_args

import typer

from crm import businesses, trail
from crm.errors import UnknownContact
from crm.privacy import basis, erasure, export, people
from crm.privacy.basis import Basis, BasisRow, Purpose
from crm.privacy.erasure import Report
from db.checkpoints import TenantSaver
from db.pool import open_pool
from sara import contact_export, services
from sara.commands.desk import Desk, desk_of
from sara.commands.failures import CommandFailed, writing
from sara.commands.loop import run
from sara.langsmith_erasure import forget
from sara.settings import langsmith

app = typer.Typer(help="A customer's data: export it, erase it, say why it is used.", no_args_is_help=True)

Business = Annotated[str, typer.Option(help="slug of the business")]
Contact = Annotated[
    str,
    typer.Argument(help="phone number with its country's digits, or #12 for contact number 12"),
]


@app.command("export")
def export_(
    contact: Contact,
    business: Business,
    output: Annotated[
        Path | None, typer.Option(file_okay=False, help="folder to write; contact-NUMBER when none is given")
    ] = None,
) -> None:
    """Everything held about a customer: contact.json for machines, contact.html for people, their files."""
    folder, written = run(_export(business, contact, output))
    print(f"{folder}: {len(written)} files")


async def _export(business: str, contact: str, output: Path | None) -> tuple[Path, list[Path]]:
    async with desk_of(business) as desk:
        seal = await asyncio.to_thread(services.seal, desk.settings)
        async with desk.crm.transaction(desk.business_id) as tx:
            person = await people.find(tx, contact)
            if person.erased_at is not None:
                raise UnknownContact(f"contact #{person.contact_id} was erased: nothing is held any more")
            folder = output or Path(f"contact-{person.contact_id}")
            await asyncio.to_thread(_theirs_alone, folder, person.contact_id)
            made = await export.export(tx, person, seal)
            threads = [row.thread_id for row in await people.threads(tx, person.contact_id)]
            name = (await businesses.profile(tx)).business.name
            await trail.looked(tx, trail.OPERATOR, "export", [person.contact_id])
        async with desk.crm.as_owner() as tx:
            made.raw_webhooks = await export.count_raw(tx, person)
        async with _saver(desk) as saver:
            made.threads = await contact_export.thread_states(saver, desk.business_id, threads)
    with writing(folder):
        return folder, await asyncio.to_thread(contact_export.write, made, folder, name)


def _theirs_alone(folder: Path, contact_id: int) -> None:
    """Before anything is looked at: the whole folder is handed over, so nobody else's data may lie in it.

    Raises CommandFailed where it is neither new nor empty nor holds an earlier export of the same customer.
    """
    with writing(folder):
        if not folder.exists() or not any(folder.iterdir()):
            return
    if contact_export.whose(folder) != contact_id:
        raise CommandFailed(
            f"{folder} is not empty and holds no export of contact #{contact_id}: choose another place"
        )


@app.command("erase")
def erase(
    contact: Contact,
    business: Business,
    close: Annotated[
        bool, typer.Option("--close", help="end what is open: hand-overs, appointments to come, reports")
    ] = False,
    invoices: Annotated[
        Literal["none", "anonymise", "keep"],
        typer.Option(help="what becomes of numbered invoice drafts; none: refuse when there are any"),
    ] = "none",
    report: Annotated[Path | None, typer.Option(dir_okay=False, help="file for the proof, as JSON")] = None,
    yes: Annotated[bool, typer.Option("--yes", help="do not ask")] = False,
    as_json: Annotated[bool, typer.Option("--json")] = False,
) -> None:
    """Erases a customer, then searches the whole database for what is left. Figures stay; no way back."""
    if not yes:
        typer.confirm(f"Erase {contact} at {business}? This cannot be undone.", abort=True)
    with _room_for(report):
        done = run(_erase(business, contact, close=close, invoices=invoices))
    data = {**asdict(done), "clean": done.clean, "langsmith": forget(langsmith(), done.threads)}
    text = json.dumps(data, ensure_ascii=False, indent=2, default=str)
    print(text if as_json else f"{_words(done)}\n{_at_langsmith(data['langsmith'])}")
    if report is not None:
        _keep(report, text, shown=as_json)
    if not done.clean:
        raise CommandFailed(
            f"traces of contact #{done.contact_id} are left: see `traces` in the report (--json)"
        )


@contextmanager
def _room_for(report: Path | None) -> Iterator[None]:
    """Makes the file of the proof before anything is erased: there is no second proof of it.

    A new one goes again when nothing was erased. Raises CommandFailed when it cannot be written, or holds
    something already: perhaps the only proof of another erasure.
    """
    if report is None:
        yield
        return
    with writing(report):
        new = not report.exists()
        if report.is_file() and report.stat().st_size:
            raise CommandFailed(
                f"{report} is there already, perhaps the proof of another erasure: choose another name"
            )
        os.close(os.open(report, os.O_WRONLY | os.O_CREAT, 0o600))
    try:
        yield
    except BaseException:
        if new:
            report.unlink(missing_ok=True)
        raise


def _keep(report: Path, text: str, *, shown: bool) -> None:
    """Writes the proof, or prints it where the disk does not take it; then raises CommandFailed."""
    try:
        report.write_text(f"{text}\n", encoding="utf-8")
    except OSError as error:
        if not shown:
            print(text)
        raise CommandFailed(
            f"the customer is erased, but {report} cannot be written ({error.strerror}):"
            " keep the JSON above, there is no other proof"
        ) from error


async def _erase(
    business: str, contact: str, *, close: bool, invoices: Literal["none", "anonymise", "keep"]
) -> Report:
    async with desk_of(business) as desk:
        async with desk.crm.transaction(desk.business_id) as tx:
            person = await people.find(tx, contact)
        return await erasure.erase(
            desk.crm, desk.business_id, person.contact_id, close=close, invoices=invoices
        )


def _at_langsmith(told: dict[str, Any]) -> str:
    """What became of the traces, which lie in another system."""
    match told["status"]:
        case "asked":
            return (
                f"LangSmith was asked to delete the traces; {told['dataset_rows']} dataset rows are deleted"
            )
        case "failed":
            problem = told["problem"]
            return f"LangSmith could NOT be asked to delete the traces ({problem}): see `langsmith` (--json)"
        case _:
            return "LangSmith was not asked: LANGSMITH_API_KEY is not set"


def _words(done: Report) -> str:
    lines = [f"contact #{done.contact_id} is erased"]
    lines += [
        f"  {part.table:<20} {part.deleted:>5} deleted {part.emptied:>5} emptied"
        for part in done.parts
        if part.deleted or part.emptied
    ]
    lines += [f"  raw webhooks         {done.raw_webhooks:>5} deleted", f"  jobs  {done.jobs:>20} dropped"]
    if done.calendar_entries:
        lines.append(f"  {done.calendar_entries} entries in calendars outside: those of the past stay there")
    proof = done.proof
    if proof is not None:
        sought = f"{proof.identities} identities and {proof.words} words in {proof.tables} tables"
        lines.append(f"searched for {sought}: {len(proof.traces) or 'no'} traces")
        for title, found in (("trace", proof.traces), ("kept", proof.kept), ("elsewhere", proof.elsewhere)):
            lines += [f"  {title}: {one.what} in {one.table}.{one.column}, {one.rows} rows" for one in found]
    return "\n".join(lines)


@app.command("basis")
def basis_(
    contact: Contact,
    business: Business,
    purpose: Annotated[Purpose | None, typer.Option(help="what the data is used for")] = None,
    because: Annotated[Basis | None, typer.Option(help="the basis of article 6(1) or 9(2)(a)")] = None,
    evidence: Annotated[str, typer.Option(help="what shows it: a form, a date, a contract")] = "",
    as_json: Annotated[bool, typer.Option("--json")] = False,
) -> None:
    """Why a customer's data is used, purpose by purpose; with --purpose and --because: says so."""
    if (purpose is None) != (because is None):
        raise typer.BadParameter(f"--purpose and --because go together ({', '.join(get_args(Basis))})")
    for row in run(_basis(business, contact, purpose, because, evidence)):
        if as_json:
            print(json.dumps(asdict(row), ensure_ascii=False, default=str))
        else:
            since = f"{row.since:%Y-%m-%d}" if row.since else ""
            print(f"{row.purpose:<10} {row.basis:<22} {since:<11} {row.evidence}")


async def _basis(
    business: str, contact: str, purpose: Purpose | None, because: Basis | None, evidence: str
) -> list[BasisRow]:
    async with desk_of(business) as desk, desk.crm.transaction(desk.business_id) as tx:
        person = await people.find(tx, contact)
        if purpose is not None and because is not None:
            await basis.say(tx, person.contact_id, purpose, because, evidence)
        return await basis.of(tx, person.contact_id)


@asynccontextmanager
async def _saver(desk: Desk) -> AsyncIterator[TenantSaver]:
    pool = await open_pool(desk.dsn, max_size=2, name="export", pooled=desk.settings.pooled)
    try:
        yield TenantSaver(pool, services.state_cipher(desk.settings))
    finally:
        await pool.close()
