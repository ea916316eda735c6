"""Campaigns at work: one recipient after the other is handed to the outbox, as fast as everything allows.

A recipient's message, their mark and their place in the tier are one transaction under the recipient's lock:
any number of workers may be at it, and any may die. What is on its way is kept short: a pause takes effect at
once, and replies to customers overtake.
"""

import asyncio
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog
from procrastinate import Blueprint, JobContext

from crm import businesses, campaigns, conversations, governor, halts, outbox, queue, template_book
from crm.businesses import Profile
from crm.campaign_rows import CampaignRow, FaresRow, PaceRow, TurnRow, Variant
from crm.messages import NewMessage, Option
from crm.quiet import quiet_until
from crm.record import Tx
from crm.template_book import KnownTemplate
from db.tenancy import tenant
from jobs.periodic import every
from jobs.services import Services, services_of

log = structlog.get_logger(__name__)

IN_FLIGHT = 40
"""Messages of campaigns that may be in the outbox of one business at a time."""
TOO_MANY_FAIL = 0.2
"""Share of failed messages at which a campaign pauses; the list or the template is then bad."""
_JUDGED_FROM = 20
_STINT_S = 10.0  # one job works so long and makes room for others
_REST_S = 0.25
_SOON_S, _LATER_S = 0.5, 30.0
_TALK_OVER = timedelta(minutes=15)


@dataclass(frozen=True)
class _Words:
    """What a campaign says, by variant, and each template in its approved languages."""

    variants: dict[str, Variant]
    templates: dict[str, list[KnownTemplate]]
    profile: Profile


def blueprint() -> Blueprint:
    """The tasks of this file, for one app: adding a blueprint to an app renames its tasks."""
    made = Blueprint()
    made.task(name="campaign", queue=queue.HOOKS, pass_context=True)(campaign)
    every(made, "* * * * * */5", "campaigns", due, queue=queue.HOOKS)
    every(made, "17 * * * *", "ungovern", forget, queue=queue.HOOKS)
    return made


async def due(job: JobContext, timestamp: int) -> None:
    """Every five seconds, by whichever worker comes first: campaigns that run, or whose time has come."""
    services = services_of(job)
    async with services.crm.outside() as tx:
        found = await campaigns.due(tx)
    for row in found:
        async with services.crm.transaction(row.business_id) as tx:
            await queue.campaign(tx, row.campaign_id)


async def forget(job: JobContext, timestamp: int) -> None:
    """Every hour: keys of the governor that have long been idle."""
    async with services_of(job).crm.outside() as tx:
        await governor.forget(tx)


async def campaign(job: JobContext, *, business_id: int, campaign_id: int) -> None:
    """Works at one campaign for a while, and queues itself again while there is something to do."""
    services = services_of(job)
    with tenant(business_id), structlog.contextvars.bound_contextvars(campaign_id=campaign_id):
        wait: float | None = 0.0
        ends = services.clock() + timedelta(seconds=_STINT_S)
        while wait is not None and wait <= _REST_S and services.clock() < ends:
            await asyncio.sleep(wait)
            wait = await step(services, business_id, campaign_id)
        if wait is not None:
            async with services.crm.transaction(business_id) as tx:
                await queue.campaign(tx, campaign_id, delay_s=max(wait, _SOON_S))


async def step(services: Services, business_id: int, campaign_id: int) -> float | None:
    """Hands over what may go now; the seconds until the next look, None when it is over or paused."""
    async with services.crm.transaction(business_id) as tx:
        row = await campaigns.launch_due(tx, await campaigns.lock(tx, campaign_id))
        if row.state != "running":
            return None
        room, wait = await _room(tx, row)
        if room <= 0:
            return wait
        contacts_next = await campaigns.upcoming(tx, campaign_id, room)
        words = await _words(tx, campaign_id)
        if unusable := _unusable(words):
            await campaigns.pause(tx, campaign_id, f"the template {unusable} cannot be sent")
            return None
    for contact_id in contacts_next:
        async with services.crm.transaction(business_id) as tx:
            wait = await _turn(tx, row, words, contact_id)
        if wait is not None:
            return wait
    return _REST_S


async def _room(tx: Tx, row: CampaignRow) -> tuple[int, float | None]:
    """How many messages may be handed over now; for none, the seconds to wait, or None when it is over."""
    pace = await campaigns.pace(tx, row.campaign_id)
    if not pace.waiting and not pace.in_flight:
        await campaigns.finish(tx, row.campaign_id)
        return 0, None
    if not pace.waiting:
        return 0, _SOON_S
    if _fares_badly(await campaigns.fares(tx, row.campaign_id)):
        await campaigns.pause(tx, row.campaign_id, "too many messages fail: look at `sara campaign status`")
        return 0, None
    if hindrance := await _hindrance(tx, row, pace):
        return await _waits(tx, row, *hindrance)
    room = IN_FLIGHT - pace.in_flight
    if row.per_minute is not None:
        room = min(room, row.per_minute - pace.last_minute)
    if pace.handed < row.first_wave:
        room = min(room, row.first_wave - pace.handed)
    return room, _REST_S if pace.in_flight else _SOON_S


async def _hindrance(tx: Tx, row: CampaignRow, pace: PaceRow) -> tuple[float, str] | None:
    """What keeps everybody waiting: for how many seconds, and why."""
    if pace.next_at is not None and pace.next_at > tx.now:
        return (pace.next_at - tx.now).total_seconds(), f"until {pace.next_at:%H:%M} UTC"
    over = _wave_over(row, pace.handed, pace.last_handed)
    if over is not None and over > tx.now:
        return (over - tx.now).total_seconds(), "looking at the first messages"
    if await halts.of_number(tx, row.phone_number_id) is not None:
        return _LATER_S, "nothing can be sent on this number at the moment"
    state = await governor.state(tx, row.phone_number_id)
    if state.stopped is not None:
        return _LATER_S, state.stopped
    return (_LATER_S, "the tier is used up") if state.free == 0 else None


