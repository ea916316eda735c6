"""What a webhook carries, written down: each item in a transaction of its own, beside its neighbours."""

import asyncio
import random
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

import structlog

from api import intake_message, intake_status
from api.state import ApiServices
from channels.events import AccountNews, Echo, Event, InboundMessage, ParsedWebhook, Preference, StatusUpdate
from channels.whatsapp.parse import parse
from crm import inbound, takeover, webhooks
from crm.errors import RecordContended, RecordUnavailable
from crm.record import Ask
from jobs import steering

log = structlog.get_logger(__name__)

_MOST_TRIES = 4  # before the last one
_CONTENDED_S = 0.01

Item = TypeVar("Item", bound=Event)
Taken = Callable[[ApiServices, int, Item, Sequence[Ask[None]]], Awaitable[str]]


class UnknownNumber(LookupError):
    """No business has this number: `sara business add` enters one; `sara webhook replay` then takes it in."""


class UnknownAccount(LookupError):
    """No business has this WhatsApp Business Account: its first `sara template sync` tells whose it is."""


class UnknownCategory(LookupError):
    """A preference about something that nobody here acts on."""


@dataclass(frozen=True)
class _Whole:
    """The body that items came in, and what keeps it beside them where nothing has kept it before."""

    digest: bytes
    keeping: Sequence[Ask[None]] = ()


async def take_in(
    services: ApiServices, payload: object, digest: bytes, raw: bytes | None = None
) -> dict[str, int]:
    """Everything one decoded body carries; how much of each kind. What was taken in before changes nothing.

    `raw` is the body where it is still to be kept: with the item that it carries, if that is all of it, so
    that both are one transaction; else before them. Raises RecordUnavailable when the database is away;
    whatever else goes wrong with an item is kept with it.
    """
    parsed, whole = parse(payload), _Whole(digest)
    if raw is not None and _alone(parsed):
        whole = _Whole(digest, [webhooks.keeping(digest, raw)])
    elif raw is not None:
        await webhooks.keep(services.crm, digest, raw)
    counts = {"messages": 0, "duplicates": 0, "statuses": 0, "unparsed": 0}
    for unparsed in parsed.unparsed:
        await _keep_unparsed(services, whole, unparsed.path, unparsed.reason)
        counts["unparsed"] += 1
    await _each(services, parsed, whole, counts)
    services.metrics.webhook(counts)
    return counts


def _alone(parsed: ParsedWebhook) -> bool:
    """Whether a body carries one message or one status and nothing else, as nearly all do."""
    others = (parsed.unparsed, parsed.echoes, parsed.preferences, parsed.account)
    return len(parsed.messages) + len(parsed.statuses) == 1 and not any(others)


async def _each(services: ApiServices, parsed: ParsedWebhook, whole: _Whole, counts: dict[str, int]) -> None:
    await _all(services, whole, "messages", parsed.messages, _message, counts)
    await _all(services, whole, "statuses", parsed.statuses, _status, counts)
    await _all(services, whole, "echoes", parsed.echoes, _echo, counts)
    await _all(services, whole, "preferences", parsed.preferences, _preference, counts)
    for number, news in enumerate(parsed.account):
        outcome = await _account(services, whole, f"account/{number}", news)
        counts[outcome] = counts.get(outcome, 0) + 1


async def _all(
    services: ApiServices,
    whole: _Whole,
    kind: str,
    items: Sequence[Item],
    take: Taken[Item],
    counts: dict[str, int],
) -> None:
    """One kind of item, in the payload's order."""
    for number, item in enumerate(items):
        outcome = await _guarded(services, whole, f"{kind}/{number}", item, take)
        counts[outcome] = counts.get(outcome, 0) + 1


async def _guarded(services: ApiServices, whole: _Whole, path: str, item: Item, take: Taken[Item]) -> str:
    """One item. What goes wrong with it is kept beside its neighbours; only a missing database stops all."""
    try:
        return await _tried_again(services, whole, item, take)
    except RecordUnavailable:
        raise
    except Exception as error:
        log.exception("webhook_item_not_taken_in", path=path)
        await _keep_unparsed(services, whole, path, f"{type(error).__name__}: {error}")
        return "unparsed"


async def _tried_again(services: ApiServices, whole: _Whole, item: Item, take: Taken[Item]) -> str:
    """One more try is worth it: a connection that died with the old server is replaced at once, while the
    channel would come back only after its own, growing, delay. Where others write the same rows, several are:
    each pause is longer than what they are doing, and of nobody else's length.
    """
    for tried in range(_MOST_TRIES):
        try:
            return await _of_business(services, whole, item, take)
        except RecordContended:
            await asyncio.sleep(random.uniform(0.5, 1.5) * _CONTENDED_S * 2**tried)  # noqa: S311 - guards nothing
        except RecordUnavailable:
            if tried:
                raise
    return await _of_business(services, whole, item, take)


async def _of_business(services: ApiServices, whole: _Whole, item: Item, take: Taken[Item]) -> str:
    number: str = item.phone_number_id  # type: ignore[attr-defined] # every kind of item has one
    business_id = await services.business_of(number)
    if business_id is None:
        raise UnknownNumber(f"no business has the number {number}: `sara business add`")
    with structlog.contextvars.bound_contextvars(business_id=business_id):
        return await take(services, business_id, item, whole.keeping)


async def _message(
    services: ApiServices, business_id: int, message: InboundMessage, keeping: Sequence[Ask[None]]
) -> str:
    return "messages" if await intake_message.take(services, business_id, message, keeping) else "duplicates"


async def _status(
    services: ApiServices, business_id: int, status: StatusUpdate, keeping: Sequence[Ask[None]]
) -> str:
    await intake_status.take(services, business_id, status, keeping)
    return "statuses"


async def _echo(services: ApiServices, business_id: int, echo: Echo, _: Sequence[Ask[None]]) -> str:
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


async def _preference(
    services: ApiServices, business_id: int, preference: Preference, _: Sequence[Ask[None]]
) -> str:
    """A choice made in WhatsApp's own menu counts like the word STOP; one about another category is kept."""
    if preference.category != steering.MARKETING:
        raise UnknownCategory(f"nobody acts on preferences of category {preference.category!r}")
    async with services.crm.transaction(business_id) as tx:
        return "preferences" if await steering.preference(tx, preference) else "duplicates"


async def _account(services: ApiServices, whole: _Whole, path: str, news: AccountNews) -> str:
    """What Meta says of templates, of a number's quality, of the tier."""
    try:
        if not await steering.account(services.crm, news):
            raise UnknownAccount(f"no business has the account {news.waba_id}: `sara template sync`")
    except RecordUnavailable:
        raise
    except Exception as error:
        log.warning("webhook_item_not_taken_in", path=path, error=str(error))
        await _keep_unparsed(services, whole, path, f"{type(error).__name__}: {error}")
        return "unparsed"
    return "account"


async def _keep_unparsed(services: ApiServices, whole: _Whole, path: str, reason: str) -> None:
    log.warning("webhook_unparsed", path=path, reason=reason)
    await services.crm.at_once(0, [*whole.keeping, webhooks.unparsed(whole.digest, path, reason)])
