"""Which times are offered, and when a wish is told as past or as too far ahead."""

from dataclasses import replace
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from tests.tools.talk import MORNING, Room
from tests.tools.test_own_appointments import booked
from tools.book_appointment import TOOL
from tools.tool import Done

ROME = ZoneInfo("Europe/Rome")


def starts(options: list[str]) -> list[datetime]:
    """The local times of the buttons."""
    found = [
        option.removeprefix("slot:").rpartition(":")[0] for option in options if option.startswith("slot:")
    ]
    return [datetime.fromisoformat(moment).astimezone(ROME) for moment in found]


LAST_DAY = date(2027, 5, 17)  # 180 days on, a Monday


@pytest.mark.parametrize(
    "text",
    [
        "massaggio rilassante il 20 maggio 2027",
        "massaggio rilassante il 20 maggio 2027 alle 15",
        "massaggio rilassante il 1 luglio 2027 dopo le 15",
        "massaggio rilassante il 18 maggio 2027",
        "massaggio rilassante il 17 maggio 2027 alle 23",
    ],
)
async def test_what_is_offered_can_be_booked_also_at_the_end_of_what_is(room: Room, text: str) -> None:
    talk = await room.talk()
    await talk.book(text)
    found = starts(talk.options)
    assert found
    assert all(at.date() <= LAST_DAY for at in found)
    for option in (option for option in talk.options if option.startswith("slot:")):
        again = await room.talk()
        await again.book(text)
        assert (await again.say(option=option))["kind"] == "confirming", again.words


async def test_a_time_that_was_offered_stays_as_long_as_the_question_does(room: Room) -> None:
    talk = await room.talk()
    assert (await talk.book("massaggio rilassante oggi alle 12"))["kind"] == "confirming"  # two hours' notice
    room.clock.now += timedelta(minutes=25)
    assert (await talk.say("sì"))["kind"] == "done", talk.words


async def test_a_time_that_began_before_the_yes_is_not_booked(room: Room) -> None:
    """A business without notice, and a customer who takes their time."""
    moved = await booked(room)
    await room.rows("UPDATE business SET lead_time_minutes = 0 WHERE slug = 'aurora'")
    try:
        talk = await room.talk()
        room.clock.now += timedelta(minutes=10)
        await talk.book("massaggio rilassante oggi alle 10:30")
        await moved.say("sposta il mio appuntamento a oggi alle 10:30", intent="reschedule_cancel")
        for one in (talk, moved):
            assert one.state["outcome"]["kind"] == "confirming", one.words
        room.clock.now += timedelta(minutes=21)
        for one in (talk, moved):
            assert (await one.say("sì"))["kind"] == "asked", one.words
            assert "già passato" in one.words
        assert await talk.appointments() == []
        [row] = await moved.appointments()
        assert row["starts"] > room.clock.now
    finally:
        await room.rows("UPDATE business SET lead_time_minutes = 120 WHERE slug = 'aurora'")


async def test_a_turn_that_booked_in_time_and_is_run_again_later_has_booked(room: Room) -> None:
    talk = await room.talk()
    await talk.book("massaggio rilassante oggi alle 12")
    frame = talk.state["frame"]
    assert (await talk.say("sì", turn_id="again"))["kind"] == "done", talk.words
    room.clock.now += timedelta(hours=3)
    late = await talk.call("sì")
    slots = dict(frame["slots"])
    outcome = await TOOL.act(replace(late, turn_id="again"), slots)
    assert isinstance(outcome, Done)
    assert len(await talk.appointments()) == 1


async def test_nobody_waits_for_a_day_that_is_not_booked_yet(room: Room) -> None:
    talk = await room.talk()
    await talk.book("massaggio rilassante il 1 luglio 2027 alle 15")
    assert (await talk.book("mettimi in lista d'attesa"))["kind"] == "asked"
    assert "fino a lunedì 17 maggio 2027" in talk.words


@pytest.mark.parametrize(
    ("text", "first", "last"),
    [
        ("massaggio rilassante oggi prima delle 20", 14, 20),
        ("massaggio rilassante oggi dopo le 11", 14, 21),
        ("massaggio rilassante oggi tra le 10 e le 18", 14, 18),
    ],
)
async def test_of_a_span_that_has_begun_the_rest_is_offered(
    room: Room, text: str, first: int, last: int
) -> None:
    room.clock.now = MORNING + timedelta(hours=2)  # noon in Milan, and two hours' notice
    talk = await room.talk()
    assert (await talk.book(text))["kind"] == "asked"
    assert "passato" not in talk.words
    assert "posso proporti per mercoledì 18" in talk.words  # what was asked for, not what is near
    found = starts(talk.options)
    assert found
    assert all(at.date() == MORNING.date() and first <= at.hour < last for at in found)


async def test_a_part_of_the_day_that_is_over_when_it_is_read_is_past(room: Room) -> None:
    talk = await room.talk()
    room.clock.now = MORNING + timedelta(hours=3, minutes=30)
    await talk.book("massaggio rilassante stamattina", sent=MORNING)
    assert "già passato" in talk.words


