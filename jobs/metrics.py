"""What turns and deliveries are counted by.

Labels come from short lists: never an id, a number, a name or a word of anybody.
"""

from collections.abc import Collection, Mapping
from typing import Any, get_args

from prometheus_client import CollectorRegistry, Counter, Histogram

from channels.whatsapp.errors import BY_CODE, WhatsAppError
from inference.chat import Intent
from inference.language import LANGUAGES

OTHER = "other"
_INTENTS = frozenset({*get_args(Intent), "handoff"})
_MOST_OUTCOMES = 40
_TURN_S = (0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 45, 90)
_NODE_S = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60)
_MODEL_S = (0.01, 0.05, 0.1, 0.25, 0.5, 1, 2, 4, 8, 15, 30, 60)
_EMBED_S = (0.0005, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 1, 5)
_HEAR_S = (0.1, 0.25, 0.5, 1, 2, 4, 8, 15, 30, 60)
_SEND_S = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)


class WorkMetrics:
    """Counters and histograms of a process that runs turns and deliveries; times in seconds."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._outcomes: set[str] = set()
        self._turns = Counter(
            "sara_turns", "Turns that came to an end", ["outcome", "intent", "language"], registry=registry
        )
        self._turn_seconds = Histogram(
            "sara_turn_seconds", "Time of one turn", buckets=_TURN_S, registry=registry
        )
        self._failures = Counter(
            "sara_turn_failures", "Turns that failed and are tried again", registry=registry
        )
        self._quarantined = Counter(
            "sara_turns_quarantined", "Turns that failed every time and went to a person", registry=registry
        )
        self._nodes = Histogram(
            "sara_node_seconds", "Time of one node of a turn", ["node"], buckets=_NODE_S, registry=registry
        )
        self._sends = Counter(
            "sara_sends", "Messages by what came of sending them", ["result", "code"], registry=registry
        )
        self._send_seconds = Histogram(
            "sara_send_seconds", "Time of one request that sends", buckets=_SEND_S, registry=registry
        )
        self._waits = Counter(
            "sara_governor_waits", "Messages that had to wait for their turn", ["reason"], registry=registry
        )
        self._models = Counter(
            "sara_model_calls", "Calls of language models", ["model", "result"], registry=registry
        )
        self._model_seconds = Histogram(
            "sara_model_seconds", "Time of one call", ["model"], buckets=_MODEL_S, registry=registry
        )
        self._tokens = Counter(
            "sara_model_tokens", "Tokens read and written", ["model", "kind"], registry=registry
        )
        self._embeddings = Histogram(
            "sara_embedding_seconds", "Time to embed one message", buckets=_EMBED_S, registry=registry
        )
        self._embedding_failures = Counter(
            "sara_embedding_failures", "Messages that could not be embedded", registry=registry
        )
        self._notes = Counter("sara_voice_notes", "Voice notes listened to", ["status"], registry=registry)
        self._hearing = Histogram(
            "sara_voice_note_seconds", "Time to listen to one", buckets=_HEAR_S, registry=registry
        )

    def begin(self) -> None:
        """Shows the results that alerts ask for before the first of them has come."""
        for result in ("accepted", "refused", "held"):
            self._sends.labels(result, "")
        self._notes.labels("failed")

    def turn(self, event: str, before: Mapping[str, Any], after: Mapping[str, Any], seconds: float) -> None:
        """An event of kind `event` was taken in: what its thread remembered before and remembers now."""
        outcome = after.get("outcome") or {}
        kind = str(outcome.get("kind", "answered"))
        if _with_person(before):  # until one gives it back, what came of the last turn stays in the thread
            kind = "with_person" if _with_person(after) else "resolved" if event == "resolve" else kind
        self._turns.labels(
            self._known_outcome(kind),
            _within(outcome.get("intent"), _INTENTS),
            _within(after.get("language"), LANGUAGES),
        ).inc()
        self._turn_seconds.observe(seconds)

    def failed(self) -> None:
        """A turn failed and is tried again."""
        self._failures.inc()

    def quarantined(self) -> None:
        """A turn failed too often: a person has its conversation."""
        self._quarantined.inc()

    def node(self, name: str, seconds: float) -> None:
        """A node ran."""
        self._nodes.labels(name).observe(seconds)

    def sent(self, seconds: float, error: WhatsAppError | None = None, *, result: str = "accepted") -> None:
        """A request to send was answered, or not."""
        self._send_seconds.observe(seconds)
        self.settled(result, error)

    def settled(self, result: str, error: WhatsAppError | None = None) -> None:
        """What came of a message: accepted, again, unknown, refused, held or superseded."""
        self._sends.labels(result, "" if error is None else _code(error.code)).inc()

    def waits(self, reason: str | None) -> None:
        """The governor had no turn for a message yet: number, pair, tier, cooldown or stopped."""
        self._waits.labels(reason or OTHER).inc()

    def model(self, name: str, result: str, seconds: float, usage: Mapping[str, int]) -> None:
        """A language model was asked: ok, unavailable, busy, bad_output, or over_budget when it was not."""
        self._models.labels(name, result).inc()
        self._model_seconds.labels(name).observe(seconds)
        for kind in ("input_tokens", "output_tokens"):
            if usage.get(kind):
                self._tokens.labels(name, kind.removesuffix("_tokens")).inc(usage[kind])

    def embedded(self, seconds: float) -> None:
        """A message was embedded; one embedded a moment ago is remembered, and in the first bucket."""
        self._embeddings.observe(seconds)

    def not_embedded(self) -> None:
        """The embedding model failed."""
        self._embedding_failures.inc()

    def heard(self, status: str, seconds: float) -> None:
        """A voice note was listened to: ok, unclear, rejected or failed."""
        self._notes.labels(status).inc()
        self._hearing.observe(seconds)

    def _known_outcome(self, kind: str) -> str:
        """Outcomes are named all over the tools; a mistake there must not make series without end."""
        if kind not in self._outcomes:
            if len(self._outcomes) >= _MOST_OUTCOMES:
                return OTHER
            self._outcomes.add(kind)
        return kind


def _with_person(state: Mapping[str, Any]) -> bool:
    return bool((state.get("handoff") or {}).get("open"))


def _within(value: object, known: Collection[str]) -> str:
    return value if isinstance(value, str) and value in known else OTHER if value else "none"


def _code(code: int | None) -> str:
    """Meta's code, if it is one of its public list."""
    if code is None:
        return "none"
    return str(code) if code in BY_CODE else OTHER
