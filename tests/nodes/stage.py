"""A customer's thread driven straight through the graph: the real record, search and small models, a clock
the test sets and, where a test needs a model to misbehave, a model that says what the test wrote."""

import itertools
import json
import secrets
from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any, cast

import psycopg
from langgraph.types import StateSnapshot
from psycopg.rows import dict_row

from crm import businesses, contacts, conversations, handoffs, inbox, messages
from crm.conversations import ConversationRow
from crm.messages import MessageRow, NewMessage
from crm.record import Crm
from db.tenancy import tenant
from graph.build import Machine
from graph.context import Context
from graph.run import deliver, finish, thread_config
from graph.state import Event, Said, State
from inference.chat import Answered, Proposal, Request

WORKDAY = datetime(2026, 11, 18, 10, 0, tzinfo=UTC)  # a Wednesday, 11:00 in Milan: everybody is open
SUNDAY_NIGHT = datetime(2026, 11, 22, 22, 30, tzinfo=UTC)
_senders = itertools.count(secrets.randbelow(10**8) * 1000 + 39 * 10**12)


class Clock:
    """The time, as the test sets it."""

    def __init__(self) -> None:
        self.now = WORKDAY

    def __call__(self) -> datetime:
        return self.now


class Scripted:
    """A chat model that answers what the test wrote (the last for ever) and keeps what it was asked.

    `usage`: the tokens each answer takes.
    """

    name = "scripted"

    def __init__(self, *answers: Proposal | Exception, usage: dict[str, int] | None = None) -> None:
        self._answers = list(answers)
        self._usage = usage or {}
        self.asked: list[Request] = []

    async def propose(self, request: Request) -> Answered:
        self.asked.append(request)
        answer = self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]
        if isinstance(answer, Exception):
            raise answer
        return Answered(answer, self.name, 0.0, dict(self._usage))


def says(reply: str, **more: Any) -> Proposal:
    """A model's proposal that answers with `reply`."""
    return Proposal(reply=reply, **{"intent": "answer", "confidence": 0.9, **more})


@dataclass
class Stage:
    """Where threads are played. `context` may be replaced by a test."""

    dsn: str
    crm: Crm
    clock: Clock
    context: Context
    machine: Machine
    ids: dict[str, int]
    held: AsyncExitStack

    async def rows(self, query: str, *values: Any) -> list[dict[str, Any]]:
        """Rows as the database's owner sees them."""
        async with await psycopg.AsyncConnection.connect(
            self.dsn, autocommit=True, row_factory=dict_row
        ) as owner:
            cursor = await owner.execute(query, values)
            return await cursor.fetchall() if cursor.description else []

    async def let_go(self) -> None:
        """Lets go of the conversations held so far: each holds a connection."""
        await self.held.aclose()

    async def customer(
        self, slug: str = "aurora", *, name: str | None = "Anna Rossi", chat: Scripted | None = None
    ) -> "Thread":
        """A new customer of a business."""
        business_id = self.ids[slug]
        async with self.crm.transaction(business_id) as tx:
            number = (await businesses.numbers(tx))[0].phone_number_id
            contact_id = await contacts.seen(tx, wa_id=str(next(_senders)), bsuid=None, name=name)
        context = replace(self.context, chat=chat) if chat else self.context
        return Thread(self, context, business_id, contact_id, number)


