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
from channels.oidc.provider import is_private_way
from channels.whatsapp.account import FIELDS as ACCOUNT_FIELDS
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

FIELDS = (  # of webhooks that SARA reads; docs/whatsapp.md says what for
    "messages",
    "smb_message_echoes",
    "user_preferences",
    *ACCOUNT_FIELDS,
)
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
        ("subscribed app", lambda: _subscribed(number, subscribe=subscribe)),
        ("app's webhooks", lambda: _webhooks(number)),
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


async def _subscribed(number: _Number, *, subscribe: bool) -> str:
    """Whether the token's own app gets the account's webhooks: a former provider's may be there as well."""
    waba_id = number.waba_id or await number.client.account_of(number.account.phone_number_id)
    if waba_id is None:
        raise _Wrong("unknown without the account: see above")
    ours = (await number.client.token()).app_id
    apps = await number.client.subscribed(waba_id)
    # Where Meta does not tell whose the token is, ours cannot be told from others: subscribing it again
    # changes nothing.
    if subscribe and ours not in [app.id for app in apps]:
        await number.client.subscribe(waba_id)
        apps = await number.client.subscribed(waba_id)
    others = ", ".join(f"{app.name} ({app.id})" for app in apps if app.id != ours)
    if ours is None and apps:
        return f"{others}; Meta does not tell which of them this token is of"
    own = next((app for app in apps if app.id == ours), None)
    if own is None:
        instead = f", but {others} does" if others else ""
        raise _Wrong(
            f"this token's app {ours or ''} does not get this account's webhooks{instead}:"
            " run it again with --subscribe"
        )
    wanted = _callback(number)
    if own.callback and wanted and own.callback != wanted:
        raise _Wrong(f"this account's webhooks go to {own.callback} instead of {wanted}: end that override")
    return f"{own.name} ({own.id})" + (f"; so does {others}" if others else "")


async def _webhooks(number: _Number) -> str:
    """What Meta has of the app: its secret, the address its webhooks go to, and their fields."""
    token, secret = await number.client.token(), number.desk.settings.whatsapp_app_secret.get_secret_value()
    if token.app_id is None:
        raise _Wrong("Meta does not tell which app this token is of")
    app = f"app {token.app_id}" + (f" ({token.application})" if token.application else "")
    if not secret:
        raise _Wrong(f"SARA_WHATSAPP_APP_SECRET is not set: copy that of {app} from its App settings → Basic")
    try:
        found = await number.client.subscription(token.app_id, secret)
    except WhatsAppError as error:
        if error.retryable and not error.halts_number:
            raise  # Meta's fault of the moment says nothing of the secret
        raise _Wrong(
            f"Meta refuses SARA_WHATSAPP_APP_SECRET as that of {app}: copy it from its App settings → Basic"
            f" (code {error.code})"
        ) from error
    except ValueError as error:
        raise _Wrong("SARA_WHATSAPP_APP_SECRET holds characters that no secret has: copy it again") from error
    if found is None or not found.active or "messages" not in found.fields:
        raise _Wrong(f"{app} does not get the field messages: subscribe to it in WhatsApp → Configuration")
    wanted = _callback(number)
    if wanted and found.callback != wanted and not await _overridden(number, token.app_id, wanted):
        raise _Wrong(
            f"Meta posts to {found.callback} instead of {wanted}: correct it in WhatsApp → Configuration"
        )
    missing = ", ".join(name for name in FIELDS if name not in found.fields)
    return f"secret fits, {found.callback}" + (f", without {missing}" if missing else ", every field")


async def _overridden(number: _Number, app_id: str, wanted: str) -> bool:
    """Whether this account's webhooks come here although the app's others go elsewhere: one app may serve
    two installations. https://developers.facebook.com/docs/whatsapp/embedded-signup/webhooks/override"""
    waba_id = number.waba_id or await number.client.account_of(number.account.phone_number_id)
    apps = await number.client.subscribed(waba_id) if waba_id else []
    return any(app.id == app_id and app.callback == wanted for app in apps)


def _callback(number: _Number) -> str | None:
    """Where Meta has to post; None where nobody said where this installation is."""
    url = number.desk.settings.public_url
    return f"{url.rstrip('/')}/webhooks/whatsapp" if url else None


async def _address(number: _Number) -> str:
    """Our own webhook asked as Meta asks it, through the address that the world uses."""
    settings = number.desk.settings
    url = _callback(number)
    if url is None:
        raise _Wrong("set SARA_PUBLIC_URL to the https address of this installation to have it checked")
    if not is_private_way(url):
        raise _Wrong(f"{url}: Meta posts webhooks to https alone")
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
