"""Moving, cancelling and listing: only one's own, in time, said back, once."""

from datetime import UTC, datetime, timedelta

import pytest

from tests.tools.talk import Room, Talk

MOVES = {
    "it": (
        "Devo spostare il mio appuntamento di venerdì a lunedì alle 11",
        "sì",
        "lunedì 23 novembre 2026, 11:00",
    ),
    "en": (
        "Can I move my appointment from Friday to Monday at 11?",
        "yes",
        "Monday, 23 November 2026, 11:00",
    ),
    "es": (
        "Quiero cambiar mi cita del viernes al lunes a las 11",
        "sí",
        "lunes, 23 de noviembre de 2026, 11:00",
    ),
    "pt": (
        "Queria mudar a minha marcação de sexta para segunda às 11h",
        "sim",
        "23 de novembro de 2026, 11:00",
    ),
}
CANCELS = {
    "it": ("Vorrei disdire il mio appuntamento", "annullalo", "disdetto"),
    "en": ("I have to cancel my booking", "yes please", "cancelled"),
    "es": ("Tengo que anular mi cita", "sí", "anulada"),
    "pt": ("Preciso cancelar a minha marcação", "sim", "cancelada"),
}
LISTS = {
    "it": ("Quando ho l'appuntamento?", "venerdì 20 novembre 2026, 15:00"),
    "en": ("When is my appointment?", "Friday, 20 November 2026, 15:00"),
    "es": ("¿Cuándo es mi cita?", "viernes, 20 de noviembre de 2026, 15:00"),
    "pt": ("Quando é a minha marcação?", "20 de novembro de 2026, 15:00"),
}
CANCEL_INTENT = {"intent": "reschedule_cancel"}


async def booked(room: Room, language: str = "it", when: str = "venerdì alle 15") -> Talk:
    """A customer with a relaxing massage on Friday 20 November at three."""
    talk = await room.talk(language="it")
    await talk.book(f"massaggio rilassante {when}")
    assert (await talk.say("sì"))["kind"] == "done", talk.words
    talk.language = language
    return talk


@pytest.mark.parametrize("language", list(MOVES))
async def test_moves_in_every_language(room: Room, language: str) -> None:
    asked, yes, moment = MOVES[language]
    talk = await booked(room, language)
    outcome = await talk.say(asked, intent="reschedule_cancel")
    assert outcome["kind"] == "confirming", talk.words
    assert outcome["intent"] == "reschedule_appointment"
    assert moment in talk.words
    assert "15:00" in talk.words  # the old time too
    outcome = await talk.say(yes)
    assert outcome["kind"] == "done"
    assert moment in talk.words
    [row] = await talk.appointments()
    assert row["starts"] == datetime(2026, 11, 23, 10, tzinfo=UTC)
    assert row["status"] == "booked"
    kinds = await room.rows("SELECT kind FROM crm_event WHERE contact_id = %s ORDER BY 1", talk.contact_id)
    assert [row["kind"] for row in kinds] == ["appointment_booked", "appointment_moved"]


@pytest.mark.parametrize("language", list(CANCELS))
async def test_cancels_in_every_language(room: Room, language: str) -> None:
    asked, yes, word = CANCELS[language]
    talk = await booked(room, language)
    outcome = await talk.say(asked, **CANCEL_INTENT)
    assert outcome["kind"] == "confirming", talk.words
    outcome = await talk.say(yes, **CANCEL_INTENT)
    assert outcome["kind"] == "done"
    assert word in talk.words
    [row] = await talk.appointments()
    assert row["status"] == "cancelled"
    again = await booked(room)  # the time is free again
    assert len(await again.appointments()) == 1


@pytest.mark.parametrize("language", list(LISTS))
async def test_lists_in_every_language(room: Room, language: str) -> None:
    asked, moment = LISTS[language]
    talk = await booked(room, language)
    outcome = await talk.say(asked, intent="reschedule_cancel")
    assert (outcome["kind"], outcome["intent"]) == ("done", "list_my_appointments")
    assert moment in talk.words
    assert [option.rpartition(":")[0] for option in talk.options] == [
        "appointment:move",
        "appointment:cancel",
    ]
    await talk.say(option=talk.options[1])
    assert talk.state["outcome"]["kind"] == "confirming"


