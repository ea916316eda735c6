"""Which trace the running code is part of: carried from process to process beside the work itself.

A trace is what one cause sets in motion: a webhook, the turn it leads to, the messages that turn sends. It is
named by a `traceparent` of the W3C (https://www.w3.org/TR/trace-context/#traceparent-header): version, 32
digits that name the trace, 16 that name the step within it, flags. Rows of the road in and of the road out
keep the one they were written under; log lines show its 32 digits. Nothing here sends anything anywhere: what
records and exports spans is handed in as `Spans`; where nothing does, `Unrecorded` costs next to nothing.
"""

import os
import re
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from contextvars import ContextVar
from typing import Literal, Protocol

Kind = Literal["internal", "server", "client", "consumer"]
Attribute = str | int | float

_SHAPE = re.compile(r"00-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}")
_parent: ContextVar[str | None] = ContextVar("traceparent", default=None)


def current() -> str | None:
    """The traceparent of what is being done; None outside of any trace."""
    return _parent.get()


def trace_id() -> str | None:
    """The 32 digits that name the trace of what is being done; None outside of any."""
    parent = _parent.get()
    return None if parent is None else parent[3:35]


def is_traceparent(text: str) -> bool:
    """Whether a text names a trace and a step of it."""
    return _SHAPE.fullmatch(text) is not None


@contextmanager
def following(traceparent: str) -> Iterator[None]:
    """What is done inside the block is part of that trace."""
    token = _parent.set(traceparent)
    try:
        yield
    finally:
        _parent.reset(token)


def new() -> str:
    """A trace that nobody records: it ties log lines of several processes together."""
    digits = os.urandom(24).hex()
    return f"00-{digits[:32]}-{digits[32:]}-00"


class Span(Protocol):
    """One step of a trace while it is being done."""

    def note(self, **attributes: Attribute) -> None:
        """Adds to what is known of it: ids, counts and names of kinds, never a person's words or number."""
        ...


class Spans(Protocol):
    """What records the steps of traces."""

    def span(
        self,
        name: str,
        *,
        kind: Kind = "internal",
        parent: str | None = None,
        links: Sequence[str] = (),
        **attributes: Attribute,
    ) -> AbstractContextManager[Span]:
        """A step that lasts as long as the block.

        `parent` is the traceparent of the step that caused it, where that was another job or another process;
        without one it is part of the step around it, and where there is none a new trace begins. `links` are
        traceparents of further causes. Attributes as in `Span.note`.
        """
        ...


class Unrecorded:
    """Traces with names and without spans: the default."""

    def span(
        self,
        name: str,
        *,
        kind: Kind = "internal",
        parent: str | None = None,
        links: Sequence[str] = (),
        **attributes: Attribute,
    ) -> AbstractContextManager[Span]:
        """Sees to it that there is a trace to name in logs; keeps nothing."""
        if parent is not None:
            return _named(parent)
        return _named(new()) if _parent.get() is None else nullcontext(_NOTHING)


class _Nothing:
    def note(self, **attributes: Attribute) -> None:
        """Nobody asked."""


_NOTHING = _Nothing()


@contextmanager
def _named(traceparent: str) -> Iterator[Span]:
    with following(traceparent):
        yield _NOTHING
