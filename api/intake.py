"""What a webhook carries, written down: each item in a transaction of its own, beside its neighbours."""

from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar

import structlog

from api import intake_message, intake_status
from api.state import ApiServices
from channels.events import AccountNews, Echo, Event, InboundMessage, ParsedWebhook, Preference, StatusUpdate
from channels.whatsapp.parse import parse
from crm import inbound, takeover, webhooks
from crm.errors import RecordUnavailable
from jobs import steering

log = structlog.get_logger(__name__)

Item = TypeVar("Item", bound=Event)
Taken = Callable[[ApiServices, int, Item], Awaitable[str]]


class UnknownNumber(LookupError):
    """No business has this number: `sara business add` enters one; `sara webhook replay` then takes it in."""


class UnknownAccount(LookupError):
    """No business has this WhatsApp Business Account: its first `sara template sync` tells whose it is."""


class UnknownCategory(LookupError):
    """A preference about something that nobody here acts on."""


async def take_in(services: ApiServices, payload: object, digest: bytes) -> dict[str, int]:
    """Everything one decoded body carries; how much of each kind. What was taken in before changes nothing.

    Raises RecordUnavailable when the database is away; whatever else goes wrong with an item is kept with it.
    """
    parsed = parse(payload)
    counts = {"messages": 0, "duplicates": 0, "statuses": 0, "unparsed": 0}
    for unparsed in parsed.unparsed:
        await _keep_unparsed(services, digest, unparsed.path, unparsed.reason)
        counts["unparsed"] += 1
    await _each(services, parsed, digest, counts)
    services.metrics.webhook(counts)
    return counts


async def _each(services: ApiServices, parsed: ParsedWebhook, digest: bytes, counts: dict[str, int]) -> None:
    await _all(services, digest, "messages", parsed.messages, _message, counts)
    await _all(services, digest, "statuses", parsed.statuses, _status, counts)
    await _all(services, digest, "echoes", parsed.echoes, _echo, counts)
    await _all(services, digest, "preferences", parsed.preferences, _preference, counts)
    for number, news in enumerate(parsed.account):
        outcome = await _account(services, digest, f"account/{number}", news)
        counts[outcome] = counts.get(outcome, 0) + 1


async def _all(
    services: ApiServices,
    digest: bytes,
    kind: str,
    items: Sequence[Item],
    take: Taken[Item],
    counts: dict[str, int],
) -> None:
    """One kind of item, in the payload's order."""
    for number, item in enumerate(items):
        outcome = await _guarded(services, digest, f"{kind}/{number}", item, take)
        counts[outcome] = counts.get(outcome, 0) + 1


async def _guarded(services: ApiServices, digest: bytes, path: str, item: Item, take: Taken[Item]) -> str:
    """One item. What goes wrong with it is kept beside its neighbours; only a missing database stops all.

    One more try is worth it: a deadlock or a connection that died with the old server is over at once,
    while the channel would come back only after its own, growing, delay.
    """
    try:
        try:
            return await _of_business(services, item, take)
        except RecordUnavailable:
            return await _of_business(services, item, take)
    except RecordUnavailable:
        raise
    except Exception as error:
        log.exception("webhook_item_not_taken_in", path=path)
        await _keep_unparsed(services, digest, path, f"{type(error).__name__}: {error}")
        return "unparsed"


async def _of_business(services: ApiServices, item: Item, take: Taken[Item]) -> str:
    number: str = item.phone_number_id  # type: ignore[attr-defined] # every kind of item has one
    business_id = await services.business_of(number)
    if business_id is None:
        raise UnknownNumber(f"no business has the number {number}: `sara business add`")
    with structlog.contextvars.bound_contextvars(business_id=business_id):
        return await take(services, business_id, item)


async def _message(services: ApiServices, business_id: int, message: InboundMessage) -> str:
    return "messages" if await intake_message.take(services, business_id, message) else "duplicates"


async def _status(services: ApiServices, business_id: int, status: StatusUpdate) -> str:
    await intake_status.take(services, business_id, status)
    return "statuses"


async def _echo(services: ApiServices, business_id: int, echo: Echo) -> str:
    """The owner wrote, edited or took back on the phone; writing takes the conversation."""
    async with services.crm.transaction(business_id) as tx:
        if target := echo.edits or echo.deletes:
            changed = await inbound.to_change(tx, target)
            if changed is not None and echo.edits:
                await inbound.edit(tx, changed.message_id, echo.text or "", echo.sent_at)
            elif changed is not None:
                await inbound.take_back(tx, changed, echo.sent_at)
            return "echoes"
        new = await takeover.echoed(
            tx,
            phone_number_id=echo.phone_number_id,
            wa_id=echo.to,
            bsuid=echo.to_bsuid,
            wamid=echo.wamid,
            text=echo.text or "",
            at=echo.sent_at,
            kind=echo.type,
        )
    return "echoes" if new else "duplicates"


async def _preference(services: ApiServices, business_id: int, preference: Preference) -> str:
    """A choice made in WhatsApp's own menu counts like the word STOP; one about another category is kept."""
    if preference.category != steering.MARKETING:
        raise UnknownCategory(f"nobody acts on preferences of category {preference.category!r}")
    async with services.crm.transaction(business_id) as tx:
        return "preferences" if await steering.preference(tx, preference) else "duplicates"


async def _account(services: ApiServices, digest: bytes, path: str, news: AccountNews) -> str:
    """What Meta says of templates, of a number's quality, of the tier."""
    try:
        if not await steering.account(services.crm, news):
            raise UnknownAccount(f"no business has the account {news.waba_id}: `sara template sync`")
    except RecordUnavailable:
        raise
    except Exception as error:
        log.warning("webhook_item_not_taken_in", path=path, error=str(error))
        await _keep_unparsed(services, digest, path, f"{type(error).__name__}: {error}")
        return "unparsed"
    return "account"


async def _keep_unparsed(services: ApiServices, digest: bytes, path: str, reason: str) -> None:
    log.warning("webhook_unparsed", path=path, reason=reason)
    async with services.crm.outside() as tx:
        await webhooks.unparsed(tx, digest, path, reason)
