"""A turn as data: what a responder that reads no prompt works from."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

Say = Callable[..., str]


@dataclass(frozen=True)
class Piece:
    """Something that may be said: a live fact (kind 'fact') or a passage of a document (kind 'passage').

    `score` is how sure a passage is of answering; facts have 1. `names` are what its subject is called.
    """

    id: str
    kind: str
    text: str
    language: str
    score: float = 1.0
    asked: bool = True  # False for a fact the words merely touch
    source: str = ""
    title: str = ""
    section: str = ""
    topic: str = ""
    names: tuple[str, ...] = ()


@dataclass(frozen=True)
class Material:
    """The customer's words, what is known about them, and what may be said.

    `intent` and `confidence` are the classifier's, `scores` its probabilities by class; `say` speaks SARA's
    own sentences in the customer's language; a passage scoring under `abstain_below` is not taken for an
    answer.
    """

    text: str
    language: str
    language_name: Callable[[str], str]
    intent: str
    confidence: float
    pieces: tuple[Piece, ...]
    business: str
    contact: str | None
    first_turn: bool
    abstain_below: float
    say: Say
    scores: Mapping[str, float] = field(default_factory=dict)
    client: bool = False  # somebody who has paid here before
