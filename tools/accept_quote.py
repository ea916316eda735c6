"""Accepts or declines an issued quote: the customer's own, in time, with what the invoice needs."""

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel

from crm import contacts, fiscal, quote_desk, quotes
from crm.errors import QuoteDecided, UnknownQuote
from crm.messages import Option
from crm.quotes import QuoteRow
from crm.record import Tx
from inference.extract import yes_no
from inference.wishes import decides_quote
from tools.billing import address_in, buyer_of, tax_id_in
from tools.decisions import decided
from tools.details import PREFIX
from tools.happened import remember_once
from tools.questions import SKIP, yes_or_no
from tools.quote_state import being_priced, none_open, numbers_in, why_not
from tools.tool import Call, Declined, Done, Outcome, Question, Slots, Tool
from tools.wording import day, money

TAX_ID, ADDRESS = "tax_id", "address"
NO_QUOTE = 0  # stands for a number that none of the customer's quotes has


class Arguments(BaseModel):
    """Nothing is taken from a model: which quote, and whether, is what the customer wrote or pressed."""


async def fill(call: Call, slots: Slots, hints: Mapping[str, Any]) -> Slots:
    """Slots: decision, quote (id), needs (of the invoice: "tax_id", "address"), tax_id, address, refused."""
    slots = {name: value for name, value in slots.items() if name != "refused"}
    if call.option_id == "change:billing":
        return {name: value for name, value in slots.items() if name not in (TAX_ID, ADDRESS)}
    pressed = decided(call.option_id)
    if pressed is not None:
        return {"decision": pressed[0], "quote": pressed[1]}
    if (call.option_id or "").startswith("quote:which:"):
        return {**slots, "quote": int((call.option_id or "").rpartition(":")[2])}
    wish, waiting = decides_quote(call.text), _waiting(slots)
    await _named(call, slots, answers=wish is None and waiting is not None)
    if wish is not None:
        slots["decision"] = wish
    elif waiting:
        _answer(call, slots, waiting)
    return slots


async def _named(call: Call, slots: Slots, *, answers: bool) -> None:
    """Notes the quote that the words name by its number, whatever has become of it. `answers`: they answer a
    question for the invoice, where "1025/12" may also be the number of a house."""
    numbers = numbers_in(call.text)
    if len(numbers) != 1:
        if numbers and not answers:
            slots.pop("quote", None)
        return
    async with call.context.crm.transaction(call.business_id) as tx:
        row = await quotes.numbered(tx, call.contact_id, numbers[0])
    if row is not None:
        slots["quote"] = row.quote_id
    elif not answers:
        slots["quote"] = NO_QUOTE


def _waiting(slots: Slots) -> str | None:
    """What the customer was asked for last, for the invoice."""
    return next((need for need in slots.get("needs", []) if need not in slots), None)


def _answer(call: Call, slots: Slots, asked: str) -> None:
    text = call.text.strip()
    if call.option_id == SKIP or (text and yes_no(text, call.language) == "no"):
        slots[asked] = None
        return
    read = tax_id_in(text) if asked == TAX_ID else address_in(text, call.profile.business.country)
    if read is not None:
        slots[asked] = read
    elif text:
        slots["refused"] = text[:80]


async def check(call: Call, slots: Slots) -> Question | Declined | None:
    """Which quote, then what the invoice needs; a quote of somebody else, or none at all, is no quote."""
    async with call.context.crm.transaction(call.business_id) as tx:
        rows = await quotes.of_contact(tx, call.contact_id)
        issued = [row for row in rows if row.status == "issued"]
        if "quote" not in slots and len(issued) == 1:
            slots["quote"] = issued[0].quote_id
        quote = next((row for row in issued if row.quote_id == slots.get("quote")), None)
        if quote is None:
            return await _no_such_quote(tx, call, slots, rows)
        if slots.get("decision") == "decline":
            return None
        slots.setdefault("decision", "accept")
        if "needs" not in slots:
            slots["needs"] = await _needs(tx, call)
    asked = _waiting(slots)
    return _ask(call, slots, asked) if asked else None


async def _no_such_quote(tx: Tx, call: Call, slots: Slots, rows: list[QuoteRow]) -> Question | Declined:
    issued = [row for row in rows if row.status == "issued"]
    if slots.get("quote") == NO_QUOTE and not rows:
        return none_open(call)
    if slots.get("quote") is not None:
        return await why_not(tx, call, slots["quote"])
    if issued:
        options = tuple(Option(f"quote:which:{row.quote_id}", f"{row.number}") for row in issued[:10])
        return Question("quote", call.say("Which quote do you mean?"), options)
    return Declined(being_priced(call)) if rows else none_open(call)


