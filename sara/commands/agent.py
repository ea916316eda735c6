"""The people who answer in the console: who they are, where they work, what they log in with."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated

import typer
from pydantic import TypeAdapter, ValidationError

from crm import factors, logins, passwords, registry
from crm.record import Tx
from crm.registry import AgentEntry
from knowledge import business_file
from sara import services
from sara.commands.failures import CommandFailed
from sara.commands.loop import run
from sara.settings import load

app = typer.Typer(help="Agents: their logins, businesses and roles.", no_args_is_help=True)

_ADDRESS = TypeAdapter[str](business_file.Email)
Email = Annotated[str, typer.Argument(help="the agent's e-mail address")]
Password = Annotated[
    str | None, typer.Option("--password", help="10 characters or more; without it one is made and printed")
]


@app.command("add")
def add(
    email: Email,
    business: Annotated[str, typer.Option(help="slug of the business")],
    name: Annotated[str, typer.Option(help="what colleagues call this person")],
    role: Annotated[str, typer.Option(help="agent, supervisor or admin")] = "agent",
    password: Password = None,
) -> None:
    """Enters an agent, or gives one another business or role, and prints the password of a new one."""
    if role not in ("agent", "supervisor", "admin"):
        raise typer.BadParameter("a role is agent, supervisor or admin")
    try:
        _ADDRESS.validate_python(email.strip())
    except ValidationError:
        raise typer.BadParameter(f"{email!r}: write an address such as info@aurora.example") from None
    made = run(_add(email, business, name, role, password))
    print(f"{email}: {role} of {business}" + (f"\npassword: {made}" if made else ""))


async def _add(email: str, business: str, name: str, role: str, password: str | None) -> str | None:
    async with _operator() as tx:
        entry = await registry.add_agent(tx, email, name, business=business, role=role)
        if entry.password and password is None:
            return None
        made = password or passwords.invented()
        await _set(tx, email, made)
    return None if password else made


@app.command("list")
def list_(as_json: Annotated[bool, typer.Option("--json")] = False) -> None:
    """Everybody, with businesses and roles."""
    for row in run(_list()):
        if as_json:
            print(json.dumps(vars(row), ensure_ascii=False))
        else:
            state = "disabled" if not row.active else "" if row.password else "no password yet"
            state = " ".join(filter(None, (state, "second factor" if row.factor else "")))
            place = f"{row.business or '—':<16} {row.role or '':<11}"
            print(f"{row.email:<32} {row.name:<24} {place} {state}".rstrip())


async def _list() -> list[AgentEntry]:
    async with _operator() as tx:
        return await registry.all_agents(tx)


@app.command("disable")
def disable(email: Email) -> None:
    """Logs an agent out everywhere and lets them in no more; a new password lets them in again."""

    async def work() -> None:
        async with _operator() as tx:
            await logins.disable(tx, email)

    run(work())
    print(f"{email}: disabled")


@app.command("password")
def password(email: Email, password: Password = None) -> None:
    """Sets a new password, ends every session of that agent and lets a disabled one in again."""
    made = password or passwords.invented()

    async def work() -> None:
        async with _operator() as tx:
            await _set(tx, email, made)

    run(work())
    print(f"{email}: new password" + ("" if password else f" {made}"))


@app.command("reset-totp")
def reset_totp(email: Email) -> None:
    """Takes an agent's second factor and recovery codes away, as for a lost phone, and logs them out."""

    async def work() -> bool:
        async with _operator() as tx:
            return await factors.reset_by_operator(tx, email)

    if not run(work()):
        raise CommandFailed(f"{email} has no second factor")
    print(f"{email}: the password alone lets them in again, until they set another one up")


async def _set(tx: Tx, email: str, made: str) -> None:
    try:
        await logins.set_password(tx, email, made)
    except passwords.WeakPassword as error:
        raise CommandFailed(str(error)) from error


@asynccontextmanager
async def _operator() -> AsyncIterator[Tx]:
    settings = load()
    async with (
        services.database(settings) as dsn,
        services.record(settings, dsn) as crm,
        crm.as_owner() as tx,
    ):
        yield tx
