"""Message templates from the terminal: fetched, checked before Meta does, named for what they say."""

import asyncio
import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer
import yaml

from channels.whatsapp import templates as graph
from channels.whatsapp.fields import Malformed
from channels.whatsapp.templates import Finding, GraphTemplate
from crm import accounts, template_book
from crm.template_book import PURPOSES, KnownTemplate, UseRow
from inference.language import LANGUAGES, LanguageIdentifier
from jobs.accounts import Accounts
from sara import services
from sara.commands.desk import Desk, desk_of
from sara.commands.failures import CommandFailed
from sara.commands.loop import run

app = typer.Typer(help="WhatsApp message templates.", no_args_is_help=True)

Business = Annotated[str, typer.Option(help="slug of the business")]
AsJson = Annotated[bool, typer.Option("--json")]
_SURE_OF_LANGUAGE = 0.8
_SHORTEST_TOLD = 20


@app.command("sync")
def sync(
    business: Business,
    waba: Annotated[
        str | None, typer.Option(help="id of the WhatsApp Business Account; remembered from the first time")
    ] = None,
) -> None:
    """Fetches every template of the account: category, status, words. Run it after each change at Meta."""
    found, gone = run(_sync(business, waba))
    usable = sum(template.usable for template in found)
    print(f"{len(found)} templates, {usable} can be sent, {gone} gone")


async def _sync(business: str, waba: str | None) -> tuple[list[KnownTemplate], int]:
    async with desk_of(business) as desk:
        async with desk.crm.transaction(desk.business_id) as tx:
            account = waba or await template_book.account(tx)
        if account is None:
            raise CommandFailed("whose templates? give --waba, the account's id in WhatsApp Manager")
        found = await _fetched(desk, account)
        async with desk.crm.transaction(desk.business_id) as tx:
            await template_book.set_account(tx, account)
            for template in found:
                await template_book.put(tx, template)
            return found, await template_book.forget_gone(tx)


async def _fetched(desk: Desk, account: str) -> list[KnownTemplate]:
    async with services.whatsapp(desk.settings) as client:
        async with desk.crm.transaction(desk.business_id) as tx:
            sealed = any(row.own_token for row in await accounts.listed(tx))
        own = Accounts(client, desk.crm, await asyncio.to_thread(lambda: desk.seal) if sealed else None)
        items = await (await own.of_account(desk.business_id, account)).templates(account)
    found = []
    for item in items:
        try:
            found.append(known(graph.read(item)))
        except Malformed as problem:
            print(f"not read: {item.get('name')}: {problem}")
    return found


def known(template: GraphTemplate) -> KnownTemplate:
    """A template of Meta's as the record keeps it."""
    return KnownTemplate(
        name=template.name,
        code=template.code,
        category=template.category,
        status=template.status,
        quality=template.quality,
        reason=template.reason,
        body=template.body,
        variables=template.variables,
        plain=template.plain,
        quick_replies=list(template.payloads),
    )


@app.command("list")
def list_(business: Business, as_json: AsJson = False) -> None:
    """The templates as of the last sync, and which of them say what SARA says first."""
    rows, uses = run(_list(business))
    if as_json:
        for row in rows:
            print(json.dumps(asdict(row), ensure_ascii=False, default=str))
        return
    for row in rows:
        why = f" ({row.reason})" if row.reason else "" if row.plain else " (needs more than values)"
        size = f"{row.variables} values"
        print(f"{row.name:<32} {row.code:<6} {row.category:<14} {row.status:<10} {size}{why}")
    for use in uses:
        print(f"{use.purpose:<32} {use.language:<6} is said by {use.name} ({use.code})")


async def _list(business: str) -> tuple[list[KnownTemplate], list[UseRow]]:
    async with desk_of(business) as desk, desk.crm.transaction(desk.business_id) as tx:
        return await template_book.known(tx), await template_book.uses(tx)


@app.command("use")
def use(
    business: Business,
    purpose: Annotated[str, typer.Option(help=", ".join(PURPOSES))],
    name: Annotated[str, typer.Argument(help="the template's name")],
    code: Annotated[str, typer.Argument(help="its language as Meta writes it, such as it or pt_BR")],
) -> None:
    """From now on that template says it, in its language, when a customer's 24 hours are over."""
    if purpose not in PURPOSES:
        raise typer.BadParameter(f"{purpose}: one of {', '.join(PURPOSES)}")
    run(_use(business, purpose, name, code))
    print(f"{purpose} in {code[:2]} is said by {name}")


async def _use(business: str, purpose: str, name: str, code: str) -> None:
    async with desk_of(business) as desk, desk.crm.transaction(desk.business_id) as tx:
        template = await template_book.one(tx, name, code)
        if template is None:
            raise CommandFailed(f"{name} ({code}) is not known: `sara template sync` first")
        if not template.usable:
            raise CommandFailed(f"{name} ({code}) cannot be sent: it is {template.status}")
        wanted = template_book.VALUES.get(purpose)
        if wanted is not None and template.variables != wanted:
            raise CommandFailed(f"{purpose} fills in {wanted} values, {name} has {template.variables}")
        replies = template_book.REPLIES.get(purpose, 0)
        if len(template.quick_replies) < replies:
            raise CommandFailed(f"{purpose} needs a template whose first {replies} buttons are quick replies")
        await template_book.use(tx, purpose, code[:2], name, code)


@app.command("lint")
def lint(
    file: Annotated[list[Path], typer.Argument(help="templates as Meta takes them, JSON or YAML")],
    as_json: AsJson = False,
) -> None:
    """Finds what Meta would refuse: category, language, variables, lengths. Exit code 1 when it would."""
    identifier = LanguageIdentifier()

    def detect(words: str) -> str | None:
        told = identifier.detect(words, allowed=LANGUAGES, prior=None)
        sure = len(words) >= _SHORTEST_TOLD and told.confidence >= _SURE_OF_LANGUAGE
        return told.language if sure else None

    errors = 0
    for template in (one for path in file for one in _read(path)):
        findings = graph.lint(template, detect)
        errors += sum(finding.level == "error" for finding in findings)
        _show(template, findings, as_json=as_json)
    if errors:
        raise CommandFailed(f"Meta would refuse this: {errors} errors")


def _show(template: GraphTemplate, findings: Sequence[Finding], *, as_json: bool) -> None:
    if as_json:
        found = [finding.model_dump() for finding in findings]
        print(json.dumps({"name": template.name, "language": template.code, "findings": found}))
        return
    print(f"{template.name} ({template.code}): {'as it should be' if not findings else ''}".rstrip())
    for finding in findings:
        print(f"  {finding.level:<8} {finding.field}: {finding.words}")


def _read(path: Path) -> list[GraphTemplate]:
    """One template or a list of them. Raises CommandFailed."""
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))  # JSON is YAML too
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise CommandFailed(f"{path} cannot be read: {error}") from error
    items = content if isinstance(content, list) else [content]
    try:
        return [graph.read(item if isinstance(item, dict) else {}) for item in items]
    except Malformed as problem:
        raise CommandFailed(f"{path}: {problem}") from problem
