"""Scripted conversations: what a customer does, step by step, and what must come of it."""

import asyncio
import re
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, model_validator

from crm import businesses, desk, journal, quote_desk, quotes
from crm.errors import UnknownHandoff, UnknownQuote
from crm.journal import Part
from sara.exchange import Customer, Exchange, exchange
from sara.local import Local

MOST_PRESSED = 4
_OTHER, _OTHER_NAME = 5_000_000, "Marta"  # how far the other customer's number is, and their name
DELIVERY_S = 8.0
_ACTIONS = (
    "text",
    "voice",
    "button",
    "press_until",
    "agent_reply",
    "hand_back",
    "resolve",
    "issue_quote",
)


class BadScript(Exception):
    """A script cannot be played as written."""


class NothingToPress(Exception):
    """The customer's phone shows no button or row that matches."""


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


def _compiles(pattern: str) -> str:
    try:
        re.compile(pattern)
    except re.error as error:
        raise ValueError(f"not a regular expression: {error}") from error
    return pattern


Pattern = Annotated[str, AfterValidator(_compiles)]
Rows = tuple[Mapping[str, Pattern], ...]


class Expect(_Strict):
    """What must be true after a step. Patterns are regular expressions, case-insensitive.

    `read_back` must match one reply of this step or of an earlier one: how many questions come before a
    confirmation depends on the day.
    """

    reply: Pattern | None = None
    not_reply: Pattern | None = None
    owner: Literal["bot", "human"] | None = None
    outcome: str | None = None
    intent: str | None = None
    language: str | None = None
    sensitivity: str | None = None
    source: Pattern | None = None
    button: Pattern | None = None
    transcript: Pattern | None = None
    read_back: Pattern | None = None
    silent: bool | None = None
    record: Mapping[Part, Rows] = Field(default_factory=dict)


class Step(_Strict):
    """One thing that happens: the customer writes, speaks or presses, or an agent acts.

    `issue_quote` is a person's price for the one open line of the customer's latest request.

    `other` steps are another customer's, with a number of their own.

    `press_until` presses the first button offered, again and again, until a reply matches: which times
    are free depends on the day the script is played.
    """

    text: str | None = None
    voice: str | None = None
    button: Pattern | None = None
    press_until: Pattern | None = None
    agent_reply: str | None = None
    hand_back: str | None = None
    resolve: str | None = None
    issue_quote: Annotated[str, Field(pattern=r"^\d+(\.\d{1,2})?$")] | None = None
    other: bool = False
    expect: Expect = Expect()

    @model_validator(mode="after")
    def _one_thing(self) -> "Step":
        if sum(getattr(self, name) is not None for name in _ACTIONS) != 1:
            raise ValueError(f"a step does exactly one of {', '.join(_ACTIONS)}")
        return self


class Script(_Strict):
    """A conversation of one customer with one business."""

    business: str
    customer: Annotated[str, Field(pattern=r"^\+?\d{6,15}$")]
    name: str | None = None
    title: str = ""
    steps: Annotated[tuple[Step, ...], Field(min_length=1)]


@dataclass(frozen=True)
class Played:
    """A step as it went; `problems` is empty when every expectation held."""

    said: str
    result: Exchange | None
    problems: tuple[str, ...]
    seconds: float


@dataclass(frozen=True)
class Journey:
    """A script as it went."""

    title: str
    steps: list[Played] = field(default_factory=list)

    @property
    def passed(self) -> bool:
        """Whether every expectation held."""
        return not any(step.problems for step in self.steps)


def read(path: Path) -> Script:
    """A script from YAML. Raises BadScript saying in one line what is wrong where."""
    try:
        script = Script.model_validate(yaml.safe_load(path.read_text(encoding="utf-8")))
    except ValidationError as error:
        raise BadScript(f"{path}: {_first_problem(error)}") from error
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise BadScript(f"{path}: {' '.join(str(error).split())}") from error
    for step in script.steps:
        if step.voice is not None and not (path.parent / step.voice).is_file():
            raise BadScript(f"{path}: no voice note {path.parent / step.voice}")
    return script


