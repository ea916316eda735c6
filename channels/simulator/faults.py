"""The faults a Graph API can have, drawn from a seeded source so that a run can be repeated."""

from __future__ import annotations

import random
from collections import defaultdict, deque
from typing import Literal

from fastapi import Response
from starlette.types import Receive, Scope, Send

from channels.simulator.settings import Faults

Fault = Literal["p500", "p429", "p_reset", "p_lost_answer", "p_timeout"]
Scripted = Literal["p500", "p429", "p_reset", "p_lost_answer", "p_timeout", "none"]
FAULTS: tuple[Fault, ...] = ("p500", "p429", "p_reset", "p_lost_answer", "p_timeout")


class FaultPlan:
    """Draws which fault, if any, the next send meets; `now` may be replaced while running."""

    def __init__(self, faults: Faults) -> None:
        self.now = faults
        self.script: deque[Scripted] = deque()
        """What the next sends meet, in order, before anything is drawn."""
        self.refusals: deque[int] = deque()
        """Codes with which the next sends are refused, in order, before anything is drawn."""
        self._script_of: dict[str, deque[Scripted]] = defaultdict(deque)
        self._refusals_of: dict[str, deque[int]] = defaultdict(deque)
        self._random = random.Random(faults.seed)  # noqa: S311 - draws faults, guards nothing

    def meets(self, wa_id: str, *faults: Scripted) -> None:
        """What the next sends to one customer meet, whatever is sent to others meanwhile."""
        self._script_of[wa_id].extend(faults)

    def refuses(self, wa_id: str, *codes: int) -> None:
        """Codes with which the next sends to one customer are refused."""
        self._refusals_of[wa_id].extend(codes)

    def left_for(self, wa_id: str) -> int:
        """How many scripted faults and refusals still wait for a customer."""
        return len(self._script_of[wa_id]) + len(self._refusals_of[wa_id])

    def refusal(self, wa_id: str | None) -> int | None:
        """The code with which this send is refused as it was told, if it was."""
        told = self._refusals_of.get(wa_id or "") or self.refusals
        return told.popleft() if told else None

    def draw(self, wa_id: str | None = None) -> Fault | None:
        """What is scripted for this customer or for anybody, else the first fault whose share is hit."""
        script = self._script_of.get(wa_id or "") or self.script
        if script:
            scripted = script.popleft()
            return None if scripted == "none" else scripted
        if self._burst_left():
            return "p500"
        return next((fault for fault in FAULTS if self._random.random() < getattr(self.now, fault)), None)

    def _burst_left(self) -> bool:
        """Counts down the burst asked for; setting `now` anew starts another."""
        if self.now.burst_5xx <= 0:
            return False
        self.now = self.now.model_copy(update={"burst_5xx": self.now.burst_5xx - 1})
        return True

    def disorders(self) -> bool:
        """Whether the statuses of the next message come in the wrong order."""
        return self.now.p_disorder > 0 and self._random.random() < self.now.p_disorder

    def fails_media(self) -> bool:
        """Whether the next question after a media file fails; draws only where such faults are played."""
        return self.now.p_media > 0 and self._random.random() < self.now.p_media


class SeveredResponse(Response):
    """Promises a body and sends none: the server then breaks the connection, as a reset would.

    It works on any ASGI server, which offers no way to break a connection before the headers.
    """

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = [(b"content-type", b"application/json"), (b"content-length", b"2")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
