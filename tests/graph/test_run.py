"""The road into the graph: delivery, resumption, and turns that die at any checkpoint."""

import secrets
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import pytest
import pytest_asyncio
from langchain_core.runnables import RunnableConfig
from langgraph.checkpoint.base import ChannelVersions, Checkpoint, CheckpointMetadata

from crm import conversations, handoffs
from db.checkpoints import TenantSaver, writing_alone
from db.pool import Pool, open_pool
from db.tenancy import NoTenant, tenant
from graph.build import build
from graph.run import (
    RECURSION_LIMIT,
    REPEATABLE,
    abandon,
    deliver,
    finish,
    node_times,
    remembered,
    thread_config,
)
from graph.state import SUPERSEDED, UNANSWERED, Event, Said, State, left_unanswered
from tests.nodes.stage import Scripted, Stage, Thread, says

QUESTION = "Quanto costa un massaggio rilassante?"
WANTS = "Vorrei parlare con una persona"
MOST_WRITES = 60


class Died(Exception):
    """The process is gone."""


class Unnamed(Scripted):
    """A model that can be named once, by generate: check_grounding dies of it, right after."""

    asked_its_name = 0

    @property
    def name(self) -> str:  # type: ignore[override]
        self.asked_its_name += 1
        if self.asked_its_name > 1:
            raise Died
        return "unnamed"


class Dying(TenantSaver):
    """A checkpointer of a process that dies: from the `lives`-th write on, nothing more is kept. A
    checkpoint that is to be written with the next one counts too."""

    lives = 10**6
    writes = 0

    async def aput(
        self,
        config: RunnableConfig,
        checkpoint: Checkpoint,
        metadata: CheckpointMetadata,
        new_versions: ChannelVersions,
    ) -> RunnableConfig:
        self._write()
        return await super().aput(config, checkpoint, metadata, new_versions)

    async def aput_writes(
        self, config: RunnableConfig, writes: Sequence[tuple[str, Any]], task_id: str, task_path: str = ""
    ) -> None:
        self._write()
        await super().aput_writes(config, writes, task_id, task_path)

    def _write(self) -> None:
        self.writes += 1
        if self.writes > self.lives:
            raise Died


@pytest_asyncio.fixture(loop_scope="session")
async def dying(stage: Stage) -> AsyncIterator[Dying]:
    pool = await open_pool(stage.dsn, max_size=4, name="dying")
    yield Dying(pool)
    await pool.close()


@pytest.fixture(params=["each checkpoint at once", "as a worker"])
def repeatable(request: pytest.FixtureRequest) -> frozenset[str]:
    """The nodes whose checkpoints are written with later ones."""
    return REPEATABLE if request.param == "as a worker" else frozenset()


async def cut_off(
    stage: Stage, thread: Thread, saver: Dying, lives: int, event: Event, repeatable: frozenset[str]
) -> bool:
    """Delivers an event to a process that dies after `lives` writes, then, as a new process does, finishes
    the turn or, where nothing of it was kept, delivers it again. False when the process outlived the turn."""
    saver.lives, saver.writes = lives, 0
    machine = build(saver)
    with tenant(thread.business_id):
        try:
            with writing_alone(repeatable):
                await deliver(machine, thread.context, thread.thread_id, event)
        except Died:
            died = True
        else:
            died = False

        @asynccontextmanager
        async def known(state: State) -> AsyncIterator[None]:
            assert state["event"]["last_event_id"] <= event["last_event_id"]
            yield

        found = await finish(stage.machine, thread.context, thread.thread_id, within=known)
        if int(found.values.get("last_event_id", 0)) < event["last_event_id"]:
            await deliver(stage.machine, thread.context, thread.thread_id, event)
        thread.state = await remembered(stage.machine, thread.thread_id)
    assert thread.state["last_event_id"] == event["last_event_id"]
    return died


