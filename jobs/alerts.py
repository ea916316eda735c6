"""Alerts on their way to the team: each place by itself, so that one that is down holds up no other."""

from datetime import timedelta

import structlog
from procrastinate import Blueprint, JobContext

from channels.team import AddressRefused, NotTold
from crm import alerts as record
from crm import queue
from crm.alerts import AlertRow, TargetRow
from crm.sealing import NotOurSeal, Seal
from db.tenancy import tenant
from jobs.backoff import backoff_s
from jobs.services import Services, services_of

log = structlog.get_logger(__name__)

LEASE = timedelta(seconds=120)  # longer than any service's time-outs together
MOST_ATTEMPTS = 14  # over some ten hours
_FIRST_S, _MOST_S, _MOST_PAUSE_S = 5.0, 3600.0, 300.0
_MOST_AT_ONCE = 50


def blueprint() -> Blueprint:
    """The task of this file, for one app: adding a blueprint to an app renames its tasks."""
    made = Blueprint()
    made.task(name="alerts", queue=queue.OUTWARD, pass_context=True)(alerts)
    return made


async def alerts(job: JobContext, *, business_id: int, target_id: int) -> None:
    """Tells one place what is due; what failed is queued again by the sweep when its time comes."""
    with tenant(business_id), structlog.contextvars.bound_contextvars(alert_target_id=target_id):
        await tell_target(services_of(job), business_id, target_id)


async def tell_target(services: Services, business_id: int, target_id: int) -> int:
    """Sends a target's due alerts until one fails; how many were taken."""
    for taken in range(_MOST_AT_ONCE):
        async with services.crm.transaction(business_id) as tx:
            target = await record.target(tx, target_id)
            alert = await record.claim(tx, target_id, LEASE) if target else None
        if target is None or alert is None or not await _tell(services, business_id, target, alert):
            return taken
    return _MOST_AT_ONCE


async def _tell(services: Services, business_id: int, target: TargetRow, alert: AlertRow) -> bool:
    try:
        address = _address(services.outward.seal, target)
        await services.outward.tell(address, alert.title, alert.body, urgent=alert.urgent)
    except (NotTold, AddressRefused, NotOurSeal) as error:
        await _failed(services, business_id, target, alert, " ".join(str(error).split()))
        return False
    async with services.crm.transaction(business_id) as tx:
        await record.sent(tx, target.alert_target_id, alert.alert_id)
    return True


async def _failed(
    services: Services, business_id: int, target: TargetRow, alert: AlertRow, reason: str
) -> None:
    given_up = alert.attempts >= MOST_ATTEMPTS
    log.warning(
        "alert_not_sent", target=target.name, attempts=alert.attempts, given_up=given_up, error=reason
    )
    async with services.crm.transaction(business_id) as tx:
        again = tx.now + timedelta(seconds=backoff_s(alert.attempts, first=_FIRST_S, most=_MOST_S))
        pause = timedelta(seconds=backoff_s(target.failures + 1, first=_FIRST_S, most=_MOST_PAUSE_S))
        await record.failed(
            tx,
            target.alert_target_id,
            alert.alert_id,
            reason,
            again_at=None if given_up else again,
            pause_until=tx.now + pause,
        )


def _address(seal: Seal | None, target: TargetRow) -> str:
    if seal is None:
        raise NotOurSeal("SARA_SECRET_KEY is not set on this worker: set it as where the target was added")
    return seal.open(target.sealed).decode()
