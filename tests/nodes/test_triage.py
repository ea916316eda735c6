"""What needs no model: opting out, asking for a person, messages with nothing to read, thanks."""

from dataclasses import replace
from datetime import timedelta

import pytest

from nodes import triage
from tests.nodes.stage import Scripted, Stage, Thread, says
from tests.nodes.test_transcribe import Ear, Media, unclear


@pytest.mark.parametrize("word", ["STOP", "baja", "Sair", "cancellami", "unsubscribe"])
async def test_opting_out_is_kept_and_answered(stage: Stage, word: str) -> None:
    thread = await stage.customer()
    await thread.say(word)
    assert thread.state["outcome"]["kind"] == "opted_out"
    rows = await stage.rows("SELECT opted_out_at FROM contact WHERE contact_id = %s", thread.contact_id)
    assert rows[0]["opted_out_at"] == stage.clock.now
    assert len(await thread.spoken()) == 1
    told = await stage.rows("SELECT kind FROM crm_event WHERE contact_id = %s", thread.contact_id)
    assert [row["kind"] for row in told] == ["opted_out"]


async def test_coming_back_ends_the_opting_out(stage: Stage) -> None:
    thread = await stage.customer()
    await thread.say("STOP")
    await thread.say("START")
    assert thread.state["outcome"]["kind"] == "opted_in"
    rows = await stage.rows("SELECT opted_out_at FROM contact WHERE contact_id = %s", thread.contact_id)
    assert rows[0]["opted_out_at"] is None


async def test_a_word_that_opts_out_inside_a_sentence_does_not(stage: Stage) -> None:
    thread = await stage.customer()
    await thread.say("C'è una fermata del tram (stop) vicino a voi?")
    assert thread.state["outcome"]["kind"] != "opted_out"


@pytest.mark.parametrize(
    ("slug", "text"),
    [
        ("aurora", "Vorrei parlare con una persona"),
        ("aurora", "I want to speak to a human please"),
        ("costa-azul", "Quiero hablar con una persona"),
        ("costa-azul", "Quero falar com uma pessoa"),
    ],
)
async def test_whoever_asks_for_a_person_gets_one(stage: Stage, slug: str, text: str) -> None:
    thread = await stage.customer(slug)
    await thread.say(text)
    assert (await thread.conversation()).owner == "human"
    (handoff,) = await thread.handoffs()
    assert handoff["reason"] == "customer_request"
    assert handoff["wants"] == text


async def test_asking_for_a_person_in_an_emergency_still_gives_the_number(stage: Stage) -> None:
    thread = await stage.customer()
    await thread.say("Passami un operatore, ho un dolore forte al petto e non respiro")
    (handoff,) = await thread.handoffs()
    assert (handoff["reason"], handoff["label"]) == ("sensitive", "emergency")
    assert "112" in thread.words


@pytest.mark.parametrize("text", ["", "   ", "\u200b\u200d\ufeff", "\u202e\u2066"])
async def test_a_message_of_nothing_is_asked_about(stage: Stage, text: str) -> None:
    thread = await stage.customer()
    await thread.say(text)
    assert thread.state["outcome"]["kind"] == "empty"
    assert len(await thread.spoken()) == 1


async def test_invisible_characters_do_not_hide_words(stage: Stage) -> None:
    thread = await stage.customer()
    await thread.say("S\u200bT\u2066O\u200d\U000e0041P")
    assert thread.state["outcome"]["kind"] == "opted_out"


@pytest.mark.parametrize("text", ["👍", "❤️🙏", "…", "Grazie mille!", "thanks!"])
async def test_thanks_and_emoji_get_a_courtesy_and_no_model(stage: Stage, text: str) -> None:
    thread = await stage.customer()
    await thread.say(text)
    assert thread.state["outcome"]["kind"] == "small_talk"
    assert thread.state["proposal"] == {}
    assert len(await thread.spoken()) == 1


