"""A turn after the question whether one would recommend the business: answers are taken, nothing else is."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from typing import Any
from unittest.mock import ANY

import pytest
import pytest_asyncio
from langgraph.runtime import Runtime

from crm import conversations, nps, outbox
from crm.messages import NewMessage, Option
from nodes.triage import triage
from tests.nodes.stage import Stage, Thread
from tests.nodes.test_alarm import Away


@pytest_asyncio.fixture(loop_scope="session")
async def asked(stage: Stage) -> AsyncIterator[Thread]:
    """A customer whose question was answered, and who has been asked since."""
    thread = await stage.customer()
    await thread.say("Quanto costa il massaggio rilassante?")
    await ask(thread)
    yield thread


async def ask(thread: Thread) -> int:
    """Asks as the job does, half an hour later; the question has arrived."""
    stage = thread.stage
    stage.clock.now += timedelta(minutes=31)
    async with stage.crm.transaction(thread.business_id) as tx:
        conversation_id = await conversations.open_for(tx, thread.contact_id, thread.number)
        row = nps.DueRow(conversation_id, thread.contact_id, thread.number, None, "it")
        question = await nps.asked(tx, row, "it")
        message = NewMessage(
            conversation_id,
            thread.contact_id,
            "bot",
            "buttons",
            tx.now,
            body="Da 0 a 10, quanto ci consiglieresti?",
            options=[Option("nps:no", "No, grazie")],
        )
        epoch = (await conversations.lock(tx, conversation_id)).epoch
        (message_id,) = await outbox.add(
            tx, [message], turn_id=f"nps:{question}", epoch=epoch, answers=None, purpose=nps.NAME
        )
        await nps.asked_with(tx, question, message_id)
    await stage.rows("UPDATE outbox SET state = 'accepted' WHERE message_id = %s", message_id)
    stage.clock.now += timedelta(minutes=1)
    return question


async def kept(thread: Thread) -> list[tuple[Any, ...]]:
    """What the record holds of the customer's answers."""
    rows = await thread.stage.rows(
        "SELECT status, score, comment FROM nps_response WHERE contact_id = %s ORDER BY 1", thread.contact_id
    )
    return [tuple(row.values()) for row in rows]


OPEN = [("asked", None, "")]


@pytest.mark.parametrize(
    ("said", "score", "comment"),
    [
        ("10", 10, ""),
        ("9, gentilissimi", 9, "gentilissimi"),
        ("otto", 8, ""),
        ("ten out of ten!", 10, ""),
        ("un 7, il parcheggio è piccolo", 7, "il parcheggio è piccolo"),
    ],
)
async def test_a_friendly_score_is_kept_and_thanked_for(
    asked: Thread, said: str, score: int, comment: str
) -> None:
    await asked.say(said)
    assert asked.state["outcome"]["kind"] == "nps_thanked"
    assert "Grazie" in asked.words
    assert asked.state["proposal"] == {}
    assert await kept(asked) == [("answered", score, comment)]
    assert (await asked.conversation()).owner == "bot"


async def test_a_second_number_is_no_second_answer(asked: Thread) -> None:
    await asked.say("10")
    await asked.say("3")
    assert asked.state["outcome"]["kind"] not in ("nps_thanked", "nps_why")
    assert await kept(asked) == [("answered", 10, "")]


@pytest.mark.parametrize(
    "said",
    [
        "un 10 per favore?",
        "alle 8",
        "9/10 alle 15",
        "at 9?",
        "vorrei 2 posti",
        "Quanto costa il peeling?",
        "2, vorrei prenotare per domani sera",
        "siete aperti il 9?",
    ],
)
async def test_what_is_no_answer_gets_its_own(asked: Thread, said: str) -> None:
    await asked.say(said)
    assert not asked.state["outcome"]["kind"].startswith("nps")
    assert await kept(asked) == OPEN
    assert len(await asked.spoken()) == 3  # the price, the question, and what was said to this


async def test_a_number_that_arranges_something_is_no_score(asked: Thread) -> None:
    """The customer books instead of answering, and then says at what time."""
    await asked.say("Vorrei prenotare un massaggio rilassante venerdì")
    assert asked.state["frame"]["intent"] == "book_appointment"
    await asked.say("15")
    assert await kept(asked) == OPEN
    assert asked.state["frame"]["slots"] or asked.state["outcome"]["kind"] in ("asked", "confirming")
    assert not asked.state["outcome"]["kind"].startswith("nps")


