"""The live services a turn needs, injected into every node as Runtime[Context].

Only their types are named here: a process that runs no turns imports this too, and carries no models.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Protocol

from crm.profiles import Profiles
from crm.record import Crm
from crm.sealing import Seal
from knowledge.phrases import Phrases

if TYPE_CHECKING:
    from inference.chat import ChatModel
    from inference.classify import IntentClassifier
    from inference.embed import Embedder
    from inference.grounding_reader import Reader
    from inference.language import LanguageIdentifier
    from inference.sensitivity import SensitivityScorer
    from inference.speech import Transcriber
    from knowledge.search import KnowledgeSearch

Clock = Callable[[], datetime]


class MediaUnusable(Exception):
    """The voice note cannot be had whole: gone, too big or not what was announced. Ask for it again.

    `reason` is too_big, or unavailable for everything else.
    """

    def __init__(self, message: str, *, reason: str = "unavailable") -> None:
        super().__init__(message)
        self.reason = reason


class ToolServices(Protocol):
    """What a tool works with: the record, and the sentences of the customer's language."""

    @property
    def crm(self) -> Crm:
        """The record."""
        ...

    @property
    def phrases(self) -> Phrases:
        """SARA's own sentences."""
        ...


class Notify(Protocol):
    """Tells people that a hand-over waits for one of them; once, however often it is called with the same."""

    async def __call__(self, business_id: int, handoff_id: int, alarm: str | None = None) -> None:
        """`alarm`: it has become an emergency, in the turn of this id."""


class MediaSource(Protocol):
    """Where a customer's voice note is fetched from."""

    async def fetch(self, media_id: str, sha256: str | None, phone_number_id: str) -> bytes:
        """The bytes behind a media id, whole and verified; `phone_number_id` is the number it was sent to.

        Raises MediaUnusable when they cannot be had; lets retryable errors of the channel through.
        """
        ...


@dataclass(frozen=True)
class Tuning:
    """Thresholds of the turn; settings fill them in."""

    passages: int = 3
    abstain_below: float = 0.35  # how sure a passage must be of answering to be taken for one
    confidence_below: float = 0.35  # a proposal less sure than this goes to a human
    flood_messages: int = 200  # more of one customer within flood_minutes, and a person has to look
    flood_minutes: float = 10.0
    gather_seconds: float = 1.5
    voice_seconds: float = 300.0  # the longest voice note that is listened to


@dataclass(frozen=True)
class Context:
    """Live services. Built once per process by sara.services; nothing here knows settings."""

    crm: Crm
    search: KnowledgeSearch
    chat: ChatModel
    last_resort: ChatModel  # needs no engine; what a checked turn falls back to
    embedder: Embedder  # what the small heads were trained on
    one_embedder: bool  # whether passages are embedded with it too, so that a message is embedded once
    intents: IntentClassifier
    sensitivity: SensitivityScorer
    languages: LanguageIdentifier
    transcriber: Transcriber
    media: MediaSource
    phrases: Phrases
    clock: Clock
    tuning: Tuning = field(default_factory=Tuning)
    profiles: Profiles = field(default_factory=Profiles)
    seal: Seal | None = None  # encrypts the sound of voice notes; None: it is not kept
    reader: Reader | None = None  # judges freely worded replies beside the first judge
    notify: Notify | None = None  # tells people that one of them is needed
    watch: Callable[[str], AbstractContextManager[None]] | None = None  # measures a node while it runs
