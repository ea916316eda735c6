"""Models that hang, drip, raise or return nonsense: turns go on, with a search by words or with a person."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from crm import conversations, handoffs
from crm.handoffs import HandoffRow
from graph.context import Context
from inference.chat import ModelChain, openai_chat
from inference.embed import LangChainEmbeddings, Vector
from inference.errors import ModelUnavailable
from inference.extractive import ExtractiveResponder
from inference.steady import SteadyEmbedder
from knowledge.ingest import ingest
from knowledge.search import KnowledgeSearch
from knowledge.store import open_store
from sara.commands.doctor_faults import answering
from sara.commands.findings import OK, WARN, Finding
from sara.settings import load
from tests.chaos.town import NUMBER, until
from tests.inference.fake_ollama import FakeEngine, Refuses, Says, engine, proposal
from tests.jobs.shop import Shop
from tests.jobs.test_drain import all_taken_in

pytestmark = pytest.mark.chaos

HANGS = Says("never", wait_s=3600.0)
ASKED = "Quanto costa un massaggio rilassante?"


@contextmanager
def thinking_with(shop: Shop, **changed: Any) -> Iterator[None]:
    """The shop's turns with other models inside the block."""
    before = shop.services
    context: Context = replace(before.context, **changed)
    shop.services = replace(before, context=context)
    try:
        yield
    finally:
        shop.services = before


def chain_of(fake: FakeEngine, *, timeout_s: float) -> ModelChain:
    model = openai_chat("fake", base_url=f"{fake.url}/v1", api_key=None, timeout_s=timeout_s)
    return ModelChain([model, ExtractiveResponder()])


async def ask(shop: Shop, prefix: str, count: int) -> list[int]:
    opened = [await shop.open_conversation(f"{prefix}{n:03d}") for n in range(count)]
    for conversation in opened:
        await shop.customer_writes(conversation, ASKED)
    return opened


async def answered(shop: Shop, conversations_: list[int]) -> list[int]:
    return [one for one in conversations_ if await all_taken_in(shop, one)]


@pytest.mark.parametrize("answer", [HANGS, Says(proposal("a" * 400), pause_s=0.2)], ids=["hangs", "drips"])
async def test_an_engine_that_never_ends_is_bounded_and_named(
    stage: Shop, answer: Says, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ModelChain, "RETRY_AFTER_S", 3600.0)
    async with engine() as fake:
        fake.otherwise = answer
        with thinking_with(stage, chat=chain_of(fake, timeout_s=0.4)):
            opened = await ask(stage, f"39370{len(answer.text):04d}", 3)
            await stage.work_until(lambda: _all(stage, opened))
        assert 1 <= len(fake.calls) <= 3, "only those that ran at once found out"
        for conversation in opened:
            assert [row["state"] for row in await stage.outbox_of(conversation)] == ["accepted"]
        settings = load(llm="openai:fake", llm_base_url=f"{fake.url}/v1", llm_timeout_s=0.4)
        said = await answering(settings, Finding("engine", OK, "fake"))
        assert (said.state, "answers a question with nothing" in said.detail) == (WARN, True)


async def _all(shop: Shop, conversations_: list[int]) -> bool:
    settled = [await shop.states_of(one) == ["accepted"] for one in conversations_]
    return all(settled) and len(await answered(shop, conversations_)) == len(conversations_)


