"""A model engine on loopback that says what it is told to, well or badly.

Speaks Ollama's `/api/chat` (NDJSON stream) and `/api/tags`, and OpenAI's `/v1/chat/completions` and
`/v1/models`, so that the real clients are tested with the faults real engines have.
"""

import asyncio
import json
from collections import deque
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

_PIECE = 24  # characters of one streamed part
_NANOSECONDS = 1_000_000


@dataclass(frozen=True)
class Says:
    """A whole answer. `wait_s` passes before its first part and `pause_s` after each."""

    text: str
    wait_s: float = 0.0
    pause_s: float = 0.0


@dataclass(frozen=True)
class Dies:
    """The connection is dropped after these words; with none, before the first part."""

    after: str = ""


@dataclass(frozen=True)
class Refuses:
    """An error of the engine, as it words it: 404 for a model that was not pulled, 500 for a crash."""

    status: int
    error: str


@dataclass(frozen=True)
class Babbles:
    """A success whose body is not the protocol's at all (a proxy's login page, half a line of JSON)."""

    body: bytes


@dataclass(frozen=True)
class CutShort:
    """An answer that ends at its length limit, in the middle of a word."""

    text: str


Answer = Says | Dies | Refuses | Babbles | CutShort


@dataclass(frozen=True)
class Called:
    """One request as it came in."""

    path: str
    body: dict[str, Any]

    @property
    def system(self) -> str:
        """The stable prefix."""
        return str(self.body["messages"][0]["content"])

    @property
    def turn(self) -> str:
        """The last message: this turn's facts and the customer's words."""
        return str(self.body["messages"][-1]["content"])


@dataclass
class FakeEngine:
    """The engine: `script` is said in order, then `otherwise` for ever; `calls` is what was asked.

    A call whose system prompt begins with `aside` is no part of the script: a job that works beside the turns
    would take the words that are meant for one. It gets no proposal, and the model is not down for that.
    """

    model: str
    url: str = ""
    otherwise: Answer = field(default_factory=lambda: Refuses(500, "the script is at its end"))
    script: deque[Answer] = field(default_factory=deque)
    calls: list[Called] = field(default_factory=list)
    aside: str | None = None
    _runner: web.AppRunner | None = None
    _port: int = 0

    async def start(self) -> None:
        """Listens, again on the port it had before."""
        app = web.Application()
        app.router.add_post("/api/chat", _ollama(self))
        app.router.add_get("/api/tags", _tags(self.model))
        app.router.add_get("/v1/models", _models(self.model))
        app.router.add_post("/v1/chat/completions", _openai(self))
        self._runner = web.AppRunner(app, shutdown_timeout=0.2, handler_cancellation=True)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", self._port).start()
        self._port = self._runner.addresses[0][1]
        self.url = f"http://127.0.0.1:{self._port}"

    async def stop(self) -> None:
        """Drops every connection and refuses new ones."""
        if self._runner is not None:
            await self._runner.cleanup()

    def will(self, *answers: Answer | str) -> None:
        """Starts over: these answers next, and no calls so far. A string is a whole answer."""
        self.calls.clear()
        self.script = deque(Says(answer) if isinstance(answer, str) else answer for answer in answers)

    def next(self, path: str, body: dict[str, Any]) -> Answer:
        """What to answer to this request, which is remembered."""
        called = Called(path, body)
        if self.aside is not None and called.system.startswith(self.aside):
            return Says("not in this script")
        self.calls.append(called)
        return self.script.popleft() if self.script else self.otherwise


def proposal(reply: str, intent: str = "answer", **more: object) -> str:
    """A proposal as a good model writes it; `more` are the other fields of inference.chat.Proposal."""
    whole = {"reply": reply, "intent": intent, "arguments": {}, "citations": [], "confidence": 0.9, **more}
    return json.dumps(whole, ensure_ascii=False)


@asynccontextmanager
async def engine(model: str = "fake") -> AsyncIterator[FakeEngine]:
    """A running engine that lists one model, on a free port of 127.0.0.1."""
    fake = FakeEngine(model)
    await fake.start()
    try:
        yield fake
    finally:
        await fake.stop()