async def test_ten_thousand_characters_are_read_up_to_a_limit_and_answered(stage: Stage) -> None:
    thread = await stage.customer()
    await thread.say("Quanto costa il massaggio rilassante? " + "davvero bello " * 720)
    read = thread.state["event"]["messages"][0]["text"]
    assert len(read) <= triage.READ_CHARACTERS
    assert await thread.spoken()
    assert thread.state["outcome"]["kind"] in ("answered", "handed_over")


@pytest.mark.parametrize("text", ["כמה עולה עיסוי?", "كم سعر التدليك؟", "\u202eكم السعر\u202c"])
async def test_right_to_left_writing_gets_an_answer_or_a_human(stage: Stage, text: str) -> None:
    thread = await stage.customer()
    await thread.say(text)
    assert thread.state["outcome"]["kind"] in ("answered", "asked", "handed_over")
    assert await thread.spoken()
    assert thread.state["language"] in ("it", "en", "es", "pt")


@pytest.mark.parametrize("kind", ["sticker", "location", "contacts", "image", "unsupported"])
async def test_kinds_that_cannot_be_read_are_answered_politely(stage: Stage, kind: str) -> None:
    thread = await stage.customer()
    await thread.say("", kind=kind)
    assert thread.state["outcome"]["kind"] == "unsupported"
    assert len(await thread.spoken()) == 1


async def test_a_reaction_asks_for_nothing(stage: Stage) -> None:
    thread = await stage.customer()
    await thread.say("", kind="reaction")
    assert thread.state["outcome"]["kind"] == "silent"
    assert await thread.spoken() == []
    waiting = await stage.rows(
        "SELECT 1 FROM inbox_event WHERE conversation_id = %s AND done_at IS NULL", thread.conversation_id
    )
    assert waiting == []


async def test_a_burst_is_one_turn_and_one_answer(stage: Stage) -> None:
    thread = await stage.customer()
    await thread.say("Ciao", "quanto costa", "il massaggio rilassante?")
    assert "65,00" in thread.words
    assert len({row["turn_id"] for row in await thread.outbox()}) == 1


async def test_the_offered_person_can_be_had_and_declined(stage: Stage) -> None:
    thread = await stage.customer()
    await thread.say("Riparate biciclette da montagna?")
    await thread.say("No, grazie", kind="interactive", option="human:no")
    assert thread.state["outcome"]["kind"] == "declined_human"
    await thread.say("Sì, un collega", kind="interactive", option="human:yes")
    assert [row["reason"] for row in await thread.handoffs()] == ["customer_request"]


async def test_a_film_is_answered_in_its_own_words(stage: Stage) -> None:
    thread = await stage.customer()
    await thread.say("", kind="video")
    assert thread.state["outcome"]["kind"] == "unsupported"
    assert thread.words == "I video non riesco ancora a guardarli. Me lo dici in un vocale, o me lo scrivi?"


async def test_a_correction_of_the_time_needs_no_judgment(stage: Stage) -> None:
    """After a question about pain and prices "no, at three" must not look like a call for help."""
    thread = await stage.customer()
    await thread.say("Vorrei prenotare un massaggio decontratturante sabato 9 gennaio alle 11")
    assert thread.state["outcome"]["kind"] == "confirming"
    await thread.say("no, alle 15")
    assert thread.state["outcome"]["kind"] == "confirming"
    assert "15:00" in thread.words
    assert (await thread.conversation()).owner == "bot"


async def flooded(stage: Stage, *, most: int) -> Thread:
    thread = await stage.customer()
    tuning = replace(thread.context.tuning, flood_messages=most)
    thread.context = replace(thread.context, tuning=tuning)
    for number in range(8):
        await thread.say(f"Grazie {number}!")
    return thread


async def test_who_writes_more_than_a_person_can_is_left_to_one(stage: Stage) -> None:
    thread = await flooded(stage, most=8)
    assert await thread.handoffs() == []
    await thread.say("Quanto costa un massaggio rilassante?")
    (handoff,) = await thread.handoffs()
    assert (handoff["reason"], handoff["wants"]) == ("flooding", "Quanto costa un massaggio rilassante?")
    said = len(await thread.spoken())
    await thread.say("Grazie!")
    assert len(await thread.spoken()) == said


