"""What a vertical wants known before an intent is carried out: one question at a time, read by its type.

A tool wrapped here asks its own questions first, then these; what was already said is not asked again.
Answers are kept in the slot `details` as a person would read them, and in the customer's history once the
tool has acted.
"""

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any
from zoneinfo import ZoneInfo

from crm.messages import Option
from crm.packs import Asked
from inference import extract, when
from inference.extractive import said_outright
from inference.when_lexer import read_line
from inference.when_past import past_day
from tools.choices import chosen
from tools.happened import remember_once
from tools.matching import plain
from tools.questions import SKIP
from tools.tool import Call, Declined, Done, Outcome, Question, Slots, Tool
from tools.wanted_time import only_time
from tools.wording import day, number

PREFIX = "detail:"
CHANGE = "details"
QUANTITY_MAX = 10_000
_LONGEST = 300
COLLECTIVE = re.compile(  # over plain text: about so many, or so many of a kind
    r"\b(?:decin[ae]|dozzin[ae]|(?:vent|trent|quarant|cinquant)ina|centinai[ao]|paio|coppia|docenas?|decenas?"
    r"|veintena|treintena|centenar(?:es)?|duzias?|dezenas?|centenas?|dozens?|couple|pair|par)\b"
)
_SENTENCE = 4  # words; anything shorter answers what was asked and says nothing else
_PLAIN = ("choice", "people", "money", "date", "past_date", "email")  # types that a sentence may hold unasked
# What a quote request notes of a number of pieces. A number of people is `quantity` alone: two rooms are two,
# whoever sleeps in them.
_PIECES = ("quantity", "times", "choice_times", "unclear")


def with_details(tool: Tool) -> Tool:
    """The tool, asking what the customer's business wants known before it acts."""

    async def fill(call: Call, slots: Slots, hints: Mapping[str, Any]) -> Slots:
        if call.option_id == f"change:{CHANGE}":
            return {name: value for name, value in slots.items() if name not in ("details", "asking")}
        asked = _pending(call, tool.intent, slots)
        if asked is not None and _answers(call, asked) and not _moves_it(call, asked, slots):
            filled = _answered(call, slots, asked)
        else:
            filled = await tool.fill(call, slots, hints)
        return _counted(call, tool.intent, slots, _noticed(call, tool.intent, filled))

    async def check(call: Call, slots: Slots) -> Question | Declined | None:
        return await tool.check(call, slots) or _next_question(call, tool.intent, slots)

    async def confirm(call: Call, slots: Slots) -> Question | None:
        question = await tool.confirm(call, slots)
        lines = [f"• {value}" for value in known(slots).values()]
        if question is None or not lines:
            return question
        head, _, last = question.text.rpartition("\n")
        return replace(question, text="\n".join([*([head] if head else []), *lines, last]))

    async def act(call: Call, slots: Slots) -> Outcome:
        outcome = await tool.act(call, slots)
        if isinstance(outcome, Done) and known(slots):
            async with call.context.crm.transaction(call.business_id) as tx:
                await remember_once(tx, call, "details_given", None, told(slots))
        return outcome

    changes = (*tool.changes, CHANGE) if tool.changes else ()
    return replace(tool, fill=fill, check=check, confirm=confirm, act=act, changes=changes)


def known(slots: Slots) -> dict[str, str]:
    """What the customer told, by key; what was skipped is left out."""
    return {key: value for key, value in slots.get("details", {}).items() if value}


def told(slots: Slots) -> str:
    """The same as one line for the history."""
    return "; ".join(f"{key}: {value}" for key, value in known(slots).items())


def wishes_other(call: Call, intent: str, slots: Slots) -> bool:
    """Whether words that stand where an answer was asked plainly ask for something else than `intent`."""
    wish, asked = said_outright(call.text), _pending(call, intent, slots)
    # "Un presupuesto" and "um orçamento" are also what somebody has to spend.
    budget = wish == "request_quote" and asked is not None and asked.answer == "money"
    return wish not in (None, intent) and not budget


def counting(call: Call, intent: str) -> Asked | None:
    """The question that asks how many a quote is for, which multiplies its prices; None without one."""
    questions = call.profile.pack.questions.get(intent, []) if intent == "request_quote" else []
    pieces = ("quantity", "number")
    return next((a for a in questions if a.answer == "people" or (a.key, a.answer) == pieces), None)


def _counted(call: Call, intent: str, before: Slots, slots: Slots) -> Slots:
    """The slots with one number in the answer and in the quote: the one said last, if one was read."""
    asked = counting(call, intent)
    said = known(slots).get(asked.key) if asked else None
    if asked is None or said is None:
        return slots
    if said != known(before).get(asked.key):
        pieces = asked.answer == "number"
        if pieces and len(slots.get("services", [])) > 1:
            return {**slots, "unclear": True}  # of which of them is this one number?
        replaced = _PIECES if pieces else ("quantity",)
        rest = {name: value for name, value in slots.items() if name not in replaced}
        counts = said.isdecimal() and 0 < int(said) <= QUANTITY_MAX
        return {**rest, "quantity": int(said)} if counts else rest
    if slots.get("quantity") and slots["quantity"] != before.get("quantity"):
        return {**slots, "details": {**slots["details"], asked.key: str(slots["quantity"])}}
    return slots


def _pending(call: Call, intent: str, slots: Slots) -> Asked | None:
    """The question the customer was asked last, if it was one of these."""
    questions = call.profile.pack.questions.get(intent, [])
    return next((asked for asked in questions if asked.key == slots.get("asking")), None)