@pytest.mark.parametrize("text", [QUESTION, WANTS])
async def test_a_turn_that_dies_at_any_write_speaks_exactly_once(
    stage: Stage, dying: Dying, text: str, repeatable: frozenset[str]
) -> None:
    deaths = 0
    for lives in range(MOST_WRITES):
        thread = await stage.customer()
        died = await cut_off(stage, thread, dying, lives, await thread.wrote(text), repeatable)
        assert len(await thread.outbox()) == 1, lives
        assert len(await thread.handoffs()) == (text == WANTS), lives
        open_events = "SELECT 1 FROM inbox_event WHERE conversation_id = %s AND done_at IS NULL"
        assert await stage.rows(open_events, thread.conversation_id) == [], lives
        assert [line["author"] for line in thread.state["window"]] == ["customer", "bot"], lives
        await stage.let_go()
        if not died:
            break
        deaths += 1
    assert 5 < deaths < MOST_WRITES - 1


@pytest.mark.parametrize("then", ["customer", "agent", "hand_back", "resolve"])
async def test_a_pause_that_dies_at_any_write_hears_everything_once(
    stage: Stage, dying: Dying, then: str, repeatable: frozenset[str]
) -> None:
    deaths = 0
    for lives in range(MOST_WRITES):
        thread = await stage.customer()
        await thread.say(WANTS)
        await thread.say(QUESTION)
        died = await cut_off(stage, thread, dying, lives, await next_event(thread, then), repeatable)
        heard = [line["text"] for line in thread.state["window"] if line["author"] != "bot"]
        more = {"customer": ["Ci siete?"], "agent": ["Eccomi."]}
        assert heard == [WANTS, QUESTION, *more.get(then, [])], lives
        assert len(await thread.handoffs()) == 1
        paused = (await thread.snapshot()).next == ("await_human",)
        assert paused is (then in more), lives
        answers = [row for row in await thread.outbox() if row["turn_id"] == thread.state["event"]["turn_id"]]
        assert len(answers) == (then == "hand_back"), lives
        await stage.let_go()
        if not died:
            break
        deaths += 1
    assert 2 < deaths < MOST_WRITES - 1


async def next_event(thread: Thread, then: str) -> Event:
    """What happens next during the pause; the graph has not seen it yet."""
    match then:
        case "customer":
            return await thread.wrote("Ci siete?")
        case "agent":
            return await thread.agent_wrote("Eccomi.")
        case "hand_back":
            return await thread.gave_back("Fatto")
        case _:
            return await thread.settled()


async def test_a_node_that_fails_leaves_the_turn_to_be_finished(stage: Stage) -> None:
    thread = await stage.customer(chat=Scripted(RuntimeError("a defect")))
    event = await thread.wrote(QUESTION)
    with pytest.raises(RuntimeError, match="a defect"):
        await thread.deliver(event)
    assert (await thread.snapshot()).next == ("generate",)
    assert await thread.outbox() == []
    thread.context = stage.context
    await thread.finish()
    assert "65,00" in thread.words
    assert len(await thread.outbox()) == 1
    await thread.finish()
    assert len(await thread.outbox()) == 1


async def test_a_model_is_not_asked_again_for_what_it_had_decided(stage: Stage) -> None:
    chat = Scripted(says("Non lo so.", abstained=True))
    thread = await stage.customer(chat=chat)
    healthy = thread.context
    thread.context = replace(healthy, last_resort=Unnamed(says("")))
    event = await thread.wrote("Vendete biciclette?")
    with pytest.raises(Died):
        await thread.deliver(event)
    assert (await thread.snapshot()).next == ("check_grounding",)
    thread.context = healthy
    await thread.finish()
    assert len(chat.asked) == 1
    assert thread.words == "Non lo so."


async def test_a_thread_without_a_turn_has_nothing_to_finish(stage: Stage) -> None:
    thread = await stage.customer()
    with tenant(thread.business_id):
        assert (await finish(stage.machine, stage.context, f"{thread.business_id}:0")).values == {}


