"""A customer's quotes: which one a number names, how it stands, and what another like it would hold."""

import re
from decimal import Decimal

from crm import fiscal, quotes
from crm.errors import UnknownQuote
from crm.quotes import QuoteRow
from crm.record import Tx
from tools.questions import ask_for_person
from tools.tool import Call, Declined, Slots
from tools.wording import day, money

_NUMBER = re.compile(r"(?<!\d)\d{4}/\d+(?!\d)")


def numbers_in(text: str) -> list[str]:
    """The numbers of quotes that a text names ("2026/12"), each once, in the order they are said."""
    return list(dict.fromkeys(_NUMBER.findall(text)))


def unknown(call: Call) -> Declined:
    """There is no such quote, or it is another customer's, which is as good as none."""
    return Declined(call.say("I can't find that quote under your number."))


def none_open(call: Call) -> Declined:
    """The customer has no quote that is open; one is offered where the business takes requests by chat."""
    if not _takes_requests(call):
        text = call.say("I have no open quote for you. Would you like a colleague to prepare one?")
        return Declined(text, options=ask_for_person(call))
    return Declined(call.say("I have no open quote for you. Tell me what you need and I will prepare one."))


def being_priced(call: Call) -> str:
    """Somebody works on it."""
    return call.say("Your quote is still being priced: a colleague will send it to you here.")


async def why_not(tx: Tx, call: Call, quote_id: int) -> Declined:
    """Why a quote cannot be decided on; for one that is over, a yes begins a request for another like it, or
    asks for a colleague where the business takes no requests by chat."""
    try:
        row = await quotes.get(tx, quote_id)
    except UnknownQuote:
        return unknown(call)
    if row.contact_id != call.contact_id:
        return unknown(call)
    match row.status:
        case "accepted":
            return Declined(call.say("Quote {number} is already accepted.", number=row.number))
        case "declined" | "expired" | "issued":
            return await _another(tx, call, row)
    return Declined(being_priced(call))


async def _another(tx: Tx, call: Call, row: QuoteRow) -> Declined:
    """That a quote is over, and the offer of a new one."""
    declined, by_chat = row.status == "declined", _takes_requests(call)
    if declined and by_chat:
        text = call.say("Quote {number} was declined. Shall I prepare a new one?", number=row.number)
    elif declined:
        text = call.say(
            "Quote {number} was declined. Would you like a colleague to prepare a new one?", number=row.number
        )
    elif by_chat:
        text = call.say("Quote {number} is no longer valid. Shall I prepare a new one?", number=row.number)
    else:
        text = call.say(
            "Quote {number} is no longer valid. Would you like a colleague to prepare a new one?",
            number=row.number,
        )
    if by_chat:
        return Declined(text, begins=("request_quote", await _like(tx, call, row)))
    return Declined(text, options=ask_for_person(call))


async def stands(tx: Tx, call: Call, row: QuoteRow) -> str:
    """One line about an issued quote: its number, what it comes to and its last day."""
    total = (await quotes.totals(tx, row.quote_id)).gross
    amount = money(total, row.currency, call.language, call.profile.business.country)
    until = day(row.valid_until, call.language) if row.valid_until else ""
    return call.say(
        "Quote {number}: {amount}, valid until {date}.", number=row.number, amount=amount, date=until
    )


async def is_open(tx: Tx, call: Call, row: QuoteRow) -> bool:
    """Whether it can still be accepted: issued, and its last day is not over."""
    seller = await fiscal.seller(tx)
    zone = seller.time_zone if seller else call.profile.business.time_zone
    today = fiscal.today_at(tx, zone)
    return row.status == "issued" and (row.valid_until is None or row.valid_until >= today)


def _takes_requests(call: Call) -> bool:
    return "request_quote" not in call.profile.pack.intents_off


async def _like(tx: Tx, call: Call, row: QuoteRow) -> Slots:
    """The slots of a request for what a quote was for."""
    keys = {service.row.service_id: service.row.key for service in call.profile.services}
    slots: Slots = {"services": [], "times": {}, "extras": [], "words": row.request}
    for line in await quotes.all_lines(tx, row.quote_id):
        key = keys.get(line.service_id) if line.service_id is not None else None
        if key is None:
            slots["extras"].append(line.description)
            continue
        slots["services"].append(key)
        if line.quantity == int(line.quantity):
            slots["times"][key] = int(line.quantity)
        elif line.quantity != Decimal(1):
            slots["unclear"] = True
    return {name: value for name, value in slots.items() if value}
