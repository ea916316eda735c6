"""A seeded history as it is chosen: the rows that will be written, and what is true of them."""

import random
from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from sara.history_truth import Fact

# Identity columns first; business_id is added when they are written.
COLUMNS: dict[str, tuple[str, ...]] = {
    "contact": ("contact_id", "wa_id", "name", "language", "lifecycle", "created_at", "last_seen_at"),
    "conversation": ("conversation_id", "contact_id", "phone_number_id", "owner", "status", "last_intent",
                     "last_outcome", "opened_at", "last_customer_at", "last_activity_at", "closed_at"),
    "message": ("message_id", "conversation_id", "contact_id", "author", "wamid", "kind", "body", "language",
                "media_voice", "transcript", "transcript_status", "status", "sent_at", "created_at"),
    "outbox": ("outbox_id", "conversation_id", "message_id", "turn_id", "ordinal", "epoch", "state",
               "attempts", "attempted_at", "settled_at", "purpose", "lane", "created_at"),
    "message_status": ("message_id", "status", "at", "received_at"),
    "turn": ("turn_id", "conversation_id", "message_id", "intent", "outcome", "language", "model",
             "tokens_in", "tokens_out", "seconds", "unanswered", "at"),
    "handoff": ("handoff_id", "conversation_id", "turn_id", "reason", "wants", "status", "opened_at",
                "claimed_at", "closed_at"),
    "lead": ("lead_id", "contact_id", "conversation_id", "wish", "score", "stage", "created_at",
             "updated_at"),
    "stage_change": ("stage_change_id", "lead_id", "from_stage", "to_stage", "at"),
    "crm_event": ("crm_event_id", "contact_id", "conversation_id", "kind", "key", "at"),
    "appointment": ("appointment_id", "contact_id", "conversation_id", "service_id", "resource_id", "during",
                    "status", "price", "idempotency_key", "created_at"),
    "quote": ("quote_id", "contact_id", "conversation_id", "status", "currency", "number", "issued_at",
              "valid_until", "decided_at", "idempotency_key", "created_at"),
    "ticket": ("ticket_id", "contact_id", "conversation_id", "status", "description", "priority",
               "answer_due", "solve_due", "answered_at", "closed_at", "idempotency_key", "created_at"),
}  # fmt: skip
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


class Ref(NamedTuple):
    """The id of a row that is not written yet."""

    table: str
    number: int


@dataclass
class Person:
    """A customer of the history."""

    contact: Ref
    language: str
    first_seen: datetime
    last_seen: datetime
    name: str
    has_lead: bool = False


class Plan:
    """Rows and facts, which grow, and the chance that chooses. Nothing happens after `now`."""

    def __init__(self, words: Mapping[str, Any], zone: ZoneInfo, now: datetime, seed: int) -> None:
        self.words, self.zone, self.now = words, zone, now
        self.chance = random.Random(seed)  # noqa: S311
        self.rows: dict[str, list[list[Any]]] = defaultdict(list)
        self.counts: Counter[str] = Counter()
        self.facts: list[Fact] = []
        self.unanswered: Counter[str] = Counter()
        self.number = "history"
        self.places: list[tuple[int, int]] = []
        self.people: list[Person] = []
        self.taken: Counter[tuple[int, date]] = Counter()
        self.prefix = f"{3990 + seed % 10}{seed:04d}"

    def new(self, table: str, *values: Any) -> Ref:
        """One more row with an id of its own."""
        ref = Ref(table, self.counts[table])
        self.counts[table] += 1
        self.rows[table].append([ref, *values])
        return ref

    def reserve(self, table: str) -> Ref:
        """The id of a row whose values come later."""
        self.counts[table] += 1
        return Ref(table, self.counts[table] - 1)

    def true(self, name: str, at: datetime, value: float, of: Ref | None = None, key: str = "") -> None:
        """It counts for the day that it is at the business at that moment; `of` is the conversation."""
        day = at.astimezone(self.zone).date()
        self.facts.append(Fact(name, day, value, None if of is None else of.number, key))

    def likely(self, share: float) -> bool:
        """Whether it happens, in that share of all cases."""
        return self.chance.random() < share

    def after(self, least: float, most: float) -> timedelta:
        """Some time between two numbers of seconds, to the millisecond."""
        return timedelta(milliseconds=round(self.chance.uniform(least, most) * 1000))

    def one(self, what: str, language: str | None = None) -> Any:
        """Any of the words for something."""
        words = self.words[what]
        return self.chance.choice(words[language] if language else words)

    def meet(self, at: datetime) -> Person:
        """Somebody new."""
        language = self.chance.choices(["it", "en", "es", "pt"], [55, 20, 15, 10])[0]
        name = str(self.one("names", language))
        person = Person(self.reserve("contact"), language, at, at, name)
        self.people.append(person)
        return person

    def known(self) -> None:
        """Writes the people down, now that it is known when they were seen last."""
        for person in self.people:
            wa_id = f"{self.prefix}{person.contact.number:06d}"
            self.rows["contact"].append(
                [
                    person.contact,
                    wa_id,
                    person.name,
                    person.language,
                    "lead",
                    person.first_seen,
                    person.last_seen,
                ]
            )
