"""Classes with places, groups, and the waiting list for what is full."""

from datetime import UTC, datetime, timedelta

import pytest

from tests.tools.talk import Room, Talk

YOGA = "lezione di yoga sabato alle 10"  # 14 places, Saturdays at ten


async def group(room: Room, people: int, text: str = YOGA) -> Talk:
    """A customer who books places for so many."""
    talk = await room.talk()
    await talk.book(f"{text}, siamo in {people}")
    assert talk.state["outcome"]["kind"] == "confirming", talk.words
    assert (await talk.say("sì"))["kind"] == "done", talk.words
    return talk


async def test_a_class_is_booked_place_by_place(room: Room) -> None:
    first = await room.talk()
    await first.book(f"{YOGA}, siamo in 3")
    assert "3 persone" in first.words
    assert "54,00 € in tutto" in first.words
    await first.say("sì")
    second = await group(room, 1)
    [three], [one] = await first.appointments(), await second.appointments()
    assert (three["people"], str(three["price"])) == (3, "54.00")
    assert (one["people"], str(one["price"])) == (1, "18.00")
    assert three["starts"] == one["starts"] == datetime(2026, 11, 21, 9, tzinfo=UTC)


async def test_what_is_left_is_said_and_other_times_offered(room: Room) -> None:
    await group(room, 12)
    talk = await room.talk()
    outcome = await talk.book(f"{YOGA}, siamo in 3")
    assert outcome["kind"] == "asked"
    assert "restano 2 posti, non 3" in talk.words
    assert talk.words.startswith("Alle 10:00 di sabato 21 novembre")
    assert talk.options[-1] == "wait:join"
    await talk.book("allora siamo in 2")
    assert talk.state["outcome"]["kind"] == "confirming"


@pytest.mark.parametrize(
    ("language", "asked", "said"),
    [
        ("it", f"{YOGA}, siamo in 3", "resta un posto solo, non 3"),
        ("en", "yoga class on Saturday at 10 for 3 people", "has one place left, not 3"),
        ("es", "clase de yoga el sábado a las 10 para 3 personas", "queda una sola plaza, no 3"),
        (
            "pt",
            "aula de yoga sábado às 10h para 3 pessoas",
            "Sábado, 21 de novembro de 2026, às 10:00: resta",
        ),
    ],
)
async def test_one_place_that_is_left_is_told_as_one(
    room: Room, language: str, asked: str, said: str
) -> None:
    await group(room, 13)
    talk = await room.talk(language=language)
    await talk.book(asked)
    assert said in talk.words


@pytest.mark.parametrize("people", ["200", "15"])
async def test_more_people_than_fit_are_asked_for_another_number(room: Room, people: str) -> None:
    talk = await room.talk()
    outcome = await talk.book(f"{YOGA}, siamo in {people}")
    assert outcome["kind"] == "asked"
    assert "al massimo 14 persone" in talk.words
    await talk.book("5")
    assert talk.state["outcome"]["kind"] == "confirming"
    assert "5 persone" in talk.words


async def test_a_number_alone_is_no_party(room: Room) -> None:
    talk = await room.talk()
    await talk.book("lezione di yoga")
    await talk.book("2")  # the second of what was offered
    assert "people" not in talk.state["frame"]["slots"]
    assert talk.state["outcome"]["kind"] == "confirming"


async def test_two_hundred_for_a_massage_are_for_a_person(room: Room) -> None:
    talk = await room.talk()
    await talk.book("massaggio rilassante venerdì alle 15 per 200 persone")
    assert talk.goto == "open_handoff"
    assert talk.state["handoff"]["reason"] == "large_group"


async def test_the_number_can_be_changed_before_the_yes(room: Room) -> None:
    talk = await room.talk()
    await talk.book(f"{YOGA}, siamo in 3")
    await talk.say("no")
    assert "change:people" in talk.options
    await talk.say(option="change:people")
    assert "Per quante persone?" in talk.words
    await talk.book("4")
    assert "4 persone" in talk.words


async def test_full_joins_the_waiting_list_once(room: Room) -> None:
    await group(room, 14)
    talk = await room.talk()
    await talk.book(YOGA)
    outcome = await talk.say(option="wait:join")
    assert outcome["kind"] == "confirming"
    assert "sabato 21 novembre 2026, 10:00" in talk.words
    before = dict(talk.state)
    first = await talk.say("sì", turn_id="waits")
    assert first["kind"] == "done"
    talk.state = before
    assert await talk.say("sì", turn_id="waits") == first
    [entry] = await room.rows("SELECT * FROM waiting WHERE contact_id = %s", talk.contact_id)
    assert (entry["status"], entry["people"], entry["language"]) == ("waiting", 1, "it")
    assert entry["wanted"].lower == datetime(2026, 11, 21, 9, tzinfo=UTC)
    assert await talk.appointments() == []
    await talk.say("quando ho le mie prenotazioni?", intent="list_my_appointments")
    assert "lista d'attesa" in talk.words


