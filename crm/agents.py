"""The people of a business, and what they have at hand: presence, notes, canned replies."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from crm.record import Tx

PRESENT = timedelta(seconds=25)


@dataclass(frozen=True)
class PresentRow:
    """Somebody who looks at a conversation, or types in it."""

    agent_id: int
    name: str
    doing: str


@dataclass(frozen=True)
class NoteRow:
    """What agents tell each other; never sent."""

    conversation_note_id: int
    agent_name: str | None
    body: str
    at: datetime


@dataclass(frozen=True)
class CannedRow:
    """An answer given often; {name}, {agent} and {business} stand for whom it is about."""

    canned_reply_id: int
    title: str
    language: str
    body: str


async def name_of(tx: Tx, agent_id: int | None) -> str | None:
    """What an agent of this business is called."""
    name: str | None = await tx.value("agent_name", agent_id=agent_id)
    return name


async def present(tx: Tx, conversation_id: int, agent_id: int, doing: Literal["looking", "typing"]) -> None:
    """Somebody is there for the next 25 seconds; nothing happens for an unknown conversation."""
    await tx.run(
        "presence_put",
        conversation_id=conversation_id,
        agent_id=agent_id,
        doing=doing,
        until=tx.now + PRESENT,
    )


async def gone(tx: Tx, conversation_id: int, agent_id: int) -> None:
    """Somebody left."""
    await tx.run("presence_end", conversation_id=conversation_id, agent_id=agent_id)


async def who_is_here(tx: Tx, conversation_id: int, *, but: int) -> list[PresentRow]:
    """The others who are there now."""
    return await tx.all(PresentRow, "presence", conversation_id=conversation_id, but=but)


async def note(tx: Tx, conversation_id: int, agent_id: int, body: str) -> None:
    """Leaves a note for colleagues; nothing happens for an unknown conversation."""
    await tx.run("note_insert", conversation_id=conversation_id, agent_id=agent_id, body=body)


async def notes(tx: Tx, conversation_id: int) -> list[NoteRow]:
    """The notes of a conversation, in order."""
    return await tx.all(NoteRow, "notes", conversation_id=conversation_id)


async def canned(tx: Tx, language: str | None) -> list[CannedRow]:
    """The business's canned replies, those of the customer's language first."""
    return await tx.all(CannedRow, "canned_replies", language=language)


async def keep_canned(tx: Tx, title: str, language: str, body: str) -> None:
    """Keeps an answer under a title; one of that title is replaced."""
    await tx.run("canned_put", title=title, language=language, body=body)


async def drop_canned(tx: Tx, canned_reply_id: int) -> None:
    """Forgets one."""
    await tx.run("canned_drop", canned_reply_id=canned_reply_id)
