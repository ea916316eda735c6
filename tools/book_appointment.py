"""Books an appointment: service, place, time, one question at a time; said back in full before it is made."""

from datetime import datetime

from crm import appointments
from crm.businesses import LocationRow, Service
from crm.errors import SlotTaken
from crm.messages import Option
from crm.record import Tx
from tools.booking_slots import Arguments, fill, service_of
from tools.booking_times import Ask, as_options, offers, why_not
from tools.happened import remember_once
from tools.opening import location_of, zone_of
from tools.questions import service_options, yes_or_no
from tools.tool import Call, Declined, Done, Outcome, Question, Slots, Tool
from tools.wanted_time import Wanted
from tools.wanted_time import of_option as wanted_of_option
from tools.wording import clock, day, duration, part_of_day, price, short_day, short_moment


async def check(call: Call, slots: Slots) -> Question | Declined | None:
    """Asks for service, place and time in this order; None once a free time is chosen."""
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
    if slots.get("slot"):
        return None
    async with call.context.crm.transaction(call.business_id) as tx:
        return await _which_time(tx, Ask(call, service, place, slots.get("person")), slots)


async def confirm(call: Call, slots: Slots) -> Question | None:
    """Says everything back: absolute date with weekday, local time, duration, price, place, person."""
    service, place, starts = _chosen(call, slots)
    language, say = call.language, call.say
    name = service.name(language, call.profile.language)
    minutes = service.row.duration_minutes
    lines = [f"• {name} ({duration(minutes, language)})" if minutes else f"• {name}"]
    lines.append(f"• {day(starts.date(), language)}, {clock(starts, language)}{_local(call, place)}")
    if cost := price(service.row, call.profile.business.currency, language, say):
        lines.append(f"• {cost}")
    lines.append(f"• {place.name}, {place.address}")
    if slots["slot"]["person"]:
        lines.append("• " + say("with {person}", person=slots["slot"]["person"]))
    text = "\n".join([say("Let me read it back to you:"), *lines, say("Shall I book it?")])
    return Question("confirm", text, yes_or_no(call))


async def act(call: Call, slots: Slots) -> Outcome:
    """Takes the time. Somebody else was first: `slot` is dropped from `slots` and other times are offered."""
    service, place, starts = _chosen(call, slots)
    chosen = slots["slot"]
    ask = Ask(call, service, place, slots.get("person"))
    async with call.context.crm.transaction(call.business_id) as tx:
        try:
            made = await appointments.book(
                tx,
                contact_id=call.contact_id,
                conversation_id=call.conversation_id,
                service_id=service.row.service_id,
                resource_id=chosen["resource_id"],
                starts=starts,
                ends=datetime.fromisoformat(chosen["ends"]),
                price=service.row.price,
                idempotency_key=call.turn_id,
            )
        except SlotTaken:
            del slots["slot"]
            return await _which_time(tx, ask, slots)
        detail = f"{service.row.key} {starts.isoformat()} #{made.appointment_id}"
        await remember_once(tx, call, "appointment_booked", made.appointment_id, detail)
    return _booked(ask, starts, made)


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
    if notice:
        text += " " + call.say(
            "If you need to change it, tell me at least {hours} hours before.", hours=notice
        )
    cost = price(ask.service.row, call.profile.business.currency, language, call.say)
    evidence = {
        "appointment": str(made.appointment_id),
        "service": name,
        "starts": starts.isoformat(),
        "resource": made.resource_name,
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
    return Question("service", text, service_options(call, among or bookable))


def _which_place(call: Call) -> Question:
    options = tuple(Option(f"location:{place.key}", place.city) for place in call.profile.locations)
    return Question("location", call.say("At which of our places?"), options)


async def _which_time(tx: Tx, ask: Ask, slots: Slots) -> Question | Declined:
    call, say = ask.call, ask.call.say
    wanted = Wanted.from_slot(slots.get("when"), ask.zone)
    if wanted and wanted.options:
        return _which_reading(ask, wanted)
    reason = why_not(ask, wanted)
    found, as_asked = await offers(tx, ask, wanted)
    if not as_asked and reason is None and ask.service.row.capacity > 1:
        # The record takes one booking a resource and time: whether a class is full is not known from it.
        return Declined(say("I can't see from here how many places are left then."), handoff="places_left")
    if not found:
        text = say("I can't find a free time in the coming weeks.")
        return Declined(f"{reason} {text}" if reason else text, handoff="no_free_time")
    options = as_options(ask, found)
    if reason is not None:
        text = reason + " " + say("These are the nearest free times:")
    elif not as_asked:
        text = _full(ask, wanted) + " " + say("These are the nearest free times:")
    elif wanted is None or wanted.day is None:
        name = ask.service.name(call.language, call.profile.language)
        text = say(
            "When would you like to come for {service}? Tell me day and time, or choose one:", service=name
        )
    else:
        text = say("On {date} I can offer you these times:", date=day(wanted.day, call.language))
    return Question("slot", text, options)


def _full(ask: Ask, wanted: Wanted | None) -> str:
    say, language = ask.call.say, ask.call.language
    if wanted and wanted.start and wanted.is_exact:
        date, time = day(wanted.start.date(), language), clock(wanted.start, language)
        return say("{date} at {time} is not free.", date=date, time=time)
    return say("There is nothing free then.")


def _which_reading(ask: Ask, wanted: Wanted) -> Question:
    options = []
    for value in wanted.options[:10]:
        reading = wanted_of_option(value, ask.zone)
        if reading is None or reading.day is None:
            continue
        options.append(Option(f"when:{value}", _short(ask, reading)))
    return Question("when", ask.call.say("Which day and time do you mean?"), tuple(options))


def _short(ask: Ask, reading: Wanted) -> str:
    language = ask.call.language
    if reading.start:
        return short_moment(reading.start, language)
    text = short_day(reading.day or ask.call.now.date(), language)
    return f"{text} {part_of_day(reading.part, ask.call.say)}" if reading.part else text


TOOL = Tool("book_appointment", Arguments, fill, check, confirm, act, changes=("when", "service"))
