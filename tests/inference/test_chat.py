"""The model chain over real sockets: good answers, every fault of an engine, and what comes after it."""

import asyncio
import json
import socket
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import replace

import pytest
import pytest_asyncio

from inference.chat import (
    Answered,
    LangChainChat,
    ModelChain,
    Proposal,
    Request,
    in_turns,
    ollama_chat,
    openai_chat,
    parse,
)
from inference.errors import BadModelOutput, ModelUnavailable
from inference.extractive import ExtractiveResponder
from inference.material import Material, Piece
from tests.inference.fake_ollama import (
    Answer,
    Babbles,
    CutShort,
    Dies,
    FakeEngine,
    Refuses,
    Says,
    engine,
    proposal,
)

GOOD = proposal("Costa 65,00 €.", citations=["F1"])
TIMEOUT_S = 0.6

Make = Callable[[str, float], LangChainChat]


def _on_ollama(url: str, timeout_s: float) -> LangChainChat:
    return ollama_chat("fake", base_url=url, timeout_s=timeout_s)


def _on_openai(url: str, timeout_s: float) -> LangChainChat:
    return openai_chat("fake", base_url=f"{url}/v1", api_key=None, timeout_s=timeout_s)


BOTH = pytest.mark.parametrize("make", [_on_ollama, _on_openai], ids=["ollama", "openai"])


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def running() -> AsyncIterator[FakeEngine]:
    async with engine() as fake:
        yield fake


@pytest.fixture
def fake(running: FakeEngine) -> FakeEngine:
    """The engine with an empty script."""
    running.will()
    return running


def _say(sentence: str, /, **values: str) -> str:
    return sentence.format(**values)


def request(text: str = "Quanto costa?") -> Request:
    price = Piece("F1", "fact", "Massaggio rilassante: 65,00 €.", "it", names=("Massaggio rilassante",))
    material = Material(
        text=text,
        language="it",
        language_name=str,
        intent="other",
        confidence=0.1,
        pieces=(price,),
        business="Aurora",
        contact=None,
        first_turn=True,
        abstain_below=0.8,
        say=_say,
    )
    history = [("user", "Buongiorno"), ("assistant", "Buongiorno!")]
    return Request("You are SARA of Aurora.", f"Facts: [F1]\n{text}", material, history)