async def test_of_several_days_any_is_offered(room: Room) -> None:
    """The first of them is Marco's day off."""
    talk = await room.talk()
    assert (await talk.book("massaggio decontratturante dal 23 al 27 novembre"))["kind"] == "asked"
    assert "da lunedì 23 novembre 2026 a venerdì 27 novembre 2026" in talk.words
    assert "wait:join" not in talk.options
    found = starts(talk.options)
    assert {at.date() for at in found} <= {date(2026, 11, day) for day in range(24, 28)}
    assert len({at.date() for at in found}) > 1


async def test_of_several_days_only_the_part_that_is_wanted(room: Room) -> None:
    talk = await room.talk()
    await talk.book("massaggio rilassante dal 23 al 27 novembre di mattina")
    found = starts(talk.options)
    assert found
    assert all(at.hour < 13 for at in found), found
    await talk.book("di pomeriggio")
    found = starts(talk.options)
    assert len({at.date() for at in found}) > 1
    assert all(13 <= at.hour < 19 for at in found), found


async def test_several_days_are_closed_only_together(room: Room) -> None:
    closing = (
        "INSERT INTO closure (business_id, location_id, first_day, last_day)"
        " VALUES (%s, NULL, '2026-11-23', '2026-11-24')"
    )
    await room.rows(closing, room.ids["aurora"])
    try:
        some, none = await room.talk(), await room.talk()
        await some.book("massaggio rilassante dal 23 al 25 novembre")
        assert {at.date() for at in starts(some.options)} == {date(2026, 11, 25)}
        assert "chiusi" not in some.words
        await none.book("massaggio rilassante dal 23 al 24 novembre")
        assert "Siamo chiusi lunedì 23 novembre 2026, fino a martedì 24 novembre 2026" in none.words
    finally:
        await room.rows("DELETE FROM closure WHERE first_day = '2026-11-23'")


async def test_who_would_come_on_one_of_several_days_waits_for_all_of_them(room: Room) -> None:
    full = await room.talk()
    await full.book("lezione di yoga sabato alle 10, siamo in 14")
    assert (await full.say("sì"))["kind"] == "done", full.words
    talk = await room.talk()
    await talk.book("lezione di yoga dal 20 al 22 novembre")
    assert talk.options[-1] == "wait:join"
    await talk.say(option="wait:join")
    assert "venerdì 20 novembre 2026 – domenica 22 novembre 2026" in talk.words
    assert (await talk.say("sì"))["kind"] == "done", talk.words
    [entry] = await room.rows("SELECT wanted FROM waiting WHERE contact_id = %s", talk.contact_id)
    assert entry["wanted"].lower == datetime(2026, 11, 20, tzinfo=ROME)
    assert entry["wanted"].upper == datetime(2026, 11, 23, tzinfo=ROME)


async def test_nobody_waits_for_a_part_of_several_days(room: Room) -> None:
    """An entry of the list is one span, and would be told of the afternoons and evenings too."""
    full = await room.talk()
    await full.book("lezione di yoga sabato alle 10, siamo in 14")
    assert (await full.say("sì"))["kind"] == "done", full.words
    talk = await room.talk()
    await talk.book("lezione di yoga dal 20 al 22 novembre di mattina")
    assert "wait:join" not in talk.options
    assert "non c'è niente di libero" in talk.words
    await talk.book("mettimi in lista d'attesa")
    assert "non c'è lista d'attesa" in talk.words
    assert talk.state["frame"]["question"]["slot"] == "slot"


async def test_a_part_that_several_days_never_have_is_not_full(room: Room) -> None:
    talk = await room.talk()
    await talk.book("lezione di yoga dal 20 al 22 novembre di pomeriggio")
    assert "non si può prenotare" in talk.words
    assert "wait:join" not in talk.options


NIGHT = """
WITH friday AS (UPDATE opening_hours SET opens = '18:00', closes = '23:59'
    WHERE location_id = %s AND weekday = 4)
INSERT INTO opening_hours SELECT business_id, location_id, 5, '00:00', '02:00' FROM location
WHERE location_id = %s"""
DAY = """
WITH friday AS (UPDATE opening_hours SET opens = '10:00', closes = '21:00'
    WHERE location_id = %s AND weekday = 4)
DELETE FROM opening_hours WHERE location_id = %s AND weekday = 5 AND opens = '00:00'"""


async def test_hours_that_pass_midnight_are_one_opening(room: Room) -> None:
    [place] = await room.rows("SELECT location_id FROM location WHERE key = 'milano'")
    both = (place["location_id"], place["location_id"])
    await room.rows(NIGHT, *both)
    try:
        for when in ("venerdì alle 22", "sabato alle 00:00"):
            talk = await room.talk()
            assert (await talk.book(f"percorso spa {when}, siamo in 2"))["kind"] == "confirming", talk.words
        late = await room.talk()
        await late.book("percorso spa venerdì alle 15, siamo in 2")
        assert "18:00–02:00" in late.words
        await late.book("venerdì dopo le 23")
        assert [(at.day, at.hour) for at in starts(late.options)][-1] == (21, 0)
        await room.rows(
            "INSERT INTO closure (business_id, location_id, first_day, last_day)"
            " VALUES (%s, NULL, '2026-11-21', '2026-11-21')",
            room.ids["aurora"],
        )
        shut = await room.talk()
        assert (await shut.book("percorso spa venerdì alle 22:30, siamo in 2"))["kind"] == "asked"
    finally:
        await room.rows("DELETE FROM closure WHERE first_day = '2026-11-21'")
        await room.rows(DAY, *both)
