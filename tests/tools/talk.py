"""A conversation with the tools alone: a real record, the real node, proposals written by the test."""

import itertools
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, fields
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psycopg
from langgraph.runtime import Runtime
from psycopg.rows import dict_row

from crm import businesses, contacts, conversations
from crm.businesses import Profile
from crm.profiles import Profiles
from crm.record import Crm
from db import embedded
from db.migrate import migrate
from db.pool import open_pool
from graph.context import Context
from inference.extract import cancel_words, yes_no
from knowledge.phrases import Phrases
from nodes.execute_intent import execute_intent
from sara.seed import enter_seeds
from tools.tool import Call

SEEDS = ("aurora", "conti", "costa-azul")
MORNING = datetime(2026, 11, 18, 9, 0, tzinfo=UTC)  # a Wednesday; 10:00 in Milan
_senders = itertools.count(393330000000)
_turns = itertools.count(1)


class Clock:
    """The time, as the test sets it."""

    def __init__(self) -> None:
        self.now = MORNING

    def __call__(self) -> datetime:
        return self.now


class NotNeeded:
    """Stands where a model would be: tools must work without any."""

    def __getattr__(self, name: str) -> Any:
        raise AssertionError(f"a tool reached for a model ({name})")


@dataclass
class Room:
    """The record with the three seeded businesses, and a clock."""

    dsn: str
    crm: Crm
    clock: Clock
    context: Context
    ids: dict[str, int]

    async def rows(self, query: str, *values: Any) -> list[dict[str, Any]]:
        """Rows as the database's owner sees them."""
        async with await psycopg.AsyncConnection.connect(
            self.dsn, autocommit=True, row_factory=dict_row
        ) as owner:
            cursor = await owner.execute(query, values)
            return await cursor.fetchall() if cursor.description else []

    async def clean(self) -> None:
        """Forgets what earlier tests did and sets the clock back."""
        self.clock.now = MORNING
        await self.rows("TRUNCATE appointment, quote, ticket, crm_event, lead, follow_up CASCADE")
        await self.rows("DELETE FROM business WHERE slug <> ALL(%s)", list(SEEDS))
        for slug in set(self.ids) - set(SEEDS):
            del self.ids[slug]

    async def profile(self, slug: str) -> Profile:
        async with self.crm.transaction(self.ids[slug]) as tx:
            return await businesses.profile(tx)

    async def talk(self, slug: str = "aurora", language: str = "it", name: str = "Anna Rossi") -> "Talk":
        """A new customer who opens a conversation."""
        business_id = self.ids[slug]
        async with self.crm.transaction(business_id) as tx:
            number = (await businesses.numbers(tx))[0].phone_number_id
            contact_id = await contacts.seen(tx, wa_id=str(next(_senders)), bsuid=None, name=name)
            conversation_id = await conversations.open_for(tx, contact_id, number)
        return Talk(self, business_id, contact_id, conversation_id, language, name)


