"""Books an appointment: service, place, time, one question at a time; said back in full before it is made."""

import re
from datetime import datetime, timedelta

from crm import appointments, waiting
from crm.businesses import LocationRow, Service
from crm.errors import SlotTaken
from crm.messages import Option
from crm.record import Tx
from tools.booking_slots import Arguments, fill, people_of, service_of
from tools.booking_times import Ask, awaited
from tools.happened import remember_once
from tools.matching import plain
from tools.offer_times import which_time
from tools.opening import location_of, zone_of
from tools.questions import service_options, yes_or_no
from tools.tool import Call, Declined, Done, Outcome, Question, Slots, Tool
from tools.waiting_words import span, wanted_line
from tools.wanted_time import Wanted
from tools.wording import clock, day, duration, money, price

# What the names of services have that several people come to together.
_FOR_SEVERAL = re.compile(
    r"coppi|couple|parej|casa[il]|grupp|group|grup|famil|duo|tavol|table|mesa|camer|room|habitac|quarto|visit"
)
MOST_OPEN = 20  # appointments a customer can have ahead by chat
MOST_MISSED = 3  # within MISSED_WITHIN: then a person confirms the next one
MISSED_WITHIN = timedelta(days=180)
MOST_UNASKED = 10  # people for what is not shared: more are a group, for a person to arrange


async def check(call: Call, slots: Slots) -> Question | Declined | None:
    """Asks for service, place, people and time in this order; None once a free time, or the waiting list for
    one that is taken, is chosen."""
    service = service_of(call, slots)
    if service is None:
        return _which_service(call, slots)
    if not service.row.bookable:
        name = service.name(call.language, call.profile.language)
        text = call.say("{service} is arranged with a colleague rather than booked here.", service=name)
        return Declined(text, handoff="not_bookable")
    place = location_of(call.profile, slots.get("location"))
    if place is None:
        return _which_place(call)
    return await _time(call, service, place, slots)


async def _time(call: Call, service: Service, place: LocationRow, slots: Slots) -> Question | Declined | None:
    if (wrong := _too_many(call, service, slots)) is not None:
        return wrong
    if slots.get("slot"):
        return None
    ask = _ask(call, service, place, slots)
    wanted = Wanted.from_slot(slots.get("when"), ask.zone)
    async with call.context.crm.transaction(call.business_id) as tx:
        waits = slots.get("waiting") and wanted is not None and wanted.is_whole
        if waits and await ask.ever_free(tx, wanted):
            return None
        return await _not_allowed(tx, call) or await which_time(tx, ask, slots, may_wait=True)


def _ask(call: Call, service: Service, place: LocationRow, slots: Slots) -> Ask:
    return Ask(call, service, place, slots.get("person"), people_of(service, slots))


def _too_many(call: Call, service: Service, slots: Slots) -> Question | Declined | None:
    """More people than fit, or a group where nothing is shared."""
    people, capacity = int(slots.get("people") or 1), service.row.capacity
    if capacity > 1 and (people > capacity or slots.get("asked_people")):
        slots["asked_people"] = True
        if people <= capacity:
            return Question("people", call.say("For how many people?"))
        text = call.say(
            "At most {most} people can come at the same time. For how many shall I book?", most=capacity
        )
        return Question("people", text)
    if capacity == 1 and people > MOST_UNASKED:
        text = call.say("For {people} people a colleague will arrange it with you.", people=people)
        return Declined(text, handoff="large_group")
    return None


async def _not_allowed(tx: Tx, call: Call) -> Declined | None:
    """Somebody who books and does not come, or books without end, is for a person to deal with."""
    if call.agent_id is not None:
        return None
    if await appointments.missed_since(tx, call.contact_id, tx.now - MISSED_WITHIN) >= MOST_MISSED:
        return Declined(call.say("A colleague will look for a time with you."), handoff="missed_before")
    if len(await appointments.of_contact(tx, call.contact_id)) >= MOST_OPEN:
        return Declined(call.say("A colleague will look for a time with you."), handoff="many_appointments")
    return None


