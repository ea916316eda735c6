"""A number connected to WhatsApp step by step, each checked with Meta, and a token of its own for it."""

import asyncio
import getpass
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated

import httpx
import typer

from channels.messages import OutboundMessage
from channels.whatsapp.client import WhatsAppClient
from channels.whatsapp.errors import WhatsAppError
from crm import accounts, businesses
from crm.accounts import AccountRow
from jobs.accounts import Accounts
from sara import services
from sara.commands.desk import Desk, desk_of
from sara.commands.failures import CommandFailed
from sara.commands.loop import run
from sara.commands.whatsapp_web import web
from sara.settings import is_token

app = typer.Typer(help="The connection to WhatsApp.", no_args_is_help=True)

app.command("web")(web)

PERMISSIONS = ("whatsapp_business_messaging", "whatsapp_business_management")
Business = Annotated[str, typer.Option(help="slug of the business")]


class _Wrong(Exception):
    """A step failed; the message says how to mend it."""


@dataclass(frozen=True)
class _Number:
    """What the steps work with."""

    desk: Desk
    client: WhatsAppClient
    account: AccountRow
    waba_id: str | None


@app.command("connect")
def connect(
    business: Business,
    to: Annotated[str | None, typer.Option(help="phone number that gets the test template")] = None,
    template: Annotated[str, typer.Option(help="an approved template without variables")] = "hello_world",
    language: Annotated[str, typer.Option(help="its language code")] = "en_US",
    waba: Annotated[
        str | None, typer.Option(help="id of the WhatsApp business account, where Meta does not tell it")
    ] = None,
    subscribe: Annotated[
        bool, typer.Option("--subscribe", help="subscribe this app to the account's webhooks if it is not")
    ] = False,
) -> None:
    """Checks token, permissions, number and webhooks with Meta, and sends a test template to --to."""
    recipient = to.lstrip("+").replace(" ", "") if to else None
    if recipient is not None and not recipient.isdigit():
        raise typer.BadParameter(f"{to!r} is not a phone number")
    message = OutboundMessage(kind="template", template=template, code=language)
    wrong = run(_connect(business, recipient, message, waba, subscribe=subscribe))
    if wrong:
        raise CommandFailed(
            f"{wrong} of these steps did not succeed: mend them from the top and run it again"
        )


async def _connect(
    business: str, to: str | None, message: OutboundMessage, waba: str | None, *, subscribe: bool
) -> int:
    wrong = 0
    async with desk_of(business) as desk, _clients(desk) as of_number:
        async with desk.crm.transaction(desk.business_id) as tx:
            numbers = await accounts.listed(tx)
        if not numbers:
            raise CommandFailed(f"{business} has no number: put phone_number_id into its file")
        for account in numbers:
            client = await of_number(account)
            number = _Number(desk, client, account, waba or account.waba_id)
            wrong += await _steps(number, to, message, subscribe=subscribe)
    return wrong


async def _steps(number: _Number, to: str | None, message: OutboundMessage, *, subscribe: bool) -> int:
    """Runs every step that can be run; how many failed."""
    phone_number_id = number.account.phone_number_id
    print(f"number {phone_number_id}")
    steps: list[tuple[str, Callable[[], Awaitable[str]]]] = [
        ("token", lambda: _token(number)),
        ("number", lambda: _number(number)),
        ("account", lambda: _account(number)),
        ("webhook fields", lambda: _subscription(number, subscribe=subscribe)),
        ("webhook address", lambda: _address(number)),
    ]
    if to is not None:
        steps.append(("test message", lambda: _test(number, to, message)))
    wrong = 0
    for name, step in steps:
        try:
            print(f"  ok    {name:<16} {await step()}")
        except (_Wrong, WhatsAppError) as error:
            wrong += 1
            print(f"  FAIL  {name:<16} {' '.join(str(error).split())}")
    return wrong


async def _token(number: _Number) -> str:
    token = await number.client.token()
    if not token.is_valid:
        raise _Wrong("Meta says that this token is not valid: make a new one for a system user")
    missing = [name for name in PERMISSIONS if name not in token.scopes]
    if missing:
        raise _Wrong(f"the token lacks {', '.join(missing)}: make a new one with both permissions")
    if not token.expires_at:
        return "valid without end"
    ends = datetime.fromtimestamp(token.expires_at, UTC)
    return f"valid until {ends:%Y-%m-%d %H:%M} UTC: a system user's token need not expire"


