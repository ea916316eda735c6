"""An agent takes a conversation while the bot is at work on it: the customer hears one voice."""

from typing import Any

import pytest

from crm import businesses, desk, handoffs, inbox, takeover
from inference.chat import Answered, Request
from tests.nodes.stage import Scripted, Stage, Thread, says

QUESTION = "Quanto costa un massaggio rilassante?"
WANTS = "Vorrei parlare con una persona"


class Interrupted(Scripted):
    """A model in the middle of whose answer an agent takes the conversation."""

    def __init__(self, stage: Stage, *, speaks: bool, **proposed: Any) -> None:
        super().__init__(says("Il massaggio rilassante costa 65,00 €.", **proposed))
        self.stage = stage
        self.speaks = speaks
        self.thread: Thread | None = None
        self.handoff_id = 0

    async def propose(self, request: Request) -> Answered:
        if self.thread is not None and not self.handoff_id:
            async with self.stage.crm.transaction(self.thread.business_id) as tx:
                agent = (await businesses.agents(tx))[0].agent_id
                self.handoff_id = await takeover.take(tx, self.thread.conversation_id, agent)
                if self.speaks:
                    await desk.answer(tx, self.handoff_id, agent, ["Sono Elena."])
        return await super().propose(request)


async def interrupted(stage: Stage, *, speaks: bool, **proposed: Any) -> tuple[Thread, Interrupted]:
    chat = Interrupted(stage, speaks=speaks, **proposed)
    thread = await stage.customer(chat=chat)
    await thread.wrote("Buongiorno")
    chat.thread = thread
    await thread.say(QUESTION)
    return thread, chat


@pytest.mark.parametrize("confidence", [0.9, 0.1])  # the turn would answer; the turn would hand over itself
@pytest.mark.parametrize("speaks", [True, False])
async def test_the_turn_in_flight_says_nothing(stage: Stage, speaks: bool, confidence: float) -> None:
    thread, chat = await interrupted(stage, speaks=speaks, confidence=confidence)
    assert await thread.spoken() == []
    assert len(await thread.spoken("agent")) == int(speaks)
    conversation = await thread.conversation()
    assert (conversation.owner, conversation.agent_id is not None) == ("human", True)
    (row,) = await thread.handoffs()
    assert (row["handoff_id"], row["reason"], row["status"]) == (chat.handoff_id, "agent_takeover", "claimed")


@pytest.mark.parametrize("confidence", [0.9, 0.1])
async def test_given_back_without_a_word_it_is_answered_after_all(stage: Stage, confidence: float) -> None:
    thread, _ = await interrupted(stage, speaks=False, confidence=confidence)
    thread.context = stage.context  # the model that comes next is not interrupted
    await thread.handed_back("Può rispondere SARA")
    assert "65,00" in (await thread.spoken())[-1].body
    assert thread.state["handoff"]["returned"]["note"] == "Può rispondere SARA"


async def test_given_back_after_an_answer_nothing_is_said_and_the_note_is_kept(stage: Stage) -> None:
    thread, chat = await interrupted(stage, speaks=True)
    async with stage.crm.transaction(thread.business_id) as tx:
        waiting = [one.kind for one in await inbox.waiting(tx, thread.conversation_id, after=0)]
    assert inbox.AGENT_MESSAGE in waiting
    await thread.agent_says("Sono Elena.")
    await thread.handed_back("Fatto", facts={"parcheggio": "posto 7"})
    assert await thread.spoken() == []
    assert thread.state["handoff"]["returned"]["facts"] == {"parcheggio": "posto 7"}
    assert chat.handoff_id
    thread.context = stage.context
    await thread.say("Dove trovo il parcheggio?")
    assert "posto 7" in thread.words


async def test_what_a_human_gave_back_does_not_return_for_the_same_reason(stage: Stage) -> None:
    unsure = Scripted(says("Forse.", confidence=0.1))
    thread = await stage.customer(chat=unsure)
    await thread.say(QUESTION)
    await thread.say("E un massaggio rilassante per due?")
    await thread.handed_back("Visto")
    assert [row["status"] for row in await thread.handoffs()] == ["returned"]
    said = (await thread.spoken())[-1]
    assert said.kind == "buttons"
    assert (await thread.conversation()).owner == "bot"
    await thread.say("Allora, quanto costa?")  # a new question may need a person again
    assert [row["status"] for row in await thread.handoffs()] == ["returned", "open"]


async def test_what_was_known_stands_in_the_record(stage: Stage) -> None:
    thread = await stage.customer(chat=Scripted(says("", intent="book_appointment")))
    await thread.say("Vorrei prenotare un massaggio rilassante")
    await thread.say(WANTS)
    (row,) = await thread.handoffs()
    async with stage.crm.transaction(thread.business_id) as tx:
        known = await handoffs.facts(tx, row["handoff_id"])
    assert ("slot", "service", "massaggio_rilassante") in [(one.kind, one.key, one.body) for one in known]


async def test_what_is_not_handed_over_again_keeps_what_the_colleague_told(stage: Stage) -> None:
    unsure = Scripted(says("Forse.", confidence=0.1))
    thread = await stage.customer(chat=unsure)
    await thread.say(QUESTION)
    await thread.say("E un massaggio rilassante per due?")
    await thread.handed_back("Visto", facts={"parcheggio": "posto 7"})
    assert (await thread.conversation()).owner == "bot"
    thread.context = stage.context
    await thread.say("Dove trovo il parcheggio?")
    assert "posto 7" in thread.words