async def test_an_emergency_in_a_flood_still_gives_the_number(stage: Stage) -> None:
    thread = await flooded(stage, most=8)
    await thread.say("Ho un dolore forte al petto e non respiro")
    (handoff,) = await thread.handoffs()
    assert (handoff["reason"], handoff["label"]) == ("sensitive", "emergency")
    assert "112" in thread.words


async def test_a_lively_talk_is_no_flood(stage: Stage) -> None:
    thread = await flooded(stage, most=9)
    await thread.say("Quanto costa un massaggio rilassante?")
    assert await thread.handoffs() == []
    stage.clock.now += timedelta(minutes=11)
    for number in range(4):
        await thread.say(f"Grazie {number}!")
    assert await thread.handoffs() == []


async def test_leaving_is_heard_in_a_flood(stage: Stage) -> None:
    thread = await flooded(stage, most=8)
    await thread.say("STOP")
    assert thread.state["outcome"]["kind"] == "opted_out"


async def test_what_was_given_back_is_answered_whatever_came_before(stage: Stage) -> None:
    thread = await flooded(stage, most=8)
    await thread.say("Dove siete?")
    await thread.say("Quanto costa un massaggio rilassante?")
    await thread.handed_back("Rispondi pure")
    assert "65,00" in thread.words


async def offered_a_colleague(stage: Stage) -> Thread:
    """A customer whose question found no answer."""
    chat = Scripted(says("Non lo so. Vuoi che ti risponda un collega?", abstained=True))
    thread = await stage.customer(chat=chat)
    await thread.say("Posso portare il mio gatto?")
    assert [o["id"] for o in thread.state["outcome"]["replies"][-1].get("options", [])] == []
    return thread


async def test_a_written_yes_to_the_offer_of_a_colleague_is_a_yes(stage: Stage) -> None:
    thread = await offered_a_colleague(stage)
    await thread.say("sì grazie")
    (handoff,) = await thread.handoffs()
    assert handoff["reason"] == "customer_request"
    assert handoff["wants"] == "Posso portare il mio gatto?"


async def test_a_written_no_to_it_is_a_no(stage: Stage) -> None:
    thread = await offered_a_colleague(stage)
    await thread.say("no grazie")
    assert thread.state["outcome"]["kind"] == "declined_human"
    assert await thread.handoffs() == []


@pytest.mark.parametrize("word", ["cancella", "Cancella!"])
async def test_an_everyday_word_speaks_of_what_is_being_arranged(stage: Stage, word: str) -> None:
    thread = await stage.customer(chat=Scripted(says("", intent="book_appointment")))
    await thread.say("Vorrei prenotare un massaggio rilassante giovedì alle 17")
    assert thread.state["frame"]
    await thread.say(word)
    assert thread.state["outcome"]["kind"] == "declined"
    assert thread.state["frame"] == {}
    rows = await stage.rows("SELECT opted_out_at FROM contact WHERE contact_id = %s", thread.contact_id)
    assert rows[0]["opted_out_at"] is None
    await thread.say(word)
    assert thread.state["outcome"]["kind"] == "opted_out"


async def test_a_button_for_one_appointment_is_no_opting_out(stage: Stage) -> None:
    """A reminder template's buttons have the words its operator chose."""
    thread = await stage.customer()
    await thread.say("Vorrei prenotare un massaggio rilassante giovedì alle 17")
    await thread.say("Sì")
    [booked] = await stage.rows(
        "SELECT appointment_id FROM appointment WHERE contact_id = %s", thread.contact_id
    )
    await thread.say("Cancella", kind="button", option=f"appointment:cancel:{booked['appointment_id']}")
    assert thread.state["outcome"]["intent"] == "cancel_appointment"
    [contact] = await stage.rows("SELECT opted_out_at FROM contact WHERE contact_id = %s", thread.contact_id)
    assert contact["opted_out_at"] is None
    await thread.say("STOP", kind="button", option="campaign:1")
    assert thread.state["outcome"]["kind"] == "opted_out"


