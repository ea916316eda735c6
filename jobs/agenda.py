"""What the calendar brings by itself: reminders, places given to the next in line, offers nobody took.

Everything is worked out from the record as it stands, so a job that runs twice, or late, does no harm: a
reminder is noted with its message, a place is held by the same constraint that guards bookings.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import structlog
from procrastinate import Blueprint, JobContext

from crm import (
    appointments,
    businesses,
    contacts,
    conversations,
    outbox,
    queue,
    reminders,
    template_book,
    templates,
    waiting,
)
from crm.businesses import Profile, Service
from crm.desk import CUSTOMER_WINDOW
from crm.errors import NotBookable, SlotTaken
from crm.messages import NewMessage, Option
from crm.quiet import by_day
from crm.record import Tx
from crm.reminders import DueRow, Purpose
from crm.slots import FreeSlot, free_slots
from crm.waiting import WaitingRow
from db.tenancy import tenant
from jobs.periodic import every
from jobs.services import Services, services_of
from knowledge.phrases import Say
from tools.mine import CANCEL, MOVE
from tools.waiting_list import LEAVE, TAKE
from tools.wording import clock, day, short_moment

log = structlog.get_logger(__name__)

ANSWER_WITHIN = timedelta(hours=2)  # for a place that became free …
_TALKS = timedelta(minutes=30)  # who wrote so lately is awake
_AT_LEAST = timedelta(minutes=10)  # … or half of the time that is left, but no less


@dataclass(frozen=True)
class _Word:
    """Something SARA says first."""

    contact_id: int
    language: str
    purpose: Purpose
    body: str
    values: tuple[str, ...]
    options: tuple[Option, ...]
    turn_id: str


def blueprint() -> Blueprint:
    """The tasks of this file, for one app: adding a blueprint to an app renames its tasks."""
    made = Blueprint()
    made.task(name="agenda", queue=queue.HOOKS, pass_context=True)(agenda)
    every(made, "* * * * * */30", "agendas", agendas, queue=queue.HOOKS)
    return made


async def agendas(job: JobContext, timestamp: int) -> None:
    """Every half minute, by whichever worker comes first: queues a look at every agenda that has work."""
    services = services_of(job)
    async with services.crm.outside() as tx:
        found = await reminders.businesses_with_work(tx)
    for business_id in found:
        async with services.crm.transaction(business_id) as tx:
            await queue.agenda(tx)


async def agenda(job: JobContext, *, business_id: int) -> None:
    """One business's agenda."""
    with tenant(business_id), structlog.contextvars.bound_contextvars(business_id=business_id):
        await agenda_once(services_of(job), business_id)


async def agenda_once(services: Services, business_id: int) -> None:
    """Lets unanswered offers lapse, gives free places to those who wait, reminds of appointments."""
    async with services.crm.transaction(business_id) as tx:
        for entry in await waiting.unanswered(tx):
            if entry.appointment_id is not None:
                await appointments.release(tx, entry.appointment_id)
            await waiting.settle(tx, entry.waiting_id, "lapsed")
        await waiting.let_pass(tx)
    async with services.crm.transaction(business_id) as tx:
        profile = await businesses.profile(tx)
    page, last = waiting.PAGE, 0
    while page == waiting.PAGE:
        async with services.crm.transaction(business_id) as tx:
            entries = await waiting.in_turn(tx, after=last)
            for entry in entries:
                await _give(services, tx, profile, entry)
                last = entry.waiting_id
        page = len(entries)
    async with services.crm.transaction(business_id) as tx:
        await _remind_all(services, tx, profile)


async def _give(services: Services, tx: Tx, profile: Profile, entry: WaitingRow) -> None:
    """Holds a place for somebody who waits, if there is one and they can be asked, and says so."""
    service = profile.service_of(entry.service_id)
    if service is None or service.row.retired:
        return
    try:
        found = await free_slots(
            tx,
            entry.service_id,
            since=entry.since,
            until=entry.until,
            most=1,
            location_id=entry.location_id,
            resource_id=entry.resource_id,
            people=entry.people,
        )
    except NotBookable:
        return
    zone = _zone(profile, entry.location_id)
    contact = await contacts.get(tx, entry.contact_id)
    if not found:
        return
    talks = contact.last_seen_at is not None and tx.now - contact.last_seen_at < _TALKS
    if not talks and not _awake(tx.now, zone):
        return
    if not await _can_be_asked(tx, entry):
        return  # the entry waits on, and the next in line is thought of
    answer_by = tx.now + max(_AT_LEAST, min(ANSWER_WITHIN, (found[0].starts - tx.now) / 2))
    held = await _held(tx, service, entry, found[0])
    if held is None:
        return
    await waiting.offer(tx, entry.waiting_id, held, answer_by)
    await _say(services, tx, profile, _offer(services, profile, service, entry, found[0], answer_by))


async def _can_be_asked(tx: Tx, entry: WaitingRow) -> bool:
    """Whether somebody would read the offer of a place, and be heard: nothing may be held for them else.

    Where a person has the conversation a yes only waits for that person, and once the 24 hours are over
    nothing but an approved template arrives. The open conversation stays locked, so that neither changes
    before the offer is written.
    """
    number = await businesses.number_to_tell(tx, entry.contact_id)
    [found] = await tx.together([conversations.open_of(entry.contact_id, number)])
    if any(row.owner == "human" for row in found):
        return False
    wrote = await conversations.last_words(tx, entry.contact_id, number)
    if wrote is not None and tx.now - wrote <= CUSTOMER_WINDOW:
        return True
    template = await _template(tx, "freed_place", entry.language)
    known = await template_book.one(tx, template.name, template.code) if template else None
    return template is not None and (known is None or known.usable)