async def test_asked_for_in_words(room: Room) -> None:
    await group(room, 14)
    talk = await room.talk()
    await talk.book(YOGA)
    await talk.book("mettimi in lista d'attesa")
    assert talk.state["outcome"]["kind"] == "confirming"
    assert "lista d'attesa" in talk.words
    await talk.book("anzi no, la settimana dopo, sabato 28 alle 10")  # another time ends the wish to wait
    assert "sabato 28 novembre 2026, 10:00" in talk.words
    assert "lista d'attesa" not in talk.words


async def test_no_answer_from_somebody_else(room: Room) -> None:
    await group(room, 14)
    talk, other = await room.talk(), await room.talk()
    await talk.book(YOGA)
    await talk.say(option="wait:join")
    await talk.say("sì")
    [entry] = await room.rows("SELECT waiting_id FROM waiting WHERE contact_id = %s", talk.contact_id)
    outcome = await other.say(option=f"waiting:yes:{entry['waiting_id']}")
    assert outcome["kind"] == "declined"
    assert await other.appointments() == []
    outcome = await talk.say(option=f"waiting:yes:{entry['waiting_id']}")  # nothing was offered yet
    assert outcome["kind"] == "declined"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("lezione di yoga venerdì alle 10", "Alle 10:00 di venerdì 20 novembre 2026 non si può prenotare."),
        ("massaggio rilassante venerdì alle 15:15", "non si può prenotare"),
        ("lezione di yoga venerdì", "In quel momento non si può prenotare."),
        ("massaggio rilassante il 25 dicembre", "Siamo chiusi venerdì 25 dicembre 2026"),
    ],
)
async def test_nobody_waits_for_a_time_at_which_no_place_can_become_free(
    room: Room, text: str, said: str
) -> None:
    talk = await room.talk()
    assert (await talk.book(text))["kind"] == "asked"
    assert said in talk.words
    assert "wait:join" not in talk.options
    assert any(option.startswith("slot:") for option in talk.options)
    assert (await talk.book("mettimi in lista d'attesa"))["kind"] == "asked"
    assert "Per quel momento non c'è lista d'attesa." in talk.words
    assert any(option.startswith("slot:") for option in talk.options)
    assert (await talk.say(option="wait:join"))["kind"] == "asked"  # a button of an older question
    assert await room.rows("SELECT 1 FROM waiting WHERE contact_id = %s", talk.contact_id) == []


async def test_nor_for_what_is_left_of_today_where_the_house_needs_notice(room: Room) -> None:
    room.clock.now += timedelta(hours=9, minutes=30)  # 19:30 in Milan: two hours' notice, and closed at 21
    talk = await room.talk()
    await talk.book("massaggio rilassante oggi")
    assert "In quel momento non si può prenotare." in talk.words
    assert "wait:join" not in talk.options


async def test_a_wait_for_a_day_that_is_taken_may_be_asked_for_at_once(room: Room) -> None:
    await group(room, 14)
    talk = await room.talk()
    assert (await talk.book(f"mettimi in lista d'attesa per la {YOGA}"))["kind"] == "confirming"
    assert "lista d'attesa" in talk.words


async def test_who_never_comes_is_for_a_person_to_book(room: Room) -> None:
    talk = await room.talk()
    for hour in (10, 12, 14):
        await talk.book(f"massaggio rilassante venerdì alle {hour}")
        await talk.say("sì")
    await room.rows("UPDATE appointment SET status = 'no_show' WHERE contact_id = %s", talk.contact_id)
    room.clock.now += timedelta(days=7)
    await talk.book("massaggio rilassante venerdì")
    assert talk.goto == "open_handoff"
    assert talk.state["handoff"]["reason"] == "missed_before"


async def test_names_that_are_emoji_or_sql_are_only_names(room: Room) -> None:
    for name in ("💆‍♀️🧘", "Robert'); DROP TABLE appointment;--"):
        talk = await room.talk(name=name)
        await talk.book(YOGA)
        assert (await talk.say("sì"))["kind"] == "done"
        assert len(await talk.appointments()) == 1


async def test_three_services_at_once_are_booked_one_after_the_other(room: Room) -> None:
    talk = await room.talk()
    outcome = await talk.book(
        "vorrei un massaggio rilassante, una riflessologia e uno scrub al sale venerdì alle 15"
    )
    assert outcome["kind"] == "asked"
    assert {"service:massaggio_rilassante", "service:riflessologia", "service:scrub_sale"} <= set(
        talk.options
    )
    await talk.say(option="service:riflessologia")
    assert "15:00" in talk.words
