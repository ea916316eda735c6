"""A language model's engine that takes its time and always says the same: for what waits for one.

Speaks OpenAI's `/v1/chat/completions`. It answers any number at once, each after `think_s`: measured is
not the engine but how many turns wait for one side by side.
"""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from sara.local import HOST, listen, serving

MODEL = "slow"
_SAYS = json.dumps(
    {
        "reply": "Volentieri! Mi dica pure.",
        "intent": "small_talk",
        "arguments": {},
        "citations": [],
        "confidence": 0.9,
    }
)


@asynccontextmanager
async def engine(think_s: float) -> AsyncIterator[str]:
    """The base URL of an engine in this process."""
    with listen(0) as listener:
        async with serving(_app(think_s), listener):
            yield f"http://{HOST}:{listener.getsockname()[1]}/v1"


def _app(think_s: float) -> Starlette:
    async def answer(request: Request) -> JSONResponse:
        await request.body()
        await asyncio.sleep(think_s)
        return JSONResponse(
            {
                "id": "chatcmpl-bench",
                "object": "chat.completion",
                "created": 0,
                "model": MODEL,
                "choices": [
                    {
                        "index": 0,
                        "finish_reason": "stop",
                        "message": {"role": "assistant", "content": _SAYS},
                    }
                ],
                "usage": {"prompt_tokens": 1000, "completion_tokens": 40, "total_tokens": 1040},
            }
        )

    return Starlette(routes=[Route("/v1/chat/completions", answer, methods=["POST"])])
