"""What agents do: answer, hand back, resolve. Each is one transaction and one event for the graph.

`by_force` is a supervisor's right, and the operator's (no agent id): to act where a colleague has the word.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

from crm import agents, contacts, conversations, corrections, handoffs, inbox, messages, outbox, queue
from crm.conversations import ConversationRow
from crm.errors import HandoffClosed, HeldByColleague, UnknownHandoff, WindowOver
from crm.handoffs import OPEN, HandoffRow
from crm.messages import NewMessage
from crm.record import Tx

CUSTOMER_WINDOW = timedelta(hours=24)


@dataclass(frozen=True)
class Words:
    """One message of an agent, within the channel's limits; `kind` is the channel's type.

    With a template's name and language code it may go out when the 24 hours are over.
    """

    body: str
    kind: str = "text"
    file_id: int | None = None
    template_name: str | None = None
    template_code: str | None = None
    template_values: tuple[str, ...] = ()


async def claim(tx: Tx, handoff_id: int, agent_id: int | None, *, by_force: bool = False) -> HandoffRow:
    """An agent takes a hand-over: from now on that agent speaks.

    Raises UnknownHandoff, HandoffClosed, HeldByColleague.
    """
    handoff = await _held_by(tx, handoff_id, agent_id, by_force=by_force)
    if handoff.status == "open" or handoff.agent_id != agent_id:
        await handoffs.claim(tx, handoff_id, agent_id)
        await conversations.give_to_human(tx, handoff.conversation_id, agent_id)
        await handoffs.step(tx, handoff_id, "claimed", agent_id)
    return await handoffs.get(tx, handoff_id)


async def answer(
    tx: Tx,
    handoff_id: int,
    agent_id: int | None,
    words: Sequence[Words | str],
    *,
    attempt: str | None = None,
    by_force: bool = False,
) -> list[int]:
    """The agent's words go out and join the thread; answering claims. Returns the message ids.

    Each is one message and must fit the channel's limit. `attempt` names one press of the button: the same
    one twice says it once and returns nothing. Raises UnknownHandoff, HandoffClosed, HeldByColleague,
    WindowOver.
    """
    handoff = await claim(tx, handoff_id, agent_id, by_force=by_force)
    conversation = await conversations.lock(tx, handoff.conversation_id)
    if window_over(conversation, tx) and not all(_is_template(one) for one in words):
        raise WindowOver(WindowOver.__doc__)
    turn_id = f"agent:{conversation.conversation_id}:{agent_id or 0}:{attempt}" if attempt else None
    if turn_id and await outbox.spoke(tx, turn_id):
        return []
    written = [
        await _send(tx, conversation, handoff_id, agent_id, one, turn_id=turn_id, ordinal=ordinal)
        for ordinal, one in enumerate(words)
    ]
    said = "\n".join(one if isinstance(one, str) else one.body for one in words if not _is_template(one))
    await corrections.keep(tx, handoff_id, "answer", said, agent_id)
    await handoffs.touch(tx, handoff_id)
    await queue.send(tx, conversation.conversation_id)
    await queue.drain(tx, conversation.conversation_id, delay_s=0)
    return written


async def _send(
    tx: Tx,
    conversation: ConversationRow,
    handoff_id: int,
    agent_id: int | None,
    words: Words | str,
    *,
    turn_id: str | None,
    ordinal: int,
) -> int:
    words = Words(words) if isinstance(words, str) else words
    message_id, event = await said(tx, conversation, handoff_id, agent_id, words)
    await outbox.deliver(
        tx,
        conversation.conversation_id,
        message_id,
        turn_id=turn_id or f"agent:{event}",
        ordinal=ordinal if turn_id else 0,
        epoch=conversation.epoch,
    )
    return message_id


async def said(
    tx: Tx, conversation: ConversationRow, handoff_id: int, agent_id: int | None, words: Words
) -> tuple[int, int]:
    """Writes a human's words into the thread and tells the graph; returns the ids of message and event."""
    message = NewMessage(
        conversation_id=conversation.conversation_id,
        contact_id=conversation.contact_id,
        author="agent",
        agent_id=agent_id,
        kind=words.kind,
        body=words.body,
        file_id=words.file_id,
        template_name=words.template_name,
        template_code=words.template_code,
        template_values=words.template_values,
        sent_at=tx.now,
    )
    message_id = await messages.add(tx, message)
    if message_id is None:
        raise RuntimeError("a message without wamid cannot be known already")
    event = await inbox.add(
        tx, conversation.conversation_id, inbox.AGENT_MESSAGE, message_id=message_id, handoff_id=handoff_id
    )
    return message_id, event


