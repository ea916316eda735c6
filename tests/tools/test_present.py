""" "Tomorrow" is the day after it was said, also when read a day later; what is over by then is told."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from graph.state import Event
from knowledge.phrases import Phrases
from tests.tools.talk import MORNING, Room
from tests.tools.test_own_appointments import booked
from tools.facts import live_facts
from tools.present import said_at

YESTERDAY = MORNING - timedelta(days=1)  # a Tuesday, ten in the morning in Milan
TOMORROWS = {
    "it": ("massaggio rilassante domani alle 15", "mercoledì 18 novembre 2026, 15:00"),
    "en": ("relaxing massage tomorrow at 15:00", "Wednesday, 18 November 2026, 15:00"),
    "es": ("masaje relajante mañana a las 15:00", "miércoles, 18 de noviembre de 2026, 15:00"),
    "pt": ("massagem relaxante amanhã às 15h", "18 de novembro de 2026, 15:00"),
}


@pytest.mark.parametrize("language", list(TOMORROWS))
async def test_what_was_said_yesterday_of_tomorrow_is_of_today(room: Room, language: str) -> None:
    talk = await room.talk(language=language)
    text, moment = TOMORROWS[language]
    outcome = await talk.book(text, sent=YESTERDAY)
    assert outcome["kind"] == "confirming", talk.words
    assert moment in talk.words


@pytest.mark.parametrize(
    "text", ["massaggio rilassante oggi alle 15", "massaggio rilassante domani alle 9:30"]
)
async def test_a_time_that_is_over_when_it_is_read_is_told_as_past(room: Room, text: str) -> None:
    talk = await room.talk()
    outcome = await talk.book(text, sent=YESTERDAY)
    assert outcome["kind"] == "asked", talk.words
    assert "già passato" in talk.words
    assert all(option.startswith("slot:2026-11-") for option in talk.options)
    assert await talk.appointments() == []


async def test_the_notice_is_counted_from_now(room: Room) -> None:
    talk = await room.talk()
    await talk.book("massaggio rilassante domani alle 11", sent=YESTERDAY)
    assert "poco preavviso" in talk.words  # two hours, and it is ten


async def test_one_of_several_appointments_is_named_by_the_day_it_was_said_of(room: Room) -> None:
    talk = await booked(room, when="giovedì alle 15")
    await talk.book("massaggio rilassante venerdì alle 15")
    await talk.say("sì")
    await talk.say("devo disdire un appuntamento", intent="reschedule_cancel")
    await talk.say("quello di dopodomani", intent="reschedule_cancel", sent=YESTERDAY)
    assert "giovedì 19 novembre" in talk.words
    assert "venerdì 20" not in talk.words


async def test_the_opening_hours_of_tomorrow_are_those_of_the_day_after_the_question(room: Room) -> None:
    say, profile = Phrases.load().speaker("it"), await room.profile("aurora")

    def asked(text: str) -> str:
        found = live_facts(profile, text, "it", MORNING, say, said_at=YESTERDAY)
        return "\n".join(fact.text for fact in found)

    assert "mercoledì 18 novembre" in asked("domani a che ora aprite?")
    assert "17 novembre" not in asked("oggi a che ora aprite?")
    assert "Orari" in asked("oggi a che ora aprite?")


def event(*messages: dict[str, Any]) -> Event:
    return {"messages": [{"author": "customer", "text": "", **message} for message in messages]}  # type: ignore[typeddict-item]


def test_the_present_of_a_turn() -> None:
    now, earlier = MORNING, YESTERDAY.isoformat()
    assert said_at(event({"text": "domani", "sent_at": earlier}), "it", now) == YESTERDAY
    # A clock that runs ahead, none at all, one without a zone, and a button are read as of now.
    for odd in ((now + timedelta(hours=3)).isoformat(), "", "2026-11-17T09:00:00"):
        assert said_at(event({"text": "domani", "sent_at": odd}), "it", now) == now
    assert said_at(event({"text": "Domani", "option_id": "slot:1", "sent_at": earlier}), "it", now) == now
    # Of several messages the last that speaks of a time; what an agent said does not count.
    late = {"text": "allora?", "sent_at": now.isoformat()}
    assert said_at(event({"text": "domani alle 10", "sent_at": earlier}, late), "it", now) == YESTERDAY
    assert said_at(event({"text": "ciao", "sent_at": earlier}, late), "it", now) == now
    agent = {"author": "agent", "text": "domani", "sent_at": datetime(2026, 11, 1, tzinfo=UTC).isoformat()}
    assert said_at(event({"text": "domani", "sent_at": earlier}, agent), "it", now) == YESTERDAY