def _first_problem(error: ValidationError) -> str:
    problem = error.errors(include_url=False)[0]
    where = ".".join(str(part) for part in problem["loc"])
    return f"{where or 'script'}: {problem['msg'].removeprefix('Value error, ')}"


async def play(
    local: Local, script: Script, *, base: Path, customer: str | None = None, patience_s: float = 120.0
) -> Journey:
    """Plays a script; voice notes are found relative to `base`. `customer` replaces the script's number.

    Raises NoAnswer for a turn of more than `patience_s` seconds.
    """
    who = Customer(script.business, (customer or script.customer).lstrip("+"), script.name, patience_s)
    other = Customer(script.business, f"{int(who.wa_id) + _OTHER}", _OTHER_NAME, patience_s)
    journey = Journey(script.title or script.business)
    replies: list[str] = []
    for step in script.steps:
        started, actor = time.perf_counter(), other if step.other else who
        try:
            said, results = await _act(local, actor, step, base)
        except (NothingToPress, UnknownHandoff, UnknownQuote) as error:
            # What came before explains why, so it is shown; what would follow has lost its footing.
            journey.steps.append(Played(_told(step), None, (str(error),), time.perf_counter() - started))
            break
        result = results[-1] if results else None
        replies += [each.reply for each in results]
        problems = (
            *_problems(step.expect, result),
            *_not_read_back(step.expect, replies),
            *await _record_problems(local, actor, step.expect.record),
        )
        journey.steps.append(Played(said, result, problems, time.perf_counter() - started))
    return journey


def _told(step: Step) -> str:
    return next(f"({name}) {value}" for name in _ACTIONS if (value := getattr(step, name)) is not None)


async def _act(local: Local, who: Customer, step: Step, base: Path) -> tuple[str, list[Exchange]]:
    """What was done, as it is shown, and what came of it; nothing of an agent's step."""
    if step.text is not None:
        return step.text, [await exchange(local, who, text=step.text)]
    if step.button is not None:
        return f"[{step.button}]", [await exchange(local, who, button=await _button(local, who, step.button))]
    if step.press_until is not None:
        return await _press_until(local, who, step.press_until)
    if step.voice is not None:
        note = await asyncio.to_thread((base / step.voice).read_bytes)
        return f"(voice note {step.voice})", [await exchange(local, who, voice=note)]
    return await _agent(local, who, step), []


async def _press_until(local: Local, who: Customer, wanted: str) -> tuple[str, list[Exchange]]:
    pressed: list[str] = []
    results: list[Exchange] = []
    while len(pressed) < MOST_PRESSED:
        # The last reply's own: until that is delivered, the phone still shows the buttons of the one before.
        offered = results[-1].buttons if results else []
        title = await _button(local, who, f"^{re.escape(offered[0])}$" if offered else ".")
        pressed.append(f"[{title}]")
        results.append(await exchange(local, who, button=title))
        if re.search(wanted, results[-1].reply, re.IGNORECASE | re.DOTALL):
            break
    return " ".join(pressed), results


async def _button(local: Local, who: Customer, wanted: str) -> str:
    """The title of the last shown button that matches; scripts need not know titles to the letter."""
    deadline = time.monotonic() + DELIVERY_S
    while True:  # a turn is done when its reply is written down; its delivery takes a moment more
        for message in reversed(local.simulator.sent_to(who.wa_id)):
            for title in [b.title for b in message.buttons] + [row.title for row in message.rows]:
                if re.search(wanted, title, re.IGNORECASE):
                    return title
        if time.monotonic() > deadline:
            break
        await asyncio.sleep(0.05)
    raise NothingToPress(f"no button or row on {who.wa_id}'s phone matches {wanted!r}")


