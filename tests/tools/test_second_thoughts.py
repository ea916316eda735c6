"""Customers who think again in the middle of something: what they keep, leave out, correct or cannot say."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from crm import appointments, waiting
from tests.tools.shops import open_shop
from tests.tools.talk import Room, Talk
from tests.tools.test_own_appointments import CANCEL_INTENT, booked

OFFER = "Non ho questa informazione. Vuoi che ti risponda un collega?"


async def two_booked(room: Room, language: str = "it") -> Talk:
    """A massage on Friday 20 November at three, another on Saturday 21 at eleven."""
    talk = await booked(room)
    await talk.book("massaggio decontratturante sabato alle 11")
    assert (await talk.say("sì"))["kind"] == "done", talk.words
    talk.language = language
    return talk


async def statuses(talk: Talk) -> list[str]:
    return [row["status"] for row in await talk.appointments()]


@pytest.mark.parametrize(
    ("language", "asked", "kept", "said"),
    [
        ("it", "devo disdire il mio appuntamento", "no, non annullarlo", "resta com'è"),
        ("it", "devo disdire il mio appuntamento", "no", "resta com'è"),
        ("en", "I have to cancel my booking", "No, don't cancel it", "stays as it is"),
        ("es", "Tengo que anular mi cita", "no, no la canceles", "cita"),
        ("pt", "Preciso cancelar a minha marcação", "não, não cancele", "marcação"),
    ],
)
async def test_what_is_not_to_be_cancelled_stays(
    room: Room, language: str, asked: str, kept: str, said: str
) -> None:
    talk = await booked(room, language)
    assert (await talk.say(asked, **CANCEL_INTENT))["kind"] == "confirming"
    outcome = await talk.say(kept, **CANCEL_INTENT)
    assert outcome["kind"] == "declined"
    assert said in talk.words
    assert talk.state["frame"] == {}
    assert await statuses(talk) == ["booked"]


async def test_a_question_about_cancelling_cancels_nothing(room: Room) -> None:
    talk = await booked(room)
    await talk.say("devo disdire il mio appuntamento", **CANCEL_INTENT)
    await talk.say("se annullo pago qualcosa?", intent="answer", reply="Fino a 24 ore prima è gratis.")
    assert "è gratis" in talk.words
    assert talk.state["frame"]["question"]["slot"] == "confirm"
    assert await statuses(talk) == ["booked"]
    await talk.say("sì, annullalo pure", **CANCEL_INTENT)
    assert await statuses(talk) == ["cancelled"]


@pytest.mark.parametrize(
    ("language", "other"),
    [("en", "No, cancel the other one"), ("es", "no, cancela la otra"), ("pt", "Não, cancela a outra")],
)
async def test_the_other_one_is_asked_about_and_not_cancelled_at_once(
    room: Room, language: str, other: str
) -> None:
    talk = await two_booked(room, language)
    await talk.say(option=f"appointment:cancel:{(await talk.appointments())[0]['appointment_id']}")
    before = talk.words
    outcome = await talk.say(other, **CANCEL_INTENT)
    assert outcome["kind"] == "confirming"
    assert talk.words != before
    assert await statuses(talk) == ["booked", "booked"]
    await talk.say(option="confirm:yes")
    assert await statuses(talk) == ["booked", "cancelled"]


@pytest.mark.parametrize(
    ("language", "asked", "which"),
    [
        ("it", "devo disdire il mio appuntamento", "quello di sabato"),
        ("it", "devo disdire il mio appuntamento", "sabato alle 11"),
        ("en", "I have to cancel my booking", "the one on Saturday"),
        ("en", "I have to cancel my booking", "the one at 11"),
        ("es", "Tengo que anular mi cita", "la del sábado"),
        ("pt", "Preciso cancelar a minha marcação", "a de sábado"),
    ],
)
async def test_which_one_is_told_by_its_day_or_hour(
    room: Room, language: str, asked: str, which: str
) -> None:
    talk = await two_booked(room, language)
    assert (await talk.say(asked, **CANCEL_INTENT))["kind"] == "asked"
    assert (await talk.say(which, **CANCEL_INTENT))["kind"] == "confirming", talk.words
    await talk.say(option="confirm:yes")
    assert await statuses(talk) == ["booked", "cancelled"]


async def test_a_day_in_a_wish_to_move_is_the_new_one(room: Room) -> None:
    talk = await two_booked(room)
    outcome = await talk.say("vorrei spostare il mio appuntamento a sabato", intent="reschedule_cancel")
    assert outcome["kind"] == "asked"
    assert len(talk.options) == 2
    await talk.say("quello di venerdì", intent="reschedule_cancel")
    assert talk.state["frame"]["slots"]["appointment"] == (await talk.appointments())[0]["appointment_id"]


@pytest.mark.parametrize(
    ("language", "none"),
    [
        ("it", "nessuno di questi"), ("en", "none of these work for me"), ("es", "ninguno me va bien"),
        ("pt", "nenhum"),
    ],
)  # fmt: skip
async def test_none_of_the_times_shown(room: Room, language: str, none: str) -> None:
    talk = await room.talk()
    await talk.book("massaggio rilassante venerdì")
    assert all(option.startswith("slot:") for option in talk.options)
    talk.language = language
    await talk.book(none)
    assert talk.options == ["human:yes"]
    talk.language = "it"
    await talk.book("sabato alle 11")
    assert "sabato 21 novembre 2026, 11:00" in talk.words


async def test_who_is_not_understood_twice_is_offered_a_colleague(room: Room) -> None:
    talk = await two_booked(room)
    await talk.say("devo disdire il mio appuntamento", **CANCEL_INTENT)
    await talk.say("boh quella cosa", **CANCEL_INTENT)
    assert "human:yes" not in talk.options
    await talk.say("ma sì dai quella", **CANCEL_INTENT)
    assert talk.options[-1] == "human:yes"
    await talk.say("quello di sabato", **CANCEL_INTENT)
    assert talk.state["outcome"]["kind"] == "confirming"
    assert talk.state["frame"]["misses"] == 0


async def test_a_yes_to_the_offer_of_a_colleague_books_nothing(room: Room) -> None:
    talk = await room.talk()
    await talk.book("massaggio rilassante venerdì alle 15")
    await talk.say("posso portare il mio gatto?", intent="answer", reply=OFFER, abstained=True)
    assert talk.words == OFFER  # one question at a time
    assert talk.options == ["human:yes", "human:no"]
    await talk.say("sì")
    assert talk.goto == "open_handoff"
    assert talk.state["handoff"]["reason"] == "customer_request"
    assert talk.state["handoff"]["slots"]["service"] == "massaggio_rilassante"
    assert await talk.appointments() == []


@pytest.mark.parametrize("no", ["no", "human:no"])
async def test_a_no_to_it_goes_on_with_what_was_being_arranged(room: Room, no: str) -> None:
    talk = await room.talk()
    await talk.book("massaggio rilassante venerdì alle 15")
    await talk.say("posso portare il mio gatto?", intent="answer", reply=OFFER, abstained=True)
    await (talk.say(option=no) if ":" in no else talk.say(no))
    assert talk.state["outcome"]["kind"] == "confirming"
    assert (await talk.say("sì"))["kind"] == "done"
    assert len(await talk.appointments()) == 1


async def test_another_time_while_something_else_is_asked(room: Room, tmp_path: Path) -> None:
    talk = await room.talk(await open_shop(room, tmp_path, "automotive"), "it")
    await talk.book("massaggio rilassante venerdì alle 15")
    assert "targa" in talk.words
    await talk.say("anzi, meglio sabato")
    assert "targa" in talk.words
    await talk.say("AB 123 CD", intent="other")
    assert "sabato 21 novembre 2026, 15:00" in talk.words
    assert "• AB 123 CD\n" in talk.words
    assert "anzi" not in talk.words


@pytest.mark.parametrize("confidence", [0.9, 0.45])
async def test_a_wish_said_outright_is_no_answer_to_what_is_asked(
    room: Room, tmp_path: Path, confidence: float
) -> None:
    talk = await room.talk(await open_shop(room, tmp_path, "automotive"), "it")
    await talk.book("massaggio rilassante venerdì alle 15")
    await talk.say("AB 123 CD", intent="other")
    await talk.say("sì")
    assert await statuses(talk) == ["booked"]
    await talk.book("massaggio decontratturante sabato alle 11")
    assert "targa" in talk.words
    await talk.say(
        "devo disdire l'appuntamento di venerdì", intent="reschedule_cancel", confidence=confidence
    )
    assert talk.state["frame"]["intent"] == "cancel_appointment"
    await talk.say("sì")
    assert await statuses(talk) == ["cancelled"]


@pytest.mark.parametrize(
    ("language", "booking"),
    [
        ("it", "massaggio rilassante venerdì alle 15 ma non con Marco"),
        ("en", "relaxing massage on Friday at 3pm, not with Marco"),
        ("es", "masaje relajante el viernes a las 15, no con Marco"),
    ],
)
async def test_a_person_left_out_is_not_booked(room: Room, language: str, booking: str) -> None:
    talk = await room.talk(language=language)
    await talk.book(booking)
    assert talk.state["outcome"]["kind"] == "confirming", talk.words
    assert talk.state["frame"]["slots"].get("person") is None


async def test_with_anybody_ends_a_wish_for_somebody(room: Room) -> None:
    talk = await room.talk()
    await talk.book("massaggio rilassante con Marco venerdì alle 15")
    assert talk.state["frame"]["slots"].get("person") is not None
    await talk.book("va bene anche con chiunque")
    assert talk.state["frame"]["slots"].get("person") is None


async def test_after_six_is_kept_for_another_day(room: Room) -> None:
    talk = await room.talk()
    await talk.book("massaggio rilassante dopo le 18")
    await talk.book("venerdì")
    when = talk.state["frame"]["slots"]["when"]
    assert (when["day"], when["start"]) == ("2026-11-20", "2026-11-20T18:00:00")


async def test_several_people_and_one_treatment(room: Room) -> None:
    talk = await room.talk()
    await talk.book("massaggio rilassante per 2 persone venerdì alle 15")
    assert "per una persona" in talk.words
    one = await room.talk()
    await one.book("massaggio rilassante venerdì alle 11")
    assert "per una persona" not in one.words


async def held_place(room: Room) -> tuple[Talk, int, int]:
    """A place of a class that became free and is kept for a customer: entry and appointment."""
    talk = await room.talk()
    call = await talk.call()
    service = next(one for one in call.profile.services if one.row.key == "massaggio_rilassante")
    starts = datetime(2026, 11, 20, 14, tzinfo=UTC)
    async with room.crm.transaction(talk.business_id) as tx:
        skilled = await appointments.skilled(tx, service.row.service_id)
        entry = await waiting.join(
            tx,
            contact_id=talk.contact_id,
            conversation_id=talk.conversation_id,
            service_id=service.row.service_id,
            location_id=call.profile.locations[0].location_id,
            resource_id=None,
            since=starts,
            until=starts + timedelta(minutes=1),
            people=1,
            language="it",
            idempotency_key=f"wait-{talk.contact_id}",
        )
        made = await appointments.book(
            tx,
            contact_id=talk.contact_id,
            conversation_id=talk.conversation_id,
            service_id=service.row.service_id,
            resource_id=skilled[0].resource_id,
            starts=starts,
            ends=starts + timedelta(minutes=60),
            price=None,
            people=1,
            idempotency_key=f"held-{talk.contact_id}",
        )
    await room.rows(
        "UPDATE waiting SET status = 'taken', appointment_id = %s WHERE waiting_id = %s",
        made.appointment_id,
        entry.waiting_id,
    )
    return talk, entry.waiting_id, made.appointment_id


async def test_no_thanks_to_a_place_taken_before_is_no_silent_promise(room: Room) -> None:
    talk, entry, appointment = await held_place(room)
    await talk.say(option=f"waiting:no:{entry}")
    assert "prenotato per te" in talk.words
    assert talk.options == [f"appointment:cancel:{appointment}"]
    assert await statuses(talk) == ["booked"]
    await talk.say(option=talk.options[0])
    await talk.say("sì")
    assert await statuses(talk) == ["cancelled"]


@pytest.mark.parametrize(
    ("language", "words"),
    [
        ("it", "sì, inviala"),
        ("it", "manda pure, grazie"),
        ("en", "please send"),
        ("en", "Yes, send it"),
        ("es", "sí, envíala"),
        ("es", "mándalo"),
        ("pt", "pode enviar"),
        ("pt", "sim, envie por favor"),
    ],
)
async def test_a_yes_in_the_questions_own_verb_is_one(room: Room, language: str, words: str) -> None:
    talk = await room.talk(language=language)
    await talk.say("the shower in room four leaks since monday", intent="open_ticket")
    assert talk.state["frame"]["question"]["slot"] == "confirm"
    assert (await talk.say(words, intent="open_ticket"))["kind"] == "done", talk.words
    [ticket] = await room.rows("SELECT description FROM ticket WHERE contact_id = %s", talk.contact_id)
    assert ticket["description"] == "the shower in room four leaks since monday"


@pytest.mark.parametrize("words", ["non inviarla", "no, non mandarla"])
async def test_its_verb_with_a_not_is_a_no(room: Room, words: str) -> None:
    talk = await room.talk()
    await talk.say("la doccia della stanza quattro perde da lunedì", intent="open_ticket")
    await talk.say(words, intent="open_ticket")
    assert talk.state["frame"]["question"]["slot"] == "change"
    assert not await room.rows("SELECT 1 FROM ticket WHERE contact_id = %s", talk.contact_id)