async def confirm(call: Call, slots: Slots) -> Question | None:
    """Says everything back: absolute date with weekday, local time, length, people, price, place, person."""
    if not slots.get("slot"):
        return _confirm_wait(call, slots)
    service, place, starts = _chosen(call, slots)
    language, say, business = call.language, call.say, call.profile.business
    name = service.name(language, call.profile.language)
    minutes = service.row.duration_minutes
    lines = [f"• {name} ({duration(minutes, language)})" if minutes else f"• {name}"]
    lines.append(f"• {day(starts.date(), language)}, {clock(starts, language)}{_local(call, place)}")
    people = people_of(service, slots)
    if people > 1:
        lines.append("• " + say("{people} people", people=people))
    if cost := price(service.row, business, language, say):
        whole = service.row.whole_price(people)
        total = ""
        if people > 1 and whole:
            total = money(whole, business.currency, language, business.country)
        lines.append("• " + (say("{price}, {total} in all", price=cost, total=total) if total else cost))
    lines.append(f"• {place.name}, {place.address}")
    if slots["slot"]["person"]:
        lines.append("• " + say("with {person}", person=slots["slot"]["person"]))
    if _comes_alone(call, service, slots):
        lines.append("• " + say("one appointment, for one person: I book further ones after this"))
    text = "\n".join([say("Let me read it back to you:"), *lines, say("Shall I book it?")])
    return Question("confirm", text, yes_or_no(call))


def _comes_alone(call: Call, service: Service, slots: Slots) -> bool:
    """Whether several people were named for what one person comes to: no table, no treatment for two."""
    asks_people = any(asked.answer == "people" for asked in call.profile.pack.questions.get(TOOL.intent, []))
    names = [service.row.key, *(name for own in service.names.values() for name in own)]
    shared = service.row.price_unit == "person" or _FOR_SEVERAL.search(plain(" ".join(names))) is not None
    return int(slots.get("people") or 1) > 1 and service.row.capacity == 1 and not (asks_people or shared)


def _confirm_wait(call: Call, slots: Slots) -> Question:
    ask, window = _waited(call, slots)
    if window is None:
        raise ValueError("confirm comes after check has found nothing missing")
    since, until = window
    name = ask.service.name(call.language, call.profile.language)
    lines = [f"• {name}", f"• {span(call, since, until, ask.zone)}{_local(call, ask.place)}"]
    if ask.people > 1:
        lines.append("• " + call.say("{people} people", people=ask.people))
    asked = call.say("Shall I put you on the waiting list? I write to you as soon as a place becomes free.")
    return Question("confirm", "\n".join([*lines, asked]), yes_or_no(call))


async def act(call: Call, slots: Slots) -> Outcome:
    """Takes the time, or a place on the waiting list. Somebody else was first, or the time has begun: `slot`
    is dropped from `slots` and other times are offered. Notice is not counted again: who was offered a time
    has it as long as the question stands."""
    if not slots.get("slot"):
        return await _wait(call, slots)
    service, place, starts = _chosen(call, slots)
    chosen = slots["slot"]
    ask = _ask(call, service, place, slots)
    async with call.context.crm.transaction(call.business_id) as tx:
        if starts <= call.now and await appointments.by_key(tx, call.turn_id) is None:
            del slots["slot"]
            return await which_time(tx, ask, slots, may_wait=True)
        try:
            made = await appointments.book(
                tx,
                contact_id=call.contact_id,
                conversation_id=call.conversation_id,
                service_id=service.row.service_id,
                resource_id=chosen["resource_id"],
                starts=starts,
                ends=datetime.fromisoformat(chosen["ends"]),
                price=service.row.whole_price(ask.people),
                people=ask.people,
                idempotency_key=call.turn_id,
            )
        except SlotTaken:
            del slots["slot"]
            return await which_time(tx, ask, slots, may_wait=True)
        detail = f"{service.row.key} {starts.isoformat()} #{made.appointment_id}"
        await remember_once(tx, call, "appointment_booked", made.appointment_id, detail)
    return _booked(ask, starts, made)