async def _agent(local: Local, who: Customer, step: Step) -> str:
    async with local.crm.outside() as tx:
        business_id = await businesses.of_slug(tx, who.business)
    async with local.crm.transaction(business_id) as tx:
        if step.issue_quote is not None:
            contact_id = await journal.contact_of(tx, who.wa_id)
            asked = await quotes.of_contact(tx, contact_id) if contact_id is not None else []
            if not asked:
                raise UnknownQuote(UnknownQuote.__doc__)
            await quote_desk.issue(tx, asked[0].quote_id, [Decimal(step.issue_quote)])
            return f"(agent prices the quote) {step.issue_quote}"
        handoff_id = await desk.waiting_for(tx, who.wa_id)
        if step.agent_reply is not None:
            await desk.answer(tx, handoff_id, None, [step.agent_reply])
            return f"(agent) {step.agent_reply}"
        if step.hand_back is not None:
            await desk.hand_back(tx, handoff_id, None, note=step.hand_back)
            return f"(agent hands back) {step.hand_back}"
        if step.resolve is not None:
            await desk.resolve(tx, handoff_id, None, note=step.resolve)
            return f"(agent resolves) {step.resolve}"
    raise BadScript(f"an agent's step does one of {', '.join(_ACTIONS[-4:])}")


def _not_read_back(expect: Expect, replies: list[str]) -> list[str]:
    pattern = expect.read_back
    if pattern is None or any(re.search(pattern, reply, re.I | re.S) for reply in replies):
        return []
    return [f"no reply so far reads back {pattern!r}"]


async def record_differences(local: Local, script: Script, expected: Mapping[Part, Rows]) -> list[str]:
    """How the record of a script's customer differs from what is expected of it, in words."""
    return await _record_problems(local, Customer(script.business, script.customer.lstrip("+")), expected)


async def _record_problems(local: Local, who: Customer, expected: Mapping[Part, Rows]) -> list[str]:
    """How the record differs from what is expected; what jobs write has a moment to come."""
    deadline = time.monotonic() + DELIVERY_S
    while True:
        wrong = [
            problem
            for part, rows in expected.items()
            for problem in await _differences(local, who, part, rows)
        ]
        if not wrong or time.monotonic() > deadline:
            return wrong
        await asyncio.sleep(0.1)


async def _differences(local: Local, who: Customer, part: Part, expected: Rows) -> list[str]:
    async with local.crm.outside() as tx:
        business_id = await businesses.of_slug(tx, who.business)
    async with local.crm.transaction(business_id) as tx:
        contact_id = await journal.contact_of(tx, who.wa_id)
        found = await journal.rows(tx, part, contact_id) if contact_id is not None else []
    if len(found) != len(expected):
        return [f"{part}: {len(found)} rows, expected {len(expected)}: {found}"]
    return [
        f"{part} {place}: {column} is {row.get(column)!r}, expected {pattern!r}"
        for place, (row, wanted) in enumerate(zip(found, expected, strict=True), start=1)
        for column, pattern in wanted.items()
        if not re.fullmatch(pattern, _shown(row.get(column)), re.I | re.S)
    ]


def _shown(value: object) -> str:
    return "" if value is None else str(value)


def _problems(expect: Expect, result: Exchange | None) -> list[str]:
    if result is None:
        return []
    facts: dict[str, Any] = {
        "owner": result.owner,
        "outcome": result.outcome,
        "intent": result.intent,
        "language": result.language,
        "sensitivity": result.sensitivity["label"],
    }
    wrong = [
        f"{name} is {facts[name]!r}, expected {wanted!r}"
        for name in facts
        if (wanted := getattr(expect, name)) is not None and facts[name] != wanted
    ]
    searched = {
        "reply": result.reply,
        "transcript": result.transcript or "",
        "button": " | ".join(result.buttons),
        "source": " | ".join(str(source["source"]) for source in result.sources),
    }
    wrong += [
        f"{name} {text!r} does not match {pattern!r}"
        for name, text in searched.items()
        if (pattern := getattr(expect, name)) is not None and not re.search(pattern, text, re.I | re.S)
    ]
    if expect.not_reply is not None and re.search(expect.not_reply, result.reply, re.I | re.S):
        wrong.append(f"reply {result.reply!r} matches {expect.not_reply!r}")
    if expect.silent is not None and bool(result.reply) is expect.silent:
        wrong.append(f"reply is {result.reply!r}, expected {'silence' if expect.silent else 'words'}")
    return wrong
