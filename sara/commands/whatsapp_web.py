"""A phone linked through WhatsApp Web, to try SARA out without an account at Meta."""

import asyncio
import json
import sys
from collections.abc import Callable
from typing import Annotated, Any

import httpx
import typer

from channels.simulator.settings import BusinessNumber
from channels.web import link
from channels.web.app import web_app
from channels.web.bridge import Bridge
from crm import businesses
from sara.commands.desk import desk_of
from sara.commands.failures import CommandFailed, listening
from sara.commands.loop import run
from sara.local import HOST, listen, serving
from sara.settings import Settings, load

Opener = Callable[[Any, Callable[[str], None]], Any]


def web(
    business: Annotated[str, typer.Option(help="slug of the business")],
    accept: Annotated[
        bool, typer.Option("--i-accept-the-risk", help="the number may be blocked by WhatsApp")
    ] = False,
    port: Annotated[int, typer.Option(min=1, max=65535, help="where SARA reaches the phone")] = 9200,
    webhook_url: Annotated[
        str, typer.Option("--api", help="address of `sara serve`")
    ] = "http://127.0.0.1:8000",
) -> None:
    """Links a phone by QR code and stands in for the Graph API. To try SARA out only."""
    print(link.WARNING, file=sys.stderr)
    if not accept:
        raise CommandFailed("not started: read the warning above, then add --i-accept-the-risk")
    settings = load()
    run(_bridge(settings, business, port, f"{webhook_url.rstrip('/')}/webhooks/whatsapp", link.opened))


async def _bridge(settings: Settings, business: str, port: int, webhook_url: str, opener: Opener) -> None:
    """Runs until it is stopped."""
    secret = settings.whatsapp_app_secret.get_secret_value()
    token = settings.whatsapp_access_token.get_secret_value()
    if not secret or not token:
        missing = "SARA_WHATSAPP_APP_SECRET and SARA_WHATSAPP_ACCESS_TOKEN"
        raise CommandFailed(f"make up {missing}: `sara serve` and `sara worker` need the same")
    number = await _number(business)
    try:
        client = await asyncio.to_thread(opener, settings.data_dir / "whatsapp-web", _show)
        async with httpx.AsyncClient() as http:
            bridge = Bridge(client, number, webhook_url, secret, token, http)
            with listening(port), listen(port) as listener:
                async with serving(web_app(bridge), listener):
                    print(f"point SARA at it: SARA_WHATSAPP_BASE_URL=http://{HOST}:{port}", file=sys.stderr)
                    await client.connect()
                    await client.idle()
    except link.ExtraMissing as error:
        raise CommandFailed(str(error)) from error


async def _number(business: str) -> BusinessNumber:
    async with desk_of(business) as desk, desk.crm.transaction(desk.business_id) as tx:
        numbers = await businesses.numbers(tx)
        name = (await businesses.profile(tx)).business.name
    if not numbers:
        raise CommandFailed(f"{business} has no number: give its file a `phone_number_id` of your own making")
    first = numbers[0]
    shown = first.display_phone or first.phone_number_id
    return BusinessNumber(phone_number_id=first.phone_number_id, display_phone=shown, business_name=name)


def _show(code: str) -> None:
    """A code for the phone: Settings → Linked devices → Link a device."""
    try:
        import segno
    except ImportError:  # comes with neonize
        print(json.dumps({"qr": code}))
        return
    segno.make_qr(code).terminal(compact=True)
    print("on the phone: Settings → Linked devices → Link a device")