async def _template(
    tx: Tx, purpose: Purpose, language: str
) -> templates.TemplateRow | reminders.TemplateRow | None:
    """What says it once the 24 hours are over: an approved template before one that is named alone."""
    approved = await template_book.for_purpose(tx, purpose, language)
    return approved or await reminders.template(tx, purpose, language)


async def _held(tx: Tx, service: Service, entry: WaitingRow, slot: FreeSlot) -> int | None:
    """The appointment that holds the place; None when somebody was faster."""
    price = service.row.whole_price(entry.people)
    try:
        made = await appointments.book(
            tx,
            contact_id=entry.contact_id,
            conversation_id=entry.conversation_id,
            service_id=entry.service_id,
            resource_id=slot.resource_id,
            starts=slot.starts,
            ends=slot.ends,
            price=price,
            people=entry.people,
            idempotency_key=f"waiting:{entry.waiting_id}",
            status="held",
        )
    except SlotTaken:
        return None
    return made.appointment_id


def _offer(
    services: Services,
    profile: Profile,
    service: Service,
    entry: WaitingRow,
    slot: FreeSlot,
    answer_by: datetime,
) -> _Word:
    say = services.context.phrases.speaker(entry.language, formal=profile.pack.formal)
    zone = _zone(profile, entry.location_id)
    name = service.name(entry.language, profile.language)
    line = _line(say, name, entry.people, slot.starts.astimezone(zone), entry.language)
    local = answer_by.astimezone(zone)
    return _Word(
        contact_id=entry.contact_id,
        language=entry.language,
        purpose="freed_place",
        body=say(
            "A place has become free: {line}. I keep it for you until {until}. Shall I book it?",
            line=line,
            until=clock(local, entry.language),  # within two hours, and so without its day
        ),
        values=(line, short_moment(local, entry.language)),
        options=(
            Option(f"{TAKE}{entry.waiting_id}", say("Yes, book it")),
            Option(f"{LEAVE}{entry.waiting_id}", say("No, thanks")),
        ),
        turn_id=f"waiting:{entry.waiting_id}",
    )


async def _remind_all(services: Services, tx: Tx, profile: Profile) -> None:
    """One reminder an appointment, the latest that is due: after an outage nobody is reminded twice."""
    reminded: set[int] = set()
    for row in await reminders.due(tx):
        zone = _zone(profile, row.location_id)
        if not _awake(tx.now, zone):
            continue  # in the morning, if there is still time
        if not await reminders.written(tx, row) or row.appointment_id in reminded:
            continue
        reminded.add(row.appointment_id)
        if row.opted_out:
            log.info("reminder_not_wanted", appointment_id=row.appointment_id)
            continue
        await _say(services, tx, profile, _reminder(services, profile, row, zone))


def _reminder(services: Services, profile: Profile, row: DueRow, zone: ZoneInfo) -> _Word:
    language = row.told_language or row.language or profile.language
    say = services.context.phrases.speaker(language, formal=profile.pack.formal)
    service = profile.booked_service(row.service_key)
    name = service.name(language, profile.language) if service else row.service_key
    place = profile.place(row.location_id)
    line = _line(say, name, 1, row.starts.astimezone(zone), language)
    if row.resource_kind == "person":
        line += ", " + say("with {person}", person=row.resource_name)
    where = f"{place.name}, {place.address}" if place else profile.business.name
    return _Word(
        contact_id=row.contact_id,
        language=language,
        purpose="reminder",
        body=say(
            "A reminder of your appointment: {line}, at {place}. If something has come up, tell me here.",
            line=line,
            place=where,
        ),
        values=(line, where),
        options=(
            Option(f"{MOVE}{row.appointment_id}", say("Move it")),
            Option(f"{CANCEL}{row.appointment_id}", say("Cancel it")),
        ),
        turn_id=f"reminder:{row.appointment_id}:{row.hours}:{row.starts.isoformat()}",
    )


async def _say(services: Services, tx: Tx, profile: Profile, word: _Word) -> None:
    """Into the outbox, once; where only a template may be sent, the business's own says it."""
    if await outbox.spoke(tx, word.turn_id):
        return
    template = await _template(tx, word.purpose, word.language)
    number = await businesses.number_to_tell(tx, word.contact_id)
    conversation_id = await conversations.open_for(tx, word.contact_id, number)
    conversation = await conversations.lock(tx, conversation_id)
    message = NewMessage(
        conversation_id=conversation_id,
        contact_id=word.contact_id,
        author="bot",
        kind="buttons",
        body=word.body,
        language=word.language,
        sent_at=tx.now,
        options=word.options,
        template_name=template.name if template else None,
        template_code=template.code if template else None,
        template_values=word.values,
    )
    await outbox.add(
        tx, [message], turn_id=word.turn_id, epoch=conversation.epoch, answers=None, purpose=word.purpose
    )
    await queue.send(tx, conversation_id)


def _line(say: Say, name: str, people: int, starts: datetime, language: str) -> str:
    shown = say("{people} people", people=people) if people > 1 else ""
    moment = f"{day(starts.date(), language)}, {clock(starts, language)}"
    return ", ".join(filter(None, [name, shown, moment]))


def _zone(profile: Profile, location_id: int) -> ZoneInfo:
    place = profile.place(location_id)
    return ZoneInfo(place.time_zone if place else profile.business.time_zone)


def _awake(at: datetime, zone: ZoneInfo) -> bool:
    return by_day(at, zone) == at