@pytest.mark.parametrize(("first", "then"), [("", "grazie"), ("Buongiorno", ""), ("Quanto costa?", "")])
async def test_a_file_without_a_caption_is_seen_by_a_person_whatever_stands_beside_it(
    stage: Stage, first: str, then: str
) -> None:
    thread = await stage.customer()
    event = await thread.wrote(first, then)
    silent = next(said for said in event["messages"] if not said["text"])
    silent |= {"kind": "document", "media": {"id": "1", "mime_type": "application/pdf", "filename": "f.pdf"}}
    await thread.deliver(event)
    [handoff] = await thread.handoffs()
    assert handoff["reason"] == "attachment"
    assert "f.pdf" in handoff["wants"]


PICTURE = {"kind": "image", "media": {"id": "1", "mime_type": "image/jpeg", "filename": "muro.jpg"}}


@pytest.mark.parametrize("option", ["human:no", "nps:no", "confirm:yes"])
async def test_a_picture_beside_a_button_is_seen_by_a_person(stage: Stage, option: str) -> None:
    thread = await stage.customer()
    if option == "confirm:yes":
        await thread.say("Vorrei prenotare un massaggio rilassante giovedì alle 12")
        assert thread.state["outcome"]["kind"] == "confirming"
    event = await thread.wrote("Pulsante", "")
    event["messages"][0] |= {"kind": "interactive", "option_id": option}
    event["messages"][1] |= PICTURE  # type: ignore[typeddict-item]
    await thread.deliver(event)
    [handoff] = await thread.handoffs()
    assert handoff["reason"] == "attachment"
    assert "muro.jpg" in handoff["wants"]
    assert len(thread.state["handoff"]["packet"]["files"]) == 1
    if option == "confirm:yes":
        assert "Pulsante" in handoff["wants"], "whoever looks hears of the yes too"
        assert thread.state["handoff"]["packet"]["slots"]["service"]


@pytest.mark.parametrize("option", ["human:no", "nps:no"])
async def test_what_is_asked_beside_a_no_is_answered(stage: Stage, option: str) -> None:
    thread = await stage.customer()
    event = await thread.wrote("No, grazie", "Quanto costa un massaggio rilassante?")
    event["messages"][0] |= {"kind": "interactive", "option_id": option}
    await thread.deliver(event)
    assert "65,00" in thread.words


async def test_a_picture_beside_a_note_that_was_not_understood_is_seen_and_the_note_heard_by_a_person(
    stage: Stage,
) -> None:
    thread = await stage.customer()
    thread.context = replace(thread.context, transcriber=Ear(unclear("vorrei un preventivo")), media=Media())
    event = await thread.wrote("", "")
    event["messages"][0] |= {
        "kind": "audio",
        "media": {"id": "2", "mime_type": "audio/ogg", "sha256": None, "voice": True},
    }
    event["messages"][1] |= PICTURE  # type: ignore[typeddict-item]
    await thread.deliver(event)
    [handoff] = await thread.handoffs()
    assert handoff["reason"] == "attachment"
    assert "muro.jpg" in handoff["wants"]
    assert "vorrei un preventivo" in handoff["wants"]
    packet = thread.state["handoff"]["packet"]
    assert (len(packet["files"]), len(packet["voice_notes"])) == (1, 1)
    assert thread.state["hearing"] == {}, "nobody has asked whether that was right"


async def test_who_asks_to_be_called_is_left_to_a_person(stage: Stage) -> None:
    """By the button of an apology, which stays in the chat after the conversation was given back."""
    thread = await stage.customer()
    await thread.say("Richiamatemi", kind="interactive", option="callback:yes")
    [handoff] = await thread.handoffs()
    assert (handoff["reason"], handoff["wants"]) == ("customer_request", "Richiamatemi")