async def test_without_a_question_a_number_is_a_number(stage: Stage) -> None:
    thread = await stage.customer()
    await thread.say("9")
    assert not thread.state["outcome"]["kind"].startswith("nps")
    assert await kept(thread) == []


async def test_an_answer_of_the_week_after_is_none(asked: Thread) -> None:
    asked.stage.clock.now += timedelta(days=7)
    await asked.say("9")
    assert await kept(asked) == OPEN


async def test_a_low_score_is_asked_about_and_a_person_gets_the_reason(asked: Thread) -> None:
    await asked.say("3")
    assert asked.state["outcome"]["kind"] == "nps_why"
    (reply,) = asked.state["outcome"]["replies"]
    assert [option["id"] for option in reply["options"]] == ["nps:person", "nps:no"]
    assert (await asked.conversation()).owner == "bot"
    await asked.say("Ho aspettato quaranta minuti e nessuno si è scusato")
    (handoff,) = await asked.handoffs()
    assert handoff["reason"] == "low_score"
    assert handoff["wants"] == "3/10: Ho aspettato quaranta minuti e nessuno si è scusato"
    assert (await asked.conversation()).owner == "human"
    assert await kept(asked) == [("answered", 3, "Ho aspettato quaranta minuti e nessuno si è scusato")]
    assert "mi dispiace" in asked.words


async def test_a_low_score_with_its_reason_goes_to_a_person_at_once(asked: Thread) -> None:
    await asked.say("2, bagni sporchi e personale scortese")
    (handoff,) = await asked.handoffs()
    assert (handoff["reason"], handoff["wants"]) == ("low_score", "2/10: bagni sporchi e personale scortese")
    assert await kept(asked) == [("answered", 2, "bagni sporchi e personale scortese")]


@pytest.mark.parametrize(
    ("said", "option", "handed"),
    [
        ("", "nps:person", True),
        ("sì grazie", None, True),
        ("", "nps:no", False),
        ("no, grazie", None, False),
        ("Vorrei parlare con una persona", None, True),
    ],
)
async def test_after_a_low_score_a_person_is_there_for_the_asking(
    asked: Thread, said: str, option: str | None, handed: bool
) -> None:
    await asked.say("4")
    await asked.say(said or "⟨title⟩", kind="interactive" if option else "text", option=option)
    assert [row["reason"] for row in await asked.handoffs()] == ["low_score"] * handed
    assert (await kept(asked))[0][:2] == ("answered", 4)


async def told(thread: Thread) -> list[str]:
    """What the customer's history says of their answers."""
    rows = await thread.stage.rows(
        "SELECT detail FROM crm_event WHERE contact_id = %s AND kind = 'nps_answered'", thread.contact_id
    )
    return [row["detail"] for row in rows]


async def test_a_score_can_be_corrected(asked: Thread) -> None:
    await asked.say("1")
    await asked.say("scusa, volevo dire 10")
    assert asked.state["outcome"]["kind"] == "nps_thanked"
    assert await kept(asked) == [("answered", 10, "")]
    assert await told(asked) == ["10/10"]


async def test_a_friendly_score_can_be_corrected_too_and_back(asked: Thread) -> None:
    await asked.say("10")
    await asked.say("scusa, volevo dire 1")
    assert asked.state["outcome"]["kind"] == "nps_why"
    assert (await kept(asked), await told(asked)) == ([("answered", 1, "")], ["1/10"])
    await asked.say("no anzi, 9")
    assert asked.state["outcome"]["kind"] == "nps_thanked"
    assert (await kept(asked), await told(asked)) == ([("answered", 9, "")], ["9/10"])
    assert await asked.handoffs() == []


async def test_a_correction_takes_no_words_away(asked: Thread) -> None:
    await asked.say("10, gentilissimi")
    await asked.say("scusate, ho sbagliato: 9")
    assert await kept(asked) == [("answered", 9, "gentilissimi")]


async def test_a_score_is_corrected_in_the_same_breath(asked: Thread) -> None:
    await asked.say("10", "scusa, volevo dire 1", "Quanto costa il massaggio rilassante?")
    assert (await kept(asked), await told(asked)) == ([("answered", 1, "")], ["1/10"])
    assert "65,00" in asked.words


async def test_a_correction_that_asks_is_a_correction_and_answered(asked: Thread) -> None:
    await asked.say("9", "scusate, volevo dire 2, quanto costa il massaggio rilassante?")
    assert await kept(asked) == [("answered", 2, ANY)]
    assert await told(asked) == ["2/10"]
    assert "65,00" in asked.words


