"""What follows from what Meta says: slow down, wait, pause, stop, and speed up again.

Refusals come in the answer to a send or later in a failed status; quality, tiers and templates come by
webhooks of their own. The team hears of what was paused through `jobs.watch`.
"""

from datetime import timedelta

import structlog

from channels.events import AccountNews, Preference
from channels.whatsapp.errors import (
    MarketingLimited,
    MarketingStopped,
    PairRateLimited,
    RateLimited,
    SpamRestricted,
    TemplatePaused,
    WhatsAppError,
)
from crm import campaigns, consent, contacts, governor, outbox, template_book
from crm.record import Crm, Tx
from crm.template_book import APPROVED

log = structlog.get_logger(__name__)

MARKETING = "marketing_messages"
_TROUBLED = ("FLAGGED", "ACCOUNT_RESTRICTION", "ACCOUNT_VIOLATION", "DISABLED_UPDATE")
# Of a template, Meta's events are no statuses all of them. These say that it can be sent again,
_CAN_BE_SENT = ("REINSTATED", "UNARCHIVED", "UNPAUSED")
# these nothing about whether it can: a warning, its words are frozen or free to edit, the account has no room
# for more templates.
_SENT_AS_BEFORE = ("FLAGGED", "LOCKED", "UNLOCKED", "LIMIT_EXCEEDED")
_CANNOT_BE_SENT = ("PAUSED", "DISABLED", "REJECTED", "PENDING_DELETION", "DELETED", "ARCHIVED")
_WELL = ("UNFLAGGED", "ACCOUNT_REINSTATED")
_STEERS = (
    RateLimited,
    PairRateLimited,
    SpamRestricted,
    MarketingLimited,
    MarketingStopped,
    TemplatePaused,
)


async def refused(
    crm: Crm, business_id: int, message_id: int, error: WhatsAppError, *, wait_s: float | None = None
) -> None:
    """Meta refused a message of ours. In transactions of its own: the governor's rows are locked last.

    `wait_s` is how long a pair that was too fast is left alone.
    """
    if not isinstance(error, _STEERS):
        return
    async with crm.transaction(business_id) as tx:
        sent = await outbox.addressee(tx, message_id)
        if sent is None:
            return
        log.warning("meta_steers", code=error.code, phone_number_id=sent.phone_number_id)
        match error:
            case RateLimited():
                await governor.slow(tx, sent.phone_number_id)
            case PairRateLimited():
                until = tx.now + timedelta(seconds=wait_s or error.retry_after_s or 6.0)
                await governor.hold_pair(tx, sent.phone_number_id, sent.contact_id, until)
            case SpamRestricted():
                await _stop(tx, sent.phone_number_id, f"Meta restricts the number ({error.code})")
            case MarketingLimited():
                until = await governor.cool(tx, sent.phone_number_id, sent.contact_id)
                await campaigns.refused_for_now(tx, message_id, until, "Meta's marketing limit")
            case MarketingStopped():
                await contacts.opt_out(tx, sent.contact_id, source="meta_131050", evidence=str(message_id))
            case TemplatePaused() if sent.template_name is not None:
                status = "DISABLED" if error.code == 132016 else "PAUSED"
                await template_book.told(
                    tx, sent.template_name, sent.template_code, status=status, reason=error.details[:200]
                )
                why = f"the template {sent.template_name} is {status}"
                await campaigns.pause_using(tx, why, template_name=sent.template_name)


async def preference(tx: Tx, chosen: Preference) -> bool:
    """A customer allowed or stopped marketing in WhatsApp's own menu; False for what was known already.

    Preferences come late and out of order too: one older than the customer's latest word is not news. Meta's
    times are whole seconds, so one of the same second counts as later.
    """
    sender = chosen.sender
    contact_id = await contacts.seen(tx, wa_id=sender.wa_id, bsuid=sender.bsuid, name=sender.name)
    past = await consent.history(tx, contact_id)
    at = chosen.at + timedelta(seconds=1)
    if past and (past[0].given != chosen.stopped or past[0].at > at):
        return False
    evidence = f"webhook of {chosen.at.isoformat()}"
    change = contacts.opt_out if chosen.stopped else contacts.opt_in
    await change(tx, contact_id, source="whatsapp_menu", evidence=evidence, at=at)
    kind = "opted_out" if chosen.stopped else "opted_in"
    await contacts.remember(tx, contact_id, kind, detail="WhatsApp")
    return True


async def account(crm: Crm, news: AccountNews) -> int:
    """Meta says something of an account: it concerns so many numbers of ours."""
    async with crm.outside() as tx:
        concerned = await template_book.of_account(tx, waba_id=news.waba_id, digits=news.digits)
    for row in concerned:
        async with crm.transaction(row.business_id) as tx:
            if news.template is not None:
                await _template(tx, news)
            else:
                await _number(tx, row.phone_number_id, news)
    return len(concerned)


async def _template(tx: Tx, news: AccountNews) -> None:
    name = news.template or ""
    status = None if news.status in _SENT_AS_BEFORE else news.status
    if status in _CAN_BE_SENT:
        status = APPROVED
    await template_book.told(
        tx,
        name,
        news.code,
        status=status,
        reason=news.reason,
        quality=news.quality,
        category=news.category,
    )
    if status in _CANNOT_BE_SENT:
        await campaigns.pause_using(tx, f"the template {name} is {status}", template_name=name)


async def _number(tx: Tx, phone_number_id: str, news: AccountNews) -> None:
    quality = {"FLAGGED": "RED", "UNFLAGGED": "GREEN"}.get(news.status or "")
    if news.status in _TROUBLED:
        told = ", ".join(filter(None, (news.status, news.reason)))
        await _stop(tx, phone_number_id, f"Meta restricts the number: {told}")
    elif news.status in _WELL:
        await governor.stop(tx, phone_number_id, None)
    await governor.set_limits(tx, phone_number_id, tier=news.tier, quality=quality)


async def _stop(tx: Tx, phone_number_id: str, why: str) -> None:
    await campaigns.pause_using(tx, why, phone_number_id=phone_number_id)
    await governor.stop(tx, phone_number_id, why)
