"""What the team has to hear of though no event says so."""

from datetime import datetime, timedelta

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
from jobs.attend import waits_since
from jobs.news import Desk
from jobs.periodic import alone, every
from jobs.services import Services, services_of
from jobs.telling import desk_of

_UNDELIVERED_EVERY = timedelta(minutes=10)


def blueprint() -> Blueprint:
    """The tasks of this file, for one app: adding a blueprint to an app renames its tasks."""
    made = Blueprint()
    every(made, "* * * * * */30", "watch", watch, queue=queue.OUTWARD)
    return made


async def watch(job: JobContext, timestamp: int) -> None:
    """Every half minute, by whichever worker comes first."""
    await watch_once(services_of(job))


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
        await _look_at(tx, desk, waiting, patience.unanswered_minutes)
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


async def _look_at(tx: Tx, desk: Desk, waiting: WaitingHandoff, minutes: int) -> None:
    """Tells what nobody has told of a hand-over: that it was opened, left by whoever had it, not answered."""
    if waiting.listening_since is None:
        return
    which, listening_since = waiting.handoff_id, waiting.listening_since
    if waiting.released_at is not None:
        if waiting.released_at >= listening_since and not waiting.released_told:
            released = f"released:{waiting.released}"
            await alerts.tell(tx, desk.handoff(await handoffs.get(tx, which), anew=released))
    # One that is claimed already was opened by the person who has it.
    elif waiting.status == "open" and waiting.opened_at >= listening_since and not waiting.told:
        await alerts.tell(tx, desk.handoff(await handoffs.get(tx, which)))
    if not waiting.told_again and (since := await _unanswered(tx, desk.profile, waiting, minutes)):
        await alerts.tell(tx, desk.handoff(await handoffs.get(tx, which), unanswered_since=since))


async def _unanswered(tx: Tx, profile: Profile, waiting: WaitingHandoff, minutes: int) -> datetime | None:
    """Since when nobody has written, if that is too long. An emergency does not wait for opening hours."""
    since: datetime | None = waiting.opened_at
    if waiting.reason in handoffs.TAKEN_OVER:  # by itself no wait
        since = await waits_since(tx, waiting.handoff_id)
    if waiting.answered or since is None:
        return None
    if waiting.label == "emergency" or (waiting.reason == "sensitive" and waiting.label is None):
        late = tx.now - since >= timedelta(minutes=minutes)
    else:
        late = hours.after_open_minutes(profile, since, minutes) <= tx.now
    return since if late else None
