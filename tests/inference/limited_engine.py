"""An OpenAI-compatible engine on loopback with so many places: who comes when all are taken gets a 429.

Speaks `/v1/chat/completions` as vLLM, llama.cpp and OpenAI do, with `Retry-After` where a test sets it.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from aiohttp import web

from tests.inference.fake_ollama import proposal


@dataclass
class LimitedEngine:
    """`places` answers at once; each waits for `open`, and sets `busy`. `refuse` calls are refused first."""

    places: int
    url: str = ""
    retry_after: str | None = None
    refuse: int = 0
    code: str | None = None
    pause_s: float = 0.0
    open: asyncio.Event = field(default_factory=asyncio.Event)
    busy: asyncio.Event = field(default_factory=asyncio.Event)
    at_once: int = 0
    peak: int = 0
    answered: list[str] = field(default_factory=list)
    turned_away: int = 0

    async def completions(self, request: web.Request) -> web.Response:
        """One answer, or none."""
        body = await request.json()
        if self.refuse or self.at_once >= self.places:
            self.refuse = max(0, self.refuse - 1)
            self.turned_away += 1
            headers = {"Retry-After": self.retry_after} if self.retry_after else {}
            error = {"message": "too many requests", "type": "rate_limit", "code": self.code}
            return web.json_response({"error": error}, status=429, headers=headers)
        self.at_once += 1
        self.busy.set()
        self.peak = max(self.peak, self.at_once)
        try:
            await self.open.wait()
            await asyncio.sleep(self.pause_s)
        finally:
            self.at_once -= 1
        self.answered.append(str(body["messages"][-1]["content"]))
        message = {"role": "assistant", "content": proposal("Costa 65,00 €.")}
        return web.json_response(
            {
                "id": "chatcmpl-1",
                "object": "chat.completion",
                "created": 1763546400,
                "model": "fake",
                "choices": [{"index": 0, "finish_reason": "stop", "message": message}],
                "usage": {"prompt_tokens": 700, "completion_tokens": 60, "total_tokens": 760},
            }
        )


@asynccontextmanager
async def limited_engine(places: int) -> AsyncIterator[LimitedEngine]:
    """A running engine on a free port of 127.0.0.1, its door open."""
    engine = LimitedEngine(places)
    engine.open.set()
    app = web.Application()
    app.router.add_post("/v1/chat/completions", engine.completions)
    runner = web.AppRunner(app, shutdown_timeout=0.2, handler_cancellation=True)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    engine.url = f"http://127.0.0.1:{runner.addresses[0][1]}/v1"
    try:
        yield engine
    finally:
        await runner.cleanup()