async def _wait(call: Call, slots: Slots) -> Outcome:
    ask, window = _waited(call, slots)
    if window is None:  # it has begun between the question and the yes
        text = call.say("I'm sorry: that time is over.")
        return Declined(text + " " + call.say("Tell me when you would like to come and I'll look again."))
    since, until = window
    async with call.context.crm.transaction(call.business_id) as tx:
        entry = await waiting.join(
            tx,
            contact_id=call.contact_id,
            conversation_id=call.conversation_id,
            service_id=ask.service.row.service_id,
            location_id=ask.place.location_id,
            resource_id=ask.resource_id,
            since=since,
            until=until,
            people=ask.people,
            language=call.language,
            idempotency_key=call.turn_id,
        )
        line = wanted_line(call, entry)
        await remember_once(tx, call, "waiting_joined", entry.waiting_id, line)
    text = call.say(
        "You are on the waiting list: {line}. I write to you as soon as a place becomes free.", line=line
    )
    return Done(text, {"waiting": str(entry.waiting_id)})


def _waited(call: Call, slots: Slots) -> tuple[Ask, tuple[datetime, datetime] | None]:
    service, place = service_of(call, slots), location_of(call.profile, slots.get("location"))
    if service is None or place is None:
        raise ValueError("confirm and act come after check has found nothing missing")
    ask = _ask(call, service, place, slots)
    return ask, awaited(ask, Wanted.from_slot(slots.get("when"), ask.zone))


def _booked(ask: Ask, starts: datetime, made: appointments.AppointmentRow) -> Done:
    call, language = ask.call, ask.call.language
    name = ask.service.name(language, call.profile.language)
    text = call.say(
        "Done! {service} is booked for {date} at {time}. See you at {place}.",
        service=name,
        date=day(starts.date(), language),
        time=clock(starts, language) + _local(call, ask.place),
        place=ask.place.name,
    )
    notice = call.profile.business.cancel_notice_hours
    if notice == 1:
        text += " " + call.say("If you need to change it, tell me at least an hour before.")
    elif notice:
        text += " " + call.say(
            "If you need to change it, tell me at least {hours} hours before.", hours=notice
        )
    cost = price(ask.service.row, call.profile.business, language, call.say)
    evidence = {
        "appointment": str(made.appointment_id),
        "service": name,
        "starts": starts.isoformat(),
        "resource": made.resource_name,
        "people": str(made.people),
        "place": ask.place.name,
    }
    return Done(text, {**evidence, "price": cost} if cost else evidence)


def _chosen(call: Call, slots: Slots) -> tuple[Service, LocationRow, datetime]:
    service, place = service_of(call, slots), location_of(call.profile, slots.get("location"))
    if service is None or place is None:
        raise ValueError("confirm and act come after check has found nothing missing")
    starts = datetime.fromisoformat(slots["slot"]["starts"])
    return service, place, starts.astimezone(zone_of(call.profile, place))


def _local(call: Call, place: LocationRow) -> str:
    """ " (Lisboa time)" for a business with several time zones, else nothing."""
    if len({location.time_zone for location in call.profile.locations}) < 2:
        return ""
    return " (" + call.say("{city} time", city=place.city) + ")"


def _which_service(call: Call, slots: Slots) -> Question | Declined:
    keys = slots.get("service_options")
    bookable = [s for s in call.profile.services if s.row.bookable]
    if not bookable:
        text = call.say("Appointments are arranged with a colleague rather than booked here.")
        return Declined(text, handoff="not_bookable")
    among = [s for s in bookable if s.row.key in keys] if keys else bookable
    text = call.say("Which of these do you mean?") if keys else call.say("What would you like to book?")
    if keys and slots.pop("several", False):
        text = call.say("I book one at a time: which shall we start with?")
    return Question("service", text, service_options(call, among or bookable))


def _which_place(call: Call) -> Question:
    options = tuple(Option(f"location:{place.key}", place.city) for place in call.profile.locations)
    return Question("location", call.say("At which of our places?"), options)


TOOL = Tool("book_appointment", Arguments, fill, check, confirm, act, changes=("when", "service", "people"))
