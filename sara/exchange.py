"""One message of a customer through the whole path, and what came of it."""

import asyncio
import time
from dataclasses import asdict, dataclass, field
from typing import Any

from crm import businesses, conversations, handoffs, inbox, messages
from crm.messages import MessageRow
from crm.record import Tx
from db.tenancy import tenant
from graph.run import node_times, settled
from graph.state import State
from sara.local import Local

POLL_S = 0.03


class NoAnswer(Exception):
    """The turn was not finished in time: look at the worker's log, then `sara doctor`."""


@dataclass(frozen=True)
class Exchange:
    """What a turn came to, as `sara chat --json` prints it."""

    reply: str
    intent: str | None
    outcome: str | None
    owner: str
    handoff: int | None
    sources: list[dict[str, str | None]]
    language: str | None
    sensitivity: dict[str, Any]
    transcript: str | None
    model: str | None
    timings_ms: dict[str, float]
    buttons: list[str] = field(default_factory=list)
    conversation_id: int = 0

    def as_json(self) -> dict[str, Any]:
        """Plain JSON."""
        return asdict(self)


@dataclass(frozen=True)
class Customer:
    """Who writes to whom, and how many seconds they wait for a turn to be done."""

    business: str
    wa_id: str
    name: str | None = None
    patience_s: float = 120.0


async def exchange(
    local: Local,
    customer: Customer,
    *,
    text: str | None = None,
    voice: bytes | None = None,
    button: str | None = None,
) -> Exchange:
    """Sends one message as the customer's phone would and waits until its turn is done.

    Raises NoAnswer when it takes longer than the customer waits, UnknownBusiness, and the simulator's errors
    for a button not shown.
    """
    async with local.crm.outside() as tx:
        business_id = await businesses.of_slug(tx, customer.business)
    async with local.crm.transaction(business_id) as tx:
        number = (await businesses.numbers(tx))[0].phone_number_id
    wamid = await local.simulator.customer_sends(
        number, customer.wa_id, text=text, voice=voice, button=button, name=customer.name
    )
    deadline = time.monotonic() + customer.patience_s
    while time.monotonic() < deadline:
        async with local.crm.transaction(business_id) as tx:
            taken = await inbox.taken(tx, wamid)
        if taken is not None and taken.done:
            state = await _settled(local, business_id, taken)
            if state is not None:
                return await _outcome(local, business_id, taken, state)
        await asyncio.sleep(POLL_S)
    raise NoAnswer(NoAnswer.__doc__)


async def _settled(local: Local, business_id: int, taken: inbox.TakenRow) -> State | None:
    with tenant(business_id):
        thread_id = f"{business_id}:{taken.conversation_id}"
        return await settled(local.services.machine, thread_id, taken.event_id)


async def _outcome(local: Local, business_id: int, taken: inbox.TakenRow, state: State) -> Exchange:
    thread_id = f"{business_id}:{taken.conversation_id}"
    with tenant(business_id):
        times = await node_times(local.services.machine, thread_id)
    async with local.crm.transaction(business_id) as tx:
        conversation = await conversations.get(tx, taken.conversation_id)
        replies = await _replies(tx, taken)
        handoff = await handoffs.open_of(tx, taken.conversation_id)
        buttons = [o.title for reply in replies for o in await messages.options(tx, reply.message_id)]
        sources = [asdict(c) for reply in replies for c in await messages.sources(tx, reply.message_id)]
    outcome, sensitivity = state.get("outcome", {}), state.get("sensitivity", {})
    heard = [said["text"] for said in state["event"].get("messages", []) if said.get("transcript")]
    waiting = conversation.owner == "human" and not replies
    return Exchange(
        reply="\n".join(reply.body for reply in replies),
        intent=None if waiting else outcome.get("intent"),
        outcome="joined" if waiting else outcome.get("kind"),
        owner=conversation.owner,
        handoff=handoff,
        sources=sources,
        language=state.get("language"),
        sensitivity={"label": sensitivity.get("label", "none"), "score": sensitivity.get("score", 0.0)},
        transcript=" ".join(heard) if heard else None,
        model=state.get("proposal", {}).get("model"),
        timings_ms=times,
        buttons=buttons,
        conversation_id=taken.conversation_id,
    )


async def _replies(tx: Tx, taken: inbox.TakenRow) -> list[MessageRow]:
    said = await messages.of_conversation(tx, taken.conversation_id)
    return [m for m in said if m.author == "bot" and m.message_id > taken.message_id]