@dataclass
class Thread:
    """One customer and the state of their latest conversation."""

    stage: Stage
    context: Context
    business_id: int
    contact_id: int
    number: str
    conversation_id: int = 0
    state: State = field(default_factory=State)

    @property
    def thread_id(self) -> str:
        return f"{self.business_id}:{self.conversation_id}"

    async def say(self, *texts: str, kind: str = "text", option: str | None = None) -> State:
        """The customer writes: one burst, one turn."""
        return await self.deliver(await self.wrote(*texts, kind=kind, option=option))

    async def wrote(self, *texts: str, kind: str = "text", option: str | None = None) -> Event:
        """What the customer writes arrives in the record; the graph has not seen it yet."""
        async with self.stage.crm.transaction(self.business_id) as tx:
            conversation_id = await conversations.open_for(tx, self.contact_id, self.number)
            await conversations.customer_wrote(tx, conversation_id, tx.now)
            said = []
            for text in texts:
                wamid = f"wamid.{secrets.token_hex(8)}"
                message = NewMessage(
                    conversation_id, self.contact_id, "customer", kind, tx.now, body=text, wamid=wamid
                )
                message_id = await messages.add(tx, replace(message, option_id=option))
                assert message_id is not None
                event_id = await inbox.add(tx, conversation_id, inbox.CUSTOMER_MESSAGE, message_id=message_id)
                said.append(_said(message_id, text, kind, option, wamid, tx.now))
        await self._hold(conversation_id)
        return await self._event("customer_message", event_id, said)

    async def agent_says(self, text: str) -> State:
        """A human answers in the conversation."""
        return await self.deliver(await self.agent_wrote(text))

    async def agent_wrote(self, text: str) -> Event:
        """The same before the graph has seen it."""
        async with self.stage.crm.transaction(self.business_id) as tx:
            message = NewMessage(self.conversation_id, self.contact_id, "agent", "text", tx.now, body=text)
            message_id = await messages.add(tx, message)
            event_id = await inbox.add(tx, self.conversation_id, inbox.AGENT_MESSAGE, message_id=message_id)
        said = Said(author="agent", kind="text", text=text, sent_at=self.stage.clock.now.isoformat())
        return await self._event("agent_message", event_id, [said])

    async def handed_back(self, note: str = "", **returned: Any) -> State:
        """A human gives the conversation back: `facts` and `promises` as the desk takes them."""
        return await self.deliver(await self.gave_back(note, **returned))

    async def gave_back(self, note: str = "", **returned: Any) -> Event:
        """The same before the graph has seen it."""
        async with self.stage.crm.transaction(self.business_id) as tx:
            handoff_id = await handoffs.open_of(tx, self.conversation_id)
            assert handoff_id is not None
            assert await handoffs.close(tx, handoff_id, "returned", note=note, agent_id=None, **returned)
            await conversations.give_to_bot(tx, self.conversation_id)
            event_id = await inbox.add(tx, self.conversation_id, inbox.HAND_BACK, handoff_id=handoff_id)
        told = {"handoff_id": handoff_id, "note": note, "facts": {}, "promises": [], **returned}
        return await self._event("hand_back", event_id, [], handoff=told)

    async def resolved(self) -> State:
        """A human settles the matter."""
        return await self.deliver(await self.settled())

    async def settled(self) -> Event:
        """The same before the graph has seen it."""
        async with self.stage.crm.transaction(self.business_id) as tx:
            handoff_id = await handoffs.open_of(tx, self.conversation_id)
            assert handoff_id is not None
            assert await handoffs.close(tx, handoff_id, "resolved", note="", agent_id=None)
            await conversations.give_to_bot(tx, self.conversation_id)
            await conversations.close(tx, self.conversation_id)
            event_id = await inbox.add(tx, self.conversation_id, inbox.RESOLVE, handoff_id=handoff_id)
        return await self._event("resolve", event_id, [])

    async def deliver(self, event: Event) -> State:
        """Delivers an event; what the thread remembers afterwards is plain JSON."""
        with tenant(self.business_id):
            await deliver(self.stage.machine, self.context, self.thread_id, event)
        return await self._after(event["last_event_id"])

    async def finish(self) -> State:
        """Finishes a turn that was cut off."""
        with tenant(self.business_id):
            found = await finish(self.stage.machine, self.context, self.thread_id)
        return await self._after(found.values["last_event_id"])

    async def snapshot(self) -> StateSnapshot:
        """Where the thread stands."""
        with tenant(self.business_id):
            return await self.stage.machine.aget_state(thread_config(self.thread_id))

    async def conversation(self) -> ConversationRow:
        """The conversation as the record has it."""
        async with self.stage.crm.transaction(self.business_id) as tx:
            return await conversations.get(tx, self.conversation_id)

    async def spoken(self, author: str = "bot") -> list[MessageRow]:
        """Everything the bot (or another) said in this conversation."""
        async with self.stage.crm.transaction(self.business_id) as tx:
            said = await messages.of_conversation(tx, self.conversation_id)
        return [message for message in said if message.author == author]

    async def handoffs(self) -> list[dict[str, Any]]:
        """The conversation's hand-overs, oldest first."""
        return await self.stage.rows(
            "SELECT * FROM handoff WHERE conversation_id = %s ORDER BY 1", self.conversation_id
        )

    async def outbox(self) -> list[dict[str, Any]]:
        """The conversation's outbox, oldest first."""
        return await self.stage.rows(
            "SELECT * FROM outbox WHERE conversation_id = %s ORDER BY 1", self.conversation_id
        )

    @property
    def words(self) -> str:
        """What the last turn said."""
        return "\n".join(part["text"] for part in self.state["outcome"]["replies"])

    async def _after(self, last_event_id: int) -> State:
        async with self.stage.crm.transaction(self.business_id) as tx:
            await inbox.done(tx, self.conversation_id, up_to=last_event_id)
        values = (await self.snapshot()).values
        assert json.loads(json.dumps(values)) == values
        assert values["last_event_id"] == last_event_id
        self.state = cast(State, values)
        return self.state

    async def _event(
        self, kind: Any, event_id: int, said: Sequence[Said], handoff: dict[str, Any] | None = None
    ) -> Event:
        conversation = await self.conversation()
        return Event(
            kind=kind,
            turn_id=f"{self.conversation_id}:{event_id}",
            last_event_id=event_id,
            business_id=self.business_id,
            conversation_id=self.conversation_id,
            contact_id=self.contact_id,
            epoch=conversation.epoch,
            messages=list(said),
            handoff=handoff,
        )

    async def _hold(self, conversation_id: int) -> None:
        """As a worker would, so that none takes the conversation up in the middle of a test."""
        if conversation_id != self.conversation_id:
            assert await self.stage.held.enter_async_context(self.stage.crm.hold(conversation_id))
            self.conversation_id = conversation_id


def _said(message_id: int, text: str, kind: str, option: str | None, wamid: str, now: datetime) -> Said:
    return Said(
        message_id=message_id,
        author="customer",
        kind=kind,
        text=text,
        option_id=option,
        wamid=wamid,
        sent_at=now.isoformat(),
        media=None,
        transcript=None,
    )
