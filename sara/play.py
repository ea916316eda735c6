"""Scripted conversations: what a customer does, step by step, and what must come of it."""

import asyncio
import re
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, model_validator

from crm import businesses, desk
from crm.errors import UnknownHandoff
from sara.exchange import Customer, Exchange, exchange
from sara.local import Local

MOST_PRESSED = 4
DELIVERY_S = 8.0
_ACTIONS = ("text", "voice", "button", "press_until", "agent_reply", "hand_back", "resolve")


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


class Expect(_Strict):
    """What must be true after a step. Patterns are regular expressions, case-insensitive."""

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
    silent: bool | None = None


class Step(_Strict):
    """One thing that happens: the customer writes, speaks or presses, or an agent acts.

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


async def play(local: Local, script: Script, *, base: Path, customer: str | None = None) -> Journey:
    """Plays a script; voice notes are found relative to `base`. `customer` replaces the script's number."""
    who = Customer(script.business, (customer or script.customer).lstrip("+"), script.name)
    journey = Journey(script.title or script.business)
    for step in script.steps:
        started = time.perf_counter()
        try:
            said, result = await _act(local, who, step, base)
        except (NothingToPress, UnknownHandoff) as error:
            # What came before explains why, so it is shown; what would follow has lost its footing.
            journey.steps.append(Played(_told(step), None, (str(error),), time.perf_counter() - started))
            break
        problems = tuple(_problems(step.expect, result))
        journey.steps.append(Played(said, result, problems, time.perf_counter() - started))
    return journey


def _told(step: Step) -> str:
    return next(f"({name}) {value}" for name in _ACTIONS if (value := getattr(step, name)) is not None)


async def _act(local: Local, who: Customer, step: Step, base: Path) -> tuple[str, Exchange | None]:
    if step.text is not None:
        return step.text, await exchange(local, who, text=step.text)
    if step.button is not None:
        return f"[{step.button}]", await exchange(local, who, button=await _button(local, who, step.button))
    if step.press_until is not None:
        return await _press_until(local, who, step.press_until)
    if step.voice is not None:
        note = await asyncio.to_thread((base / step.voice).read_bytes)
        return f"(voice note {step.voice})", await exchange(local, who, voice=note)
    return await _agent(local, who, step), None


async def _press_until(local: Local, who: Customer, wanted: str) -> tuple[str, Exchange]:
    pressed: list[str] = []
    while len(pressed) < MOST_PRESSED:
        title = await _button(local, who, ".")
        pressed.append(f"[{title}]")
        result = await exchange(local, who, button=title)
        if re.search(wanted, result.reply, re.IGNORECASE | re.DOTALL):
            break
    return " ".join(pressed), result


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
    raise BadScript(f"an agent's step does one of {', '.join(_ACTIONS[-3:])}")


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
