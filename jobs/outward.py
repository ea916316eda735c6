"""Webhooks on their way to other systems: each receiver by itself, so that one that is down delays none."""

from datetime import timedelta

import structlog
from procrastinate import Blueprint, JobContext

from channels.outward.guard import DestinationRefused
from channels.outward.post import Answer, NotReached
from crm import alerts, outward, queue
from crm.outward import ParcelRow, SubscriptionRow
from crm.record import Tx
from crm.sealing import NotOurSeal, Seal
from db.tenancy import tenant
from jobs.backoff import backoff_s
from jobs.services import Services, services_of
from jobs.telling import desk_of

log = structlog.get_logger(__name__)

LEASE = timedelta(seconds=60)  # longer than a request may take
MOST_ATTEMPTS = 14  # over some two days
_FIRST_S, _MOST_S, _MOST_PAUSE_S = 5.0, 6 * 3600.0, 300.0
_MOST_AT_ONCE = 100
_GONE = 410


def blueprint() -> Blueprint:
    """The task of this file, for one app: adding a blueprint to an app renames its tasks."""
    made = Blueprint()
    made.task(name="webhooks", queue=queue.OUTWARD, pass_context=True)(webhooks)
    return made


async def webhooks(job: JobContext, *, business_id: int, subscription_id: int) -> None:
    """Sends one receiver what is due; what failed is queued again by the sweep when its time comes."""
    with tenant(business_id), structlog.contextvars.bound_contextvars(subscription_id=subscription_id):
        await send_due(services_of(job), business_id, subscription_id)


async def send_due(services: Services, business_id: int, subscription_id: int) -> int:
    """Sends a subscription's due deliveries until one fails; how many were taken."""
    for taken in range(_MOST_AT_ONCE):
        async with services.crm.transaction(business_id) as tx:
            found = await outward.subscription(tx, subscription_id)
            open_ = found is not None and found.stopped is None
            parcel = await outward.claim(tx, subscription_id, LEASE) if open_ else None
        if found is None or parcel is None or not await _send(services, business_id, found, parcel):
            return taken
    return _MOST_AT_ONCE


async def _send(services: Services, business_id: int, to: SubscriptionRow, parcel: ParcelRow) -> bool:
    answer: Answer | None = None
    reason = ""
    try:
        answer = await _post(services, to, parcel)
        reason = "" if answer.taken else f"answered with {answer.status}"
    except (NotReached, DestinationRefused, NotOurSeal) as error:
        reason = " ".join(str(error).split())
    async with services.crm.transaction(business_id) as tx:
        if answer is not None and answer.taken:
            await outward.delivered(tx, to.webhook_subscription_id, parcel.webhook_delivery_id, answer.status)
            return True
        await _failed(services, tx, to, parcel, answer, reason)
    return False


async def _post(services: Services, to: SubscriptionRow, parcel: ParcelRow) -> Answer:
    seal, post = services.outward.seal, services.outward.post
    if post is None:
        raise NotReached("this worker sends no webhooks")
    if seal is None:
        raise NotOurSeal("SARA_SECRET_KEY is not set on this worker: set it as where the receiver was added")
    now = services.clock()
    signing = [seal.open(to.sealed_secret).decode()]
    if to.sealed_previous is not None and to.previous_until is not None and now < to.previous_until:
        signing.append(seal.open(to.sealed_previous).decode())
    url = _opened(seal, to)
    return await post.send(url, parcel.webhook_id, parcel.body, signing, now)


def _opened(seal: Seal, to: SubscriptionRow) -> str:
    return seal.open(to.sealed_url).decode()


async def _failed(
    services: Services,
    tx: Tx,
    to: SubscriptionRow,
    parcel: ParcelRow,
    answer: Answer | None,
    reason: str,
) -> None:
    gone = answer is not None and answer.status == _GONE
    given_up = gone or parcel.attempts >= MOST_ATTEMPTS
    log.warning("webhook_not_taken", host=to.host, attempts=parcel.attempts, given_up=given_up, error=reason)
    wait = backoff_s(parcel.attempts, first=_FIRST_S, most=_MOST_S)
    pause = backoff_s(to.failures + 1, first=_FIRST_S, most=_MOST_PAUSE_S)
    asked = min((answer.retry_after_s if answer else None) or 0.0, _MOST_S)
    await outward.failed(
        tx,
        to.webhook_subscription_id,
        parcel.webhook_delivery_id,
        status_code=answer.status if answer else None,
        error=reason,
        again_at=None if given_up else tx.now + timedelta(seconds=max(wait, asked)),
        pause_until=tx.now + timedelta(seconds=max(pause, asked)),
    )
    if gone:
        await outward.stop(tx, to.webhook_subscription_id, "the receiver said that it is gone (410)")
    if given_up:
        desk = await desk_of(services, tx)
        await alerts.tell(tx, desk.webhook(to.webhook_subscription_id, to.host, reason, tx.now))
