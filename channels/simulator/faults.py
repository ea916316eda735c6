"""The faults a Graph API can have, drawn from a seeded source so that a run can be repeated."""

from __future__ import annotations

import random
from typing import Literal

from fastapi import Response
from starlette.types import Receive, Scope, Send

from channels.simulator.settings import Faults

Fault = Literal["p500", "p429", "p_reset", "p_lost_answer", "p_timeout"]
FAULTS: tuple[Fault, ...] = ("p500", "p429", "p_reset", "p_lost_answer", "p_timeout")


class FaultPlan:
    """Draws which fault, if any, the next send meets; `now` may be replaced while running."""

    def __init__(self, faults: Faults) -> None:
        self.now = faults
        self._random = random.Random(faults.seed)  # noqa: S311 - draws faults, guards nothing

    def draw(self) -> Fault | None:
        """The first fault whose share is hit."""
        return next((fault for fault in FAULTS if self._random.random() < getattr(self.now, fault)), None)


class SeveredResponse(Response):
    """Promises a body and sends none: the server then breaks the connection, as a reset would.

    It works on any ASGI server, which offers no way to break a connection before the headers.
    """

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = [(b"content-type", b"application/json"), (b"content-length", b"2")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
