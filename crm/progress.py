"""How far the turns of a conversation have come: what every turn asks and tells, a round trip each."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass
from typing import Any

from crm import messages
from crm.conversations import ConversationRow
from crm.errors import UnknownConversation
from crm.inbox import InboxRow
from crm.record import Ask, Crm, Tx
from crm.turns import Turn

_MOST = 200  # events at a time


@dataclass(frozen=True)
class _CountRow:
    count: int


async def take_up(
    crm: Crm, business_id: int, conversation_id: int, *, after: int, turn: Turn | None = None
) -> tuple[ConversationRow, list[InboxRow]]:
    """The conversation, locked, and what the graph has not seen of it: the events `after` the last one its
    state remembers, in order. Those up to it are marked done, and what the `turn` before came to is kept.

    Raises UnknownConversation.
    """
    this = {"conversation_id": conversation_id}
    locked, *_, waiting = await crm.at_once(
        business_id,
        [
            Ask(ConversationRow, "conversation_lock", this),
            *([Ask(None, "turn_keep", asdict(turn))] if turn else []),
            Ask(None, "events_done", {**this, "up_to": after}),
            Ask(InboxRow, "events_waiting", {**this, "after": after, "most": _MOST}),
        ],
    )
    return _the(locked), waiting


@dataclass(frozen=True)
class Floor:
    """What a turn finds that is about to speak: the conversation, locked; whether the turn has spoken in it
    already, since a re-run must not repeat it; and an id for its first message."""

    conversation: ConversationRow
    spoke: bool
    number: int


@asynccontextmanager
async def about_to_speak(
    crm: Crm,
    business_id: int,
    conversation_id: int,
    turn_id: str,
    *,
    up_to: int,
    intent: str | None,
    outcome: str,
) -> AsyncIterator[tuple[Tx, Floor]]:
    """A transaction that begins as `came_to_an_end`, for a turn to speak in. Raises UnknownConversation."""
    asks: list[Ask[Any]] = [
        Ask(ConversationRow, "conversation_lock", {"conversation_id": conversation_id}),
        Ask(_CountRow, "outbox_of_turn", {"turn_id": turn_id}),
        messages.numbers(),
        *_ended(conversation_id, up_to, intent, outcome),
    ]
    async with crm.opening(business_id, asks) as (tx, [locked, [spoken], [number], *_]):
        yield tx, Floor(_the(locked), spoken.count > 0, number.message_id)


async def came_to_an_end(
    tx: Tx, conversation_id: int, *, up_to: int, intent: str | None, outcome: str
) -> None:
    """The events up to `up_to` are done; what the turn was about and what came of it is kept."""
    await tx.together(_ended(conversation_id, up_to, intent, outcome))


def _ended(conversation_id: int, up_to: int, intent: str | None, outcome: str) -> list[Ask[Any]]:
    this = {"conversation_id": conversation_id}
    return [
        Ask(None, "events_done", {**this, "up_to": up_to}),
        Ask(None, "conversation_outcome", {**this, "intent": intent, "outcome": outcome}),
    ]


def _the(found: Sequence[ConversationRow]) -> ConversationRow:
    if not found:
        raise UnknownConversation(UnknownConversation.__doc__)
    return found[0]
