"""What the calendar brings by itself: reminders, places given on, calendars outside that follow and block."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, cast

import httpx
import pytest
import pytest_asyncio
from langgraph.runtime import Runtime

from api.app import create_app
from api.metrics import Metrics
from api.state import ApiServices
from channels.calendars.caldav import CalDav
from channels.calendars.errors import CalendarUnreachable
from channels.calendars.ical import busy_spans
from channels.messages import OutboundMessage
from channels.whatsapp.render import to_graph
from crm import attendance, calendars, contacts, conversations, events, outbox, template_book, waiting
from crm.calendars import CalendarRow
from crm.errors import UnknownAppointment
from crm.sealing import Seal, new_key
from crm.template_book import KnownTemplate
from graph.context import Tuning
from graph.state import State
from jobs import calendars as calendar_jobs
from jobs import permission, send
from jobs.agenda import agenda_once
from jobs.hooks import hooks_once
from nodes.execute_intent import execute_intent
from nodes.triage import triage
from tests.channels.test_calendars import events_in, free_port, serve_radicale, written
from tests.jobs.room import formal, jobs
from tests.knowledge.test_formal_phrases import FAMILIAR
from tests.tools.talk import MORNING, Room, Talk, open_room

FRIDAY = datetime(2026, 11, 20, 14, 0, tzinfo=UTC)  # three in the afternoon in Milan


@pytest_asyncio.fixture(loop_scope="session", scope="module")
async def opened(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Room]:
    async with open_room(tmp_path_factory.mktemp("agenda-db")) as room:
        yield room


@pytest_asyncio.fixture(loop_scope="session")
async def room(opened: Room) -> Room:
    await opened.clean()
    await opened.rows("DELETE FROM message_template; DELETE FROM wa_template")
    await opened.rows("UPDATE resource SET key = key; DELETE FROM calendar")
    return opened


async def booked(room: Room, text: str = "massaggio rilassante venerdì alle 15") -> Talk:
    talk = await room.talk()
    await talk.book(text)
    assert (await talk.say("sì"))["kind"] == "done", talk.words
    return talk


async def told(room: Room, talk: Talk) -> list[dict[str, Any]]:
    """What SARA said to a customer first, in order, and whether it would go out."""
    return await room.rows(
        "SELECT m.body, m.template_name, m.template_code, m.template_values, o.outbox_id, o.conversation_id,"
        " o.turn_id, o.purpose, array(SELECT option_id FROM message_option p"
        " WHERE p.message_id = m.message_id ORDER BY ordinal) AS options"
        " FROM message m JOIN outbox o USING (message_id)"
        " WHERE m.contact_id = %s ORDER BY o.outbox_id",
        talk.contact_id,
    )


async def look(room: Room) -> None:
    await agenda_once(jobs(room), room.ids["aurora"])


async def test_a_day_and_two_hours_before_the_customer_is_reminded_once_each(room: Room) -> None:
    talk = await booked(room)
    await look(room)
    assert await told(room, talk) == []
    room.clock.now = FRIDAY - timedelta(hours=24)
    for _ in range(2):
        await look(room)
    [first] = await told(room, talk)
    assert "venerdì 20 novembre 2026, 15:00" in first["body"]
    assert "Via Orti 14" in first["body"]
    [row] = await talk.appointments()
    assert first["options"] == [f"appointment:{k}:{row['appointment_id']}" for k in ("move", "cancel")]
    room.clock.now = FRIDAY - timedelta(hours=2)
    for _ in range(2):
        await look(room)
    assert len(await told(room, talk)) == 2


async def test_nobody_is_reminded_of_a_day_that_was_closed_since(room: Room) -> None:
    talk = await booked(room)
    room.clock.now = FRIDAY - timedelta(hours=24)
    closing = (
        "INSERT INTO closure (business_id, location_id, first_day, last_day)"
        " VALUES (%s, NULL, '2026-11-20', '2026-11-20')"
    )
    await room.rows(closing, room.ids["aurora"])
    try:
        await look(room)
        assert await told(room, talk) == []
    finally:
        await room.rows("DELETE FROM closure WHERE first_day = '2026-11-20' AND last_day = '2026-11-20'")
    # Open after all: it is not too late for the reminder, which does not leave once the day is closed again.
    await look(room)
    assert await outdated(room, talk) is None
    await room.rows(closing, room.ids["aurora"])
    try:
        assert await outdated(room, talk) == "that day was closed since"
    finally:
        await room.rows("DELETE FROM closure WHERE first_day = '2026-11-20' AND last_day = '2026-11-20'")


async def test_a_reminder_addresses_the_customer_as_the_business_does(room: Room) -> None:
    talk = await booked(room)
    room.clock.now = FRIDAY - timedelta(hours=24)
    async with formal(room, "it"):
        await look(room)
    [reminder] = await told(room, talk)
    assert reminder["body"].startswith("Le ricordo il suo appuntamento")
    assert FAMILIAR["it"].findall(reminder["body"]) == []


async def outdated(room: Room, talk: Talk) -> str | None:
    """Why the one message that waits for a customer is not to be sent any more."""
    [said] = await told(room, talk)
    async with room.crm.transaction(talk.business_id) as tx:
        [row] = await outbox.open_rows(tx, said["conversation_id"])
        found = await outbox.outdated(tx, row)
    assert found is not None
    assert not found.paused
    return found.why


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE appointment SET status = 'cancelled' WHERE contact_id = %s",
        "UPDATE appointment SET during = tstzrange(lower(during) + interval '1 day',"
        " upper(during) + interval '1 day')"
        " WHERE contact_id = %s",
    ],
)
async def test_a_reminder_that_waited_is_not_sent_of_what_is_no_longer_so(room: Room, change: str) -> None:
    """A number that stood still, a tier that was used up: it leaves hours later."""
    talk = await booked(room)
    room.clock.now = FRIDAY - timedelta(hours=24)
    await look(room)
    assert await outdated(room, talk) is None
    await room.rows(change, talk.contact_id)
    assert await outdated(room, talk) == "the appointment is over, or was moved or cancelled"


async def test_nor_once_the_appointment_has_begun(room: Room) -> None:
    talk = await booked(room)
    room.clock.now = FRIDAY - timedelta(hours=24)
    await look(room)
    room.clock.now = FRIDAY + timedelta(minutes=1)
    assert await outdated(room, talk) == "the appointment is over, or was moved or cancelled"


async def test_after_an_outage_one_reminder_is_enough(room: Room) -> None:
    talk = await booked(room)
    room.clock.now = FRIDAY - timedelta(hours=1)
    await look(room)
    await look(room)
    assert len(await told(room, talk)) == 1


async def test_who_books_late_needs_no_reminder_of_what_they_just_did(room: Room) -> None:
    room.clock.now = FRIDAY - timedelta(hours=5)
    talk = await booked(room)
    await look(room)
    assert await told(room, talk) == []


async def test_a_moved_appointment_is_reminded_of_at_its_new_time(room: Room) -> None:
    talk = await booked(room)
    room.clock.now = FRIDAY - timedelta(hours=25)
    await talk.say("sposta il mio appuntamento a lunedì alle 15", intent="reschedule_cancel")
    await talk.say("sì")
    room.clock.now = FRIDAY - timedelta(hours=2)
    await look(room)
    assert await told(room, talk) == []
    room.clock.now = FRIDAY + timedelta(days=3) - timedelta(hours=24)
    await look(room)
    [only] = await told(room, talk)
    assert "lunedì 23 novembre" in only["body"]


async def test_nobody_is_woken_and_nobody_who_left_is_written_to(room: Room) -> None:
    early = await booked(room, "massaggio rilassante sabato alle 10")
    gone = await booked(room)
    cancelled = await booked(room, "massaggio decontratturante venerdì alle 17")
    await room.rows("UPDATE appointment SET status = 'cancelled' WHERE contact_id = %s", cancelled.contact_id)
    async with room.crm.transaction(early.business_id) as tx:
        await contacts.opt_out(tx, gone.contact_id)
    room.clock.now = datetime(2026, 11, 20, 22, 0, tzinfo=UTC)  # eleven at night
    await look(room)
    assert await told(room, early) == []
    room.clock.now = datetime(2026, 11, 21, 7, 30, tzinfo=UTC)
    await look(room)
    assert len(await told(room, early)) == 1
    assert await told(room, gone) == await told(room, cancelled) == []


async def test_outside_the_window_the_template_says_it(room: Room) -> None:
    talk = await booked(room)
    await room.rows(
        "INSERT INTO message_template VALUES (%s, 'reminder', 'it', 'promemoria', 'it')", talk.business_id
    )
    room.clock.now = FRIDAY - timedelta(hours=24)
    await look(room)
    [row] = await told(room, talk)
    assert (row["template_name"], row["template_code"]) == ("promemoria", "it")
    async with room.crm.transaction(talk.business_id) as tx:
        conversation = await conversations.get(tx, row["conversation_id"])
        [waiting] = await outbox.open_rows(tx, row["conversation_id"])
        assert send._undeliverable(conversation, waiting, tx) is None
        message = await send._message(tx, conversation, waiting)
        open_window = replace(conversation, last_customer_at=tx.now)
        assert (await send._message(tx, open_window, waiting)).kind == "buttons"
        without = replace(waiting, template_name=None, purpose=None)
        assert send._undeliverable(conversation, without, tx) is not None
        contact = await contacts.get(tx, talk.contact_id)
        assert await permission.asked(tx, contact, waiting, window_open=False) == waiting
    body = to_graph(message, to="393331112222", recipient=None, callback_data="1")["template"]
    assert body["name"] == "promemoria"
    assert body["language"] == {"code": "it"}
    texts = [parameter["text"] for parameter in body["components"][0]["parameters"]]
    assert "venerdì 20 novembre 2026, 15:00" in texts[0]
    assert [part["parameters"][0]["payload"] for part in body["components"][1:]] == row["options"]


async def test_without_a_template_it_is_held_outside_the_window(room: Room) -> None:
    """One that is named later says it, with the values it was written with; not one that takes others."""
    talk = await booked(room)
    room.clock.now = FRIDAY - timedelta(hours=24)
    await look(room)
    [said] = await told(room, talk)
    known = KnownTemplate("promemoria", "it", "UTILITY", "APPROVED", None, None, "{{1}}, {{2}}", 2, True, [])
    async with room.crm.transaction(talk.business_id) as tx:
        contact = await contacts.get(tx, talk.contact_id)
        [waiting] = await outbox.open_rows(tx, said["conversation_id"])
        assert await permission.asked(tx, contact, waiting, window_open=True) == waiting
        unnamed = await permission.asked(tx, contact, waiting, window_open=False)
        await template_book.put(tx, known)
        await template_book.use(tx, "reminder", "it", "promemoria", "it")
        without = replace(waiting, template_values=None)
        unfit = await permission.asked(tx, contact, without, window_open=False)
        fits = await permission.asked(tx, contact, waiting, window_open=False)
    assert isinstance(unnamed, permission.Refusal)
    assert (unnamed.state, "none is named for reminder in it" in unnamed.why) == ("held", True)
    assert isinstance(unfit, permission.Refusal)
    assert "takes 2 values, it was written with 0" in unfit.why
    assert isinstance(fits, outbox.OutboxRow)
    assert (fits.template_name, len(fits.template_values or [])) == ("promemoria", 2)


async def test_a_reminder_kept_until_it_is_night_waits_for_the_morning(room: Room) -> None:
    talk = await booked(room)
    room.clock.now = FRIDAY - timedelta(hours=24)
    await look(room)
    [said] = await told(room, talk)
    for local, rest in ((20, None), (21, 11), (26, 6), (31.5, 0.5), (32, None)):
        room.clock.now = FRIDAY - timedelta(hours=39) + timedelta(hours=local)  # the day before at midnight
        async with room.crm.transaction(talk.business_id) as tx:
            contact = await contacts.get(tx, talk.contact_id)
            [waiting] = await outbox.open_rows(tx, said["conversation_id"])
            seconds = await permission.rests(tx, contact, waiting)
            assert await permission.rests(tx, contact, replace(waiting, turn_id="an answer")) is None
        assert seconds == (None if rest is None else rest * 3600), local


async def test_who_leaves_before_it_is_sent_gets_no_reminder(room: Room) -> None:
    talk = await booked(room)
    room.clock.now = FRIDAY - timedelta(hours=24)
    await look(room)
    [said] = await told(room, talk)
    assert said["purpose"] == "reminder"
    async with room.crm.transaction(talk.business_id) as tx:
        await contacts.opt_out(tx, talk.contact_id)
        contact = await contacts.get(tx, talk.contact_id)
        [waiting] = await outbox.open_rows(tx, said["conversation_id"])
        answer = await permission.asked(tx, contact, waiting, window_open=True)
    assert isinstance(answer, permission.Refusal)
    assert answer.state == "superseded"


def test_a_template_without_values_is_a_name_alone() -> None:
    message = OutboundMessage(kind="template", body="x", template="hello", code="en", values=("a\nb   c",))
    told = to_graph(message, to="1234567", recipient=None, callback_data="1")["template"]
    assert told["components"][0]["parameters"][0]["text"] == "a b c"
    bare = to_graph(
        message.model_copy(update={"values": ()}), to="1234567", recipient=None, callback_data="1"
    )
    assert bare["template"] == {"name": "hello", "language": {"code": "en"}}


async def waits(room: Room, text: str = "lezione di yoga sabato alle 10") -> Talk:
    talk = await room.talk()
    await talk.book(text)
    await talk.say(option="wait:join")
    assert (await talk.say("sì"))["kind"] == "done", talk.words
    async with room.crm.transaction(talk.business_id) as tx:
        await conversations.customer_wrote(tx, talk.conversation_id, tx.now)
    return talk


async def cancels(talk: Talk) -> None:
    [row] = [row for row in await talk.appointments() if row["status"] == "booked"]
    await talk.say(option=f"appointment:cancel:{row['appointment_id']}")
    assert (await talk.say("sì"))["kind"] == "done", talk.words


async def entry(room: Room, talk: Talk) -> dict[str, Any]:
    [row] = await room.rows("SELECT * FROM waiting WHERE contact_id = %s", talk.contact_id)
    return row


async def test_a_freed_place_goes_to_the_first_in_line_and_is_held(room: Room) -> None:
    full = await booked(room, "lezione di yoga sabato alle 10, siamo in 14")
    first, second = await waits(room), await waits(room)
    await look(room)
    assert await told(room, first) == []
    await cancels(full)
    await room.rows("UPDATE service SET capacity = 1 WHERE key = 'yoga'")  # one place for two who wait
    try:
        await look(room)
    finally:
        await room.rows("UPDATE service SET capacity = 14 WHERE key = 'yoga'")
    [offer] = await told(room, first)
    assert "Si è liberato un posto: Lezione di yoga, sabato 21 novembre 2026, 10:00" in offer["body"]
    assert "Te lo tengo fino alle 12:00." in offer["body"]
    assert await told(room, second) == []
    outcome = await first.say(option=offer["options"][0])
    assert outcome["kind"] == "done", first.words
    [row] = await first.appointments()
    assert row["status"] == "booked"
    assert (await entry(room, first))["status"] == "taken"
    happened = await room.rows(
        "SELECT kind FROM crm_event WHERE contact_id = %s ORDER BY 1", first.contact_id
    )
    assert [e["kind"] for e in happened] == ["appointment_booked", "waiting_joined"]
    assert (await first.say(option=offer["options"][0]))["kind"] == "done"  # pressed twice
    assert len(await first.appointments()) == 1


async def test_an_offer_nobody_takes_in_time_goes_on(room: Room) -> None:
    full = await booked(room, "massaggio decontratturante venerdì alle 15")
    first = await waits(room, "massaggio decontratturante venerdì alle 15")
    second = await waits(room, "massaggio decontratturante venerdì alle 15")
    await cancels(full)
    await look(room)
    [offer] = await told(room, first)
    stranger = await room.talk()
    await stranger.book("massaggio decontratturante venerdì alle 15")
    assert stranger.state["outcome"]["kind"] == "asked"  # it is held
    room.clock.now += timedelta(hours=2, minutes=1)
    await look(room)
    assert (await entry(room, first))["status"] == "lapsed"
    assert (await first.say(option=offer["options"][0]))["kind"] == "declined"
    assert "tenuto il posto" in first.words
    [next_offer] = await told(room, second)
    await second.say(option=next_offer["options"][1])
    assert (await entry(room, second))["status"] == "left"
    await stranger.book("massaggio decontratturante venerdì alle 15")
    assert stranger.state["outcome"]["kind"] == "confirming"


async def answered(room: Room, talk: Talk, text: str, quoted: str | None) -> None:
    """One turn by way of triage, which sees what words alone answer."""
    said = {"author": "customer", "kind": "text", "text": text, "option_id": None, "quoted": quoted}
    event = {
        "kind": "customer_message",
        "turn_id": f"said:{talk.contact_id}",
        "business_id": talk.business_id,
        "conversation_id": talk.conversation_id,
        "contact_id": talk.contact_id,
        "messages": [said],
    }
    runtime = Runtime(context=replace(room.context, tuning=Tuning()))
    talk.state |= {"event": event, "language": talk.language, "contact": {"name": talk.name}, "proposal": {}}
    for node in (triage, execute_intent):
        command = await node(cast(State, talk.state), runtime)
        talk.state.update(command.update or {})
    assert talk.state["outcome"]["kind"] == "done", talk.words


@pytest.mark.parametrize(
    ("order", "quotes", "sent", "booked_is"),
    [
        ("frame, place", "", True, "massaggio_decontratturante"),
        ("frame, place", "frame", True, "massaggio_rilassante"),
        ("frame, place", "", False, "massaggio_rilassante"),  # the offer has not left yet
        ("place, frame", "", True, "massaggio_rilassante"),
        ("place, frame", "place", True, "massaggio_decontratturante"),
        ("place", "", True, "massaggio_decontratturante"),
    ],
)
async def test_a_yes_answers_the_question_that_was_asked_last_or_is_quoted(
    room: Room, order: str, quotes: str, sent: bool, booked_is: str
) -> None:
    full = await booked(room, "massaggio decontratturante venerdì alle 15")
    talk = await waits(room, "massaggio decontratturante venerdì alle 15")
    asked = {"": "", "frame": "", "place": ""}
    for question in order.split(", "):
        room.clock.now += timedelta(minutes=1)
        if question == "frame":
            await talk.book("massaggio rilassante venerdì alle 17")
            assert talk.state["outcome"]["kind"] == "confirming", talk.words
            asked["frame"] = talk.words
        else:
            await cancels(full)
            await look(room)
            [offer] = await told(room, talk)
            asked["place"] = offer["body"]
            if sent:
                await room.rows(
                    "UPDATE outbox SET state = 'accepted' WHERE outbox_id = %s", offer["outbox_id"]
                )
    room.clock.now += timedelta(minutes=1)
    await answered(room, talk, "sì", asked[quotes] or None)
    made = [row["key"] for row in await talk.appointments() if row["status"] == "booked"]
    assert made == [booked_is]


async def passed_over(room: Room, talk: Talk) -> bool:
    """Whether somebody waits on, and nothing is held for them."""
    left = await entry(room, talk)
    return left["status"] == "waiting" and not await told(room, talk) and not await talk.appointments()


async def test_nothing_is_held_for_somebody_who_cannot_be_told(room: Room) -> None:
    full = await booked(room, "massaggio decontratturante venerdì alle 15")
    silent = await waits(room, "massaggio decontratturante venerdì alle 15")
    room.clock.now += timedelta(hours=24, minutes=1)  # and no template says it
    awake = await waits(room, "massaggio decontratturante venerdì alle 15")
    await cancels(full)
    await look(room)
    assert await passed_over(room, silent)
    [offer] = await told(room, awake)
    await awake.say(option=offer["options"][1])
    await look(room)
    assert await passed_over(room, silent)
    stranger = await room.talk()
    await stranger.book("massaggio decontratturante venerdì alle 15")
    assert stranger.state["outcome"]["kind"] == "confirming"  # it is free for whoever asks


@pytest.mark.parametrize("status", [None, "APPROVED", "PAUSED"])
async def test_a_template_that_may_be_sent_is_what_tells_them(room: Room, status: str | None) -> None:
    """One that was never synced is tried: the operator named it."""
    full = await booked(room, "massaggio decontratturante venerdì alle 15")
    silent = await waits(room, "massaggio decontratturante venerdì alle 15")
    await room.rows(
        "INSERT INTO message_template VALUES (%s, 'freed_place', 'it', 'posto', 'it')", silent.business_id
    )
    if status is not None:
        known = KnownTemplate("posto", "it", "UTILITY", status, None, None, "{{1}} {{2}}", 2, True, [])
        async with room.crm.transaction(silent.business_id) as tx:
            await template_book.put(tx, known)
    room.clock.now += timedelta(hours=24, minutes=1)
    await cancels(full)
    await look(room)
    if status == "PAUSED":
        assert await passed_over(room, silent)
    else:
        assert [offer["template_name"] for offer in await told(room, silent)] == ["posto"]


async def test_nothing_is_held_for_somebody_whose_yes_would_wait_for_a_person(room: Room) -> None:
    full = await booked(room, "massaggio decontratturante venerdì alle 15")
    first = await waits(room, "massaggio decontratturante venerdì alle 15")
    second = await waits(room, "massaggio decontratturante venerdì alle 15")
    async with room.crm.transaction(first.business_id) as tx:
        await conversations.give_to_human(tx, first.conversation_id)
    await cancels(full)
    await look(room)
    assert await passed_over(room, first)
    [offer] = await told(room, second)
    await second.say(option=offer["options"][1])
    async with room.crm.transaction(first.business_id) as tx:
        await conversations.give_to_bot(tx, first.conversation_id)
    await look(room)
    assert len(await told(room, first)) == 1
    assert (await entry(room, first))["status"] == "offered"


async def many_wait(room: Room, talk: Talk, count: int) -> None:
    """Puts as many more entries of theirs in line behind somebody, for a time nothing begins at."""
    await room.rows(
        "INSERT INTO waiting (business_id, contact_id, conversation_id, service_id, location_id, resource_id,"
        " wanted, people, language, idempotency_key, created_at)"
        " SELECT business_id, contact_id, conversation_id, service_id, location_id, resource_id,"
        " tstzrange(lower(wanted) + interval '1 minute', upper(wanted) + interval '1 minute'),"
        " people, language, 'crowd:' || n, created_at"
        " FROM waiting, generate_series(1, %s) AS n WHERE contact_id = %s",
        count,
        talk.contact_id,
    )


async def test_however_long_the_line_is_everybody_in_it_is_thought_of(room: Room) -> None:
    full = await booked(room, "massaggio decontratturante venerdì alle 15")
    crowd = await waits(room, "massaggio decontratturante venerdì alle 15")
    await many_wait(room, crowd, 2 * waiting.PAGE)
    last = await waits(room, "massaggio decontratturante venerdì alle 15")
    await room.rows("UPDATE contact SET opted_out_at = now() WHERE contact_id = %s", crowd.contact_id)
    await cancels(full)
    await look(room)
    assert "Si è liberato un posto" in (await told(room, last))[0]["body"]
    async with room.crm.transaction(last.business_id) as tx:
        assert await waiting.in_turn(tx) == []  # who left is not looked at again every half minute


async def test_a_line_of_several_pages_is_walked_to_its_end(room: Room) -> None:
    full = await booked(room, "massaggio decontratturante venerdì alle 15")
    crowd = await waits(room, "massaggio decontratturante venerdì alle 15")
    await many_wait(room, crowd, 2 * waiting.PAGE)
    await room.rows("DELETE FROM waiting WHERE idempotency_key NOT LIKE 'crowd:%%'")
    last = await waits(room, "massaggio decontratturante venerdì alle 15")
    await cancels(full)
    await look(room)
    assert "Si è liberato un posto" in (await told(room, last))[0]["body"]


async def test_a_day_that_passes_ends_the_wait(room: Room) -> None:
    await booked(room, "lezione di yoga sabato alle 10, siamo in 14")
    talk = await waits(room)
    room.clock.now = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)
    await look(room)
    assert (await entry(room, talk))["status"] == "lapsed"
    assert await told(room, talk) == []


async def test_who_came_and_who_did_not(room: Room) -> None:
    came, stayed_away = await booked(room), await booked(room, "massaggio decontratturante venerdì alle 17")
    [one], [other] = await came.appointments(), await stayed_away.appointments()
    async with room.crm.transaction(came.business_id) as tx:
        await attendance.attended(tx, one["appointment_id"])
        await attendance.missed(tx, other["appointment_id"])
        with pytest.raises(UnknownAppointment):
            await attendance.missed(tx, one["appointment_id"])
    assert [(await talk.appointments())[0]["status"] for talk in (came, stayed_away)] == [
        "completed",
        "no_show",
    ]


@pytest_asyncio.fixture(loop_scope="session", scope="module")
async def server(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[tuple[int, Path]]:
    folder, port = tmp_path_factory.mktemp("radicale-jobs"), free_port()
    running = await serve_radicale(folder, port)
    try:
        yield port, folder
    finally:
        running.terminate()
        running.wait(timeout=10)


class Linked:
    """Giulia's calendar on a real Radicale; `away` takes the server down."""

    def __init__(self, room: Room, http: httpx.AsyncClient, port: int) -> None:
        self.room, self.http, self.url = room, http, f"http://127.0.0.1:{port}/sara/giulia/"
        self.away = False
        self.seal = Seal([new_key()])
        self.services = jobs(room, calendars=self.open)

    def open(self, row: CalendarRow) -> CalDav:
        url = "http://127.0.0.1:9/gone/" if self.away else row.address
        password = self.seal.open(row.secret or b"").decode()
        return CalDav(self.http, url=url, username=row.username, password=password, zone=row.time_zone)

    async def link(self) -> None:
        async with self.room.crm.transaction(self.room.ids["aurora"]) as tx:
            resource = await calendars.resource_of(tx, "giulia")
            sealed = self.seal.close(b"secret")
            await calendars.link(tx, resource, "caldav", address=self.url, username="sara", secret=sealed)

    async def shown(self) -> list[datetime]:
        found = await events_in(self.http, self.url)
        return sorted(e.start for e in found if str(e["uid"]).startswith("sara-"))

    async def hooks(self) -> None:
        await hooks_once(self.services, self.room.ids["aurora"])

    async def sync(self) -> None:
        await calendar_jobs.sync(self.services, self.room.ids["aurora"])


