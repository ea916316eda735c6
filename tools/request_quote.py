"""Takes a quote request: which services, how many, in the customer's own words.

What the record prices is issued at once, up to the business's limit; a person does the rest.
"""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from pydantic import BaseModel

from crm import contacts, fiscal, quotes, vat
from crm.businesses import Service
from crm.quotes import Line, QuoteRow
from crm.record import Tx
from crm.vat import Totals
from inference.extract import party_size, yes_no
from tools.decisions import decisions
from tools.details import QUANTITY_MAX, counting, known
from tools.happened import remember_once
from tools.questions import service_options, yes_or_no
from tools.quote_pieces import add_services, choose, read_pieces
from tools.tool import Call, Declined, Done, Outcome, Question, Slots, Tool
from tools.wording import day, money, number, price

_LONGEST = 1000
_NOT_MONEY = ("percent", "hour", "month")  # how many of them is for a person to say
_COUNTED = ("person", "session")
_CLIENT_TRUST = 2  # a client's quote may be so many times the limit before a person looks at it


class Arguments(BaseModel):
    """What a model may suggest; a service must be one of the record's, prices never come from here."""

    service: str | None = None
    people: int | None = None


async def fill(call: Call, slots: Slots, hints: Mapping[str, Any]) -> Slots:
    """Slots: services (keys, in the order named), quantity (people), words, other; see `read_pieces`."""
    begins, slots = not slots, dict(slots)
    guessed = Arguments.model_validate(dict(hints))
    text = call.text.strip()
    if call.option_id == "change:service":
        slots = {"words": slots["words"]} if slots.get("words") else {}
    if (call.option_id or "").startswith("service:"):
        choose(slots, call.profile.service((call.option_id or "").removeprefix("service:")))
    if (people := party_size(text, call.language)) is not None:
        slots.pop("unclear", None)
    read_pieces(call, slots, text, guessed.service)
    if begins and call.about and not slots.get("services") and not slots.get("options"):
        add_services(slots, [call.profile.service(call.about)])
    counted = any(slots.get(name) for name in ("quantity", "times", "choice_times", "unclear"))
    size = people or (None if counted else guessed.people)
    if size and 0 < size <= QUANTITY_MAX:
        slots["quantity"] = size
    if text and yes_no(text, call.language) is None:
        earlier = slots.get("words", "")
        if text not in earlier:
            slots["words"] = f"{earlier}\n{text}".strip()[:_LONGEST]
    return slots


async def check(call: Call, slots: Slots) -> Question | Declined | None:
    """Asks what the quote is for; several services may be meant."""
    keys = slots.get("options")
    if not keys and (slots.get("services") or slots.get("other")):
        return None
    quotable = [s for s in call.profile.services if s.row.quotable] or list(call.profile.services)
    among = [s for s in call.profile.services if s.row.key in keys] if keys else quotable
    slots["asked"] = True
    text = (
        call.say("Which of these do you mean?")
        if keys
        else call.say("What would you like a quote for? Choose, or tell me in your own words.")
    )
    return Question("service", text, service_options(call, among))


async def confirm(call: Call, slots: Slots) -> Question | None:
    """Says back every line, with the price on record or who will price it."""
    say = call.say
    lines = [f"• {_shown(call, line, service)}" for line, service in _lines(call, slots)]
    total = _total(call, slots)
    if total is not None:
        business = call.profile.business
        amount = money(total, business.currency, call.language, business.country)
        lines.append(say("Total: {amount}", amount=amount))
    head = say("Here is your quote request:")
    return Question("confirm", "\n".join([head, *lines, say("Shall I send it?")]), yes_or_no(call))


async def act(call: Call, slots: Slots) -> Outcome:
    """Writes the request with its lines, and issues it where nothing is left for a person to decide."""
    lines = [line for line, _ in _lines(call, slots)]
    async with call.context.crm.transaction(call.business_id) as tx:
        quote_id = await quotes.request(
            tx,
            contact_id=call.contact_id,
            conversation_id=call.conversation_id,
            currency=call.profile.business.currency,
            language=call.language,
            text=slots.get("words", ""),
            lines=lines,
            idempotency_key=call.turn_id,
        )
        # How many was answered in words that hold no number: what it comes to is for a person to say.
        issued = None if _uncounted(call, slots) else await _issued(tx, call, quote_id, lines)
        detail = ", ".join(line.description for line in lines) + f" #{quote_id}"
        await remember_once(tx, call, "quote_requested", quote_id, detail[:_LONGEST])
        if issued is not None:
            await remember_once(tx, call, "quote_issued", quote_id, f"{issued.number}")
            totals = await quotes.totals(tx, quote_id)
    evidence = {"quote": str(quote_id), "lines": "; ".join(line.description for line in lines)}
    if issued is not None:
        return _offered(call, issued, totals, evidence)
    text = call.say("Your quote request is number {number}.", number=quote_id)
    if any(line.unit_price is None for line in lines):
        text += " " + call.say("A colleague will work out the price and write to you here.")
    else:
        text += " " + call.say("A colleague will check it and send you the quote here.")
    return Done(text, evidence)


