"""Chat models behind one small protocol: a request in, a typed proposal out.

The chain: a local Ollama model (or any OpenAI-compatible engine), any second model, and last the
extractive responder, which needs no model at all. An outage costs wording, never truth.
"""

import asyncio
import json
import re
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Annotated, Any, Literal, Protocol

import httpx
from pydantic import AfterValidator, BaseModel, Field, SecretStr, ValidationError

from inference.errors import BadModelOutput, EngineBusy, ModelUnavailable, RequestRefused
from inference.gate import too_busy
from inference.material import Material

if TYPE_CHECKING:  # the clients' libraries take 60 MB: only what talks to an engine loads them
    from langchain_core.language_models import BaseChatModel
    from langchain_core.messages import BaseMessage

MOST_TOKENS = 700  # of one answer: three sentences and their arguments fit several times
_THIS_REQUEST = (400, 413, 422)  # it is malformed or too long for the engine, or breaks a rule of its owner
_CONNECT_S = 1.0  # an engine is near; one that cannot be reached must not cost the customer's patience
_AWAY = (TimeoutError, httpx.HTTPError, ConnectionError)
# What the clients let through when a body is not the protocol's (a proxy's page, an empty stream).
_NOT_THE_PROTOCOL = (ValueError, TypeError, KeyError, IndexError, AttributeError)

Intent = Literal[
    "answer",
    "greeting",
    "book_appointment",
    "reschedule_cancel",
    "reschedule_appointment",
    "cancel_appointment",
    "list_my_appointments",
    "request_quote",
    "accept_quote",
    "quote_status",
    "qualify_lead",
    "open_ticket",
    "ticket_status",
    "update_contact",
    "opt_out",
    "escalate_to_human",
    "other",
]


# JSON can hold a NUL and half an emoji, and PostgreSQL cannot.
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")
Words = Annotated[str, AfterValidator(lambda text: _UNSTORABLE.sub("", text))]


class Arguments(BaseModel):
    """What the model believes the customer asked for. Hints only: tools check every one of them."""

    service: Words | None = None
    when: Words | None = None
    people: int | None = None
    details: Words | None = None


class Proposal(BaseModel):
    """One answer of a model, before anybody has checked it."""

    reply: Words = Field(description="The message to the customer, in the customer's language.")
    intent: Intent
    arguments: Arguments = Field(default_factory=Arguments)
    citations: list[Words] = Field(default_factory=list, description="Ids of the facts and passages used.")
    confidence: float = Field(ge=0, le=1)
    sensitive: bool = Field(
        default=False, description="True when the customer asks for legal, medical or financial advice."
    )
    abstained: bool = Field(default=False, description="True when facts and passages hold no answer.")


@dataclass(frozen=True)
class Request:
    """What is asked: the stable prefix first (so that an engine can reuse its cache), this turn's facts last.

    `history` are (role, text) pairs with role 'user' or 'assistant'. `material` is the same turn for
    responders that do not read prompts.
    """

    system: str
    turn: str
    material: Material
    history: Sequence[tuple[str, str]] = ()


@dataclass(frozen=True)
class Answered:
    """A proposal and where it came from. `usage`: its tokens, and those of answers of no use before it."""

    proposal: Proposal
    model: str
    seconds: float
    usage: dict[str, int] = field(default_factory=dict)


class ChatModel(Protocol):
    """Anything that can turn a request into a proposal."""

    @property
    def name(self) -> str:
        """What it is called in results and logs."""
        ...

    async def propose(self, request: Request) -> Answered:
        """Raises ModelUnavailable or BadModelOutput."""
        ...