@dataclass
class Talk:
    """One customer's conversation; `state` is what the thread remembers."""

    room: Room
    business_id: int
    contact_id: int
    conversation_id: int
    language: str
    name: str
    state: dict[str, Any] = field(default_factory=dict)
    goto: str = ""

    async def say(
        self,
        text: str = "",
        *,
        intent: str | None = None,
        option: str | None = None,
        reply: str = "",
        turn_id: str | None = None,
        confidence: float = 0.9,
        voice: str = "",
        low: bool = False,
        abstained: bool = False,
        sent: datetime | None = None,
        **arguments: Any,
    ) -> dict[str, Any]:
        """One turn; `voice` is said in a voice note, `low` one that was barely understood; `sent` is when.

        Without `intent` the proposal is absent, as when triage goes straight to the frame.
        """
        said = text or voice
        settled = yes_no(said, self.language) or cancel_words(said, self.language)
        proposal: dict[str, Any] = {}
        if intent is not None and not (self.state.get("frame") and settled):
            proposal = {
                "reply": reply,
                "intent": intent,
                "arguments": arguments,
                "citations": ["F1"] if reply else [],
                "confidence": confidence,
                "abstained": abstained,
            }
        event = {
            "kind": "customer_message",
            "turn_id": turn_id or f"t{next(_turns)}",
            "business_id": self.business_id,
            "conversation_id": self.conversation_id,
            "contact_id": self.contact_id,
            "messages": [m for m in (_pressed(option), _written(text), _spoken(voice, low)) if m],
        }
        for message in event["messages"]:
            message["sent_at"] = sent.isoformat() if sent else ""
        given = {**self.state, "event": event, "language": self.language, "proposal": proposal}
        given["contact"] = {"name": self.name}
        command = await execute_intent(given, Runtime(context=self.room.context))
        self.goto = str(command.goto)
        self.state.update(command.update or {})
        return self.state["outcome"]

    async def book(self, text: str, **more: Any) -> dict[str, Any]:
        """A turn the model takes for a booking."""
        return await self.say(text, intent="book_appointment", **more)

    @property
    def words(self) -> str:
        """Everything said in the last turn."""
        return "\n".join(part["text"] for part in self.state["outcome"]["replies"])

    @property
    def options(self) -> list[str]:
        """The ids of the buttons under the last reply."""
        return [option["id"] for option in self.state["outcome"]["replies"][-1]["options"]]

    async def appointments(self) -> list[dict[str, Any]]:
        """What this customer has booked."""
        return await self.room.rows(
            "SELECT a.*, s.key, r.key AS resource, lower(during) AS starts FROM appointment a"
            " JOIN service s USING (service_id) JOIN resource r USING (resource_id)"
            " WHERE contact_id = %s ORDER BY 1",
            self.contact_id,
        )

    async def call(self, text: str = "", option: str | None = None) -> Call:
        """The circumstances of a turn, for tests of a tool's own verbs."""
        async with self.room.crm.transaction(self.business_id) as tx:
            profile = await businesses.profile(tx)
        return Call(
            context=self.room.context,
            profile=profile,
            business_id=self.business_id,
            conversation_id=self.conversation_id,
            contact_id=self.contact_id,
            contact_name=self.name,
            turn_id=f"t{next(_turns)}",
            language=self.language,
            text=text,
            option_id=option,
            now=self.room.clock(),
            say=self.room.context.phrases.speaker(self.language, formal=profile.pack.formal),
        )


def _pressed(option: str | None) -> dict[str, Any] | None:
    """A button as it arrives: its title stands in the text."""
    return (
        {"author": "customer", "kind": "interactive", "text": "⟨title⟩", "option_id": option}
        if option
        else None
    )


def _written(text: str) -> dict[str, Any] | None:
    return {"author": "customer", "kind": "text", "text": text, "option_id": None} if text else None


def _spoken(voice: str, low: bool) -> dict[str, Any] | None:
    """A voice note as the transcribe node leaves it."""
    transcript = {"status": "ok", "low": low, "text": voice}
    return {"author": "customer", "kind": "audio", "text": voice, "transcript": transcript} if voice else None


@asynccontextmanager
async def open_room(folder: Path) -> AsyncIterator[Room]:
    """Starts a database with the seeded businesses."""
    server = embedded.start(folder)
    await migrate(server.dsn)
    pool = await open_pool(server.dsn, max_size=6)
    clock = Clock()
    crm = Crm(pool, clock)
    try:
        ids = await enter_seeds(crm)
        services: dict[str, Any] = {item.name: NotNeeded() for item in fields(Context)}
        services |= {"crm": crm, "phrases": Phrases.load(), "clock": clock, "profiles": Profiles()}
        yield Room(server.dsn, crm, clock, Context(**services), ids)
    finally:
        await pool.close()
        server.stop()
