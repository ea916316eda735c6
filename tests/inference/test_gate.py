"""The places of an engine: never too many, never all for one business, never waited for long."""

import asyncio
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from inference.chat import ChatModel, ModelChain, openai_chat
from inference.errors import EngineBusy, ModelUnavailable
from inference.extractive import ExtractiveResponder
from inference.gate import Gate, Tenant, nobody, too_busy
from inference.limited import LimitedChat
from tests.inference.limited_engine import LimitedEngine, limited_engine
from tests.inference.test_chat import request

A, B, C = 1, 2, 3


@pytest_asyncio.fixture(loop_scope="session")
async def engine() -> AsyncIterator[LimitedEngine]:
    async with limited_engine(3) as running:
        yield running


def limited(engine: LimitedEngine, most: int, *, patience_s: float = 5.0, of: Tenant = None) -> ChatModel:
    model = openai_chat("fake", base_url=engine.url, api_key=None, timeout_s=10)
    gate = Gate("openai", most=most, patience_s=patience_s)
    return LimitedChat(model, gate, (lambda: of) if of is not None else nobody)


async def holding(gate: Gate, tenant: Tenant, done: asyncio.Event, served: list[Tenant]) -> None:
    async with gate.place(tenant, gate.deadline()):
        served.append(tenant)
        await done.wait()


async def settled() -> None:
    """Everything that can go on has."""
    for _ in range(20):
        await asyncio.sleep(0)


async def test_an_engine_is_never_asked_for_more_than_it_has_places(engine: LimitedEngine) -> None:
    engine.pause_s = 0.02
    gate = Gate("openai", most=3, patience_s=30)
    client = openai_chat("fake", base_url=engine.url, api_key=None, timeout_s=10)
    one, other = LimitedChat(client, gate, lambda: A), LimitedChat(client, gate, lambda: B)
    answers = await asyncio.gather(*(model.propose(request()) for _ in range(6) for model in (one, other)))
    assert {answer.model for answer in answers} == {"openai:fake"}
    assert (len(engine.answered), engine.turned_away, engine.peak) == (12, 0, 3)


async def test_no_business_holds_every_place() -> None:
    gate, done, served = Gate("e", most=3, patience_s=30), asyncio.Event(), list[Tenant]()
    flood = [asyncio.create_task(holding(gate, A, done, served)) for _ in range(10)]
    await settled()
    assert served == [A, A]
    other = asyncio.create_task(holding(gate, B, done, served))
    await settled()
    assert served == [A, A, B]
    done.set()
    await asyncio.gather(*flood, other)
    assert gate.taken == 0


async def test_a_free_place_goes_to_who_holds_fewest() -> None:
    gate, served = Gate("e", most=3, patience_s=30), list[Tenant]()
    ends = [asyncio.Event() for _ in range(12)]
    tasks = [asyncio.create_task(holding(gate, A, ends[n], served)) for n in range(6)]
    await settled()
    tasks += [asyncio.create_task(holding(gate, B, ends[6], served))]
    await settled()
    # Two of A, one of B are served; A waits with four, then B and C come with one each.
    tasks += [asyncio.create_task(holding(gate, B, ends[7], served))]
    tasks += [asyncio.create_task(holding(gate, C, ends[8], served))]
    await settled()
    assert served == [A, A, B]
    ends[0].set()
    await settled()
    assert served == [A, A, B, C]
    ends[1].set()
    await settled()
    assert served == [A, A, B, C, A]
    for end in ends:
        end.set()
    await asyncio.gather(*tasks)
    assert sorted(served) == [A] * 6 + [B] * 2 + [C]
    assert gate.taken == 0


async def test_one_place_is_enough_for_everybody_in_turn() -> None:
    gate, done, served = Gate("e", most=1, patience_s=30), asyncio.Event(), list[Tenant]()
    tasks = [asyncio.create_task(holding(gate, tenant, done, served)) for tenant in (A, A, A, B, B)]
    await settled()
    done.set()
    await asyncio.gather(*tasks)
    assert served == [A, A, B, A, B]


async def test_who_gives_up_waiting_leaves_nothing_behind() -> None:
    gate, done, served = Gate("e", most=1, patience_s=30), asyncio.Event(), list[Tenant]()
    first = asyncio.create_task(holding(gate, A, done, served))
    await settled()
    waiting = asyncio.create_task(holding(gate, B, done, served))
    await settled()
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    done.set()
    await first
    async with gate.place(A, gate.deadline()):
        unlucky = asyncio.create_task(holding(gate, C, done, served))
        await settled()
    unlucky.cancel()  # at the very moment at which the place is handed to it
    with pytest.raises(asyncio.CancelledError):
        await unlucky
    assert C not in served
    assert gate.taken == 0
    async with gate.place(A, gate.deadline()):
        assert gate.taken == 1


async def test_without_a_place_in_time_the_next_of_the_chain_answers_and_the_engine_is_not_given_up(
    engine: LimitedEngine,
) -> None:
    engine.open.clear()
    chain = ModelChain([limited(engine, 1, patience_s=0.05), ExtractiveResponder()])
    held = asyncio.create_task(chain.propose(request("la prima")))
    await engine.busy.wait()
    assert (await chain.propose(request("la seconda"))).model == "extractive"
    engine.open.set()
    assert (await held).model == "openai:fake"
    assert (await chain.propose(request("la terza"))).model == "openai:fake"


async def test_an_engine_that_says_it_is_full_is_asked_again_while_there_is_time(
    engine: LimitedEngine,
) -> None:
    engine.refuse, engine.retry_after = 2, "0.1"
    answer = await limited(engine, 3).propose(request())
    assert answer.model == "openai:fake"
    assert engine.turned_away == 2


async def test_one_that_is_full_for_long_is_left_alone_so_long(engine: LimitedEngine) -> None:
    engine.refuse, engine.retry_after = 1, "60"
    chain = ModelChain([limited(engine, 3), ExtractiveResponder()])
    asked = [(await chain.propose(request())).model for _ in range(3)]
    assert asked == ["extractive"] * 3
    assert engine.turned_away == 1
    assert engine.answered == []


async def test_an_account_without_means_is_an_outage_and_not_a_crowd(engine: LimitedEngine) -> None:
    engine.refuse, engine.code = 1, "insufficient_quota"
    with pytest.raises(ModelUnavailable) as caught:
        await limited(engine, 3).propose(request())
    assert not isinstance(caught.value, EngineBusy)


class _Refused(Exception):
    def __init__(self, words: str, status_code: int) -> None:
        super().__init__(words)
        self.status_code = status_code


@pytest.mark.parametrize(
    ("words", "status", "busy"),
    [
        (
            "server busy, please try again.  maximum pending requests exceeded",
            503,
            True,
        ),  # Ollama's own words
        ("Loading model", 503, False),
        ("model runner has unexpectedly stopped", 500, False),
        ("too many", 429, True),
    ],
)
def test_what_counts_as_busy(words: str, status: int, busy: bool) -> None:
    assert (too_busy(_Refused(words, status), words) is not None) == busy


def test_a_gate_without_places_is_refused() -> None:
    with pytest.raises(ValueError, match="answers nobody"):
        Gate("e", most=0, patience_s=1)
