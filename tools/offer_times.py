"""The question for a time: free ones near what was asked, why it cannot be had, and the waiting list."""

from crm.messages import Option
from crm.record import Tx
from tools.booking_times import Ask, as_options, offers, why_not
from tools.tool import Declined, Question, Slots
from tools.wanted_time import Wanted
from tools.wanted_time import of_option as wanted_of_option
from tools.wording import clock, day, part_of_day, short_day, short_moment

WAIT = "wait:join"


async def which_time(tx: Tx, ask: Ask, slots: Slots, *, may_wait: bool = False) -> Question | Declined:
    """Asks for a time; `may_wait` offers the waiting list where what was asked for is full and a place there
    could become free."""
    say = ask.call.say
    wanted = Wanted.from_slot(slots.get("when"), ask.zone)
    if wanted and wanted.options:
        return _which_reading(ask, wanted)
    reason = why_not(ask, wanted)
    found, as_asked = await offers(tx, ask, wanted)
    full = reason is None and not as_asked
    if full and not await ask.ever_free(tx, wanted):
        full, reason = False, _never(ask, wanted)
    # An entry of the waiting list is one span: with the nights and noons between, mornings of several days
    # would be promised any hour.
    whole = wanted is None or wanted.is_whole
    no_list = ""
    if may_wait and slots.get("waiting") and (reason is not None or not whole):
        no_list = " " + say("There is no waiting list for that time.")
    wait = (_wait(ask),) if may_wait and full and whole else ()
    if not found:
        text = say("I can't find a free time in the coming weeks.")
        if wait:
            text += " " + say("Shall I put you on the waiting list?")
            return Question("slot", text, (*wait, Option("human:yes", say("Yes, a colleague please"))))
        return Declined(f"{reason}{no_list} {text}" if reason else text, handoff="no_free_time")
    options = (*as_options(ask, found), *wait)
    if reason is not None:
        text = reason + no_list + " " + say("These are the nearest free times:")
    elif full:
        text = await _full(tx, ask, wanted) + no_list + " " + say("These are the nearest free times:")
    elif wanted is None or wanted.day is None:
        name = ask.service.name(ask.call.language, ask.call.profile.language)
        text = say(
            "When would you like to come for {service}? Tell me day and time, or choose one:", service=name
        )
    elif wanted.last_day is not None:
        first, last = (day(on, ask.call.language) for on in (wanted.day, wanted.last_day))
        text = say("From {first} to {last} I can offer you these times:", first=first, last=last)
    else:
        text = say("On {date} I can offer you these times:", date=day(wanted.day, ask.call.language))
    return Question("slot", text, options)


def _wait(ask: Ask) -> Option:
    say = ask.call.say
    return Option(WAIT, say("Waiting list"), say("I write to you if a place becomes free"))


def _never(ask: Ask, wanted: Wanted | None) -> str:
    """That nothing can start at what was asked for, even if nobody else had booked."""
    say, language = ask.call.say, ask.call.language
    if wanted is None or wanted.start is None or not wanted.is_exact:
        return say("This cannot be booked then.")
    text = say(
        "{date} at {time} cannot be booked.",
        date=day(wanted.start.date(), language),
        time=clock(wanted.start, language),
    )
    return _begun(text)


async def _full(tx: Tx, ask: Ask, wanted: Wanted | None) -> str:
    say, language = ask.call.say, ask.call.language
    if wanted is None or wanted.start is None or not wanted.is_exact:
        return say("There is nothing free then.")
    date, time = day(wanted.start.date(), language), clock(wanted.start, language)
    left = await ask.places_left(tx, wanted.start) if ask.people > 1 else 0
    if left == 1:
        text = say(
            "{date} at {time} has one place left, not {people}.", date=date, time=time, people=ask.people
        )
    elif left:
        text = say(
            "{date} at {time} has {left} places left, not {people}.",
            date=date,
            time=time,
            left=left,
            people=ask.people,
        )
    else:
        text = say("{date} at {time} is not free.", date=date, time=time)
    return _begun(text)


def _begun(text: str) -> str:
    """A sentence that may begin with the name of a weekday."""
    return text[0].upper() + text[1:]


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