async def _number(number: _Number) -> str:
    found = await number.client.phone_number(number.account.phone_number_id)
    if found.platform_type not in (None, "CLOUD_API"):
        raise _Wrong(f"the number is registered on {found.platform_type}, not for the Cloud API: register it")
    quality = found.quality_rating or "not rated yet"
    return f"{found.display_phone_number} {found.verified_name}, quality {quality}"


async def _account(number: _Number) -> str:
    waba_id = number.waba_id or await number.client.account_of(number.account.phone_number_id)
    if waba_id is None:
        raise _Wrong("Meta does not tell the account of this number: give its id with --waba")
    desk = number.desk
    async with desk.crm.as_owner() as tx:
        await accounts.set_waba(tx, desk.business_id, number.account.phone_number_id, waba_id)
    return waba_id


async def _subscription(number: _Number, *, subscribe: bool) -> str:
    waba_id = number.waba_id or await number.client.account_of(number.account.phone_number_id)
    if waba_id is None:
        raise _Wrong("unknown without the account: see above")
    apps = await number.client.subscribed(waba_id)
    if not apps and subscribe:
        await number.client.subscribe(waba_id)
        apps = await number.client.subscribed(waba_id)
    if not apps:
        raise _Wrong("no app gets this account's webhooks: run it again with --subscribe")
    return ", ".join(apps)


async def _address(number: _Number) -> str:
    """Our own webhook asked as Meta asks it, through the address that the world uses."""
    settings = number.desk.settings
    if not settings.public_url:
        raise _Wrong("set SARA_PUBLIC_URL to the https address of this installation to have it checked")
    url = f"{settings.public_url.rstrip('/')}/webhooks/whatsapp"
    asked = {
        "hub.mode": "subscribe",
        "hub.verify_token": settings.whatsapp_verify_token.get_secret_value(),
        "hub.challenge": "4242",
    }
    try:
        async with httpx.AsyncClient(timeout=10) as http:
            answer = await http.get(url, params=asked)
    except httpx.HTTPError as error:
        raise _Wrong(
            f"{url} does not answer ({type(error).__name__}): is `sara serve` running there?"
        ) from error
    if answer.status_code != httpx.codes.OK or answer.text != "4242":
        raise _Wrong(f"{url} answered {answer.status_code}: is SARA_WHATSAPP_VERIFY_TOKEN the same there?")
    return url


async def _test(number: _Number, to: str, message: OutboundMessage) -> str:
    sent = await number.client.send(
        number.account.phone_number_id, to=to, recipient=None, message=message, callback_data="connect"
    )
    return f"template {message.template} taken for +{to}: {sent.wamid}"


@app.command("token")
def token(
    business: Business,
    number: Annotated[
        str | None, typer.Option(help="phone number id, where the business has several")
    ] = None,
    remove: Annotated[bool, typer.Option("--remove", help="use the installation's token again")] = False,
) -> None:
    """Gives a number a token of its own, read from standard input; workers use it without a restart."""
    value = None if remove else _read_token()

    async def work() -> str:
        async with desk_of(business) as desk:
            sealed = None if value is None else await asyncio.to_thread(desk.seal.close, value.encode())
            async with desk.crm.transaction(desk.business_id) as tx:
                known = [row.phone_number_id for row in await businesses.numbers(tx)]
            chosen = number or (known[0] if len(known) == 1 else None)
            if chosen is None:
                raise CommandFailed(f"say which with --number: {', '.join(known) or 'there is none'}")
            async with desk.crm.as_owner() as tx:
                if not await accounts.set_token(tx, desk.business_id, chosen, sealed):
                    raise CommandFailed(f"{business} has no number {chosen}")
            return chosen

    print(f"number {run(work())}: " + ("the installation's token" if remove else "a token of its own"))


def _read_token() -> str:
    value = (getpass.getpass("token: ") if sys.stdin.isatty() else sys.stdin.readline()).strip()
    if not value or not is_token(value):
        raise CommandFailed("that is no token: copy it again")
    return value


@asynccontextmanager
async def _clients(desk: Desk) -> AsyncIterator[Callable[[AccountRow], Awaitable[WhatsAppClient]]]:
    """Clients by number, with the number's own token where it has one."""
    async with services.whatsapp(desk.settings) as client:
        own = Accounts(client, desk.crm, services.secrets_seal(desk.settings))

        async def of_number(account: AccountRow) -> WhatsAppClient:
            return await own.of(desk.business_id, account.phone_number_id)

        yield of_number
