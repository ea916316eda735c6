"""What a tool is: an intent SARA can carry out, its arguments, and how it asks, checks, confirms and acts."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from pydantic import BaseModel

from crm.businesses import Profile
from crm.messages import Option
from graph.context import ToolServices
from knowledge.phrases import Say

Slots = dict[str, Any]


@dataclass(frozen=True)
class Call:
    """The circumstances of a call: whose, for whom, in which turn. `turn_id` is the idempotency key.

    With `agent_id` one of the team acts for the customer: what only a person decides is decided then.
    """

    context: ToolServices
    profile: Profile
    business_id: int
    conversation_id: int | None
    contact_id: int
    contact_name: str | None
    turn_id: str
    language: str
    text: str  # what the customer said in this turn
    option_id: str | None  # the button or row pressed, if one was
    now: datetime  # aware, UTC
    say: Say
    heard: str = ""  # those of its words that came by voice
    doubtful: bool = False  # … and only just passed for understood
    place: Mapping[str, Any] | None = None  # shown on the map: latitude, longitude, name, address
    agent_id: int | None = None
    about: str | None = None  # the service spoken of before: its key
    said_at: datetime | None = None  # when its words were sent, where they are read later than that

    @property
    def present(self) -> datetime:
        """What "tomorrow" in its words is told from. Whether a time is past or too soon tells `now`."""
        return self.said_at or self.now


@dataclass(frozen=True)
class Question:
    """What the customer must be asked before the tool can act; options become buttons or a list."""

    slot: str  # the slot this is about, or "confirm"
    text: str
    options: tuple[Option, ...] = ()


@dataclass(frozen=True)
class Done:
    """The tool acted. `text` is rendered from the result; `evidence` is what the words rest on.

    `options` are what may follow from it, for later: no question waits for them.
    """

    text: str
    evidence: Mapping[str, str] = field(default_factory=dict)
    options: tuple[Option, ...] = ()


@dataclass(frozen=True)
class Declined:
    """Not allowed, or impossible: `text` says so kindly; `handoff` is the reason to ask for a person.

    `begins` is what a yes to `text` begins, where it offers something else: the intent and its slots.
    `options` are what may follow from it, as for Done.
    """

    text: str
    handoff: str | None = None
    begins: tuple[str, Slots] | None = None
    options: tuple[Option, ...] = ()


Outcome = Question | Done | Declined


@dataclass(frozen=True)
class Tool:
    """An intent and its four verbs.

    fill    reads slots from the customer's words, the pressed option and the model's (untrusted) arguments
    check   what is still missing or wrong with the slots: a Question or Declined; None when all is there
    confirm the Question that echoes absolute date, service and price; None when the tool may act at once
    act     does it, once (idempotency key = turn id); asks again, and clears in `slots` what no longer
            holds, when the world changed in between
    changes the slots offered for change when the customer does not confirm; `change:<slot>` clears one
    refused what is said to a no instead of asking what to change
    denied  the slots after a no, where the tool reads the next words otherwise
    """

    intent: str
    arguments: type[BaseModel]
    fill: Callable[[Call, Slots, Mapping[str, Any]], Awaitable[Slots]]
    check: Callable[[Call, Slots], Awaitable[Question | Declined | None]]
    confirm: Callable[[Call, Slots], Awaitable[Question | None]]
    act: Callable[[Call, Slots], Awaitable[Outcome]]
    changes: tuple[str, ...] = ()
    refused: Callable[[Call, Slots], Awaitable[Declined]] | None = None
    denied: Callable[[Slots], Slots] | None = None


async def nothing_to_fill(call: Call, slots: Slots, hints: Mapping[str, Any]) -> Slots:
    """The step of a tool that takes nothing from what is said."""
    return dict(slots)


async def nothing_to_ask(call: Call, slots: Slots) -> Question | Declined | None:
    """The step of a tool that lacks nothing."""
    return None


async def nothing_to_confirm(call: Call, slots: Slots) -> Question | None:
    """The step of a tool that changes nothing, or whose confirmation is in what was asked before."""
    return None
