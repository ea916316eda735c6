"""What long conversations leave behind is made shorter, and nothing that is needed goes with it."""

from datetime import timedelta
from typing import Any, TypedDict

import pytest_asyncio
from langchain_core.runnables import RunnableConfig
from langgraph.graph import END, START, StateGraph
from langgraph.graph.state import CompiledStateGraph
from langgraph.types import Command, interrupt

from crm.privacy import keeping
from crm.record import utc_now
from db.checkpoints import TenantSaver
from db.pool import Pool
from db.tenancy import tenant
from tests.crm.conftest import Book

Machine = CompiledStateGraph[Any, None, Any, Any]


class Talk(TypedDict, total=False):
    """What is kept: the words of this turn, how many there were, something that never changes."""

    said: str
    turns: int
    fixed: list[str]


async def first(state: Talk) -> Talk:
    return Talk(turns=state.get("turns", 0) + 1)


async def second(state: Talk) -> Talk:
    if state["said"].startswith("person"):
        told = interrupt("a person is needed")
        return Talk(said=str(told))
    return {} if "fixed" in state else Talk(fixed=["written", "once"])


@pytest_asyncio.fixture(loop_scope="session")
async def machine(record_pool: Pool) -> Machine:
    graph = StateGraph(Talk)
    graph.add_node("first", first)
    graph.add_node("second", second)
    graph.add_edge(START, "first")
    graph.add_edge("first", "second")
    graph.add_edge("second", END)
    return graph.compile(checkpointer=TenantSaver(record_pool))


async def at_work(book: Book) -> tuple[str, RunnableConfig]:
    """A customer's thread, at work now."""
    book.clock.now = utc_now()
    _, conversation_id = await book.customer()
    thread = f"{book.business_id}:{conversation_id}"
    return thread, {"configurable": {"thread_id": thread}}


async def turns(
    machine: Machine, book: Book, config: RunnableConfig, count: int, words: str = "ciao"
) -> None:
    with tenant(book.business_id):
        for number in range(count):
            await machine.ainvoke(Talk(said=f"{words} {number}"), config, durability="sync")


async def prune(book: Book, keep: int) -> int:
    pruned, after = 0, 0
    while True:
        async with book.crm.outside() as tx:
            done = await keeping.prune_threads(tx, keep, after=after, most=2)
        pruned += done.pruned
        if done.last is None:
            return pruned
        after = done.last


async def counted(book: Book, thread: str) -> dict[str, int]:
    [row] = await book.rows(
        "SELECT (SELECT count(*) FROM checkpoints WHERE thread_id = %s) AS checkpoints,"
        " (SELECT count(*) FROM checkpoints"
        "  WHERE thread_id = %s AND metadata ->> 'source' = 'input') AS inputs,"
        " (SELECT count(*) FROM checkpoint_blobs WHERE thread_id = %s) AS blobs,"
        " (SELECT count(*) FROM checkpoint_writes WHERE thread_id = %s) AS writes",
        *[thread] * 4,
    )
    return row


async def history(machine: Machine, book: Book, config: RunnableConfig) -> list[dict[str, Any]]:
    with tenant(book.business_id):
        return [dict(shot.values) async for shot in machine.aget_state_history(config)]


async def test_the_last_turns_stay_as_they_were_and_the_rest_goes(book: Book, machine: Machine) -> None:
    thread, config = await at_work(book)
    await turns(machine, book, config, 20)
    before, full = await history(machine, book, config), await counted(book, thread)
    assert full["inputs"] == 20
    assert await prune(book, 5) > 0
    after, left = await history(machine, book, config), await counted(book, thread)
    assert left["inputs"] == 5
    # Every state that is left reads as it did, the value written in the first turn included.
    assert after == before[: len(after)]
    assert after[0] == {"said": "ciao 19", "turns": 20, "fixed": ["written", "once"]}
    for part in ("checkpoints", "blobs", "writes"):
        assert left[part] <= full[part] * 5 / 20 + 5, part
    await turns(machine, book, config, 1, "e poi")
    assert (await history(machine, book, config))[0]["turns"] == 21
    assert await prune(book, 50) == 0


async def test_a_short_conversation_is_left_alone(book: Book, machine: Machine) -> None:
    thread, config = await at_work(book)
    await turns(machine, book, config, 5)
    full = await counted(book, thread)
    await prune(book, 5)
    assert await counted(book, thread) == full


async def test_one_that_waits_for_a_person_waits_on(book: Book, machine: Machine) -> None:
    _, config = await at_work(book)
    await turns(machine, book, config, 12)
    await turns(machine, book, config, 1, "person")
    assert await prune(book, 2) > 0
    with tenant(book.business_id):
        snapshot = await machine.aget_state(config)
        assert snapshot.next == ("second",)
        assert snapshot.interrupts[0].value == "a person is needed"
        values = await machine.ainvoke(Command(resume="here I am"), config, durability="sync")
    assert values["said"] == "here I am"
    assert values["turns"] == 13


async def test_a_thread_of_another_conversation_is_not_touched(book: Book, machine: Machine) -> None:
    long, config = await at_work(book)
    await turns(machine, book, config, 12)
    quiet, idle = await at_work(book)
    await turns(machine, book, idle, 12)
    conversation_id = int(quiet.split(":")[1])
    await book.rows(
        "UPDATE conversation SET last_activity_at = now() - interval '1 day' WHERE conversation_id = %s",
        conversation_id,
    )
    full = await counted(book, quiet)
    await prune(book, 3)
    assert (await counted(book, long))["inputs"] == 3
    assert await counted(book, quiet) == full


async def test_work_that_is_done_is_forgotten_and_what_waits_is_not(book: Book) -> None:
    _, conversation_id = await book.customer()
    for age in ("40 days", "40 days", "1 day"):
        await book.rows(
            "INSERT INTO inbox_event (business_id, conversation_id, kind, created_at, done_at)"
            " VALUES (%s, %s, 'takeover', now() - %s::interval, now() - %s::interval)",
            book.business_id,
            conversation_id,
            age,
            age,
        )
    await book.rows(
        "INSERT INTO inbox_event (business_id, conversation_id, kind, created_at)"
        " VALUES (%s, %s, 'takeover', now() - interval '400 days')",
        book.business_id,
        conversation_id,
    )
    async with book.crm.outside() as tx:
        assert await keeping.forget_events(tx, timedelta(days=30), most=1) == 1
        assert await keeping.forget_events(tx, timedelta(days=30), most=1000) >= 1
    left = await book.rows(
        "SELECT done_at IS NULL AS waits FROM inbox_event WHERE conversation_id = %s ORDER BY event_id",
        conversation_id,
    )
    assert [row["waits"] for row in left] == [False, True]
    await book.rows("DELETE FROM inbox_event WHERE conversation_id = %s", conversation_id)
