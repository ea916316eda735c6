"""The frame across turns: digressions, corrections, never mind, expiry, handing over, failures."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta

import pytest

from crm.errors import RecordUnavailable
from crm.record import Crm
from db.pool import open_pool
from tests.tools.talk import Room, open_room


@pytest.fixture(scope="module")
async def opened_room(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Room]:
    async with open_room(tmp_path_factory.mktemp("frame-db")) as room:
        yield room


@pytest.fixture
async def room(opened_room: Room) -> Room:
    await opened_room.clean()
    return opened_room


BOOKING = "massaggio rilassante venerdì alle 15"


async def test_an_answer_passes_through_with_its_sources(room: Room) -> None:
    talk = await room.talk()
    outcome = await talk.say("avete il parcheggio?", intent="answer", reply="Sì, in via Orti.")
    assert talk.goto == "reply"
    assert outcome["kind"] == "answered"
    assert outcome["sources"] == ["F1"]
    assert talk.words == "Sì, in via Orti."
    assert talk.state["frame"] == {}


async def test_the_models_words_about_an_action_are_dropped(room: Room) -> None:
    talk = await room.talk()
    outcome = await talk.book(BOOKING, reply="Fatto, prenotato gratis!")
    assert "gratis" not in talk.words
    assert outcome["sources"] == []
    outcome = await talk.say("sì")
    assert outcome["kind"] == "done"
    assert set(outcome["evidence"]) == {
        "appointment",
        "service",
        "starts",
        "resource",
        "place",
        "price",
        "people",
    }


@pytest.mark.parametrize("first", [BOOKING, "massaggio rilassante", "vorrei prenotare"])
async def test_a_question_in_the_middle_is_answered_and_the_frame_goes_on(room: Room, first: str) -> None:
    talk = await room.talk()
    await talk.book(first)
    slots, options = talk.state["frame"]["slots"], talk.options
    outcome = await talk.say("quanto costa il parcheggio?", intent="answer", reply="È gratuito.")
    assert outcome["kind"] == "answered"
    assert outcome["intent"] == "answer"
    assert outcome["replies"][0]["text"] == "È gratuito."
    assert talk.options == options
    assert talk.state["frame"]["slots"] == slots


async def test_a_price_asked_in_the_middle_does_not_change_the_service(room: Room) -> None:
    talk = await room.talk()
    await talk.book(BOOKING)
    await talk.say("e quanto costa il massaggio prenatale?", intent="answer", reply="72 €")
    assert talk.state["frame"]["slots"]["service"] == "massaggio_rilassante"
    assert (await talk.say("ok"))["kind"] == "done"


async def test_an_answer_mistaken_for_small_talk_still_fills(room: Room) -> None:
    talk = await room.talk()
    await talk.book("vorrei prenotare")
    await talk.say("massaggio prenatale", intent="answer", reply="Il massaggio prenatale è…")
    assert talk.state["frame"]["slots"]["service"] == "massaggio_prenatale"
    outcome = await talk.say("giovedì alle 11", intent="other")
    assert outcome["kind"] == "confirming"


@pytest.mark.parametrize(
    ("language", "words"),
    [("it", "lascia stare"), ("en", "forget it"), ("es", "déjalo"), ("pt", "deixa pra lá")],
)
async def test_never_mind_drops_the_frame_kindly(room: Room, language: str, words: str) -> None:
    talk = await room.talk(language=language)
    await talk.book("massaggio rilassante")
    outcome = await talk.say(words)
    assert outcome["kind"] == "declined"
    assert talk.goto == "reply"
    assert talk.words
    assert talk.state["frame"] == {}
    assert (await talk.say("sì" if language == "it" else "ok"))["kind"] == "asked"
    assert await talk.appointments() == []


async def test_the_button_that_drops(room: Room) -> None:
    talk = await room.talk()
    await talk.book(BOOKING)
    await talk.say(option="confirm:no")
    await talk.say(option="frame:drop")
    assert talk.state["frame"] == {}


async def test_an_old_frame_is_not_confirmed_by_a_late_yes(room: Room) -> None:
    talk = await room.talk()
    await talk.book(BOOKING)
    room.clock.now += timedelta(minutes=31)
    outcome = await talk.say("sì")
    assert outcome["kind"] == "asked"
    assert await talk.appointments() == []
    assert talk.state["frame"] == {}


async def test_a_button_beside_other_words_confirms_nothing(room: Room) -> None:
    talk = await room.talk()
    await talk.book(BOOKING)
    outcome = await talk.say("anzi sabato alle 10", option="confirm:yes", intent="book_appointment")
    assert outcome["kind"] == "confirming"
    assert "sabato 21 novembre 2026, 10:00" in talk.words
    assert await talk.appointments() == []


@pytest.mark.parametrize("words", ["grazie", "ok grazie mille", "sì", "👍", "🌸"])
async def test_thanks_beside_a_button_leave_it_pressed(room: Room, words: str) -> None:
    talk = await room.talk()
    await talk.book(BOOKING)
    outcome = await talk.say(words, option="confirm:yes")
    assert outcome["kind"] == "done", talk.words
    assert len(await talk.appointments()) == 1


@pytest.mark.parametrize(("words", "low"), [("no", False), ("aspetti, non so", False), ("ok", True)])
async def test_words_against_a_button_or_hardly_heard_confirm_nothing(
    room: Room, words: str, low: bool
) -> None:
    talk = await room.talk()
    await talk.book(BOOKING)
    said = {"voice": words, "low": True} if low else {"text": words}
    await talk.say(option="confirm:yes", **said)
    assert await talk.appointments() == []


async def test_a_no_beside_its_own_button_asks_what_to_change(room: Room) -> None:
    talk = await room.talk()
    await talk.book(BOOKING)
    await talk.say("no grazie", option="confirm:no")
    assert talk.state["frame"]["question"]["slot"] == "change"


async def test_thanks_beside_a_button_are_no_part_of_a_report(room: Room) -> None:
    talk = await room.talk()
    await talk.say("la sauna ieri era fredda e sporca", intent="open_ticket")
    await talk.say("grazie", option="confirm:yes")
    [ticket] = await room.rows("SELECT description FROM ticket WHERE contact_id = %s", talk.contact_id)
    assert ticket["description"] == "la sauna ieri era fredda e sporca"


async def test_another_intent_takes_over_when_it_is_sure(room: Room) -> None:
    talk = await room.talk()
    await talk.book(BOOKING)
    await talk.say("la sauna ieri era fredda e sporca", intent="open_ticket", confidence=0.9)
    assert talk.state["frame"]["intent"] == "open_ticket"


async def test_an_unsure_other_intent_does_not(room: Room) -> None:
    talk = await room.talk()
    await talk.book("vorrei prenotare")
    await talk.say("massaggio prenatale", intent="request_quote", confidence=0.5)
    assert talk.state["frame"]["intent"] == "book_appointment"


async def test_asking_for_a_person_in_the_middle_hands_over(room: Room) -> None:
    talk = await room.talk()
    await talk.book(BOOKING)
    await talk.say("preferisco parlare con una persona", intent="escalate_to_human")
    assert talk.goto == "open_handoff"
    assert talk.state["frame"] == {}


async def test_what_is_not_understood_is_said_and_asked_again(room: Room) -> None:
    talk = await room.talk()
    await talk.book(BOOKING)
    outcome = await talk.book("bla bla")
    assert talk.words.startswith("Scusa, non ho capito bene.")
    assert outcome["kind"] == "confirming"
    assert talk.options == ["confirm:yes", "confirm:no"]


async def test_the_frame_is_plain_json(room: Room) -> None:
    talk = await room.talk()
    await talk.book(BOOKING)
    frame = talk.state["frame"]
    assert sorted(frame) == ["expires_at", "intent", "misses", "opened_at", "question", "slots", "turn_id"]
    assert frame["question"]["slot"] == "confirm"
    assert frame["question"]["option_ids"] == ["confirm:yes", "confirm:no"]


async def test_a_service_withdrawn_meanwhile_ends_with_a_person(room: Room) -> None:
    """The record refuses (NotBookable): the customer gets a human, with what is known."""
    talk = await room.talk()
    await talk.book("massaggio rilassante venerdì")
    await room.rows("UPDATE service SET duration_minutes = NULL WHERE key = 'massaggio_rilassante'")
    try:
        await talk.book("alle 15")
    finally:
        await room.rows("UPDATE service SET duration_minutes = 50 WHERE key = 'massaggio_rilassante'")
    assert talk.goto == "open_handoff"
    assert talk.state["handoff"]["reason"] == "tool_failed"
    assert talk.state["handoff"]["slots"]["service"] == "massaggio_rilassante"


async def test_a_database_that_is_away_is_not_a_failed_tool(room: Room) -> None:
    talk = await room.talk()
    await talk.book(BOOKING)
    frame = talk.state["frame"]
    gone = await open_pool(room.dsn, max_size=1)
    await gone.close()
    away = replace(room.context, crm=Crm(gone, room.clock))
    talk.room = replace(room, context=away)
    with pytest.raises(RecordUnavailable):
        await talk.say("sì")
    assert talk.state["frame"] == frame
    talk.room = room
    assert (await talk.say("sì"))["kind"] == "done"


@pytest.mark.parametrize(
    ("language", "words"),
    [("it", "il secondo"), ("en", "The second one!"), ("es", "la segunda"), ("pt", "a segunda"), ("it", "2")],
)
async def test_an_option_can_be_named_by_its_place(room: Room, language: str, words: str) -> None:
    talk = await room.talk(language=language)
    await talk.book("massaggio rilassante")
    second = talk.options[1]
    outcome = await talk.book(words)
    assert outcome["kind"] == "confirming"
    starts = second.removeprefix("slot:").rpartition(":")[0]
    assert talk.state["frame"]["slots"]["slot"]["starts"] == starts
