"""What a price list or a table of opening hours says, row by row, as typed values."""

from dataclasses import dataclass
from datetime import time
from decimal import Decimal
from typing import Literal

PriceUnit = Literal["session", "hour", "person", "month", "percent", "case"]
Span = tuple[time, time]


class Unclear(ValueError):
    """A cell that cannot be read with certainty; the message says why, and what to write where that helps."""


@dataclass(frozen=True)
class ServiceFact:
    """One priced row. Amounts are in the business's currency; with unit percent a percentage.

    `name` is what the service would be entered as, `also` are other ways to write the same (with its length
    behind it). `base` is the name without what tells it from its namesakes in the list ("Massaggio" of
    "Massaggio (80 minuti)"): a service of that name is the same one only if it takes as long, and not at all
    where `by_length` is False. `price_unit` None means that the list does not say.
    """

    name: str
    also: tuple[str, ...]
    base: str
    by_length: bool
    language: str | None
    duration_minutes: int | None
    on_request: bool
    price: Decimal | None
    price_max: Decimal | None
    price_unit: PriceUnit | None
    row: str


@dataclass(frozen=True)
class HoursFact:
    """When a place is open on one day of the week, Monday being 0; no spans: closed.

    `context` holds the words that may tell which place it is: a cell, headings, the document's title.
    """

    weekday: int
    spans: tuple[Span, ...]
    context: tuple[str, ...]
    language: str | None
    row: str


@dataclass(frozen=True)
class Unread:
    """A row of a price list or of hours that says something nobody could be sure of."""

    row: str
    reason: str


@dataclass(frozen=True)
class Facts:
    """Everything a document states in tables."""

    services: tuple[ServiceFact, ...] = ()
    hours: tuple[HoursFact, ...] = ()
    unread: tuple[Unread, ...] = ()

    @property
    def untold(self) -> bool:
        """Whether the document leaves open in which language it is."""
        languages = [*(fact.language for fact in self.services), *(fact.language for fact in self.hours)]
        return None in languages
