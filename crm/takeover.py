"""How a conversation changes hands otherwise than by the bot's own wish."""

from datetime import datetime

from crm import agents, contacts, conversations, desk, handoffs, inbox, messages, queue
from crm.conversations import ConversationRow
from crm.errors import HeldByColleague, NewerConversation, UnknownAgent
from crm.messages import NewMessage
from crm.record import Tx


async def take(tx: Tx, conversation_id: int, agent_id: int) -> int:
    """An agent takes a conversation the bot is handling; returns the hand-over.

    The epoch grows, so a turn that is on its way says nothing any more. One that a human owns already is
    claimed instead; one that has ended since it was shown goes on, as by `reopen`.
    Raises UnknownConversation, NewerConversation, HeldByColleague.
    """
    conversation = await conversations.lock(tx, conversation_id)
    if conversation.status == "closed":
        return await reopen(tx, conversation_id, agent_id)
    handoff_id = await _opened(tx, conversation, "agent_takeover", agent_id)
    await desk.claim(tx, handoff_id, agent_id)
    return handoff_id


async def reopen(tx: Tx, conversation_id: int, agent_id: int) -> int:
    """A closed conversation goes on, with this agent; returns the hand-over. An open one is taken.

    Raises UnknownConversation, NewerConversation, HeldByColleague.
    """
    conversation = await conversations.lock(tx, conversation_id)
    if conversation.status == "open":
        return await take(tx, conversation_id, agent_id)
    newer = await tx.value(
        "conversation_newer",
        contact_id=conversation.contact_id,
        phone_number_id=conversation.phone_number_id,
    )
    if newer is not None:
        raise NewerConversation(NewerConversation.__doc__)
    await tx.run("conversation_reopen", conversation_id=conversation_id)
    handoff_id = await _opened(tx, conversation, "reopened", agent_id)
    await desk.claim(tx, handoff_id, agent_id)
    await handoffs.step(tx, handoff_id, "reopened", agent_id)
    return handoff_id


async def transfer(
    tx: Tx,
    handoff_id: int,
    agent_id: int,
    *,
    to_agent: int | None = None,
    to_queue: str | None = None,
    note: str = "",
    by_force: bool = False,
) -> None:
    """Gives a hand-over to a colleague, or back into a queue, with a note for whoever takes it.

    Raises UnknownHandoff, HandoffClosed, HeldByColleague, UnknownAgent.
    """
    handoff = await desk.open_one(tx, handoff_id)
    if handoff.agent_id not in (None, agent_id) and not by_force:
        raise HeldByColleague(await agents.name_of(tx, handoff.agent_id))
    if to_agent is not None:
        colleague = await agents.name_of(tx, to_agent)
        if colleague is None:
            raise UnknownAgent("no such colleague in this business")
        await handoffs.claim(tx, handoff_id, to_agent)
        detail = colleague
    else:
        await handoffs.release(tx, handoff_id, to_queue)
        detail = to_queue or handoff.queue or ""
    await conversations.give_to_human(tx, handoff.conversation_id, to_agent)
    await handoffs.step(tx, handoff_id, "transferred", agent_id, detail)
    if note:
        await agents.note(tx, handoff.conversation_id, agent_id, note)


async def echoed(
    tx: Tx,
    *,
    phone_number_id: str,
    wa_id: str | None,
    bsuid: str | None,
    wamid: str,
    text: str,
    at: datetime,
    kind: str = "text",
) -> bool:
    """The owner typed on the phone, outside SARA: a human has the conversation. False for a known message.

    An agent of the console who has it keeps it; the owner's words join the thread all the same.
    """
    if await messages.known(tx, wamid):
        return False
    contact_id = await contacts.seen(tx, wa_id=wa_id, bsuid=bsuid, name=None)
    conversation_id = await conversations.open_for(tx, contact_id, phone_number_id)
    conversation = await conversations.lock(tx, conversation_id)
    message = NewMessage(
        conversation_id=conversation_id,
        contact_id=contact_id,
        author="agent",
        kind=kind,
        body=text,
        wamid=wamid,
        sent_at=at,
    )
    message_id = await messages.add(tx, message)
    if message_id is None:
        return False
    handoff_id = await _opened(tx, conversation, "owner_on_phone", None)
    handoff = await handoffs.get(tx, handoff_id)
    if handoff.status == "open":
        await desk.claim(tx, handoff_id, None)
    await handoffs.touch(tx, handoff_id)
    await inbox.add(tx, conversation_id, inbox.AGENT_MESSAGE, message_id=message_id, handoff_id=handoff_id)
    await queue.drain(tx, conversation_id, delay_s=0)
    return True


async def _opened(tx: Tx, conversation: ConversationRow, reason: str, agent_id: int | None) -> int:
    """The conversation's open hand-over; a human's wish opens one where there is none."""
    handoff_id = await handoffs.open_of(tx, conversation.conversation_id)
    if handoff_id is not None:
        return handoff_id
    said = await messages.of_conversation(tx, conversation.conversation_id, most=8)
    wants = next((one.body for one in reversed(said) if one.author == "customer" and one.body), "")
    before = [one.body for one in said if one.author == "customer" and one.body][-4:-1]
    handoff_id = await handoffs.open_one(
        tx,
        conversation.conversation_id,
        turn_id=f"{reason}:{conversation.conversation_id}:{conversation.epoch}",
        reason=reason,
        label=None,
        score=None,
        summary=" / ".join([*before, wants]),
        wants=wants,
        draft="",
    )
    await handoffs.step(tx, handoff_id, "taken_over", agent_id)
    return handoff_id