def _next_question(call: Call, intent: str, slots: Slots) -> Question | None:
    details = slots.get("details", {})
    for asked in call.profile.pack.questions.get(intent, []):
        if asked.key not in details:
            slots["asking"] = asked.key
            text = asked.texts.get(call.language) or asked.texts[call.profile.language]
            return Question(PREFIX + asked.key, text, _options(call, asked))
    slots.pop("asking", None)
    return None


def _options(call: Call, asked: Asked) -> tuple[Option, ...]:
    options = [Option(f"{PREFIX}{asked.key}:{o}", _title(call, asked, o)) for o in asked.options]
    if asked.answer == "yes_no":
        titles = {"yes": call.say("Yes"), "no": call.say("No")}
        options = [Option(f"{PREFIX}{asked.key}:{verdict}", title) for verdict, title in titles.items()]
    if not asked.required:
        options.append(Option(SKIP, call.say("Skip")))
    return tuple(options)


def _title(call: Call, asked: Asked, option: str) -> str:
    titles = asked.options[option]
    return titles.get(call.language) or titles[call.profile.language]


def _answers(call: Call, asked: Asked) -> bool:
    """Whether this turn answers the question, and does not press a button of another one."""
    if call.option_id and not call.text:
        return call.option_id == SKIP or call.option_id.startswith(f"{PREFIX}{asked.key}:")
    return bool(call.text.strip())


def _moves_it(call: Call, asked: Asked, slots: Slots) -> bool:
    """Whether the words say another time for what is being booked: the question is then asked again."""
    if call.option_id or asked.answer in ("date", "past_date") or not slots.get("when"):
        return False
    return only_time(call.text, call.language, call.present)


def _answered(call: Call, slots: Slots, asked: Asked) -> Slots:
    value = _pressed(call, asked) if call.option_id and not call.text else _written(call, asked)
    details = {**slots.get("details", {}), asked.key: value}
    return {**{name: kept for name, kept in slots.items() if name != "asking"}, "details": details}


def _pressed(call: Call, asked: Asked) -> str:
    option = (call.option_id or "").rpartition(":")[2]
    if call.option_id == SKIP:
        return ""
    if asked.answer == "yes_no":
        return call.say("Yes") if option == "yes" else call.say("No")
    return _title(call, asked, option) if option in asked.options else ""


def _written(call: Call, asked: Asked) -> str:
    """The answer as read by its type, else in the customer's words: a person will read them."""
    text = call.text.strip()
    refused = extract.yes_no(text, call.language) == "no" or plain(text).strip(" .!") == plain(
        call.say("Skip")
    )
    if refused and not asked.required and asked.answer != "yes_no":
        return ""
    return _read(call, asked, text) or text[:_LONGEST]


def _noticed(call: Call, intent: str, slots: Slots) -> Slots:
    """The slots with what a whole sentence says unasked: an amount, a day, how many, one of the options."""
    text = call.text.strip()
    if len(text.split()) < _SENTENCE:
        return slots
    details = slots.get("details", {})
    questions = call.profile.pack.questions.get(intent, [])
    wanted = [asked for asked in questions if asked.key not in details and asked.answer in _PLAIN]
    heard = {asked.key: value for asked in wanted if (value := _read(call, asked, text, unasked=True))}
    return {**slots, "details": {**details, **heard}} if heard else slots


def _read(call: Call, asked: Asked, text: str, *, unasked: bool = False) -> str | None:
    """What a text says of the question's type; None when it says nothing of the kind."""
    language = call.language
    match asked.answer:
        case "choice":
            value = _chosen(call, asked, text, unasked=unasked)
        case "people":
            people = extract.party_size(text, language)
            value = str(people) if people else None
        case "number":
            value = only_number(text, language)
        case "money":
            amount = extract.money(text, language)
            country = call.profile.business.country
            value = number(amount, language, country) if amount is not None else None
        case "date":
            value = _day(call, text)
        case "past_date":
            value = _past_day(call, text, unasked=unasked)
        case "email":
            value = extract.email(text)
        case "yes_no":
            verdict = extract.yes_no(text, language)
            value = {"yes": call.say("Yes"), "no": call.say("No")}[verdict] if verdict else None
        case _:
            value = None
    return value


def only_number(text: str, language: str) -> str | None:
    """The one number a text has, in figures or words; None where it counts something else ("a week", "two
    dozen") or is only an article."""
    tokens = read_line(text, language).tokens
    numbers = [token.n for token in tokens if token.kind in "Ny"]
    if len(numbers) != 1 or any(token.kind in "UE" for token in tokens) or COLLECTIVE.search(plain(text)):
        return None
    article = numbers[0] == 1 and not any(c.isdigit() for c in text) and len(text.split()) > 1
    return None if article else str(numbers[0])


def _chosen(call: Call, asked: Asked, text: str, *, unasked: bool) -> str | None:
    """The title of the one option the words choose."""
    titles = {option: _title(call, asked, option) for option in asked.options}
    option = chosen(titles, text, call.language, unasked=unasked)
    return titles[option] if option else None


def _day(call: Call, text: str) -> str | None:
    business = call.profile.business
    here = call.present.astimezone(ZoneInfo(business.time_zone))
    read = when.parse(text, language=call.language, now=here, country=business.country)
    return day(read.date, call.language) if read.date and not read.problem else None


def _past_day(call: Call, text: str, *, unasked: bool) -> str | None:
    business = call.profile.business
    here = call.present.astimezone(ZoneInfo(business.time_zone))
    told = past_day(text, language=call.language, now=here, country=business.country, plainly=unasked)
    return day(told, call.language) if told else None
