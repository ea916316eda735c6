"""What agents said instead of SARA: rows of an evaluation set, and answers worth a document.

An answer that is given again and again in much the same words is proposed as knowledge; never one of a
sensitive matter. A person reads it before it becomes a document, and takes out what is about one customer.
"""

import hashlib
import re
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from crm.record import Tx

OFTEN = 3  # times the same answer is given before it is proposed
_ALIKE = 0.6  # share of words two answers have in common that makes them the same one
_LEAST_WORDS = 5  # "a moment, please" is no knowledge
_READ = 1000

Kind = Literal["answer", "note", "resolved"]


@dataclass(frozen=True)
class CorrectionRow:
    """`question` is what the customer wanted, `draft` SARA's ('' for none), `sent` the agent's words."""

    correction_id: int
    kind: str
    reason: str
    label: str | None
    language: str | None
    question: str
    draft: str
    sent: str
    at: datetime


@dataclass(frozen=True)
class TracedRow(CorrectionRow):
    """A correction with the turn it is about, and what the two people are known by."""

    turn_id: str
    thread_id: str
    contact_name: str | None
    wa_id: str | None
    email: str | None
    agent_name: str | None


@dataclass(frozen=True)
class Often:
    """An answer given `times` times in much the same words; the latest of them, and what it answered."""

    key: str
    question: str
    answer: str
    times: int


@dataclass(frozen=True)
class _Key:
    key: str


async def keep(tx: Tx, handoff_id: int, kind: Kind, sent: str, agent_id: int | None) -> None:
    """Keeps an agent's words beside SARA's draft: the first answer, the note, how it ended; once of each."""
    if sent.strip():
        await tx.run(
            "correction_keep", handoff_id=handoff_id, kind=kind, sent=sent.strip(), agent_id=agent_id
        )


async def rows(tx: Tx, most: int = _READ) -> list[CorrectionRow]:
    """The latest corrections, oldest first."""
    return list(reversed(await tx.all(CorrectionRow, "corrections", most=most)))


async def traced(tx: Tx, most: int = _READ) -> list[TracedRow]:
    """The same with the turn each is about."""
    return list(reversed(await tx.all(TracedRow, "corrections_traced", most=most)))


async def often(tx: Tx) -> list[Often]:
    """Answers given often that nobody has decided about, the most frequent first."""
    settled = {row.key for row in await tx.all(_Key, "often_settled")}
    groups: list[list[tuple[CorrectionRow, frozenset[str]]]] = []
    for row in await rows(tx):
        said = _words(row.sent)
        if row.kind != "answer" or row.label or len(said) < _LEAST_WORDS:
            continue
        group = next((group for group in groups if _alike(said, group[0][1])), None)
        if group is None:
            groups.append(group := [])
        group.append((row, said))
    found = [
        Often(key, group[-1][0].question, group[-1][0].sent, len(group))
        for group in groups
        if len(group) >= OFTEN and (key := key_of(group[0][0].sent)) not in settled
    ]
    return sorted(found, key=lambda one: -one.times)


async def accepted(tx: Tx, key: str) -> bool:
    """Whether it was made a document already."""
    return bool(await tx.value("often_accepted", key=key))


async def settle(tx: Tx, key: str, status: Literal["accepted", "rejected"], agent_id: int) -> None:
    """It is a document now, or is not to be proposed again."""
    await tx.run("often_settle", key=key, status=status, agent_id=agent_id)


def key_of(answer: str) -> str:
    """What names an answer, whatever its marks and capitals."""
    return hashlib.sha256(" ".join(sorted(_words(answer))).encode()).hexdigest()[:32]


def _words(text: str) -> frozenset[str]:
    return frozenset(re.findall(r"\w+", text.casefold()))


def _alike(one: frozenset[str], other: frozenset[str]) -> bool:
    return len(one & other) >= _ALIKE * len(one | other)
