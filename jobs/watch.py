"""What the team has to hear of though no event says so; and what it heard of long ago, forgotten."""

from datetime import timedelta

import structlog
from procrastinate import Blueprint, JobContext

from crm import (
    alert_watch,
    alerts,
    budgets,
    businesses,
    campaigns,
    governor,
    halts,
    handoffs,
    hours,
    outward,
    queue,
)
from crm.alert_watch import WaitingHandoff
from crm.businesses import Profile
from crm.record import Tx
from jobs.periodic import alone, every
from jobs.services import Services, services_of
from jobs.telling import desk_of

log = structlog.get_logger(__name__)

_UNDELIVERED_EVERY = timedelta(minutes=10)
_KEPT = timedelta(days=30)


def blueprint() -> Blueprint:
    """The tasks of this file, for one app: adding a blueprint to an app renames its tasks."""
    made = Blueprint()
    every(made, "* * * * * */30", "watch", watch, queue=queue.OUTWARD)
    every(made, "29 3 * * *", "untell", forget, queue=queue.OUTWARD)
    return made


async def watch(job: JobContext, timestamp: int) -> None:
    """Every half minute, by whichever worker comes first."""
    await watch_once(services_of(job))


async def forget(job: JobContext, timestamp: int) -> None:
    """Once a night: alerts and deliveries hold what customers said, and are not kept for ever."""
    services = services_of(job)
    async with services.crm.outside() as tx:
        gone = await alerts.forget(tx, _KEPT)
    log.info("told_forgotten", rows=gone)


async def watch_once(services: Services) -> None:
    """Looks at every business whose team wants to be told, each for itself."""
    async with services.crm.outside() as tx:
        watched = await alerts.watched_businesses(tx)
    for business_id in watched:
        with alone(business_id, "watch"):
            async with services.crm.transaction(business_id) as tx:
                await _look(services, tx)


async def queue_due(services: Services) -> None:
    """Queues the jobs of everyone who has something due; part of the sweep."""
    async with services.crm.outside() as tx:
        places, receivers = await alerts.due_targets(tx), await outward.due_subscriptions(tx)
    for place in places:
        async with services.crm.transaction(place.business_id) as tx:
            await queue.alerts(tx, place.target_id)
    for receiver in receivers:
        async with services.crm.transaction(receiver.business_id) as tx:
            await queue.webhooks(tx, receiver.target_id)


async def _look(services: Services, tx: Tx) -> None:
    desk = await desk_of(services, tx)
    patience = await alerts.patience(tx)
    for waiting in await alert_watch.handoffs(tx):
        # One that is claimed already was opened by the person who has it.
        listening = waiting.listening_since is not None and waiting.opened_at >= waiting.listening_since
        if waiting.status == "open" and listening and not waiting.told:
            await alerts.tell(tx, desk.handoff(await handoffs.get(tx, waiting.handoff_id)))
        if not waiting.told_again and _unanswered(tx, desk.profile, waiting, patience.unanswered_minutes):
            await alerts.tell(tx, desk.handoff(await handoffs.get(tx, waiting.handoff_id), again=True))
    for ticket in await alert_watch.tickets(tx):
        await alerts.tell(tx, desk.ticket(ticket, tx.now))
    for trouble in await campaigns.in_trouble(tx):
        await alerts.tell(tx, desk.campaign(trouble))
    for number in await businesses.numbers(tx):
        state = await governor.state(tx, number.phone_number_id)
        if state.stopped is not None:
            await alerts.tell(tx, desk.number(state, number.display_phone, tx.now))
    for halt in await halts.all_(tx):
        await alerts.tell(tx, desk.halted(halt.phone_number_id, halt.error_code, halt.reason, halt.since))
    budget = await budgets.state(tx)
    if budget.over is not None:
        await alerts.tell(tx, desk.budget(budget))
    # The first failure is told at once, those that follow together: an outage is one piece of news.
    last = await alerts.last_told(tx, "delivery_failed")
    if last is None or tx.now - last >= _UNDELIVERED_EVERY:
        failed = await alert_watch.undelivered(tx)
        if failed:
            await alerts.tell(tx, desk.undelivered(failed))


def _unanswered(tx: Tx, profile: Profile, waiting: WaitingHandoff, minutes: int) -> bool:
    """Whether nobody has written for too long. An emergency does not wait for opening hours."""
    if waiting.answered:
        return False
    if waiting.label == "emergency" or (waiting.reason == "sensitive" and waiting.label is None):
        return tx.now - waiting.opened_at >= timedelta(minutes=minutes)
    return hours.after_open_minutes(profile, waiting.opened_at, minutes) <= tx.now