async def test_a_score_is_corrected_at_once_or_not_at_all(asked: Thread) -> None:
    await asked.say("10")
    await asked.say("Quanto costa il peeling?")
    assert asked.state["nps"] == {}
    await asked.say("scusa, volevo dire 1")
    assert await kept(asked) == [("answered", 10, "")]


@pytest.mark.parametrize("said", ["scusa, 2 persone", "Scusate, siete aperti il 9?", "anzi no"])
async def test_not_everything_behind_an_apology_is_a_score(asked: Thread, said: str) -> None:
    await asked.say("10")
    await asked.say(said)
    assert await kept(asked) == [("answered", 10, "")]


@pytest.mark.parametrize(
    "said", ["Vorrei prenotare un massaggio rilassante venerdì alle 15", "Quanto costa il peeling?"]
)
async def test_after_a_low_score_a_request_goes_its_own_way(asked: Thread, said: str) -> None:
    await asked.say("5")
    await asked.say(said)
    assert await asked.handoffs() == []
    assert asked.state["outcome"]["kind"] in ("answered", "asked", "confirming")
    assert asked.state["nps"] == {}
    assert await kept(asked) == [("answered", 5, "")]


async def test_an_emergency_in_an_answer_is_an_emergency(asked: Thread) -> None:
    await asked.say("0, ho un dolore forte al petto e non respiro")
    (handoff,) = await asked.handoffs()
    assert (handoff["reason"], handoff["label"]) == ("sensitive", "emergency")
    assert "112" in asked.words


async def test_without_an_embedding_model_the_reason_of_a_low_score_is_heard_all_the_same(
    asked: Thread,
) -> None:
    await asked.say("2")
    asked.context = replace(asked.context, embedder=Away())  # type: ignore[arg-type]
    await asked.say("da ieri sera mio padre ha un dolore al petto fortissimo")
    (handoff,) = await asked.handoffs()
    assert (handoff["reason"], handoff["label"]) == ("sensitive", "emergency")


async def test_an_emergency_after_praise_is_one_too(asked: Thread) -> None:
    await asked.say("9, bravi, ma ho un dolore forte al petto e non respiro")
    (handoff,) = await asked.handoffs()
    assert (handoff["reason"], handoff["label"]) == ("sensitive", "emergency")
    assert (await kept(asked))[0][:2] == ("answered", 9)


async def test_a_score_and_a_question_are_both_taken(asked: Thread) -> None:
    await asked.say("9", "Quanto costa il massaggio rilassante?")
    assert await kept(asked) == [("answered", 9, "")]
    assert "65,00" in asked.words


@pytest.mark.parametrize(("said", "option"), [("⟨title⟩", "nps:no"), ("no grazie", None)])
async def test_who_would_rather_not_say_is_left_alone(asked: Thread, said: str, option: str | None) -> None:
    await asked.say(said, kind="interactive" if option else "text", option=option)
    assert asked.state["outcome"]["kind"] == "nps_declined"
    assert await kept(asked) == [("declined", None, "")]


async def test_who_leaves_leaves(asked: Thread) -> None:
    await asked.say("STOP")
    assert asked.state["outcome"]["kind"] == "opted_out"
    assert await kept(asked) == OPEN


async def test_a_turn_that_runs_again_takes_the_answer_once(asked: Thread) -> None:
    event = await asked.wrote("9, bravissimi")
    given: Any = {**asked.state, "event": event}
    for _ in range(2):
        command = await triage(given, Runtime(context=asked.context))
        assert command.goto == "reply"
        assert isinstance(command.update, dict)
        assert command.update["outcome"]["kind"] == "nps_thanked"
    assert await kept(asked) == [("answered", 9, "bravissimi")]
    told = await asked.stage.rows(
        "SELECT detail FROM crm_event WHERE contact_id = %s AND kind = 'nps_answered'", asked.contact_id
    )
    assert [row["detail"] for row in told] == ["9/10"]


async def test_an_answer_in_a_new_conversation_is_taken(stage: Stage) -> None:
    """What a person settled is asked about in a conversation of its own."""
    thread = await stage.customer()
    await thread.say("Vorrei parlare con una persona")
    await thread.resolved()
    await ask(thread)
    await thread.say("10 perfetto grazie")
    assert await kept(thread) == [("answered", 10, "perfetto grazie")]