def refused_url() -> str:
    """An address where nobody listens."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{free.getsockname()[1]}"


USAGE = {"input_tokens": 700, "output_tokens": 60, "total_tokens": 760}


@BOTH
async def test_a_valid_answer_is_a_proposal_with_its_usage(fake: FakeEngine, make: Make) -> None:
    fake.will(GOOD)
    answered = await make(fake.url, 5).propose(request())
    assert answered.proposal == Proposal.model_validate_json(GOOD)
    assert answered.usage == USAGE
    assert answered.seconds > 0
    said = [(m["role"], m["content"]) for m in fake.calls[0].body["messages"]]
    assert said == [
        ("system", "You are SARA of Aurora."),
        ("user", "Buongiorno"),
        ("assistant", "Buongiorno!"),
        ("user", "Facts: [F1]\nQuanto costa?"),
    ]


async def test_ollama_is_given_the_schema_and_bounds(fake: FakeEngine) -> None:
    fake.will(GOOD)
    await _on_ollama(fake.url, 5).propose(request())
    body = fake.calls[0].body
    assert fake.calls[0].path == "/api/chat"
    assert body["format"] == Proposal.model_json_schema()
    assert body["options"]["temperature"] == 0
    assert body["options"]["num_predict"] > 0
    assert body["think"] is False
    assert body["keep_alive"] == "30m"


async def test_an_openai_engine_is_given_the_schema_and_bounds(fake: FakeEngine) -> None:
    fake.will(GOOD)
    await _on_openai(fake.url, 5).propose(request())
    body = fake.calls[0].body
    assert body["response_format"]["type"] == "json_schema"
    assert body["response_format"]["json_schema"]["schema"] == Proposal.model_json_schema()
    assert body["max_completion_tokens"] > 0


@BOTH
async def test_garbage_is_asked_again_once(fake: FakeEngine, make: Make) -> None:
    fake.will("Sure! Here is the answer you asked for.", GOOD)
    answered = await ModelChain([make(fake.url, 5), ExtractiveResponder()]).propose(request())
    assert answered.proposal.reply == "Costa 65,00 €."
    assert len(fake.calls) == 2


@BOTH
async def test_garbage_twice_goes_to_the_next_model(fake: FakeEngine, make: Make) -> None:
    fake.will("{}", '{"reply": "Costa', GOOD)
    answered = await ModelChain([make(fake.url, 5), ExtractiveResponder()]).propose(request())
    assert (answered.model, answered.proposal.reply) == ("extractive", "Massaggio rilassante: 65,00 €.")
    assert len(fake.calls) == 2


@BOTH
@pytest.mark.parametrize(
    "fault",
    [
        Refuses(404, "model 'fake' not found"),
        Refuses(500, "llama runner process has terminated"),
        Refuses(400, "this model does not support json_schema"),
        Refuses(429, "too many requests"),
        Dies(),
        Dies(after=GOOD[:60]),
        Babbles(b"<html><body>Sign in</body></html>"),
        Babbles(b""),
        Babbles(b'{"message": 7, "choices": "none"}\n'),
        Babbles(b'"ready"\n'),
        Babbles(b"\xff\xfe\x00garbage\n"),
        Says(GOOD, wait_s=3),
        Says(GOOD, pause_s=0.3),
    ],
    ids=repr,
)
async def test_a_broken_engine_is_unavailable_in_time(fake: FakeEngine, make: Make, fault: Answer) -> None:
    fake.will(fault)
    started = time.perf_counter()
    with pytest.raises((ModelUnavailable, BadModelOutput)):
        await make(fake.url, TIMEOUT_S).propose(request())
    assert time.perf_counter() - started < TIMEOUT_S + 0.5


@BOTH
async def test_an_answer_cut_at_its_limit_is_no_proposal(fake: FakeEngine, make: Make) -> None:
    fake.will(CutShort(GOOD[:40]))
    with pytest.raises(BadModelOutput) as refused:
        await make(fake.url, 5).propose(request())
    assert refused.value.usage == USAGE


@BOTH
async def test_tokens_of_answers_of_no_use_count_as_well(fake: FakeEngine, make: Make) -> None:
    """An engine bills them like any other."""
    chain = ModelChain([make(fake.url, 5), ExtractiveResponder()])
    fake.will("I'd rather chat.", GOOD)
    again = await chain.propose(request())
    assert (again.model.endswith("fake"), again.usage) == (True, {k: 2 * v for k, v in USAGE.items()})
    fake.will("I'd rather chat.", CutShort(GOOD[:40]))
    given_up = await chain.propose(request())
    assert (given_up.model, given_up.usage) == ("extractive", {k: 2 * v for k, v in USAGE.items()})
    fake.will("I'd rather chat.", Refuses(500, "out of memory"))
    away = await chain.propose(request())
    assert (away.model, away.usage) == ("extractive", USAGE)


@BOTH
async def test_nobody_listening_falls_through_at_once(make: Make) -> None:
    started = time.perf_counter()
    answered = await ModelChain([make(refused_url(), 30), ExtractiveResponder()]).propose(request())
    assert answered.model == "extractive"
    assert time.perf_counter() - started < 1


@BOTH
async def test_the_reason_names_model_and_cause(fake: FakeEngine, make: Make) -> None:
    model = make(fake.url, 5)
    fake.will(Refuses(404, "model 'fake' not found"))
    with pytest.raises(ModelUnavailable, match=rf"{model.name} .*not found"):
        await ModelChain([model]).propose(request())


class _Told:
    """A model that does as it is told and counts."""

    def __init__(self, name: str, *outcomes: Proposal | Exception) -> None:
        self.name = name
        self.calls = 0
        self._outcomes = list(outcomes)

    async def propose(self, request: Request) -> Answered:
        self.calls += 1
        outcome = self._outcomes.pop(0) if len(self._outcomes) > 1 else self._outcomes[0]
        if isinstance(outcome, Exception):
            raise outcome
        return Answered(outcome, self.name, 0.0)


async def test_a_model_that_is_down_is_skipped_and_tried_again_later(
    fake: FakeEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ModelChain, "RETRY_AFTER_S", 0.3)
    chain = ModelChain([_on_ollama(fake.url, 5), ExtractiveResponder()])
    fake.will(Refuses(500, "out of memory"), GOOD)
    assert (await chain.propose(request())).model == "extractive"
    assert (await chain.propose(request())).model == "extractive"
    assert len(fake.calls) == 1, "a model that was down a moment ago is not waited for again"
    await asyncio.sleep(0.35)
    assert (await chain.propose(request())).model == "ollama:fake"
    assert len(fake.calls) == 2


async def test_garbage_is_no_outage() -> None:
    good = Proposal.model_validate_json(GOOD)
    first = _Told("first", BadModelOutput("a"), BadModelOutput("b"), good)
    chain = ModelChain([first, ExtractiveResponder()])
    assert (await chain.propose(request())).model == "extractive"
    assert (await chain.propose(request())).model == "first"


async def test_the_second_model_answers_before_the_last_resort(fake: FakeEngine) -> None:
    fake.will(GOOD)
    chain = ModelChain([_on_ollama(refused_url(), 5), _on_openai(fake.url, 5), ExtractiveResponder()])
    assert chain.name == "ollama:fake → openai:fake → extractive"
    assert (await chain.propose(request())).model == "openai:fake"


async def test_a_chain_that_is_exhausted_gives_every_reason() -> None:
    chain = ModelChain([_Told("a", ModelUnavailable("a is off")), _Told("b", BadModelOutput("b is mad"))])
    with pytest.raises(ModelUnavailable, match="a is off; b: b is mad"):
        await chain.propose(request())


async def test_a_chain_has_at_least_one_model() -> None:
    with pytest.raises(ValueError, match="at least one"):
        ModelChain([])


@pytest.mark.parametrize(
    "text",
    [
        "", "null", "[]", "7", '{"reply": "x"}', proposal("x", intent="give_discount"),
        proposal("x", confidence=7), proposal("x", confidence="very"), GOOD[:-1],
    ],
)  # fmt: skip
def test_what_is_no_proposal(text: str) -> None:
    with pytest.raises(BadModelOutput, match="not a proposal"):
        parse(text)


@pytest.mark.parametrize(
    "text",
    [
        f"```json\n{GOOD}\n```",
        f"<think>{{maybe}}</think>\n{GOOD}",
        f"{GOOD}\n\nLet me know!",
        f"Here: {GOOD}",
        json.dumps(json.loads(GOOD) | {"citations": None, "arguments": None}),
        json.dumps(json.loads(GOOD) | {"reply": json.loads(GOOD)["reply"] + "\ud83d"}),
        json.dumps(json.loads(GOOD) | {"reply": "\0" + json.loads(GOOD)["reply"] + "\0"}),
    ],
)
def test_a_proposal_in_a_wrapping_is_one(text: str) -> None:
    assert parse(text).reply == parse(GOOD).reply


def test_customer_and_assistant_speak_by_turns() -> None:
    history = [
        ("assistant", "Domani alle 9"),
        ("user", "a"),
        ("user", "b"),
        ("assistant", "c"),
        ("assistant", "d"),
    ]
    asked = replace(request(), history=history, turn="T")
    assert in_turns(asked) == [
        ("user", "You wrote first: Domani alle 9\na\nb"), ("assistant", "c\nd"), ("user", "T"),
    ]  # fmt: skip
    assert in_turns(replace(asked, history=[("user", "a")])) == [("user", "a\nT")]


@BOTH
@pytest.mark.parametrize("status", [400, 413, 422])
async def test_what_an_engine_will_not_read_takes_the_model_from_nobody_else(
    fake: FakeEngine, make: Make, status: int
) -> None:
    chain = ModelChain([make(fake.url, 5), ExtractiveResponder()])
    fake.will(Refuses(status, "maximum context length is 8192 tokens"), GOOD)
    assert (await chain.propose(request())).model == "extractive"
    assert len(fake.calls) == 1
    assert (await chain.propose(request())).model.endswith("fake")


def test_unknown_fields_are_dropped_and_missing_ones_have_defaults() -> None:
    text = json.dumps({"reply": "x", "intent": "answer", "confidence": 1, "tool": "refund", "price": 0})
    assert parse(text) == Proposal(reply="x", intent="answer", confidence=1)