@pytest_asyncio.fixture(loop_scope="session")
async def linked(room: Room, server: tuple[int, Path]) -> AsyncIterator[Linked]:
    async with httpx.AsyncClient(timeout=10) as http:
        made = Linked(room, http, server[0])
        for event in await events_in(http, made.url):
            await http.delete(f"{made.url}{event['uid']}.ics", auth=("sara", "secret"))
        await made.link()
        yield made


async def test_the_event_appears_moves_and_disappears(room: Room, linked: Linked) -> None:
    talk = await booked(room, "massaggio rilassante con Giulia venerdì alle 15")
    await only_calendar_hooks(room)
    await linked.hooks()
    assert await linked.shown() == [FRIDAY]
    await talk.say("sposta il mio appuntamento a lunedì alle 11", intent="reschedule_cancel")
    await talk.say("sì")
    await only_calendar_hooks(room)
    await linked.hooks()
    assert await linked.shown() == [datetime(2026, 11, 23, 10, tzinfo=UTC)]
    await cancels(talk)
    await only_calendar_hooks(room)
    await linked.hooks()
    assert await linked.shown() == []


async def only_calendar_hooks(room: Room) -> None:
    """Alerts and documents are other tests' business."""
    await room.rows("DELETE FROM event_hook WHERE target <> 'calendar'")