async def test_a_paused_thread_is_resumed_and_not_begun_again(stage: Stage) -> None:
    thread = await stage.customer()
    await thread.say(WANTS)
    packet = thread.state["handoff"]["packet"]
    await thread.say("Ci siete?")
    snapshot = await thread.snapshot()
    assert snapshot.next == ("await_human",)
    value = snapshot.tasks[0].interrupts[0].value
    assert {key: value[key] for key in packet} == packet
    assert len(await thread.handoffs()) == 1


async def test_a_pause_is_no_turn_to_be_finished(stage: Stage) -> None:
    thread = await stage.customer()
    await thread.say(WANTS)
    with tenant(thread.business_id):
        await finish(stage.machine, thread.context, thread.thread_id)
    assert (await thread.snapshot()).next == ("await_human",)


async def test_agents_words_on_a_thread_that_is_not_paused_join_it_without_a_turn(stage: Stage) -> None:
    thread = await stage.customer()
    await thread.say(QUESTION)
    await thread.agent_says("Aggiungo: c'è anche la sauna.")
    assert thread.state["window"][-1] == {
        "author": "agent",
        "text": "Aggiungo: c'è anche la sauna.",
        "at": stage.clock.now.isoformat(),
    }
    assert (await thread.snapshot()).next == ()
    assert len(await thread.spoken()) == 1


async def test_an_abandoned_turn_is_over_and_the_next_one_runs(stage: Stage) -> None:
    thread = await stage.customer(chat=Scripted(RuntimeError("a defect")))
    event = await thread.wrote(QUESTION)
    with pytest.raises(RuntimeError, match="a defect"):
        await thread.deliver(event)
    with tenant(thread.business_id):
        await abandon(stage.machine, thread.thread_id, event["last_event_id"])
    assert (await thread.snapshot()).next == ()
    thread.context = stage.context
    await thread.say(QUESTION)
    assert "65,00" in thread.words


async def test_what_was_given_up_is_answered_when_a_person_gives_it_back(stage: Stage) -> None:
    """Also after a second failure, and together with what came meanwhile; not once somebody has answered."""
    thread = await stage.customer(chat=Scripted(RuntimeError("a defect")))
    event = await thread.wrote(QUESTION)
    await gives_up(stage, thread, event, event["messages"])
    later = await thread.deliver(await thread.wrote("E dove siete?"))
    assert [said["text"] for said in later["handoff"]["waiting"]] == [QUESTION, "E dove siete?"]
    returned = await thread.gave_back("riprova")
    await gives_up(stage, thread, returned, [])
    thread.context = stage.context
    await thread.handed_back("mended")
    assert "65,00" in thread.words
    assert "Via" in thread.words or "via" in thread.words

    other = await stage.customer(chat=Scripted(RuntimeError("a defect")))
    event = await other.wrote(QUESTION)
    await gives_up(stage, other, event, event["messages"])
    await other.agent_says("Costa 65 euro.")
    await other.handed_back()
    assert await other.spoken() == []


async def test_what_was_withheld_is_answered_when_given_back_without_a_word(stage: Stage) -> None:
    """Which messages those are is found in the record (jobs/drain)."""
    thread = await stage.customer()
    asked = await thread.wrote(QUESTION)
    await thread.deliver(asked)
    for unanswered, answers in (([], 1), (asked["messages"], 2)):
        await taken_over(stage, thread)
        await thread.deliver(await gave_back(thread, unanswered))
        assert len(await thread.spoken()) == answers
        assert UNANSWERED not in thread.state["handoff"]["returned"]
    assert "65,00" in thread.words