async def test_words_that_leave_it_open_are_asked_about(room: Room) -> None:
    talk = await booked(room)
    outcome = await talk.say("c'è un problema con il mio appuntamento", intent="reschedule_cancel")
    assert outcome["kind"] == "asked"
    assert "Lo sposto o lo disdico?" in talk.words
    await talk.say(option=talk.options[0])
    assert talk.state["frame"]["intent"] == "reschedule_appointment"


async def test_a_new_hour_keeps_the_day_and_a_new_day_the_hour(room: Room) -> None:
    talk = await booked(room)
    await talk.say("sposta il mio appuntamento", intent="reschedule_cancel")
    assert all(option.startswith("slot:") for option in talk.options)
    await talk.say("alle 17", intent="book_appointment")  # so it looks to a model
    assert "nuovo: venerdì 20 novembre 2026, 17:00" in talk.words
    await talk.say("no, giovedì", intent="book_appointment")
    assert "nuovo: giovedì 19 novembre 2026, 17:00" in talk.words
    await talk.say("sì")
    [row] = await talk.appointments()
    assert row["starts"] == datetime(2026, 11, 19, 16, tzinfo=UTC)


async def test_a_question_in_the_middle_is_answered_and_the_move_goes_on(room: Room) -> None:
    talk = await booked(room)
    await talk.say("vorrei spostare il mio appuntamento a lunedì alle 11", intent="reschedule_cancel")
    outcome = await talk.say("c'è il parcheggio?", intent="answer", reply="Sì, in via Orti.")
    assert outcome["kind"] == "answered"
    assert talk.words.startswith("Sì, in via Orti.")
    assert "Lo sposto?" in talk.words
    assert (await talk.say("sì"))["kind"] == "done"


async def test_a_taken_time_is_refused_and_near_ones_offered(room: Room) -> None:
    for _ in range(3):  # everybody who gives it
        await booked(room, when="giovedì alle 16")
    talk = await booked(room)
    outcome = await talk.say("sposta il mio appuntamento a giovedì alle 16", intent="reschedule_cancel")
    assert outcome["kind"] == "asked"
    assert "wait:join" not in talk.options
    assert len(talk.options) == 3


async def test_somebody_was_faster_between_offer_and_yes(room: Room) -> None:
    talk = await booked(room)
    await talk.say("sposta il mio appuntamento a giovedì alle 16", intent="reschedule_cancel")
    for _ in range(3):
        await booked(room, when="giovedì alle 16")
    outcome = await talk.say("sì")
    assert outcome["kind"] == "asked"
    [row] = await talk.appointments()
    assert row["starts"] == datetime(2026, 11, 20, 14, tzinfo=UTC)


async def test_the_same_turn_again_moves_once(room: Room) -> None:
    talk = await booked(room)
    await talk.say("sposta il mio appuntamento a lunedì alle 11", intent="reschedule_cancel")
    before = dict(talk.state)
    first = await talk.say("sì", turn_id="moving")
    talk.state = before
    assert await talk.say("sì", turn_id="moving") == first
    moved = "SELECT 1 FROM crm_event WHERE contact_id = %s AND kind = 'appointment_moved'"
    assert len(await room.rows(moved, talk.contact_id)) == 1


@pytest.mark.parametrize("wish", ["disdire", "spostare"])
async def test_inside_the_notice_period_the_rule_is_explained_and_a_person_offered(
    room: Room, wish: str
) -> None:
    talk = await booked(room)
    room.clock.now += timedelta(days=1, hours=10)  # 20 hours before
    await talk.say(f"devo {wish} il mio appuntamento", intent="reschedule_cancel")
    assert "fino a 24 ore prima" in talk.words
    assert talk.options == ["human:yes", "human:no"]
    before = dict(talk.state)
    await talk.say("sì")
    assert talk.goto == "open_handoff"
    assert talk.state["handoff"]["reason"] == "inside_notice_period"
    talk.state = before
    outcome = await talk.say("no, lascia stare")
    assert outcome["kind"] == "declined"
    [row] = await talk.appointments()
    assert row["status"] == "booked"


async def test_a_no_to_the_person_leaves_the_appointment(room: Room) -> None:
    talk = await booked(room)
    room.clock.now += timedelta(days=1, hours=10)
    await talk.say("devo disdire il mio appuntamento", **CANCEL_INTENT)
    outcome = await talk.say("no")
    assert outcome["kind"] == "declined"
    assert "resta com'è" in talk.words