async def test_a_conflict_found_in_the_calendar_blocks_the_slot(room: Room, linked: Linked) -> None:
    mine = await booked(room, "massaggio rilassante con Giulia lunedì alle 11")
    dentist = "DTSTART:20261120T130000Z\r\nDTEND:20261120T150000Z\r\nSUMMARY:Dentista"
    overlap = "DTSTART:20261123T093000Z\r\nDTEND:20261123T103000Z"
    for uid, lines in (("dentist", dentist), ("overlap", overlap)):
        await linked.http.put(f"{linked.url}{uid}.ics", content=written(uid, lines), auth=("sara", "secret"))
    await linked.sync()
    talk = await room.talk()
    await talk.book("massaggio prenatale venerdì alle 15")  # only Giulia gives it
    assert talk.state["outcome"]["kind"] == "asked"
    assert "non ho posto" in talk.words
    for _ in range(2):
        await linked.sync()
    conflicts = "SELECT detail FROM crm_event WHERE contact_id = %s AND kind = 'appointment_conflict'"
    assert await room.rows(conflicts, mine.contact_id) == [{"detail": "Giulia Marchetti"}]
    for uid in ("dentist", "overlap"):
        await linked.http.delete(f"{linked.url}{uid}.ics", auth=("sara", "secret"))
    await linked.sync()
    await talk.book("massaggio prenatale venerdì alle 15")
    assert talk.state["outcome"]["kind"] == "confirming"


