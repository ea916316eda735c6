"""The pause: messages join the thread, only people end it."""

from graph.state import State
from tests.nodes.stage import Stage, Thread

WANTS = "Vorrei parlare con una persona"


async def paused(stage: Stage) -> Thread:
    thread = await stage.customer()
    await thread.say(WANTS)
    return thread


def said(state: State, author: str) -> list[str]:
    return [line["text"] for line in state["window"] if line["author"] == author]


async def test_customers_are_heard_and_not_answered(stage: Stage) -> None:
    thread = await paused(stage)
    await thread.say("Ci siete?")
    await thread.say("Quanto costa un massaggio rilassante?")
    assert (await thread.snapshot()).next == ("await_human",)
    assert len(await thread.spoken()) == 1
    assert said(thread.state, "customer") == [WANTS, "Ci siete?", "Quanto costa un massaggio rilassante?"]
    assert len(thread.state["handoff"]["waiting"]) == 2
    assert len(await thread.handoffs()) == 1


async def test_an_agents_words_join_the_thread_and_answer_what_waited(stage: Stage) -> None:
    thread = await paused(stage)
    await thread.say("Ci siete?")
    await thread.agent_says("Sono Elena, eccomi.")
    assert thread.state["handoff"]["waiting"] == []
    assert said(thread.state, "agent") == ["Sono Elena, eccomi."]
    assert (await thread.snapshot()).next == ("await_human",)
    await thread.handed_back("Parlato")
    assert (await thread.snapshot()).next == ()
    assert len(await thread.spoken()) == 1


async def test_a_hand_back_answers_what_nobody_answered(stage: Stage) -> None:
    thread = await paused(stage)
    await thread.say("Quanto costa un massaggio rilassante?")
    await thread.handed_back("Tutto a posto")
    assert (await thread.conversation()).owner == "bot"
    assert "65,00" in (await thread.spoken())[-1].body
    assert thread.state["handoff"]["returned"]["note"] == "Tutto a posto"
    assert thread.state["handoff"]["open"] is False
    assert said(thread.state, "customer").count("Quanto costa un massaggio rilassante?") == 1


async def test_a_hand_back_with_nothing_waiting_says_nothing(stage: Stage) -> None:
    thread = await paused(stage)
    await thread.handed_back("Chiamata lei")
    assert len(await thread.spoken()) == 1
    assert (await thread.snapshot()).next == ()
    await thread.say("Quanto costa un massaggio rilassante?")
    assert "65,00" in thread.words


async def test_thanks_among_what_waited_need_no_answer(stage: Stage) -> None:
    thread = await paused(stage)
    await thread.say("Grazie mille!")
    await thread.handed_back("Fatto")
    assert len(await thread.spoken()) == 1
    assert thread.state["outcome"]["kind"] == "silent"


async def test_a_resolution_ends_the_thread_and_the_next_message_opens_another(stage: Stage) -> None:
    thread = await paused(stage)
    await thread.say("Ci siete?")
    first = thread.thread_id
    await thread.resolved()
    assert thread.state["handoff"] == {"open": False}
    assert (await thread.snapshot()).next == ()
    await thread.say("Quanto costa un massaggio rilassante?")
    assert thread.thread_id != first
    assert "65,00" in thread.words


async def test_the_same_person_can_be_asked_for_again(stage: Stage) -> None:
    thread = await paused(stage)
    await thread.handed_back("Fatto")
    await thread.say(WANTS)
    assert [row["status"] for row in await thread.handoffs()] == ["returned", "open"]
