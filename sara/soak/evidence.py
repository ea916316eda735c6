"""What a soak leaves behind: what phones got, by the simulator's own log, and what the database says."""

import json
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime
from pathlib import Path

from channels.simulator.simulator import Simulator
from channels.simulator.world import SimMessage
from crm import soak
from crm.record import Crm
from crm.soak import ClaimRow, HandedRow, HeardRow, SaidRow
from sara.soak.gauges import Life
from sara.soak.people import Written

_ADDRESS = re.compile(r"0x[0-9a-f]+(\[number\])?|\[number\]|\d{3,}")
"""What tells one line from the next of its kind."""


@dataclass(frozen=True)
class Got:
    """A message on a customer's phone; `outbox_id` and `answers` are our reference on it."""

    outbox_id: int | None
    number: str
    customer: str
    at: datetime
    answers: tuple[str, ...] = ()
    template: bool = False


@dataclass(frozen=True)
class Evidence:
    """Everything the invariants are judged by.

    `written` and `got` are in the order in which they happened. `sent_at` says when a customer's message was
    written. `failures` are sentences about processes, `refused` counts Meta's refusals by code (its scripted
    faults are not among them), `answers` those of the API and the console by status, 0 where nobody answered;
    `recipients` are those of the campaign.
    """

    written: Sequence[Written] = ()
    got: Sequence[Got] = ()
    heard: Sequence[HeardRow] = ()
    said: Sequence[SaidRow] = ()
    claims: Sequence[ClaimRow] = ()
    handed: Sequence[HandedRow] = ()
    sent_at: Mapping[str, datetime] = field(default_factory=dict)
    jobs: Mapping[str, int] = field(default_factory=dict)
    locks: Mapping[str, int] = field(default_factory=dict)
    refused: Mapping[int, int] = field(default_factory=dict)
    given_up: int = 0
    answers: Mapping[int, int] = field(default_factory=dict)
    failures: Sequence[str] = ()
    recipients: Sequence[str] = ()
    lives: Sequence[Life] = ()
    done: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Recorded:
    """The database's part."""

    heard: list[HeardRow]
    said: list[SaidRow]
    claims: list[ClaimRow]
    handed: list[HandedRow]
    done: dict[str, int]


async def recorded(crm: Crm) -> Recorded:
    """What the database says, at one moment."""
    async with crm.as_owner() as tx:
        return Recorded(
            await soak.heard(tx),
            await soak.said(tx),
            await soak.claims(tx),
            await soak.handed(tx),
            await soak.done(tx),
        )


def got(simulator: Simulator) -> list[Got]:
    """What all phones got, in order."""
    return [_got(message) for message in simulator.world.all_sent()]


def _got(message: SimMessage) -> Got:
    own, _, answers = (message.callback_data or "").partition("|")
    return Got(
        outbox_id=int(own) if own.isdigit() else None,
        number=message.phone_number_id,
        customer=message.customer,
        at=message.at,
        answers=tuple(one for one in answers.split(",") if one),
        template=message.type == "template",
    )


def keep(evidence: Evidence, file: Path) -> None:
    """Everything the invariants were judged by, as JSON, for whoever looks for a cause afterwards."""
    file.write_text(json.dumps(asdict(evidence), default=str, ensure_ascii=False), encoding="utf-8")


def written_at(simulator: Simulator, written: Iterable[Written]) -> dict[str, datetime]:
    """When each message was written."""
    found = ((one.wamid, simulator.world.message(one.wamid)) for one in written)
    return {wamid: message.at for wamid, message in found if message is not None}


def troubles(logs: Iterable[Path]) -> Counter[str]:
    """What the processes' logs say at level warning and above, by process and event."""
    counted: Counter[str] = Counter()
    for log in logs:
        for line in log.read_text(encoding="utf-8", errors="replace").splitlines():
            try:
                told = json.loads(line)
            except ValueError:
                counted[f"{log.stem}: not a line of the log"] += 1
                continue
            event = _ADDRESS.sub("…", " ".join(str(told.get("event", "")).split()))[:70]
            counted[f"{log.stem}: {told.get('level', '?')}: {event}"] += 1
    return counted