async def test_a_server_that_is_down_loses_nothing(room: Room, linked: Linked) -> None:
    linked.away = True
    talk = await booked(room, "massaggio rilassante con Giulia venerdì alle 15")
    await only_calendar_hooks(room)
    wait = await hooks_once(linked.services, room.ids["aurora"])
    assert wait is not None  # to be tried again
    assert len(await talk.appointments()) == 1
    await linked.sync()
    [state] = await room.rows("SELECT error FROM calendar WHERE error IS NOT NULL")
    assert "does not answer" in state["error"]
    linked.away = False
    room.clock.now += timedelta(seconds=5)
    await linked.hooks()
    assert await linked.shown() == [FRIDAY]
    assert await room.rows("SELECT 1 FROM event_hook WHERE target = 'calendar' AND state <> 'done'") == []


class AnswerLost(httpx.AsyncBaseTransport):
    """A server that takes what is written to it, while its answer does not arrive in time."""

    def __init__(self) -> None:
        self.real, self.losing = httpx.AsyncHTTPTransport(), True

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        answer = await self.real.handle_async_request(request)
        if self.losing and request.method == "PUT":
            await answer.aread()
            await answer.aclose()
            raise httpx.ReadTimeout("the answer was lost", request=request)
        return answer


@pytest_asyncio.fixture(loop_scope="session")
async def lossy(linked: Linked) -> AsyncIterator[AnswerLost]:
    """The linked calendar, taking what is written while its answers are lost."""
    async with httpx.AsyncClient(transport=AnswerLost()) as http:
        linked.http, direct = http, linked.http
        yield cast(AnswerLost, http._transport)
        linked.http = direct