async def test_an_appointment_of_somebody_else_is_out_of_reach(room: Room) -> None:
    victim = await booked(room)
    [theirs] = await victim.appointments()
    talk = await room.talk()
    for kind in ("move", "cancel"):
        outcome = await talk.say(option=f"appointment:{kind}:{theirs['appointment_id']}")
        assert outcome["kind"] == "declined"
        assert "Non trovo quell'appuntamento" in talk.words
    outcome = await talk.say(option="appointment:cancel:99999999999999999999999")
    assert outcome["kind"] == "declined"
    assert (await victim.appointments())[0]["status"] == "booked"


async def test_of_several_the_one_meant_is_asked(room: Room) -> None:
    talk = await booked(room)
    await talk.book("massaggio decontratturante sabato alle 11")
    await talk.say("sì")
    outcome = await talk.say("devo disdire il mio appuntamento", **CANCEL_INTENT)
    assert outcome["kind"] == "asked"
    assert len(talk.options) == 2
    await talk.say(option=talk.options[1])
    assert "decontratturante" in talk.words
    await talk.say("sì")
    assert [row["status"] for row in await talk.appointments()] == ["booked", "cancelled"]
    await talk.book("rituale hammam venerdì alle 12:30")
    await talk.say("sì")
    await talk.say("annulla il mio rituale hammam", **CANCEL_INTENT)
    assert "hammam" in talk.words
    assert talk.state["outcome"]["kind"] == "confirming"


async def test_leaving_it_leaves_it(room: Room) -> None:
    talk = await booked(room)
    await talk.say("devo disdire il mio appuntamento", **CANCEL_INTENT)
    await talk.say("ho cambiato idea")
    assert talk.state["frame"] == {}
    assert (await talk.appointments())[0]["status"] == "booked"
    await talk.say("devo disdire il mio appuntamento", **CANCEL_INTENT)
    await talk.say("no")
    assert (await talk.appointments())[0]["status"] == "booked"


async def test_a_new_booking_beside_a_pending_one_is_not_mistaken(room: Room) -> None:
    """While a booking is arranged, "cancel my appointment of Friday" speaks of the one there is."""
    talk = await booked(room)
    await talk.book("massaggio decontratturante sabato alle 11")
    outcome = await talk.say("anzi, devo disdire il mio appuntamento di venerdì", **CANCEL_INTENT)
    assert outcome["intent"] == "cancel_appointment"
    assert "rilassante" in talk.words


@pytest.mark.parametrize(
    ("language", "before", "asked"),
    [
        ("it", "almeno un'ora prima", "Vorrei disdire il mio appuntamento"),
        ("en", "at least an hour before", "I have to cancel my booking"),
        ("es", "al menos una hora antes", "Tengo que anular mi cita"),
        ("pt", "pelo menos uma hora antes", "Preciso cancelar a minha marcação"),
    ],
)
async def test_a_notice_of_one_hour_is_told_as_one(
    room: Room, language: str, before: str, asked: str
) -> None:
    await room.rows("UPDATE business SET cancel_notice_hours = 1 WHERE slug = 'aurora'")
    try:
        talk = await room.talk()
        await talk.book("massaggio rilassante oggi alle 15")
        talk.language = language
        await talk.say(option="confirm:yes")
        assert before in talk.words
        room.clock.now += timedelta(hours=4, minutes=30)
        await talk.say(asked, **CANCEL_INTENT)
        assert talk.options == ["human:yes", "human:no"]
        assert before.split(maxsplit=2)[-1] in talk.words
    finally:
        await room.rows("UPDATE business SET cancel_notice_hours = 24 WHERE slug = 'aurora'")


async def test_nothing_booked_is_said(room: Room) -> None:
    talk = await room.talk()
    for text in ("disdici il mio appuntamento", "sposta il mio appuntamento", "quando ho l'appuntamento?"):
        outcome = await talk.say(text, intent="reschedule_cancel")
        assert outcome["kind"] == "declined"
        assert "Non trovo" in talk.words


async def test_a_pending_move_ends_after_half_an_hour(room: Room) -> None:
    talk = await booked(room)
    await talk.say("sposta il mio appuntamento a lunedì alle 11", intent="reschedule_cancel")
    room.clock.now += timedelta(minutes=31)
    await talk.say("sì")
    [row] = await talk.appointments()
    assert row["starts"] == datetime(2026, 11, 20, 14, tzinfo=UTC)