async def test_what_was_withheld_is_answered_with_what_waited_for_the_agent(stage: Stage) -> None:
    thread = await stage.customer()
    asked = await thread.wrote(QUESTION)
    await thread.deliver(asked)
    await taken_over(stage, thread)
    later = await thread.wrote("E dove siete?")
    await thread.deliver(later)
    assert (await thread.snapshot()).next == ("await_human",)
    await thread.deliver(await gave_back(thread, asked["messages"]))
    assert [said["text"] for said in thread.state["event"]["messages"]] == [QUESTION, "E dove siete?"]
    assert "65,00" in thread.words
    assert UNANSWERED not in thread.state["handoff"]["returned"]


def test_what_an_earlier_release_left_superseded_is_not_lost() -> None:
    asked = [Said(message_id=1, text=QUESTION)]
    assert left_unanswered({"kind": SUPERSEDED, "replies": []}, asked) == asked
    assert left_unanswered({"kind": SUPERSEDED, "waiting": []}, asked) == []
    assert left_unanswered({"kind": "answered"}, asked) == left_unanswered(None, asked) == []


async def gave_back(thread: Thread, unanswered: list[Said]) -> Event:
    given = await thread.gave_back()
    return Event(**{**given, "handoff": {**(given["handoff"] or {}), UNANSWERED: unanswered}})


async def taken_over(stage: Stage, thread: Thread) -> None:
    """An agent takes a conversation that nobody handed over."""
    async with stage.crm.transaction(thread.business_id) as tx:
        await handoffs.open_one(
            tx,
            thread.conversation_id,
            turn_id=secrets.token_hex(4),
            reason="takeover",
            label=None,
            score=None,
            summary="",
            wants="",
            draft="",
        )
        await conversations.give_to_human(tx, thread.conversation_id)


async def gives_up(stage: Stage, thread: Thread, event: Event, asked: list[Said]) -> None:
    """A turn that fails, and the person who has the conversation from then on."""
    with pytest.raises(RuntimeError, match="a defect"):
        await thread.deliver(event)
    async with stage.crm.transaction(thread.business_id) as tx:
        await handoffs.open_one(
            tx,
            thread.conversation_id,
            turn_id=f"{event['turn_id']}:failed",
            reason="turn_failed",
            label=None,
            score=None,
            summary="",
            wants="",
            draft="",
        )
        await conversations.give_to_human(tx, thread.conversation_id)
    with tenant(thread.business_id):
        await abandon(stage.machine, thread.thread_id, event["last_event_id"], asked)


async def test_a_thread_is_named_by_its_id_and_bounded(stage: Stage) -> None:
    assert thread_config("1:2") == {
        "configurable": {"thread_id": "1:2"},
        "recursion_limit": RECURSION_LIMIT,
    }


async def test_threads_of_another_business_cannot_be_read(stage: Stage) -> None:
    thread = await stage.customer()
    await thread.say(QUESTION)
    with tenant(stage.ids["conti"]):
        assert await remembered(stage.machine, thread.thread_id) == {}
    with pytest.raises(NoTenant):
        await remembered(stage.machine, thread.thread_id)


async def test_the_thread_remembers_declared_keys_only_and_no_person_in_a_scalar(stage: Stage) -> None:
    thread = await stage.customer(name="Livia Conte")
    await thread.say(QUESTION)
    await thread.say(WANTS)
    await thread.handed_back("Fatto")
    assert set(thread.state) <= set(State.__annotations__)
    scalars = {key for key, value in thread.state.items() if not isinstance(value, dict | list)}
    assert scalars == {"last_event_id", "language"}


async def test_every_node_of_a_turn_is_timed(stage: Stage) -> None:
    thread = await stage.customer()
    await thread.say(QUESTION)
    with tenant(thread.business_id):
        times = await node_times(stage.machine, thread.thread_id)
    assert list(times) == [
        "transcribe",
        "load_contact",
        "triage",
        "score_sensitivity",
        "retrieve",
        "generate",
        "check_grounding",
        "execute_intent",
        "reply",
    ]
    assert all(milliseconds > 0 for milliseconds in times.values())


