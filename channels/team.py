"""The way to the team: Slack, e-mail, Telegram and a hundred more, by apprise addresses."""

import asyncio
import logging
from typing import Any
from urllib.parse import unquote

# What apprise says of a failure may hold parts of an address. It comes back with the result, is cleaned and
# stands in our own log; what it would write by itself goes nowhere.
_APPRISE = logging.getLogger("apprise")
_APPRISE.addHandler(logging.NullHandler())
_APPRISE.propagate = False
_SHORTEST_SECRET = 4
_LONGEST_REASON = 500
_WHOLE_S = 60.0
# Services at hosts that apprise itself names: an address of theirs holds a token, and no place to go to.
_FIXED = frozenset({"slack", "msteams", "gchat", "discord", "tgram", "wxteams", "pover", "pbul"})


class AddressRefused(Exception):
    """No service has such an address: see https://github.com/caronc/apprise for how each is written."""


class OnlyAtTheServer(AddressRefused):
    """Here: Slack, Teams, Google Chat, Discord, Telegram, Webex, Pushover, Pushbullet and e-mail at a large
    provider. Any other address can reach into the server's own network: `sara alerts add` takes it there."""


class NotTold(Exception):
    """The service did not take the alert; the message says what it answered, without the address."""


def service_of(address: str) -> str:
    """What kind of service an address names, such as `Slack`. Raises AddressRefused."""
    return str(_known(address).service_name)


def public_service_of(address: str) -> str:
    """As `service_of`, for what somebody may enter who is not the operator: an address can name any host,
    port, path and method, and the worker would ask there. Raises AddressRefused, OnlyAtTheServer."""
    from apprise.plugins.email.templates import EMAIL_TEMPLATES

    found = _known(address)
    providers = {about.get("smtp_host") for _, _, about in EMAIL_TEMPLATES} - {None}
    mailed = "mailtos" in found.schemas() and getattr(found, "smtp_host", None) in providers
    if not mailed and not found.schemas() & _FIXED:
        raise OnlyAtTheServer(" ".join((OnlyAtTheServer.__doc__ or "").split()))
    return str(found.service_name)


def _known(address: str) -> Any:
    import apprise  # half a second, and only a few commands and jobs need it

    found = apprise.Apprise.instantiate(address, suppress_exceptions=True)
    if found is None:
        raise AddressRefused(AddressRefused.__doc__)
    return found


async def tell(address: str, title: str, body: str, *, urgent: bool = False) -> None:
    """Sends one alert and waits for the service's answer. Raises AddressRefused, NotTold."""
    await asyncio.to_thread(_tell, address, title, body, urgent)


def _tell(address: str, title: str, body: str, urgent: bool) -> None:
    import apprise

    asset = apprise.AppriseAsset(app_id="SARA", app_desc="SARA", secure_logging=True, async_mode=False)
    way = apprise.Apprise(asset=asset)
    if not way.add(address):
        raise AddressRefused(AddressRefused.__doc__)
    result = way.notify(
        body=body,
        title=title,
        notify_type=apprise.NotifyType.WARNING if urgent else apprise.NotifyType.INFO,
        body_format=apprise.NotifyFormat.TEXT,
        timeout=_WHOLE_S,
        log_level=logging.WARNING,
    )
    if not result:
        said = _without_secrets(" ".join(entry.message for entry in result.logs()), address)
        raise NotTold(f"{service_of(address)}: {said or 'no answer, or a refusal without a reason'}")


def _without_secrets(said: str, address: str) -> str:
    """What was said, without any longer part of the address after its scheme."""
    rest = address.partition("://")[2]
    for sign in "/?&=:@#,":
        rest = rest.replace(sign, " ")
    parts = {part for raw in rest.split() for part in (raw, unquote(raw)) if len(part) >= _SHORTEST_SECRET}
    for part in sorted(parts, key=len, reverse=True):
        said = said.replace(part, "…")
    return said[:_LONGEST_REASON]