async def test_one_question_finds_out_whether_the_engine_is_back(
    stage: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While it hangs on, everybody else is answered: the slots of the worker are not all at its door."""
    monkeypatch.setattr(ModelChain, "RETRY_AFTER_S", 0.0)
    async with engine() as fake:
        fake.otherwise = Refuses(500, "out of memory")
        with thinking_with(stage, chat=chain_of(fake, timeout_s=120.0)):
            first = await ask(stage, "393710000", 1)
            await stage.work_until(lambda: _all(stage, first))
            fake.will()
            fake.otherwise = HANGS
            opened = await ask(stage, "393711000", 6)
            working = asyncio.create_task(stage.work())

            async def all_but_one() -> bool:
                return len(await answered(stage, opened)) == 5

            await until(all_but_one, 60, "turns wait for an engine that hangs")
            assert len(fake.calls) == 1
            await fake.stop()  # the one is let go: its answer is quoted like the others'
            await working
            await stage.work_until(lambda: _all(stage, opened))
            await fake.start()
            fake.otherwise = Says(proposal("Il massaggio rilassante costa 65,00 €."))
            last = await ask(stage, "393712000", 2)
            await stage.work_until(lambda: _all(stage, last))
            assert len(fake.calls) >= 2, "it is asked again once it answers"


async def test_pauses_grow_while_an_engine_stays_away(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 1000.0
    monkeypatch.setattr("inference.chat.time", SimpleNamespace(monotonic=lambda: now))

    class Away:
        name = "away"
        asked = 0

        async def propose(self, request: Any) -> Any:
            self.asked += 1
            raise ModelUnavailable("no")

    model = Away()
    chain = ModelChain([model])
    asked_at = []
    for _ in range(600):
        with pytest.raises(ModelUnavailable):
            await chain.propose(None)  # type: ignore[arg-type]
        if model.asked > len(asked_at):
            asked_at.append(now)
        now += 1.0
    pauses = [later - earlier for earlier, later in pairwise(asked_at)]
    assert pauses[:4] == [20, 40, 80, 120]
    assert set(pauses[4:]) == {120}


class Broken:
    """An embedder that fails in one of the ways they do."""

    name = "broken"

    def __init__(self, how: str, dimensions: int) -> None:
        self.how, self.dimensions = how, dimensions

    async def query(self, text: str) -> Vector:
        if self.how == "raises":
            raise RuntimeError("CUDA error: an illegal memory access was encountered")
        if self.how == "hangs":
            await asyncio.sleep(3600)
        return np.full(self.dimensions, np.nan, dtype=np.float32)

    async def passages(self, texts: Any) -> Vector:
        return np.stack([await self.query(text) for text in texts])


def broken(shop: Shop, how: str) -> SteadyEmbedder:
    return SteadyEmbedder(Broken(how, shop.services.context.embedder.dimensions), patience_s=0.2)


async def handoff_of(shop: Shop, conversation: int) -> HandoffRow:
    async with shop.crm.transaction(shop.business_id) as tx:
        assert (await conversations.get(tx, conversation)).owner == "human"
        handoff_id = await handoffs.open_of(tx, conversation)
        assert handoff_id is not None
        return await handoffs.get(tx, handoff_id)


HOW = ["raises", "returns nan", "hangs"]


@pytest.mark.parametrize("how", HOW)
async def test_a_message_that_cannot_be_embedded_goes_to_a_person(stage: Shop, how: str) -> None:
    """Nobody could say whether it is delicate. The lists of words still know an emergency."""
    plain = await stage.open_conversation(f"39372000{HOW.index(how):04d}")
    urgent = await stage.open_conversation(f"39373000{HOW.index(how):04d}")
    with thinking_with(stage, embedder=broken(stage, how)):
        await stage.customer_writes(plain, ASKED)
        await stage.customer_writes(urgent, "Aiuto, mio padre non respira, chiamate un'ambulanza")
        await stage.work_until(lambda: _all(stage, [plain, urgent]))
    found = await handoff_of(stage, plain)
    assert (found.reason, found.label, found.wants) == ("model_exhausted", None, ASKED)
    assert (await handoff_of(stage, urgent)).label == "emergency"
    heard = [message.text for message in stage.simulator.sent_to(f"39373000{HOW.index(how):04d}", NUMBER)]
    assert "112" in heard[0]
    failures = await stage.rows("SELECT 1 FROM procrastinate_jobs WHERE (args ->> 'attempt')::int > 0")
    assert failures == [], "the turn ended well at its first try"


DOCUMENT = """# Animali

Gli animali domestici possono aspettare nel giardino d'inverno.
"""


@pytest.mark.parametrize("how", HOW)
async def test_documents_are_searched_by_words_while_their_embedder_is_away(
    stage: Shop, how: str, tmp_path: Path
) -> None:
    """Where passages are embedded by an engine of their own, an answer needs none of it."""
    document = tmp_path / "casa.md"
    document.write_text(DOCUMENT, "utf-8")
    reader = stage.services.context.embedder
    store = await open_store(stage.dsn, reader, LangChainEmbeddings(reader), create=True)
    try:
        await ingest([tmp_path], business_id=stage.business_id, store=store)
        search = KnowledgeSearch(
            replace(store, embedder=broken(stage, how)), stage.services.context.search._compass
        )
        conversation = await stage.open_conversation(f"39374000{HOW.index(how):04d}")
        with thinking_with(stage, search=search, one_embedder=False):
            await stage.customer_writes(conversation, "Gli animali domestici possono aspettare?")
            await stage.work_until(lambda: _all(stage, [conversation]))
    finally:
        document.unlink()
        await ingest([tmp_path], business_id=stage.business_id, store=store)
        await store.close()
    (heard,) = stage.simulator.sent_to(f"39374000{HOW.index(how):04d}", NUMBER)
    assert "giardino d'inverno" in heard.text
    async with stage.crm.transaction(stage.business_id) as tx:
        assert (await conversations.get(tx, conversation)).owner == "bot"


async def test_an_engine_that_hung_is_left_alone_for_a_while(stage: Shop) -> None:
    steady, asked = broken(stage, "hangs"), 0
    inner = steady._embedder.query

    async def counted(text: str) -> Vector:
        nonlocal asked
        asked += 1
        return await inner(text)

    steady._embedder.query = counted  # type: ignore[method-assign]
    wanted: list[Callable[[], Awaitable[Vector]]] = [lambda: steady.query("uno"), lambda: steady.query("due")]
    for query in wanted:
        with pytest.raises(ModelUnavailable):
            await query()
    assert asked == 1
