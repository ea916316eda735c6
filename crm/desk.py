"""What agents do: answer, hand back, resolve. Each is one transaction and one event for the graph."""

from collections.abc import Mapping, Sequence

from crm import contacts, conversations, handoffs, inbox, messages, outbox, queue
from crm.errors import HandoffClosed, UnknownHandoff
from crm.handoffs import OPEN, HandoffRow
from crm.messages import NewMessage
from crm.record import Tx


async def claim(tx: Tx, handoff_id: int, agent_id: int | None) -> HandoffRow:
    """An agent takes a hand-over: from now on that agent speaks. Raises UnknownHandoff, HandoffClosed."""
    handoff = await _open(tx, handoff_id)
    if handoff.status == "open" or handoff.agent_id != agent_id:
        await handoffs.claim(tx, handoff_id, agent_id)
        await conversations.give_to_human(tx, handoff.conversation_id, agent_id)
    return await handoffs.get(tx, handoff_id)


async def answer(tx: Tx, handoff_id: int, agent_id: int | None, texts: Sequence[str]) -> list[int]:
    """The agent's words go out and join the thread; answering claims. Returns the message ids.

    Each text is one message and must fit the channel's limit.
    """
    handoff = await claim(tx, handoff_id, agent_id)
    conversation = await conversations.lock(tx, handoff.conversation_id)
    written: list[int] = []
    for text in texts:
        message = NewMessage(
            conversation_id=conversation.conversation_id,
            contact_id=conversation.contact_id,
            author="agent",
            agent_id=agent_id,
            kind="text",
            body=text,
            sent_at=tx.now,
        )
        message_id = await messages.add(tx, message)
        if message_id is None:
            raise RuntimeError("a message without wamid cannot be known already")
        event = await inbox.add(
            tx,
            conversation.conversation_id,
            inbox.AGENT_MESSAGE,
            message_id=message_id,
            handoff_id=handoff_id,
        )
        await outbox.deliver(
            tx, conversation.conversation_id, message_id, turn_id=f"agent:{event}", epoch=conversation.epoch
        )
        written.append(message_id)
    await queue.send(tx, conversation.conversation_id)
    await queue.drain(tx, conversation.conversation_id, delay_s=0)
    return written


async def hand_back(
    tx: Tx,
    handoff_id: int,
    agent_id: int | None,
    *,
    note: str,
    facts: Mapping[str, str] | None = None,
    promises: Sequence[str] = (),
) -> None:
    """The bot speaks again, knowing note, facts and promises. Raises UnknownHandoff, HandoffClosed."""
    handoff = await _open(tx, handoff_id)
    await handoffs.close(
        tx, handoff_id, "returned", note=note, agent_id=agent_id, facts=facts, promises=promises
    )
    await conversations.give_to_bot(tx, handoff.conversation_id)
    await _tell_graph(tx, handoff, inbox.HAND_BACK, note)


async def resolve(tx: Tx, handoff_id: int, agent_id: int | None, *, note: str) -> None:
    """The matter is settled: the conversation closes, the next message opens a new one.

    Raises UnknownHandoff, HandoffClosed.
    """
    handoff = await _open(tx, handoff_id)
    await handoffs.close(tx, handoff_id, "resolved", note=note, agent_id=agent_id)
    await conversations.give_to_bot(tx, handoff.conversation_id)
    summary = " — ".join(part for part in (handoff.summary, note) if part)
    await conversations.close(tx, handoff.conversation_id, summary=summary or None)
    await _tell_graph(tx, handoff, inbox.RESOLVE, note)


async def waiting_for(tx: Tx, wa_id: str) -> int:
    """The open hand-over of a customer, by phone. Raises UnknownHandoff."""
    for row in await handoffs.queue(tx):
        if row.wa_id == wa_id:
            return row.handoff_id
    raise UnknownHandoff(f"no open hand-over of {wa_id}")


async def _open(tx: Tx, handoff_id: int) -> HandoffRow:
    """The open hand-over with its conversation locked.

    The conversation first, as everywhere: locks taken in two orders would wait for each other. So its
    state is read again once nobody else can change it.
    """
    before = await handoffs.get(tx, handoff_id)
    await conversations.lock(tx, before.conversation_id)
    handoff = await handoffs.get(tx, handoff_id)
    if handoff.status not in OPEN:
        raise HandoffClosed(HandoffClosed.__doc__)
    return handoff


async def _tell_graph(tx: Tx, handoff: HandoffRow, kind: str, note: str) -> None:
    await inbox.add(tx, handoff.conversation_id, kind, handoff_id=handoff.handoff_id)
    await contacts.remember(
        tx, handoff.contact_id, kind, conversation_id=handoff.conversation_id, detail=note
    )
    await queue.drain(tx, handoff.conversation_id, delay_s=0)