class LangChainChat:
    """A LangChain chat model that answers in a JSON schema.

    Errors of its client's library: `refusals` say that the engine is not to be had, `halves` that an answer
    was cut short.
    """

    def __init__(
        self,
        name: str,
        model: "BaseChatModel",
        *,
        timeout_s: float,
        refusals: tuple[type[Exception], ...] = (),
        halves: tuple[type[Exception], ...] = (),
    ) -> None:
        self.name = name
        self._model = model
        self._timeout_s = timeout_s
        self._refusals: tuple[type[Exception], ...] = (*_AWAY, *refusals)
        self._halves = halves

    async def propose(self, request: Request) -> Answered:
        """One call. The time limit is over the whole answer: a stream that trickles counts as an outage.

        Raises ModelUnavailable (EngineBusy when it only has too much to do), BadModelOutput (RequestRefused
        when the engine takes others).
        """
        from langchain_core.messages import AIMessage, HumanMessage, SystemMessage

        messages: list[BaseMessage] = [SystemMessage(request.system)]
        messages += [
            HumanMessage(text) if role == "user" else AIMessage(text) for role, text in in_turns(request)
        ]
        started = time.perf_counter()
        try:
            async with asyncio.timeout(self._timeout_s):
                answer = await self._model.ainvoke(messages)
        except self._halves as error:
            raise BadModelOutput(f"no whole proposal: {error}", usage=_cut_short(error)) from error
        except self._refusals as error:
            reason = f"{self.name} did not answer ({type(error).__name__}: {error})"
            raise _only_this(error, reason) or too_busy(error, reason) or ModelUnavailable(reason) from error
        except _NOT_THE_PROTOCOL as error:
            reason = f"{self.name}: what answers there is no model engine ({type(error).__name__}: {error})"
            raise ModelUnavailable(reason) from error
        text = answer.content if isinstance(answer.content, str) else json.dumps(answer.content)
        usage: Any = answer.usage_metadata if isinstance(answer, AIMessage) else None
        counted = {k: int(v) for k, v in (usage or {}).items() if isinstance(v, int)}
        try:
            proposal = parse(text)
        except BadModelOutput as error:
            error.usage = counted
            raise
        return Answered(proposal, self.name, time.perf_counter() - started, counted)


def _cut_short(error: Exception) -> dict[str, int]:
    """The tokens of an answer of OpenAI's client that was cut short; nothing where it does not say."""
    usage = getattr(getattr(error, "completion", None), "usage", None)
    read, written = getattr(usage, "prompt_tokens", 0), getattr(usage, "completion_tokens", 0)
    return {"input_tokens": read, "output_tokens": written, "total_tokens": read + written} if usage else {}


def in_turns(request: Request) -> list[tuple[str, str]]:
    """What is said before and in this turn, customer and assistant by turns, the customer first and last.

    The chat templates of several models (Mistral's, Gemma's) take nothing else; people write in bursts, and a
    reminder is a conversation's first word.
    """
    joined: list[tuple[str, str]] = []
    for role, text in (*request.history, ("user", request.turn)):
        if joined and joined[-1][0] == role:
            joined[-1] = (role, f"{joined[-1][1]}\n{text}")
        elif joined or role == "user":
            joined.append((role, text))
        else:
            joined.append(("user", f"You wrote first: {text}"))
    return joined


def _only_this(error: Exception, reason: str) -> RequestRefused | None:
    """What a client's error is when it is about this request alone; None for any other."""
    return RequestRefused(reason) if getattr(error, "status_code", None) in _THIS_REQUEST else None


def parse(text: str) -> Proposal:
    """A model's text as a proposal: engines that do not enforce the schema put it between fences, behind
    their thoughts or before a remark. Raises BadModelOutput naming what is wrong with it.
    """
    try:
        return Proposal.model_validate(_object_in(text))
    except ValidationError as error:
        first = error.errors()[0]
        raise BadModelOutput(f"not a proposal: {first['msg']} at {first['loc'] or 'the top'}") from error
    except ValueError as error:
        raise BadModelOutput(f"not a proposal: no JSON object in it ({error})") from error


def _object_in(text: str) -> dict[str, Any]:
    """The first JSON object after a model's thoughts, without values that are null. Raises ValueError when
    there is none."""
    told = text.rpartition("</think>")[2]
    try:
        found, _ = json.JSONDecoder().raw_decode(told, told.index("{"))
    except RecursionError as error:
        raise ValueError("nested without end") from error
    return {key: value for key, value in found.items() if value is not None}