async def test_an_entry_whose_answer_was_lost_disappears_with_its_appointment(
    room: Room, linked: Linked, lossy: AnswerLost
) -> None:
    talk = await booked(room, "massaggio rilassante con Giulia venerdì alle 15")
    await linked.sync()
    [state] = await room.rows("SELECT error FROM calendar WHERE error IS NOT NULL")
    assert "does not answer" in state["error"]
    assert await linked.shown() == [FRIDAY]  # it landed all the same
    await cancels(talk)
    await linked.sync()
    assert await linked.shown() == []
    assert await room.rows("SELECT 1 FROM calendar_event") == []


async def test_an_entry_whose_answer_was_lost_is_written_until_it_is_known(
    room: Room, linked: Linked, lossy: AnswerLost
) -> None:
    lossy.losing = False
    talk = await booked(room, "massaggio rilassante con Giulia venerdì alle 15")
    await linked.sync()
    lossy.losing = True
    for when, start in (
        ("lunedì alle 11", datetime(2026, 11, 23, 10, tzinfo=UTC)),
        ("venerdì alle 15", FRIDAY),
    ):
        await talk.say(f"sposta il mio appuntamento a {when}", intent="reschedule_cancel")
        assert (await talk.say("sì"))["kind"] == "done", talk.words
        if start == FRIDAY:  # where the record believed it to be all along
            lossy.losing = False
        await linked.sync()
        assert await linked.shown() == [start]
    await linked.sync()
    [kept] = await room.rows("SELECT lower(during) AS starts FROM calendar_event")
    assert kept["starts"] == FRIDAY