def _wave_over(row: CampaignRow, handed: int, last: datetime | None) -> datetime | None:
    """When the first wave has been looked at long enough; None before it is out and once more followed it."""
    if handed != row.first_wave or last is None:
        return None
    return last + timedelta(seconds=row.first_wave_seconds)


def _fares_badly(fares: FaresRow) -> bool:
    return fares.settled >= _JUDGED_FROM and fares.failed > TOO_MANY_FAIL * fares.settled


async def _waits(tx: Tx, row: CampaignRow, seconds: float, why: str) -> tuple[int, float]:
    await campaigns.note(tx, row.campaign_id, why)
    return 0, min(max(seconds, _SOON_S), _LATER_S)


async def _words(tx: Tx, campaign_id: int) -> _Words:
    said = await campaigns.variants(tx, campaign_id)
    templates = {v.template_name: await template_book.languages(tx, v.template_name) for v in said}
    usable = {name: [t for t in found if t.usable] for name, found in templates.items()}
    return _Words({v.variant: v for v in said}, usable, await businesses.profile(tx))


def _unusable(words: _Words) -> str | None:
    """A template that can be sent in no language, perhaps only now: nobody is left out for that."""
    return next((name for name, found in words.templates.items() if not found), None)


async def _turn(tx: Tx, row: CampaignRow, words: _Words, contact_id: int) -> float | None:
    """One recipient: handed over, skipped or put off. Seconds to wait when nobody else can be served now."""
    if (await campaigns.share(tx, row.campaign_id)).state != "running":
        return _SOON_S
    who = await campaigns.take_turn(tx, row.campaign_id, contact_id)
    if who is None:
        return None
    template = _in_language(words, who)
    if reason := _left_out(who):
        await campaigns.skip(tx, row.campaign_id, contact_id, reason)
    elif template is None:
        await campaigns.skip(tx, row.campaign_id, contact_id, "no approved template in their language")
    elif later := _put_off(who, tx.now, words.profile.business.time_zone):
        await campaigns.later(tx, row.campaign_id, contact_id, *later)
    else:
        return await _reserved(tx, row, words, who, template)
    return None


def _put_off(who: TurnRow, now: datetime, home: str) -> tuple[datetime, str] | None:
    """Until when nobody writes to them, and why."""
    if who.talking:
        return now + _TALK_OVER, "in a conversation"
    quiet = quiet_until(who.wa_id, now, home=home)
    return (quiet, "quiet hours") if quiet else None


async def _reserved(
    tx: Tx, row: CampaignRow, words: _Words, who: TurnRow, template: KnownTemplate
) -> float | None:
    """Handed over, if the governor has a place. The conversation first: a sender locks in that order too."""
    conversation_id = await conversations.open_for(tx, who.contact_id, row.phone_number_id)
    verdict = await governor.reserve(tx, row.phone_number_id, who.contact_id)
    if verdict.reason == "cooldown":
        until = tx.now + timedelta(seconds=verdict.wait_s)
        await campaigns.later(tx, row.campaign_id, who.contact_id, until, "Meta's marketing limit")
        return None
    if verdict.wait_s > 0:
        why = "the tier is used up" if verdict.reason == "tier" else "campaigns are stopped on this number"
        return (await _waits(tx, row, verdict.wait_s, why))[1]
    await _hand(tx, row, words, who, template, conversation_id)
    await campaigns.note(tx, row.campaign_id, None)
    return None


def _left_out(who: TurnRow) -> str | None:
    if who.opted_out:
        return "opted out"
    if not who.consented:
        return "no proof of consent"
    if not who.meant:
        return "no longer in the audience"
    return "frequency cap" if who.capped else None


def _in_language(words: _Words, who: TurnRow) -> KnownTemplate | None:
    """The variant's template in the customer's language, else in the business's, else in its only one."""
    found = words.templates[words.variants[who.variant].template_name]
    for language in (who.language, words.profile.language):
        for template in found:
            if language and template.code[:2] == language:
                return template
    return found[0] if len(found) == 1 else None


async def _hand(
    tx: Tx, row: CampaignRow, words: _Words, who: TurnRow, template: KnownTemplate, conversation_id: int
) -> None:
    conversation = await conversations.lock(tx, conversation_id)
    name = (who.name or "").split(" ")[0] or words.profile.business.name
    values = [
        value.replace("{name}", name).replace("{business}", words.profile.business.name)
        for value in words.variants[who.variant].template_values
    ]
    message = NewMessage(
        conversation_id=conversation_id,
        contact_id=who.contact_id,
        author="bot",
        kind="template",
        body=template.filled(values),
        language=template.code[:2],
        template_name=template.name,
        template_code=template.code,
        template_values=values,
        options=[
            Option(f"campaign:{row.campaign_id}:{place}", title)
            for place, title in enumerate(template.quick_replies)
        ],
        sent_at=tx.now,
    )
    (message_id,) = await outbox.add(
        tx,
        [message],
        turn_id=f"campaign:{row.campaign_id}:{who.contact_id}:{who.tries}",
        epoch=conversation.epoch,
        answers=None,
        lane="campaign",
    )
    await campaigns.handed(tx, row.campaign_id, who.contact_id, message_id)
    await queue.send(tx, conversation_id, campaign=True)
