"""A thread that two workers write: it goes on from one end only, whatever their clocks say."""

from collections.abc import AsyncIterator
from operator import add
from typing import Annotated, Any, TypedDict, cast

import pytest
import pytest_asyncio
from langchain_core.runnables import RunnableConfig
from langgraph.checkpoint.base import id as ids
from langgraph.graph import START, StateGraph

from db.checkpoints import TenantSaver
from db.errors import ThreadTakenOver
from db.order import continue_after
from db.pool import Pool, open_pool
from db.tenancy import tenant
from tests.scale.ground import Ground

HOUR = 3600 * 10**7  # in the 100 ns of a UUID's time
BUSINESS = 1


class Said(TypedDict):
    words: Annotated[list[str], add]


def machine(pool: Pool) -> Any:
    """A graph of two steps, as two workers have it: each with a saver of its own."""
    made = StateGraph(Said)
    made.add_sequence([("first", lambda _: {"words": ["first"]}), ("last", lambda _: {"words": ["last"]})])
    made.add_edge(START, "first")
    return made.compile(checkpointer=TenantSaver(pool))


@pytest_asyncio.fixture(loop_scope="session")
async def pool(soil: Ground) -> AsyncIterator[Pool]:
    opened = await open_pool(soil.database.dsn, max_size=4)
    with tenant(BUSINESS):
        yield opened
    await opened.close()


@pytest.fixture
def config(request: pytest.FixtureRequest) -> RunnableConfig:
    """A thread of its own."""
    return {"configurable": {"thread_id": f"{BUSINESS}:{abs(hash(request.node.name)) % 10**9}"}}


async def words(graph: Any, config: RunnableConfig) -> list[str]:
    return cast(list[str], (await graph.aget_state(config)).values["words"])


async def test_what_a_late_worker_writes_is_refused(pool: Pool, config: RunnableConfig) -> None:
    late, other = machine(pool), machine(pool)
    with tenant(BUSINESS):
        await late.ainvoke({"words": ["one"]}, config, interrupt_before=["last"], durability="sync")
        known = await late.checkpointer.aget_tuple(config)
        await other.ainvoke(None, config, durability="sync")
        await other.ainvoke({"words": ["two"]}, config, durability="sync")
        ahead = await words(other, config)
        checkpoint = {**known.checkpoint, "id": str(ids.uuid6())}
        with pytest.raises(ThreadTakenOver):
            await late.checkpointer.aput(known.config, checkpoint, known.metadata, {})
        assert await words(other, config) == ahead == ["one", "first", "last", "two", "first", "last"]


async def test_two_beginnings_of_a_thread_do_not_both_count(pool: Pool, config: RunnableConfig) -> None:
    first, other = machine(pool), machine(pool)
    with tenant(BUSINESS):
        await first.ainvoke({"words": ["one"]}, config, durability="sync")
        latest = await other.checkpointer.aget_tuple(config)
        beginning = {"configurable": {**config["configurable"], "checkpoint_ns": ""}}
        checkpoint = {**latest.checkpoint, "id": str(ids.uuid6())}
        with pytest.raises(ThreadTakenOver):
            await other.checkpointer.aput(beginning, checkpoint, {"step": -1}, {})


async def test_the_same_checkpoint_may_be_written_again(pool: Pool, config: RunnableConfig) -> None:
    """After an answer that was lost on its way."""
    graph = machine(pool)
    with tenant(BUSINESS):
        await graph.ainvoke({"words": ["one"]}, config, durability="sync")
        latest = await graph.checkpointer.aget_tuple(config)
        await graph.checkpointer.aput(latest.parent_config, latest.checkpoint, latest.metadata, {})
        assert await words(graph, config) == ["one", "first", "last"]


async def test_a_turn_after_one_from_the_future_is_remembered(
    pool: Pool, config: RunnableConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first turn is a host's whose clock is an hour ahead, the second one's whose clock is right."""
    right = ids.uuid6().time
    monkeypatch.setattr(ids, "_last_v6_timestamp", right + HOUR)
    with tenant(BUSINESS):
        await machine(pool).ainvoke({"words": ["one"]}, config, durability="sync")
        monkeypatch.setattr(ids, "_last_v6_timestamp", None)  # another process
        other = machine(pool)
        await other.ainvoke({"words": ["two"]}, config, durability="sync")
        assert (await words(other, config))[3:] == ["two", "first", "last"]


def test_the_clock_of_names_never_goes_back(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ids, "_last_v6_timestamp", None)
    past = ids.uuid6()
    monkeypatch.setattr(ids, "_last_v6_timestamp", past.time + HOUR)
    future = str(ids.uuid6())
    monkeypatch.setattr(ids, "_last_v6_timestamp", None)
    continue_after(future)
    continue_after(str(past))
    assert str(ids.uuid6()) > future