async def _needs(tx: Tx, call: Call) -> list[str]:
    """What an electronic invoice lacks; an invoice on paper needs nothing more than a name."""
    seller, buyer = await fiscal.seller(tx), await fiscal.buyer(tx, call.contact_id)
    if seller is None or not seller.is_italian:
        return []
    return list(buyer.missing) if buyer else [TAX_ID, ADDRESS]


def _ask(call: Call, slots: Slots, need: str) -> Question:
    say = call.say
    if need == TAX_ID:
        text = say("Which tax code or VAT number shall the invoice be made out to?")
        wrong = say("I can't read a valid tax code or VAT number there: please check the digits.")
    else:
        text = say("And to which address? Street and number, postcode and town.")
        wrong = say("I need the whole address: street and number, a comma, then postcode and town.")
    return Question(PREFIX + need, wrong if slots.get("refused") else text, (Option(SKIP, say("Skip")),))


async def confirm(call: Call, slots: Slots) -> Question | None:
    """Says back number, total and, for an acceptance, who the invoice is for."""
    say = call.say
    async with call.context.crm.transaction(call.business_id) as tx:
        quote = await quotes.get(tx, slots["quote"])
        total = (await quotes.totals(tx, quote.quote_id)).gross
    amount = money(total, quote.currency, call.language, call.profile.business.country)
    if slots["decision"] == "decline":
        text = say(
            "Shall I note that you decline quote {number} of {amount}?", number=quote.number, amount=amount
        )
        return Question("confirm", text, yes_or_no(call))
    lines = [say("Quote {number}: {amount}", number=quote.number, amount=amount), *_billing(slots)]
    question = say("Do you accept it? It is then binding and the invoice is prepared.")
    return Question("confirm", "\n".join([*lines, question]), yes_or_no(call))


def _billing(slots: Slots) -> list[str]:
    told = slots.get(TAX_ID) or {}
    place = slots.get(ADDRESS) or {}
    number = told.get("tax_code") or told.get("vat_number")
    town = " ".join(filter(None, [place.get("postal_code"), place.get("city")]))
    address = ", ".join(filter(None, [place.get("street"), town]))
    return [f"• {line}" for line in (number, address) if line]


async def act(call: Call, slots: Slots) -> Outcome:
    """Decides, in one transaction with what the customer told for the invoice."""
    status = "declined" if slots["decision"] == "decline" else "accepted"
    async with call.context.crm.transaction(call.business_id) as tx:
        seller = await fiscal.seller(tx)
        zone = seller.time_zone if seller else call.profile.business.time_zone
        today = fiscal.today_at(tx, zone)
        try:
            quote = await quotes.decide(
                tx, slots["quote"], call.contact_id, "declined" if status == "declined" else "accepted", today
            )
        except (UnknownQuote, QuoteDecided):
            return await why_not(tx, call, slots["quote"])
        if quote.status == "expired":
            await quote_desk.expired(tx, quote, conversation_id=call.conversation_id)
            return await why_not(tx, call, quote.quote_id)
        if status == "accepted":
            await _tell(tx, call, slots)
        await remember_once(tx, call, f"quote_{status}", quote.quote_id, f"{quote.number}")
        total = (await quotes.totals(tx, quote.quote_id)).gross
    evidence = {
        "quote": str(quote.quote_id),
        "number": quote.number or "",
        "total": money(total, quote.currency, call.language, call.profile.business.country),
        "date": day(today, call.language),
    }
    if status == "declined":
        text = call.say("All right, I have noted that you decline quote {number}.", number=quote.number)
        return Done(text, evidence)
    text = call.say(
        "Thank you! You have accepted quote {number} of {amount}. We are preparing the invoice.",
        number=quote.number,
        amount=evidence["total"],
    )
    return Done(text, evidence)


async def _tell(tx: Tx, call: Call, slots: Slots) -> None:
    """Remembers who pays for the next invoice too."""
    if slots.get(TAX_ID) is None and slots.get(ADDRESS) is None:
        return
    before = await fiscal.buyer(tx, call.contact_id)
    contact = await contacts.get(tx, call.contact_id)
    name = before.name if before else contact.name or f"+{contact.wa_id or ''}"
    country = before.country if before else call.profile.business.country
    await fiscal.tell(tx, call.contact_id, buyer_of(name, country, slots.get(TAX_ID), slots.get(ADDRESS)))


TOOL = Tool("accept_quote", Arguments, fill, check, confirm, act, changes=("billing",))
