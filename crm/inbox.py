"""The one road in: everything that can happen to a conversation, in order."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from crm.record import Ask, Tx

CUSTOMER_MESSAGE = "customer_message"
AGENT_MESSAGE = "agent_message"
HAND_BACK = "hand_back"
RESOLVE = "resolve"


@dataclass(frozen=True)
class InboxRow:
    """An event with the message it speaks of, if it speaks of one."""

    event_id: int
    kind: str
    message_id: int | None
    handoff_id: int | None
    author: str | None
    agent_id: int | None
    wamid: str | None
    message_kind: str | None
    body: str | None
    option_id: str | None
    reply_to_wamid: str | None
    media_id: str | None
    media_mime_type: str | None
    media_sha256: str | None
    media_voice: bool | None
    media_filename: str | None
    sent_at: datetime | None
    latitude: float | None
    longitude: float | None
    place_name: str | None
    place_address: str | None
    quoted: str | None  # the words of the message it replies to
    advertised: str | None  # the advertisement pressed before it
    trace: str | None  # what it was written down under (db/trace.py)


@dataclass(frozen=True)
class TakenRow:
    """A customer's message and whether the graph has taken it in."""

    message_id: int
    conversation_id: int
    event_id: int
    done: bool


@dataclass(frozen=True)
class Made:
    event_id: int


def new(
    conversation_id: int, kind: str, *, message_id: int | None = None, handoff_id: int | None = None
) -> Ask[Made]:
    """As `add`, to be asked together with what else there is."""
    about = {"conversation_id": conversation_id, "message_id": message_id, "handoff_id": handoff_id}
    return Ask(Made, "event_insert", {**about, "kind": kind})


async def add(
    tx: Tx, conversation_id: int, kind: str, *, message_id: int | None = None, handoff_id: int | None = None
) -> int:
    """Appends an event. The caller holds the conversation's row, so ids grow in commit order."""
    [[made]] = await tx.together([new(conversation_id, kind, message_id=message_id, handoff_id=handoff_id)])
    event_id: int = made.event_id
    return event_id


async def waiting(tx: Tx, conversation_id: int, *, after: int, most: int = 200) -> list[InboxRow]:
    """What the graph has not seen yet: events after the last one its state remembers, in order."""
    return await tx.all(InboxRow, "events_waiting", conversation_id=conversation_id, after=after, most=most)


async def waiting_since(tx: Tx, conversation_id: int) -> datetime | None:
    """When the oldest event came in that the graph has not seen yet; None where none waits."""
    oldest: datetime | None = await tx.value("events_waiting_since", conversation_id=conversation_id)
    return oldest


async def of_turns(tx: Tx, conversation_id: int, turn_ids: Sequence[str]) -> list[InboxRow]:
    """What the customer had said in turns of a conversation, in order; what they took back is left out."""
    if not turn_ids:
        return []
    return await tx.all(InboxRow, "events_of_turns", conversation_id=conversation_id, turn_ids=list(turn_ids))


async def done(tx: Tx, conversation_id: int, *, up_to: int) -> int:
    """Marks events as taken in by the graph; returns how many."""
    return await tx.run("events_done", conversation_id=conversation_id, up_to=up_to)


async def trace_of(tx: Tx, event_id: int) -> str | None:
    """What an event was written down under (db/trace.py)."""
    found: str | None = await tx.value("event_trace", event_id=event_id)
    return found


async def taken(tx: Tx, wamid: str) -> TakenRow | None:
    """What became of a customer's message; None before it arrived."""
    return await tx.first(TakenRow, "event_of_wamid", wamid=wamid)