class Counting(TenantSaver):
    """A checkpointer that counts the questions it asks the database."""

    def __init__(self, pool: Pool) -> None:
        super().__init__(pool)
        self.asked: list[None] = []  # LangGraph works with a copy of its checkpointer

    def _cursor(self, *, pipeline: bool = False) -> Any:
        self.asked.append(None)
        return super()._cursor(pipeline=pipeline)


async def test_a_thread_that_was_just_read_is_read_again_only_once_it_was_written(stage: Stage) -> None:
    thread = await stage.customer()
    await thread.say(QUESTION)
    async with await open_pool(stage.dsn, max_size=2, name="counting") as pool:
        saver = Counting(pool)
        machine = build(saver)
        event = await thread.wrote(QUESTION)
        with tenant(thread.business_id), writing_alone():
            found = await finish(machine, thread.context, thread.thread_id)
            assert len(saver.asked) == 1
            await deliver(machine, thread.context, thread.thread_id, event, after=found)
            assert len(saver.asked) == 1
            assert len(found.values["window"]) == 2  # what was read is as it was
            state = await remembered(machine, thread.thread_id)
            assert len(saver.asked) == 2
        assert state["last_event_id"] == event["last_event_id"]
        assert len(state["window"]) == 4


class Written(TenantSaver):
    """A checkpointer that tells which checkpoints it wrote together: how many, each time."""

    def __init__(self, pool: Pool) -> None:
        super().__init__(pool)
        self.together: list[int] = []

    async def _keep(self, thread: Any, chain: Sequence[Any]) -> None:
        self.together.append(len(chain))
        await super()._keep(thread, chain)


async def history(stage: Stage, thread: Thread) -> list[tuple[Any, ...]]:
    """What a thread's checkpoints tell, newest first."""
    with tenant(thread.business_id):
        snapshots = stage.machine.aget_state_history(thread_config(thread.thread_id))
        return [(s.next, s.metadata and s.metadata["step"], sorted(s.values)) async for s in snapshots]


async def test_checkpoints_written_together_are_those_written_one_by_one(stage: Stage) -> None:
    at_once, together = await stage.customer(), await stage.customer()
    await at_once.say(QUESTION)
    async with await open_pool(stage.dsn, max_size=2, name="written") as pool:
        saver = Written(pool)
        with tenant(together.business_id), writing_alone(REPEATABLE):
            event = await together.wrote(QUESTION)
            await deliver(build(saver), together.context, together.thread_id, event)
    # The input with what it makes of the thread; before check_grounding, execute_intent, reply; at the end.
    assert saver.together == [2, 6, 1, 1, 1]
    assert await history(stage, together) == await history(stage, at_once)


async def test_a_node_that_fails_leaves_what_was_found_out_before_it(stage: Stage) -> None:
    thread = await stage.customer(chat=Scripted(RuntimeError("a defect")))
    event = await thread.wrote(QUESTION)
    with writing_alone(REPEATABLE), pytest.raises(RuntimeError, match="a defect"):
        await thread.deliver(event)
    assert (await thread.snapshot()).next == ("generate",)


async def test_a_thread_that_is_read_meanwhile_is_written_first(stage: Stage) -> None:
    thread = await stage.customer()
    with tenant(thread.business_id), writing_alone(REPEATABLE):
        config = thread_config(thread.thread_id)
        event = await thread.wrote(QUESTION)
        given = State(event=event, last_event_id=event["last_event_id"])
        stopped = {"context": thread.context, "durability": "sync", "interrupt_before": ["retrieve"]}
        await stage.machine.ainvoke(given, config, **stopped)
        assert (await stage.machine.aget_state(config)).next == ("retrieve",)
        listed = [snapshot.next async for snapshot in stage.machine.aget_state_history(config)]
    assert listed[0] == ("retrieve",)
    assert listed[-1] == ("__start__",)