async def hand_back(
    tx: Tx,
    handoff_id: int,
    agent_id: int | None,
    *,
    note: str,
    facts: Mapping[str, str] | None = None,
    promises: Sequence[str] = (),
    by_force: bool = False,
) -> None:
    """The bot speaks again, knowing note, facts and promises.

    Raises UnknownHandoff, HandoffClosed, HeldByColleague.
    """
    handoff = await _held_by(tx, handoff_id, agent_id, by_force=by_force)
    await handoffs.close(
        tx, handoff_id, "returned", note=note, agent_id=agent_id, facts=facts, promises=promises
    )
    await corrections.keep(tx, handoff_id, "note", note, agent_id)
    await conversations.give_to_bot(tx, handoff.conversation_id)
    if await outbox.revive(tx, handoff.conversation_id):
        await queue.send(tx, handoff.conversation_id)
    await handoffs.step(tx, handoff_id, "returned", agent_id, note)
    await _tell_graph(tx, handoff, inbox.HAND_BACK, note)


async def resolve(
    tx: Tx, handoff_id: int, agent_id: int | None, *, note: str, by_force: bool = False
) -> None:
    """The matter is settled: the conversation closes, the next message opens a new one.

    Raises UnknownHandoff, HandoffClosed, HeldByColleague.
    """
    handoff = await _held_by(tx, handoff_id, agent_id, by_force=by_force)
    await handoffs.close(tx, handoff_id, "resolved", note=note, agent_id=agent_id)
    await conversations.give_to_bot(tx, handoff.conversation_id)
    summary = " — ".join(part for part in (handoff.summary, note) if part)
    await conversations.close(tx, handoff.conversation_id, summary=summary or None)
    await corrections.keep(tx, handoff_id, "resolved", note, agent_id)
    await handoffs.step(tx, handoff_id, "resolved", agent_id, note)
    await _tell_graph(tx, handoff, inbox.RESOLVE, note)


async def waiting_for(tx: Tx, wa_id: str) -> int:
    """The open hand-over of a customer, by phone. Raises UnknownHandoff."""
    for row in await handoffs.queue(tx):
        if row.wa_id == wa_id:
            return row.handoff_id
    raise UnknownHandoff(f"no open hand-over of {wa_id}")


def window_over(conversation: ConversationRow, tx: Tx) -> bool:
    """Whether WhatsApp takes nothing but templates for this customer now."""
    last = conversation.last_customer_at
    return last is None or tx.now - last > CUSTOMER_WINDOW


def _is_template(words: Words | str) -> bool:
    return isinstance(words, Words) and words.template_name is not None


async def open_one(tx: Tx, handoff_id: int) -> HandoffRow:
    """The open hand-over with its conversation locked. Raises UnknownHandoff, HandoffClosed.

    The conversation first, as everywhere: locks taken in two orders would wait for each other. So its
    state is read again once nobody else can change it.
    """
    before = await handoffs.get(tx, handoff_id)
    await conversations.lock(tx, before.conversation_id)
    handoff = await handoffs.get(tx, handoff_id)
    if handoff.status not in OPEN:
        raise HandoffClosed(HandoffClosed.__doc__)
    return handoff


async def _held_by(tx: Tx, handoff_id: int, agent_id: int | None, *, by_force: bool) -> HandoffRow:
    handoff = await open_one(tx, handoff_id)
    someone_else = handoff.agent_id is not None and handoff.agent_id != agent_id
    if someone_else and agent_id is not None and not by_force:
        raise HeldByColleague(await agents.name_of(tx, handoff.agent_id))
    return handoff


async def _tell_graph(tx: Tx, handoff: HandoffRow, kind: str, note: str) -> None:
    await inbox.add(tx, handoff.conversation_id, kind, handoff_id=handoff.handoff_id)
    await contacts.remember(
        tx, handoff.contact_id, kind, conversation_id=handoff.conversation_id, detail=note
    )
    await queue.drain(tx, handoff.conversation_id, delay_s=0)