async def test_what_the_hooks_gave_up_the_look_makes_good(room: Room, linked: Linked) -> None:
    await booked(room, "massaggio rilassante con Giulia venerdì alle 15")
    await room.rows("UPDATE event_hook SET state = 'failed'")
    await linked.sync()
    assert await linked.shown() == [FRIDAY]


async def test_a_feed_shows_the_appointments_to_who_has_its_address(room: Room) -> None:
    await booked(room, "massaggio rilassante con Giulia venerdì alle 15")
    async with room.crm.transaction(room.ids["aurora"]) as tx:
        token = await calendars.new_feed(tx, await calendars.resource_of(tx, "giulia"))
    app = create_app(cast(Any, None))
    services: dict[str, Any] = {"app_secret": "", "verify_token": "", "gather_seconds": 0.0}
    services["metrics"] = Metrics()
    app.state.services = ApiServices(crm=room.crm, **services)
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://sara") as web:
        answer = await web.get(f"/calendars/{token}.ics")
        assert answer.headers["content-type"] == "text/calendar; charset=utf-8"
        day = (FRIDAY - timedelta(hours=3), FRIDAY + timedelta(hours=3))
        [span] = busy_spans(answer.text, since=day[0], until=day[1], zone="Europe/Rome", ours="nobody")
        assert (span.starts, span.ends) == (FRIDAY, FRIDAY + timedelta(minutes=50))
        assert "Anna Rossi" in answer.text
        assert (await web.get(f"/calendars/{token[:-1]}x.ics")).status_code == 404
        async with room.crm.transaction(room.ids["aurora"]) as tx:
            await calendars.new_feed(tx, await calendars.resource_of(tx, "giulia"))
        assert (await web.get(f"/calendars/{token}.ics")).status_code == 404


def test_the_day_of_these_tests() -> None:
    assert MORNING < FRIDAY
    assert CalendarUnreachable.retryable
    assert events.HOOKS["appointment_conflict"] == ("alert",)
