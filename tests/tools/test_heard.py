"""Words of a voice note are read back before anything is done with them; typed ones take the usual way."""

import pytest

from tests.tools.talk import Room, Talk

HEARD = {
    "it": ("Vorrei prenotare un massaggio rilassante venerdì alle 15", "Nel tuo vocale ho sentito: “{}”."),
    "en": ("I'd like to book a relaxing massage on Friday at 3pm", "In your voice note I heard: “{}”."),
    "es": ("Quiero reservar un masaje relajante el viernes a las 15", "En tu nota de voz he oído: “{}”."),
    "pt": (
        "Queria marcar uma massagem relaxante na sexta às 15h",
        "Na sua mensagem de voz ouvi: “{}”.",
    ),
}


@pytest.mark.parametrize("language", list(HEARD))
async def test_a_spoken_booking_is_read_back_word_for_word(room: Room, language: str) -> None:
    said, told = HEARD[language]
    talk = await room.talk(language=language)
    outcome = await talk.book("", voice=said)
    assert outcome["kind"] == "confirming"
    assert talk.words.startswith(told.format(said) + "\n")
    assert "15:00" in talk.words
    assert set(talk.state["frame"]["slots"]["heard"]) >= {"service", "when"}
    assert await talk.appointments() == []
    assert (await talk.say(option="confirm:yes"))["kind"] == "done"
    assert len(await talk.appointments()) == 1


async def test_a_typed_booking_is_confirmed_as_ever(room: Room) -> None:
    talk = await room.talk()
    await talk.book(HEARD["it"][0])
    assert "ho sentito" not in talk.words
    assert "heard" not in talk.state["frame"]["slots"]


async def test_a_slot_that_is_typed_afterwards_no_longer_counts_as_heard(room: Room) -> None:
    talk = await room.talk()
    await talk.book("", voice="Vorrei prenotare un massaggio rilassante giovedì alle 15")
    await talk.book("anzi venerdì alle 16")
    heard = talk.state["frame"]["slots"]["heard"]
    assert "service" in heard
    assert "when" not in heard


async def test_words_that_came_in_two_notes_are_both_read_back(room: Room) -> None:
    talk = await room.talk()
    await talk.book("", voice="Vorrei prenotare un massaggio rilassante")
    outcome = await talk.book("", voice="venerdì alle 15")
    assert outcome["kind"] == "confirming"
    assert "“Vorrei prenotare un massaggio rilassante venerdì alle 15”" in talk.words


WISH = "Cerco casa in affitto, fino a 1.200 euro"


async def a_wish(room: Room, **said: str) -> Talk:
    """Somebody who says what they look for and presses an answer to each question of the trade."""
    talk = await room.talk()
    await talk.say(intent="qualify_lead", **said)
    while (talk.state.get("frame") or {}).get("question", {}).get("slot", "").startswith("detail:"):
        await talk.say(
            option=talk.options[0] if talk.options else None, text="" if talk.options else "lunedì"
        )
    return talk


async def test_what_would_be_done_at_once_is_asked_first_when_it_was_heard(room: Room) -> None:
    """A wish with an amount is noted without a question when it is typed."""
    typed = await a_wish(room, text=WISH)
    assert typed.goto == "open_handoff"
    spoken = await a_wish(room, voice=WISH)
    assert (spoken.goto, spoken.state["outcome"]["kind"]) == ("reply", "confirming")
    assert spoken.words == f"Nel tuo vocale ho sentito: “{WISH}”.\nÈ giusto?"
    assert await room.rows("SELECT 1 FROM crm_event WHERE contact_id = %s", spoken.contact_id) == []
    await spoken.say("sì")
    assert spoken.goto == "open_handoff"
    assert spoken.state["handoff"]["slots"] == typed.state["handoff"]["slots"]
    assert spoken.state["handoff"]["wants"] == WISH


async def test_after_a_no_the_heard_words_make_room_for_new_ones(room: Room) -> None:
    talk = await a_wish(room, voice=WISH)
    outcome = await talk.say("no")
    assert outcome["kind"] == "asked"
    assert "frame:drop" in talk.options
    await talk.say("Cerco casa in affitto, fino a 200 euro", intent="qualify_lead")
    assert talk.goto == "open_handoff"
    assert talk.state["handoff"]["slots"]["wish"] == "Cerco casa in affitto, fino a 200 euro"


async def test_a_ticket_told_by_voice_is_told_again_after_a_no(room: Room) -> None:
    talk = await room.talk()
    await talk.say(intent="open_ticket", voice="La doccia della cabina tre perde acqua da ieri")
    assert "ho sentito" in talk.words
    await talk.say(option="confirm:no")
    await talk.say("La doccia della cabina due perde acqua da ieri", intent="open_ticket")
    await talk.say("sì")
    [ticket] = await room.rows("SELECT description FROM ticket WHERE contact_id = %s", talk.contact_id)
    assert ticket["description"] == "La doccia della cabina due perde acqua da ieri"


async def test_a_spoken_yes_counts_unless_it_was_barely_understood(room: Room) -> None:
    talk = await room.talk()
    await talk.book("", voice=HEARD["it"][0])
    outcome = await talk.say(voice="sì", low=True)
    assert outcome["kind"] == "confirming"
    assert await talk.appointments() == []
    assert (await talk.say(voice="sì"))["kind"] == "done"
    assert len(await talk.appointments()) == 1


async def test_long_words_are_quoted_as_far_as_anyone_reads(room: Room) -> None:
    talk = await room.talk()
    await talk.say(intent="open_ticket", voice="La doccia perde acqua. " + "Davvero tanta acqua. " * 60)
    quoted = talk.words.split("”")[0]
    assert quoted.endswith("…")
    assert len(quoted) < 450