async def _issued(tx: Tx, call: Call, quote_id: int, lines: list[Line]) -> QuoteRow | None:
    """The quote issued; None when a price is missing, the tax data are, or it is over the limit."""
    seller = await fiscal.seller(tx)
    if seller is None or any(line.unit_price is None for line in lines):
        return None
    contact = await contacts.get(tx, call.contact_id)
    trust = _CLIENT_TRUST if contact.lifecycle == "client" else 1
    total = sum((vat.cents(line.quantity * (line.unit_price or 0)) for line in lines), Decimal(0))
    if not total or (seller.quote_limit is not None and total > seller.quote_limit * trust):
        return None
    return await quotes.issue(tx, quote_id, seller)


def _uncounted(call: Call, slots: Slots) -> bool:
    """Whether how many there shall be is for a person to find out."""
    asked = counting(call, TOOL.intent)
    if asked is not None and asked.key in known(slots) and not slots.get("quantity"):
        return True
    people = slots.get("quantity", 1)
    # "Tre massaggi per quattro persone": three, or twelve?
    double = people > 1 and any(times not in (1, people) for times in slots.get("times", {}).values())
    return bool(slots.get("unclear") or slots.get("choice_times") or double)


def _offered(call: Call, quote: QuoteRow, totals: Totals, evidence: dict[str, str]) -> Done:
    amount = money(totals.gross, quote.currency, call.language, call.profile.business.country)
    until = day(quote.valid_until, call.language) if quote.valid_until else ""
    words = {"number": quote.number, "amount": amount, "date": until}
    if totals.taxed:
        text = call.say(
            "Here is quote {number}: {amount}, VAT included, valid until {date}. The PDF follows here.",
            **words,
        )
    else:
        text = call.say(
            "Here is quote {number}: {amount}, valid until {date}. The PDF follows here.", **words
        )
    more = {"number": quote.number or "", "total": amount, "valid_until": until}
    return Done(text, {**evidence, **more}, decisions(call, quote.quote_id))


def _lines(call: Call, slots: Slots) -> list[tuple[Line, Service | None]]:
    quantity = Decimal(slots.get("quantity", 1))
    asked = counting(call, TOOL.intent)
    pieces = asked is not None and asked.answer == "number" and asked.key in known(slots)
    lines: list[tuple[Line, Service | None]] = []
    for key in slots.get("services", []):
        service = call.profile.service(key)
        if service is not None:
            name = service.name(call.language, call.profile.language)
            # A number of people or sessions multiplies what is paid for each of them, and nothing else; one
            # of pieces whatever there is.
            times = quantity if pieces or service.row.price_unit in _COUNTED else Decimal(1)
            if counted := slots.get("times", {}).get(key):
                times = Decimal(counted)
            lines.append((Line(service.row.service_id, name, times, _unit_price(service)), service))
    lines += [(Line(None, extra, Decimal(1), None), None) for extra in slots.get("extras", [])]
    if not lines:
        words = slots.get("other") or slots.get("words") or ""
        lines.append((Line(None, words, Decimal(1), None), None))
    return lines


def _unit_price(service: Service) -> Decimal | None:
    """The price on record where it is one amount; a range or a percentage is for a person to work out."""
    if service.row.price_max is not None or service.row.price_unit in _NOT_MONEY:
        return None
    return service.row.price


def _shown(call: Call, line: Line, service: Service | None) -> str:
    name = line.description
    if line.quantity != 1:
        name = f"{number(line.quantity, call.language, call.profile.business.country)} × {name}"
    cost = price(service.row, call.profile.business, call.language, call.say) if service else None
    return f"{name}: {cost}" if cost else f"{name}: " + call.say("a colleague will price it")


def _total(call: Call, slots: Slots) -> Decimal | None:
    """The sum when every line has a price and there is something to add up."""
    lines = [line for line, _ in _lines(call, slots)]
    amounts = [line.quantity * line.unit_price for line in lines if line.unit_price is not None]
    if len(amounts) < len(lines) or (len(lines) == 1 and lines[0].quantity == 1):
        return None
    return sum(amounts, Decimal(0))


TOOL = Tool("request_quote", Arguments, fill, check, confirm, act, changes=("service",))
