"""The pause: messages join the thread, only people end it."""

from typing import Any, cast

import pytest

from api.console.actions import facts_of
from crm import inbound
from graph.state import Event, State
from nodes.await_human import after
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


async def appointments(stage: Stage, thread: Thread) -> list[dict[str, Any]]:
    return await stage.rows("SELECT status FROM appointment WHERE contact_id = %s", thread.contact_id)


async def asked_to_confirm(stage: Stage) -> Thread:
    thread = await stage.customer()
    await thread.say("Vorrei prenotare un massaggio rilassante martedì alle 11")
    assert thread.state["outcome"]["kind"] == "confirming", (thread.words, thread.state["frame"])
    return thread


async def test_an_ok_to_the_agents_words_confirms_nothing_of_saras(stage: Stage) -> None:
    thread = await asked_to_confirm(stage)
    await thread.say(WANTS)
    await thread.agent_says("Prenotata sabato alle 10, va bene?")
    await thread.handed_back("Fatto")
    await thread.say("Ok, grazie")
    assert await appointments(stage, thread) == []
    assert thread.state["frame"] == {}


async def test_an_ok_that_waited_for_the_hand_back_confirms_nothing_either(stage: Stage) -> None:
    thread = await asked_to_confirm(stage)
    await thread.say(WANTS)
    await thread.agent_says("Prenotata sabato alle 10, va bene?")
    await thread.say("Ok")
    await thread.handed_back()
    assert await appointments(stage, thread) == []


async def test_given_back_without_a_word_what_sara_had_asked_is_still_asked(stage: Stage) -> None:
    thread = await asked_to_confirm(stage)
    await thread.say(WANTS)
    await thread.handed_back()
    await thread.say("Sì")
    assert await appointments(stage, thread) == [{"status": "booked"}]


async def test_a_second_hand_over_does_not_forget_what_the_first_one_told(stage: Stage) -> None:
    thread = await paused(stage)
    await thread.handed_back("Parlato", facts={"parcheggio": "posto 7"}, promises=["Sconto 10 %"])
    await thread.say(WANTS)
    await thread.handed_back("Di nuovo", facts={"citofono": "Bianchi"}, promises=["Richiamo lunedì"])
    assert thread.state["colleague"] == {
        "note": "Di nuovo",
        "facts": {"parcheggio": "posto 7", "citofono": "Bianchi"},
        "promises": ["Sconto 10 %", "Richiamo lunedì"],
        "done": [],
    }
    await thread.say("Dove trovo il parcheggio?")
    assert "posto 7" in thread.words


async def test_facts_without_a_key_of_two_hand_backs_are_both_known_as_typed(stage: Stage) -> None:
    thread = await paused(stage)
    await thread.handed_back("Parlato", facts=facts_of("Il parcheggio apre alle 18:30"))
    await thread.say(WANTS)
    await thread.handed_back("Di nuovo", facts=facts_of("Il citofono è Bianchi"))
    assert list(thread.state["colleague"]["facts"].values()) == [
        "Il parcheggio apre alle 18:30",
        "Il citofono è Bianchi",
    ]
    await thread.say("Quando apre il parcheggio?")
    told = [fact["text"] for fact in thread.state["facts"] if fact["kind"] == "colleague"]
    assert told == ["Il parcheggio apre alle 18:30"]


async def test_what_was_deleted_while_an_agent_had_it_is_not_answered(stage: Stage) -> None:
    thread = await paused(stage)
    await thread.say("Quanto costa un massaggio rilassante?")
    waiting = thread.state["handoff"]["waiting"]
    async with stage.crm.transaction(thread.business_id) as tx:
        changed = await inbound.to_change(tx, waiting[0]["wamid"])
        assert changed is not None
        await inbound.take_back(tx, changed, tx.now)
    await thread.handed_back()
    assert len(await thread.spoken()) == 1
    assert (await thread.snapshot()).next == ()


@pytest.mark.parametrize(
    "given",
    [
        {"kind": "hand_back", "handoff": "We spoke."},
        {"kind": "hand_back", "handoff": {"facts": ["a"]}},
        {"kind": "hand_back", "handoff": {"promises": "one"}},
        {"kind": "agent_message", "messages": ["hi"]},
        {"kind": "customer_message", "text": 5},
        {"kind": "left"},
        "done",
    ],
)
def test_what_cannot_be_read_leaves_the_thread_waiting(given: object) -> None:
    packet = {"reason": "customer_request"}
    came = after(State(event=Event(kind="customer_message"), handoff={"packet": packet}), given)
    assert came.goto == "await_human"
    assert "expected" in cast(dict[str, Any], came.update)["handoff"]["packet"]


async def test_a_hand_back_with_nulls_is_one_that_left_them_out(stage: Stage) -> None:
    thread = await paused(stage)
    await thread.handed_back("Visto")
    state = {**thread.state, "handoff": {"packet": {}, "open": True}}
    nulls = {"note": None, "facts": None, "promises": None}
    came = after(cast(State, state), {"kind": "hand_back", "handoff": nulls})
    assert cast(dict[str, Any], came.update)["colleague"]["note"] == "Visto"


PICTURE = {"kind": "image", "media": {"id": "1", "mime_type": "image/jpeg", "filename": "muro.jpg"}}


async def shows(thread: Thread, **shown: Any) -> None:
    """The customer sends something without words."""
    event = await thread.wrote("")
    event["messages"][0] |= shown  # type: ignore[typeddict-item]
    await thread.deliver(event)


@pytest.mark.parametrize(
    "shown",
    [
        {"kind": "sticker"},
        {"kind": "video"},
        PICTURE,
        {"kind": "interactive", "text": "Richiamatemi", "option_id": "callback:yes"},
        {"kind": "location", "text": "Bar Roma", "place": {"latitude": 45.0, "longitude": 9.0}},
    ],
)
async def test_what_a_colleague_has_seen_is_neither_answered_nor_handed_over_again(
    stage: Stage, shown: dict[str, Any]
) -> None:
    thread = await paused(stage)
    await shows(thread, **shown)
    await thread.handed_back("Visto, tutto a posto")
    assert len(await thread.spoken()) == 1
    assert len(await thread.handoffs()) == 1
    assert (await thread.conversation()).owner == "bot"


async def test_what_is_written_under_a_picture_that_a_colleague_has_seen_is_answered(stage: Stage) -> None:
    thread = await paused(stage)
    await shows(thread, **PICTURE)
    await thread.say("Quanto costa un massaggio rilassante?")
    await thread.handed_back()
    assert "65,00" in (await thread.spoken())[-1].body
    assert len(await thread.handoffs()) == 1


@pytest.mark.parametrize("first", [WANTS, None])
async def test_a_picture_that_nobody_looked_at_goes_to_people_again(stage: Stage, first: str | None) -> None:
    """Whoever had the conversation did not come, so that it went back to SARA by itself."""
    thread = await stage.customer()
    if first:
        await thread.say(first)
    else:
        await shows(thread, **PICTURE)
    await shows(thread, **PICTURE)
    await thread.say("Quanto costa un massaggio rilassante?")
    event = await thread.gave_back()
    await thread.deliver({**event, "handoff": {**(event["handoff"] or {}), "idle": True}})
    assert [row["reason"] for row in await thread.handoffs()][1:] == ["attachment"]
    assert (await thread.conversation()).owner == "human"
    assert len(thread.state["handoff"]["packet"]["files"]) == 1
