"""Who puts alerts into the record: a hand-over that opens, an event that asks for it."""

from crm import alert_watch, alerts, businesses, contacts, handoffs
from crm.events import HookRow
from crm.record import Crm, Tx
from jobs.news import Desk
from jobs.services import Services
from knowledge.phrases import Phrases


class Bell:
    """What the graph rings when a human is needed; `Context.notify` of a worker."""

    def __init__(self, crm: Crm, phrases: Phrases, public_url: str | None) -> None:
        self._crm = crm
        self._phrases = phrases
        self._public_url = public_url

    async def __call__(self, business_id: int, handoff_id: int, alarm: str | None = None) -> None:
        """Writes the alerts of a hand-over, once however often it is called; with `alarm` those of its having
        become an emergency in that turn. Raises RecordUnavailable.

        A process that dies before it comes to this is made up for by the watch.
        """
        async with self._crm.transaction(business_id) as tx:
            desk = Desk(self._phrases, await businesses.profile(tx), self._public_url)
            await alerts.tell(tx, desk.handoff(await handoffs.get(tx, handoff_id), anew=alarm))


async def of_event(services: Services, tx: Tx, hook: HookRow) -> None:
    """Writes the alerts an event asks for, in the transaction that settles its hook."""
    desk = await desk_of(services, tx)
    subject = await alert_watch.subject(tx, hook.kind, hook.subject_id) if hook.subject_id else None
    await alerts.tell(tx, desk.event(hook, subject, await contacts.get(tx, hook.contact_id)))


async def desk_of(services: Services, tx: Tx) -> Desk:
    """Who writes this business's alerts."""
    return Desk(services.context.phrases, await businesses.profile(tx), services.outward.public_url)