class ModelChain:
    """Models in order of preference. One that is down is skipped for a while instead of tried each time."""

    RETRY_AFTER_S = 20.0
    MOST_PAUSE_S = 120.0

    def __init__(self, models: Sequence[ChatModel]) -> None:
        if not models:
            raise ValueError("a chain needs at least one model")
        self._models = list(models)
        self._down_until: dict[str, float] = {}
        self._failures: Counter[str] = Counter()
        self._asked_again: set[str] = set()

    @property
    def name(self) -> str:
        """The models in order, as a person would write them."""
        return " → ".join(model.name for model in self._models)

    async def propose(self, request: Request) -> Answered:
        """The first valid proposal, with the tokens of all answers; a model gets one retry for garbage.

        Whether one that was down is back, one question finds out while all others go on to the next model: an
        engine that hangs holds up one turn then, and not every turn of the process. Raises ModelUnavailable
        when the last one failed too.
        """
        reasons: list[str] = []
        spent: Counter[str] = Counter()
        for model in self._models:
            down = model.name in self._down_until
            if down and (time.monotonic() < self._down_until[model.name] or model.name in self._asked_again):
                reasons.append(f"{model.name} was down a moment ago")
                continue
            try:
                if down:
                    self._asked_again.add(model.name)
                answered = await self._with_one_retry(model, request, spent)
                self._is_up(model.name)
                return answered
            except EngineBusy as error:  # it works: the next question may find a place
                reasons.append(str(error))
            except ModelUnavailable as error:
                self._is_down(model.name)
                reasons.append(str(error))
            except BadModelOutput as error:
                reasons.append(f"{model.name}: {error}")
            finally:
                if down:
                    self._asked_again.discard(model.name)
        raise ModelUnavailable("; ".join(reasons))

    def _is_up(self, name: str) -> None:
        self._down_until.pop(name, None)
        self._failures.pop(name, None)

    def _is_down(self, name: str) -> None:
        """Each question whether it is back costs somebody the whole time limit: they become rarer."""
        if time.monotonic() < self._down_until.get(name, 0):
            return  # asked at the same time as the one that found out
        pause = min(self.MOST_PAUSE_S, self.RETRY_AFTER_S * 2.0 ** min(self._failures[name], 16))
        self._down_until[name] = time.monotonic() + pause
        self._failures[name] += 1

    @staticmethod
    async def _with_one_retry(model: ChatModel, request: Request, spent: Counter[str]) -> Answered:
        """`spent` are the tokens of answers of no use, those of this model added."""
        try:
            answered = await model.propose(request)
        except RequestRefused:
            raise
        except BadModelOutput as first:
            spent.update(first.usage)
            try:
                answered = await model.propose(request)
            except BadModelOutput as second:
                spent.update(second.usage)
                raise
        return replace(answered, usage=dict(spent + Counter(answered.usage))) if spent else answered


def ollama_chat(name: str, *, base_url: str | None, timeout_s: float) -> LangChainChat:
    """A model served by Ollama; `format` makes it answer in the proposal's schema."""
    from langchain_ollama import ChatOllama
    from ollama import ResponseError

    model = ChatOllama(
        model=name,
        base_url=base_url,
        temperature=0,
        num_ctx=8192,
        num_predict=MOST_TOKENS,
        keep_alive="30m",
        reasoning=False,
        format=Proposal.model_json_schema(),
        client_kwargs={"timeout": httpx.Timeout(timeout_s, connect=_CONNECT_S)},
    )
    return LangChainChat(f"ollama:{name}", model, timeout_s=timeout_s, refusals=(ResponseError,))


def openai_chat(name: str, *, base_url: str | None, api_key: str | None, timeout_s: float) -> LangChainChat:
    """A model behind any OpenAI-compatible engine (vLLM, llama.cpp, OpenAI)."""
    from langchain_openai import ChatOpenAI
    from openai import ContentFilterFinishReasonError, LengthFinishReasonError, OpenAIError

    schema = {"name": "proposal", "schema": Proposal.model_json_schema(), "strict": False}
    model = ChatOpenAI(
        model=name,
        base_url=base_url,
        api_key=SecretStr(api_key or "none"),  # the client insists on one; local engines ignore it
        temperature=0,
        max_completion_tokens=MOST_TOKENS,
        timeout=httpx.Timeout(timeout_s, connect=_CONNECT_S),
        max_retries=0,
        model_kwargs={"response_format": {"type": "json_schema", "json_schema": schema}},
    )
    return LangChainChat(
        f"openai:{name}",
        model,
        timeout_s=timeout_s,
        refusals=(OpenAIError,),
        halves=(LengthFinishReasonError, ContentFilterFinishReasonError),
    )
