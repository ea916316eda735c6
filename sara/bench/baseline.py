"""What the libraries under SARA cost by themselves, so that figures are ratios and not of this machine.

A bare LangGraph turn, the commit of one row and uvicorn's "hello world": measured in the same run, in the
same database and with the same rulers as what stands on them.
"""

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, TypedDict, cast

import httpx
from langgraph.checkpoint.postgres.aio import AsyncPostgresSaver
from langgraph.graph import END, START, StateGraph
from psycopg.conninfo import make_conninfo
from psycopg.sql import SQL, Identifier

from db.pool import Pool, open_pool
from graph.build import Machine
from graph.run import node_times, thread_config
from sara.bench.hello import hello_app
from sara.local import HOST, listen, serving

_SCHEMA = "bare"
_WARM_UP = 5


class Bare(TypedDict):
    """The state of a graph that does nothing: what was said, and how far the turn has come."""

    said: str
    step: int


async def bare_turns(dsn: str, *, nodes: int, rounds: int) -> list[float]:
    """Milliseconds of `rounds` turns, each of a thread of its own, through `nodes` nodes that do nothing.

    LangGraph's own AsyncPostgresSaver keeps their checkpoints, each before the next node runs, as ours do.
    They are read off the checkpoints' times, as those of SARA's turns are.
    """
    took = []
    async with _room(dsn) as pool:
        saver = AsyncPostgresSaver(pool)
        await saver.setup()
        machine = cast(Machine, _chain(nodes).compile(checkpointer=saver))
        for number in range(rounds + _WARM_UP):
            config = thread_config(f"1:{number}")
            given = Bare(said="Quanto costa un massaggio rilassante?", step=0)
            await machine.ainvoke(cast(Any, given), config, durability="sync")
            took.append(sum((await node_times(machine, f"1:{number}")).values()))
    return took[_WARM_UP:]


def _chain(nodes: int) -> StateGraph[Bare, None, Bare, Bare]:
    async def step(state: Bare) -> dict[str, int]:
        return {"step": state["step"] + 1}

    graph = StateGraph(Bare)
    names = [f"step_{number}" for number in range(nodes)]
    for name in names:
        graph.add_node(name, step)
    for one, other in zip([START, *names], [*names, END], strict=True):
        graph.add_edge(one, other)
    return graph


async def commits(dsn: str, *, rounds: int) -> list[float]:
    """Milliseconds of inserting one row and committing it, `rounds` times on one connection."""
    took = []
    async with _room(dsn) as pool, pool.connection() as connection:
        await connection.execute("CREATE TABLE line (at timestamptz DEFAULT now(), body text)")
        for _ in range(rounds + _WARM_UP):
            began = time.perf_counter()
            await connection.execute("INSERT INTO line (body) VALUES (%s)", ("Buongiorno",))
            took.append((time.perf_counter() - began) * 1000)
    return took[_WARM_UP:]


async def hello(*, rounds: int) -> list[float]:
    """Milliseconds of uvicorn's answer to a posted body that it reads and forgets, one request at a time."""
    took = []
    with listen(0) as listener:
        url = f"http://{HOST}:{listener.getsockname()[1]}"
        async with serving(hello_app(), listener), httpx.AsyncClient(timeout=60) as http:
            for _ in range(rounds + _WARM_UP):
                began = time.perf_counter()
                (await http.post(url, content=b"{}" * 300)).raise_for_status()
                took.append((time.perf_counter() - began) * 1000)
    return took[_WARM_UP:]


@asynccontextmanager
async def _room(dsn: str) -> AsyncIterator[Pool]:
    """Connections to a schema of its own in the same database, which is gone at the end of the block."""
    async with await open_pool(dsn, max_size=1, name="owner") as owner, owner.connection() as connection:
        schema = Identifier(_SCHEMA)
        await connection.execute(SQL("CREATE SCHEMA {}").format(schema))
        try:
            own = make_conninfo(dsn, options=f"-c search_path={_SCHEMA}")
            async with await open_pool(own, max_size=4, name=_SCHEMA) as pool:
                yield pool
        finally:
            await connection.execute(SQL("DROP SCHEMA {} CASCADE").format(schema))
