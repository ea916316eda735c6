"""A worker that dies of certain messages and is started again whenever it does, as by a service manager.

`python -m tests.chaos.mortal_worker`, or with `once` a single life. Queue, jobs, record, checkpoints and the
nodes around it are the real ones; between them a node says what it read, without any model. `DEADLY` in a
message kills the process in the middle of the turn, `WRONG` raises, `SLOW` takes long enough to be caught in
the deaths of others. A file `mended` in SARA_DATA_DIR makes all of them harmless.
"""

import asyncio
import ctypes
import os
import signal
import sys
from contextlib import AsyncExitStack
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from langgraph.graph import END, START, StateGraph
from langgraph.runtime import Runtime

from db.checkpoints import TenantSaver
from db.pool import open_pool
from graph.build import Machine
from graph.context import Context
from graph.state import State, text_of
from inference.errors import ModelUnavailable
from inference.sensitivity import Sensitivity
from jobs.app import build_app, run_worker
from jobs.services import Patience, Services
from jobs.telling import Bell
from knowledge.phrases import Phrases
from nodes.await_human import await_human
from nodes.load_contact import load_contact
from nodes.reply import reply
from sara import services
from sara.commands.loop import configure_logging
from sara.settings import load

DEADLY, WRONG, SLOW = "muori", "sbaglia", "piano"
PATIENCE = Patience(
    unknown_grace_s=0.5,
    unknown_block_s=1.0,
    unknown_outage_s=0.5,
    most_turn_attempts=3,
    heartbeat_s=0.3,
    dead_after_s=1.2,
    restart_s=0.2,
)
_SLOW_S = 0.4
_DIE_WITH_PARENT = 1  # PR_SET_PDEATHSIG of prctl(2)


async def triage(state: State, runtime: Runtime[Context]) -> dict[str, Any]:
    """The turn: it answers with what it read, unless that is deadly."""
    words = text_of(state["event"])
    if not (Path(os.environ["SARA_DATA_DIR"]) / "mended").exists():
        if DEADLY in words:
            os.kill(os.getpid(), signal.SIGKILL)
        if WRONG in words:
            raise ValueError(f"a message that is not to be told: {words}")
        if SLOW in words:
            await asyncio.sleep(_SLOW_S)
    return {"outcome": {"kind": "answered", "intent": "answer", "replies": [{"text": f"Letto: {words}"}]}}


async def transcribe(state: State) -> dict[str, Any]:
    """Where a thread comes in again after its pause."""
    return {}


async def _away(_text: str) -> None:
    """As an embedder that fails, which no turn of this worker's needs."""
    raise ModelUnavailable("this worker has no models")


def machine(saver: TenantSaver) -> Machine:
    """The graph around that turn."""
    graph = StateGraph(State, context_schema=Context)
    graph.add_node("transcribe", transcribe)
    graph.add_node("load_contact", load_contact)
    graph.add_node("triage", triage)
    graph.add_node("reply", reply)
    graph.add_node("await_human", await_human)
    graph.add_edge(START, "transcribe")
    graph.add_edge("transcribe", "load_contact")
    graph.add_edge("triage", "reply")
    graph.add_edge("reply", END)
    return graph.compile(checkpointer=saver, name="mortal")


async def live() -> None:
    """One life of the worker."""
    settings = load()
    configure_logging("warning")
    async with AsyncExitStack() as stack:
        dsn = await stack.enter_async_context(services.database(settings))
        crm = await stack.enter_async_context(services.record(settings, dsn))
        client = await stack.enter_async_context(services.whatsapp(settings))
        pool = await open_pool(dsn, max_size=10)
        stack.push_async_callback(pool.close)
        app = build_app(dsn)
        await stack.enter_async_context(app.open_async())
        phrases = Phrases.load()
        nothing: Any = None
        away: Any = SimpleNamespace(query=_away)
        deaf: Any = SimpleNamespace(unread=lambda _text: Sensitivity("none", 0.0, True, (), {}))
        speaking: Any = SimpleNamespace(detect=lambda *_, **__: SimpleNamespace(language="it"))
        context = Context(
            crm=crm,
            search=nothing,
            chat=nothing,
            last_resort=nothing,
            embedder=away,
            one_embedder=True,
            intents=nothing,
            sensitivity=deaf,
            languages=speaking,
            transcriber=nothing,
            media=nothing,
            phrases=phrases,
            clock=crm.clock,
            notify=Bell(crm, phrases, None),
        )
        work = Services(
            crm=crm,
            machine=machine(TenantSaver(pool)),
            context=context,
            client=client,
            patience=PATIENCE,
            clock=crm.clock,
        )
        await run_worker(app, work, concurrency=4, name="mortal")


def main() -> None:
    """Life after life, for as long as they end by a kill; one life with the argument `once`."""
    if sys.argv[1:] == ["once"]:
        asyncio.run(live())
        return
    while True:
        child = os.fork()
        if child == 0:
            ctypes.CDLL(None).prctl(_DIE_WITH_PARENT, signal.SIGKILL)
            asyncio.run(live())
            os._exit(0)
        _, status = os.waitpid(child, 0)
        if not os.WIFSIGNALED(status):
            return


if __name__ == "__main__":
    main()