def _tags(model: str) -> Any:
    name = model if ":" in model else f"{model}:latest"

    async def tags(_: web.Request) -> web.Response:
        return web.json_response({"models": [{"name": name, "model": name}]})

    return tags


def _models(model: str) -> Any:
    async def models(_: web.Request) -> web.Response:
        return web.json_response({"object": "list", "data": [{"id": model, "object": "model"}]})

    return models


def _ollama(fake: FakeEngine) -> Any:
    async def chat(request: web.Request) -> web.StreamResponse:
        body = await request.json()
        answer = fake.next(request.path, body)
        if isinstance(answer, Refuses):
            return web.json_response({"error": answer.error}, status=answer.status)
        if isinstance(answer, Babbles):
            return web.Response(body=answer.body, content_type="application/x-ndjson")
        return await _stream(request, str(body["model"]), answer)

    return chat


async def _stream(request: web.Request, model: str, answer: Says | Dies | CutShort) -> web.StreamResponse:
    response = web.StreamResponse(headers={"Content-Type": "application/x-ndjson"})
    pause = answer.pause_s if isinstance(answer, Says) else 0.0
    await asyncio.sleep(answer.wait_s if isinstance(answer, Says) else 0.0)
    await response.prepare(request)
    text = answer.after if isinstance(answer, Dies) else answer.text
    for piece in _pieces(text):
        await response.write(_line(model, piece))
        await asyncio.sleep(pause)
    if isinstance(answer, Dies):
        _drop(request)
        return response
    await response.write(_line(model, "", done="stop" if isinstance(answer, Says) else "length"))
    await response.write_eof()
    return response


def _drop(request: web.Request) -> None:
    """Ends the connection as a crashed process does: without the stream's last chunk."""
    if request.transport is not None:
        request.transport.abort()


def _pieces(text: str) -> Iterable[str]:
    return (text[at : at + _PIECE] for at in range(0, len(text), _PIECE))


def _line(model: str, content: str, *, done: str | None = None) -> bytes:
    """One line of Ollama's stream; the last one carries the reason and the timings (ns)."""
    line: dict[str, Any] = {
        "model": model,
        "created_at": "2026-11-19T10:00:00.000000Z",
        "message": {"role": "assistant", "content": content},
        "done": done is not None,
    }
    if done is not None:
        timings = {"total_duration": 900 * _NANOSECONDS, "eval_duration": 500 * _NANOSECONDS}
        line |= {"done_reason": done, "prompt_eval_count": 700, "eval_count": 60, **timings}
    return json.dumps(line).encode() + b"\n"


def _openai(fake: FakeEngine) -> Any:
    async def completions(request: web.Request) -> web.StreamResponse:
        body = await request.json()
        answer = fake.next(request.path, body)
        if isinstance(answer, Refuses):
            error = {"message": answer.error, "type": "invalid_request_error", "code": None}
            return web.json_response({"error": error}, status=answer.status)
        if isinstance(answer, Babbles):
            return web.Response(body=answer.body, content_type="application/json")
        if isinstance(answer, Dies):
            _drop(request)
            return web.Response()
        return await _completion(request, str(body["model"]), answer)

    return completions


async def _completion(request: web.Request, model: str, answer: Says | CutShort) -> web.StreamResponse:
    """The completion in one piece of JSON, with pauses between its pieces where told so."""
    finish = "stop" if isinstance(answer, Says) else "length"
    whole = json.dumps(
        {
            "id": "chatcmpl-1",
            "object": "chat.completion",
            "created": 1763546400,
            "model": model,
            "choices": [
                {
                    "index": 0,
                    "finish_reason": finish,
                    "message": {"role": "assistant", "content": answer.text},
                }
            ],
            "usage": {"prompt_tokens": 700, "completion_tokens": 60, "total_tokens": 760},
        }
    )
    await asyncio.sleep(answer.wait_s if isinstance(answer, Says) else 0.0)
    response = web.StreamResponse(headers={"Content-Type": "application/json"})
    await response.prepare(request)
    for piece in _pieces(whole):
        await response.write(piece.encode())
        await asyncio.sleep(answer.pause_s if isinstance(answer, Says) else 0.0)
    await response.write_eof()
    return response
